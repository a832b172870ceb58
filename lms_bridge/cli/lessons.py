"""``lessons list``."""

from __future__ import annotations

import click

from lms_bridge.cli.common import application, json_option, print_json


@click.group("lessons")
def lessons_group() -> None:
    """Scheduled lessons."""


@lessons_group.command("list")
@click.option("--campus", metavar="CODE", help="Only this campus.")
@click.option("--class", "class_code", metavar="CODE", help="Only this class.")
@click.option("--week", metavar="WEEK", help="ISO week, as in 2026-W48 (default: this week).")
@json_option
def list_(campus: str | None, class_code: str | None, week: str | None, as_json: bool) -> None:
    """List the lessons of a week."""
    from lms_bridge.timetable.reports.listing import COLUMNS, list_lessons

    with application():
        rows = list_lessons(campus_code=campus, class_code=class_code, week=week)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("  ".join(str(row[column] if row[column] is not None else "") for column in COLUMNS))
