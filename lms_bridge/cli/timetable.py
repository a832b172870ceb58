"""``timetable solve``, ``timetable check`` and ``timetable implementation``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lms_bridge.cli import fet
from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.cli.plan_export import language_option, write_document
from lms_bridge.cli.timetable_exchange import export_file, import_file
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_, gettext


@click.group("timetable")
def timetable_group() -> None:
    """Timetables of campuses."""


timetable_group.add_command(import_file)
timetable_group.add_command(export_file)
timetable_group.add_command(fet.fet_check)
timetable_group.add_command(fet.fet_solve)


@timetable_group.command()
@click.option("--campus", "codes", multiple=True, metavar="CODE", help="Campus whose week is planned; may be repeated.")
@click.option("--group", metavar="CODE", help="Plan all campuses of this education group.")
@click.option(
    "--together", is_flag=True, help="Plan the campuses that share teachers or online rooms with them as well."
)
@click.option("--week", required=True, metavar="WEEK", help="ISO week, as in 2026-W48.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@json_option
def solve(codes: tuple[str, ...], group: str | None, together: bool, week: str, dry_run: bool, as_json: bool) -> None:
    """Turn approved plans into the lessons of a week, and publish them: of one campus, or of several at once.

    How it goes stands on standard error; Ctrl-C ends the search with the best timetable found so far.
    """
    from lms_bridge.cli.solve_progress import SolveProgress
    from lms_bridge.timetable.making import sharing
    from lms_bridge.timetable.making.scheduling import campus_by_code, solve_together

    if bool(codes) == (group is not None):
        raise InputError(
            N_("Name either campuses or a group."),
            remedy=N_("Write --campus CODE, once for each campus, or --group CODE."),
        )
    progress = SolveProgress()
    with application(), progress.listening():
        if group is not None:
            campuses = sharing.campuses_below(sharing.group_by_code(group))
        else:
            campuses = [campus_by_code(code) for code in dict.fromkeys(codes)]
        if together:
            campuses = sharing.with_all_that_share(campuses, week, sharing.all_campuses())
        result = solve_together(campuses, week, actor=None, dry_run=dry_run, watcher=progress)
    if as_json:
        print_json(result.as_dict())
        return
    for line in result.lines():
        click.echo(line)


@timetable_group.command()
@click.option("--campus", required=True, metavar="CODE", help="Campus whose inputs are checked.")
@click.option("--week", required=True, metavar="WEEK", help="ISO week, as in 2026-W48.")
@json_option
def check(campus: str, week: str, as_json: bool) -> None:
    """List everything that stands in the way of a week's timetable. Exit code 1 if there is anything."""
    from lms_bridge.timetable.making.input_check import check_week
    from lms_bridge.timetable.making.scheduling import campus_by_code

    with application():
        found = check_week(campus_by_code(campus), week)
    if as_json:
        print_json(found.as_dict())
    else:
        for problem in found.problems:
            click.echo(gettext("Problem: %(text)s", text=problem))
        for warning in found.warnings:
            click.echo(gettext("Note: %(text)s", text=warning))
        if not found.problems:
            click.echo(gettext("Nothing stands in the way of week %(week)s.", week=found.week))
    if found.problems:
        sys.exit(1)


@timetable_group.command("implementation")
@click.option("--class", "class_code", metavar="CODE", help="Class whose plan is written.")
@click.option("--campus", metavar="CODE", help="Campus whose plan is written.")
@click.option("--to", "path", required=True, type=click.Path(dir_okay=False, path_type=Path), help="FILE.docx.")
@language_option
def implementation_plan(class_code: str | None, campus: str | None, path: Path, language: str | None) -> None:
    """Write the online-teaching plan of a class or a campus as a Word document."""
    from lms_bridge.plans.lookup import class_by_code
    from lms_bridge.timetable.making.scheduling import campus_by_code
    from lms_bridge.timetable.reports import implementation
    from lms_bridge.timetable.reports.implementation_word import campus_docx, class_docx

    if (class_code is None) == (campus is None):
        raise InputError(N_("Name either a class or a campus."), remedy=N_("Write --class CODE or --campus CODE."))
    with application():
        if class_code is not None:
            found = implementation.of_class(class_by_code(class_code))
            content = class_docx(found, language or found.campus.locale)
        else:
            found = implementation.of_campus(campus_by_code(campus or ""))
            content = campus_docx(found, language or found.campus.locale)
    write_document(path, content)
    click.echo(gettext("Written to %(file)s.", file=path))
