"""``timetable solve``."""

from __future__ import annotations

import click

from lms_bridge.cli.common import application, json_option, print_json


@click.group("timetable")
def timetable_group() -> None:
    """Timetables of campuses."""


@timetable_group.command()
@click.option("--campus", required=True, metavar="CODE", help="Campus whose week is planned.")
@click.option("--week", required=True, metavar="WEEK", help="ISO week, as in 2026-W48.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@json_option
def solve(campus: str, week: str, dry_run: bool, as_json: bool) -> None:
    """Turn approved plans into the online lessons of a week, and publish them."""
    from lms_bridge.timetable.scheduling import solve_week

    with application():
        result = solve_week(campus, week, actor=None, dry_run=dry_run)
    if as_json:
        print_json(result.as_dict())
        return
    for line in result.lines():
        click.echo(line)
