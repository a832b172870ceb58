"""``timetable fet-solve`` and ``timetable fet-check``: timetables of the free program FET, without any database."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lms_bridge.cli.common import json_option, print_json
from lms_bridge.cli.plan_export import write_document
from lms_bridge.core.errors import BadInputs, InputError, Place
from lms_bridge.core.i18n import N_, gettext

if TYPE_CHECKING:
    from lms_bridge.timetable.engine.search import Progress
    from lms_bridge.timetable.fet.checker.violations import Verdict
    from lms_bridge.timetable.fet.model import School
    from lms_bridge.timetable.fet.timetable import Timetable

SHOWN = 20
"""How many broken wishes are written out; their counts are complete."""

fet_file = click.argument("path", metavar="FILE.fet", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.command("fet-check")
@fet_file
@click.option(
    "--solution",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="FILE_activities.xml that FET wrote (default: the times locked in FILE.fet).",
)
@json_option
def fet_check(path: Path, solution: Path | None, as_json: bool) -> None:
    """Check the timetable of FILE.fet: every broken constraint with a sentence, musts and wishes apart.

    Ends with 1 where a constraint of 100 percent is broken or cannot be checked.
    """
    from lms_bridge.timetable.fet.checking import check_timetable
    from lms_bridge.timetable.fet.reading import read_fet
    from lms_bridge.timetable.fet.solutions import locked_timetable, read_solution

    school = read_fet(path)
    timetable = read_solution(solution, school) if solution is not None else locked_timetable(school)
    if not timetable.starts:
        raise InputError(
            N_("The file fixes no times of activities."),
            place=Place(file=path.name),
            remedy=N_("Name the solved timetable with --solution FILE_activities.xml."),
        )
    verdict = check_timetable(school, timetable)
    if as_json:
        print_json(_summary(school, timetable) | _verdict(verdict))
    else:
        click.echo(_about(school, timetable))
        _print_verdict(verdict)
    if not verdict.valid:
        sys.exit(1)


@click.command("fet-solve")
@fet_file
@click.option("--seconds", type=click.FloatRange(1, 86_400), default=120.0, show_default=True, help="Time limit.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Start of chance.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="FILE.fet with the times and rooms locked."
)
@click.option("--leave-out", is_flag=True, help="Solve without the constraints of 100 percent that are not supported.")
@json_option
def fet_solve(path: Path, seconds: float, seed: int, output: Path | None, leave_out: bool, as_json: bool) -> None:
    """Make a timetable for FILE.fet, check it, and write it where --output says."""
    from lms_bridge.timetable.fet.checking import check_timetable
    from lms_bridge.timetable.fet.reading import read_fet
    from lms_bridge.timetable.fet.solving import solve_fet
    from lms_bridge.timetable.fet.timetable import Timetable
    from lms_bridge.timetable.fet.writing import write_locked

    school = read_fet(path)
    missing = _report_not_honoured(school, path, leave_out)
    found = solve_fet(school, seed=seed, seconds=seconds, progress=_progress_printer())
    if found.unplaced:
        if output is not None:
            write_document(output, write_locked(path, Timetable(found.starts, found.rooms)))
            click.echo(gettext("Written to %(file)s, without the activities named below.", file=output), err=True)
        raise BadInputs(_not_placed(school, found.unplaced, path, seconds), file=path.name)
    timetable = Timetable(found.starts, found.rooms)
    verdict = check_timetable(school, timetable)
    if output is not None:
        write_document(output, write_locked(path, timetable))
    if as_json:
        answer = {"seconds": round(found.seconds, 2), "seed": seed, "not_honoured": missing,
                  "output": str(output) if output else None}  # fmt: skip
        print_json(_summary(school, timetable) | answer | _verdict(verdict))
    else:
        click.echo(_about(school, timetable))
        click.echo(gettext("Solved in %(seconds)s s.", seconds=f"{found.seconds:.1f}"))
        _print_verdict(verdict)
        if output is not None:
            click.echo(gettext("Written to %(file)s.", file=output))
    if not verdict.valid and not leave_out:
        sys.exit(1)


def _report_not_honoured(school: School, path: Path, leave_out: bool) -> dict[str, int]:
    """Say which kinds the solver does not know; refuse hard ones, unless they are to be left out."""
    from lms_bridge.timetable.fet.rules import not_honoured

    kinds = not_honoured(school)
    for kind in kinds:
        click.echo(
            gettext(
                "Not supported: %(kind)s, %(count)s times, %(hard)s of them with 100 percent.",
                kind=kind.kind,
                count=kind.count,
                hard=kind.hard,
            ),
            err=True,
        )
    hard = [kind for kind in kinds if kind.hard]
    if hard and not leave_out:
        raise BadInputs(
            [
                InputError(
                    N_("%(count)s constraints %(kind)s of 100 percent are not supported."),
                    place=Place(file=path.name),
                    remedy=N_("Make them inactive in FET, or solve without them: --leave-out."),
                    count=kind.hard,
                    kind=kind.kind,
                )
                for kind in hard
            ],
            file=path.name,
        )
    return {kind.kind: kind.count for kind in kinds}


def _not_placed(school: School, unplaced: tuple[int, ...], path: Path, seconds: float) -> list[InputError]:
    """Why there is no timetable: the activities that found no place."""
    return [
        InputError(
            N_("Activity %(id)s (%(subject)s, %(people)s) found no place in %(seconds)s s."),
            place=Place(file=path.name),
            remedy=N_("Give more time (--seconds), another --seed, or loosen what binds this activity."),
            id=activity.id,
            subject=activity.subject,
            people=", ".join((*activity.teachers, *activity.students)) or "-",
            seconds=f"{seconds:g}",
        )
        for activity in (school.by_id[i] for i in unplaced)
    ]


def _progress_printer() -> Callable[[Progress], None]:
    """Writes to standard error how many activities are placed, at most once a second."""
    last = -1.0

    def show(progress: Progress) -> None:
        nonlocal last
        if progress.seconds - last >= 1.0 or progress.placed == progress.units:
            last = progress.seconds
            click.echo(
                gettext(
                    "%(placed)s of %(units)s placed after %(seconds)s s",
                    placed=progress.placed,
                    units=progress.units,
                    seconds=f"{progress.seconds:.0f}",
                ),
                err=True,
            )

    return show


def _summary(school: School, timetable: Timetable) -> dict[str, Any]:
    return {
        "school": school.name,
        "activities": sum(1 for _ in school.active_activities()),
        "placed": len(timetable.starts),
        "teachers": len(school.teachers),
        "days": len(school.days),
        "hours": len(school.hours),
    }


def _about(school: School, timetable: Timetable) -> str:
    return gettext(
        "%(school)s: %(placed)s of %(activities)s activities placed, %(teachers)s teachers, %(days)s days of "
        "%(hours)s hours.",
        **_summary(school, timetable),
    )


def _verdict(verdict: Verdict) -> dict[str, Any]:
    def rows(hard: bool) -> list[dict[str, Any]]:
        return [
            {"kind": found.kind, "weight": found.weight, "row": found.row, "text": found.text()}
            for found in (verdict.hard if hard else verdict.soft)
        ]

    return {
        "valid": verdict.valid,
        "hard": rows(True),
        "soft": rows(False),
        "not_checked": dict(verdict.unsupported),
    }


def _print_verdict(verdict: Verdict) -> None:
    """All broken musts, the counts of broken wishes with the first of them, and what was not checked."""
    click.echo(gettext("Constraints of 100 percent: %(count)s times broken.", count=len(verdict.hard)))
    for found in verdict.hard:
        click.echo(f"  {found.kind}: {found.text()}")
    click.echo(gettext("Wishes: %(count)s times broken.", count=len(verdict.soft)))
    for kind, count in verdict.counts(hard=False).items():
        click.echo(f"  {kind}: {count}")
    for found in verdict.soft[:SHOWN]:
        click.echo(f"    {found.weight:g} %  {found.text()}")
    if len(verdict.soft) > SHOWN:
        click.echo("    " + gettext("... and %(count)s more (--json lists all).", count=len(verdict.soft) - SHOWN))
    for kind, count in verdict.unsupported.items():
        click.echo(gettext("Not checked: %(kind)s, %(count)s times.", kind=kind, count=count))
