"""``timetable solve`` says on standard error how it goes, and Ctrl-C keeps the best found."""

from __future__ import annotations

import os
import signal

import pytest

from lms_bridge.cli.solve_progress import SolveProgress
from lms_bridge.timetable.solving.effort import Progress, Stage


def test_each_stage_and_every_few_seconds_a_line_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    told = SolveProgress()
    for progress in (
        Progress(0.1, Stage.READING),
        Progress(1.2, Stage.FIRST, 40, 96),
        Progress(1.8, Stage.FIRST, 60, 96),
        Progress(9.4, Stage.IMPROVING, 96, 96, {"gap": 35, "late": 7}),
    ):
        assert told(progress) is True
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "0 s · Reading plans and rules",
        "1 s · Looking for a first timetable · 40 of 96 periods placed",
        "9 s · Making the timetable better · 96 of 96 periods placed · cost 42",
    ]


def test_the_first_ctrl_c_ends_the_search_and_the_second_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    told = SolveProgress()
    before = signal.getsignal(signal.SIGINT)
    with told.listening():
        assert told(Progress(1.0, Stage.FIRST, 1, 2)) is True
        os.kill(os.getpid(), signal.SIGINT)
        assert told(Progress(2.0, Stage.FIRST, 2, 2)) is False
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert "the best timetable so far is kept" in capsys.readouterr().err
