"""``plan overview``: how the plans of all campuses stand, as text, JSON or workbook."""

from __future__ import annotations

from pathlib import Path

import click

from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.core.i18n import get_locale, gettext


@click.command("overview")
@click.option("--campus", metavar="CODE")
@click.option("--subject", metavar="CODE")
@click.option("--grade")
@click.option("--xlsx", type=click.Path(path_type=Path, dir_okay=False), help="Write the workbook here.")
@json_option
def plan_overview(campus: str | None, subject: str | None, grade: str | None, xlsx: Path | None, as_json: bool) -> None:
    """How the plans of each campus, subject and grade stand."""
    from lms_bridge.core.access import Grant, Role, Scope
    from lms_bridge.plans.export.overview_excel import overview_xlsx
    from lms_bridge.plans.overview import Filter, overview

    operator = Scope(0, "", (Grant(Role.ADMINISTRATOR, 0, "/"),))
    with application():
        found = overview(operator, Filter(campus, subject, grade))
        answer = found.as_dict()
        locale = get_locale()
        names = [
            (cell.pairs[0].campus.label(locale), cell.pairs[0].subject.label(locale)) for cell in found.cells.values()
        ]
        workbook = overview_xlsx(found) if xlsx is not None else b""
    if xlsx is not None:
        xlsx.write_bytes(workbook)
    if as_json:
        print_json(answer)
        return
    for row, (where, what) in zip(answer["cells"], names, strict=True):
        coverage = "-" if row["coverage"] is None else f"{row['coverage']:.0%}"
        click.echo(
            gettext(
                "%(campus)s, %(subject)s, grade %(grade)s: %(approved)s of %(needed)s approved, coverage %(coverage)s",
                campus=where, subject=what, grade=row["grade"], approved=row["approved"], needed=row["needed"],
                coverage=coverage,
            )
        )  # fmt: skip
