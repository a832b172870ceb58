"""``timetable import`` and ``timetable export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.cli.plan_export import language_option, write_document
from lms_bridge.core.i18n import gettext, use_locale

if TYPE_CHECKING:
    from lms_bridge.timetable.exchange.fet_inputs import Taken


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--campus", required=True, metavar="CODE", help="Campus whose timetable it is.")
@click.option("--from", "first", required=True, metavar="WEEK", help="First ISO week, as in 2026-W48.")
@click.option("--to", "last", metavar="WEEK", help="Last ISO week; without it only the first.")
@click.option(
    "--solution", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="FET's FILE_activities.xml."
)
@click.option(
    "--rules",
    "rules",
    default="all",
    metavar="all|none|KIND,...",
    show_default=True,
    help="Which rules of a .fet file the campus takes over: teacher_times, teacher_limits, fixed, spread, preferred, "
    "together.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@json_option
def import_file(
    file: Path, campus: str, first: str, last: str | None, solution: Path | None, rules: str, dry_run: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Make the timetable in FILE (.xlsx, .csv or .fet) that of its classes, and publish it. Rules of a .fet file that
    fit go into the campus's inputs; every constraint is listed with what becomes of it."""
    from lms_bridge.core.database import transaction
    from lms_bridge.timetable.exchange.importer import import_timetable
    from lms_bridge.timetable.exchange.sources import read_timetable
    from lms_bridge.timetable.making.scheduling import campus_by_code

    with application():
        given = read_timetable(file, file.name, solution=solution, solution_name=solution.name if solution else None)
        with transaction():
            result = import_timetable(
                campus_by_code(campus), given, first_week=first, last_week=last, name=file.name, actor=None,
                dry_run=dry_run, take=_kinds(rules),
            )  # fmt: skip
            found, lines = result.as_dict(), result.lines()
    if as_json:
        print_json(found)
        return
    for line in lines:
        click.echo(line)


def _kinds(text: str) -> list[Taken]:
    from lms_bridge.timetable.exchange.fet_inputs import Taken

    if text in ("all", "none"):
        return list(Taken) if text == "all" else []
    try:
        return [Taken(word.strip()) for word in text.split(",")]
    except ValueError:
        known = ", ".join(["all", "none", *Taken])
        raise click.BadParameter(gettext("Write some of: %(known)s.", known=known), param_hint="--rules") from None


@click.command("export")
@click.option("--campus", required=True, metavar="CODE", help="Campus whose week is written.")
@click.option("--week", required=True, metavar="WEEK", help="ISO week, as in 2026-W48.")
@click.option(
    "--to", "path", required=True, type=click.Path(dir_okay=False, path_type=Path), help="FILE.xlsx, .csv, .ics or .fet"
)
@language_option
def export_file(campus: str, week: str, path: Path, language: str | None) -> None:
    """Write a campus's week for another program; the ending of the file says in which form."""
    from lms_bridge.timetable.exchange.export import written_week
    from lms_bridge.timetable.making.scheduling import campus_by_code

    with application():
        found = campus_by_code(campus)
        with use_locale(language or found.locale):
            content = written_week(found, week, path.suffix.lstrip("."))
    write_document(path, content)
    click.echo(gettext("Written to %(file)s.", file=path))
