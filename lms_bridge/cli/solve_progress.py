"""Shows on standard error how a week is being solved, and lets Ctrl-C end it with the best timetable found."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from lms_bridge.core.i18n import gettext
from lms_bridge.timetable.solving.cost_words import stage_words
from lms_bridge.timetable.solving.effort import Progress

LINE_EVERY = 5.0
"""Seconds between two lines where the output is no terminal, on which one line is written over."""


class SolveProgress:
    """Is told of progress by the solver; see :data:`lms_bridge.timetable.solving.effort.Watcher`."""

    def __init__(self) -> None:
        self.ended = False
        self.width = 0
        self.line_at = -LINE_EVERY
        self.stage = ""

    def __call__(self, progress: Progress) -> bool:
        if sys.stderr.isatty():
            text = in_a_line(progress)
            click.echo("\r" + text.ljust(self.width), nl=False, err=True)
            self.width = len(text)
        elif progress.seconds - self.line_at >= LINE_EVERY or progress.stage.value != self.stage:
            self.line_at, self.stage = progress.seconds, progress.stage.value
            click.echo(in_a_line(progress), err=True)
        return not self.ended

    @contextmanager
    def listening(self) -> Iterator[None]:
        """The first Ctrl-C ends the search, a second one the command."""
        before = signal.signal(signal.SIGINT, self._stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            if self.width:
                click.echo(err=True)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.ended:
            raise KeyboardInterrupt
        self.ended = True
        click.echo(
            "\n" + gettext("Stopping; the best timetable so far is kept. Press Ctrl-C again to give up."), err=True
        )


def in_a_line(progress: Progress) -> str:
    """``12 s · Making the timetable better · 96 of 96 periods placed · cost 140``."""
    parts = [gettext("%(seconds)s s", seconds=round(progress.seconds)), stage_words(progress.stage.value)]
    if progress.wanted:
        parts.append(gettext("%(placed)s of %(wanted)s periods placed", placed=progress.placed, wanted=progress.wanted))
    if progress.costs:
        parts.append(gettext("cost %(cost)s", cost=sum(progress.costs.values())))
    return " · ".join(parts)
