"""``plan import-all``."""

from __future__ import annotations

from pathlib import Path

import click

from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import Place
from lms_bridge.core.i18n import gettext


@click.command("import-all")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--dry-run", is_flag=True, help="Only read the files and say what is in them.")
@json_option
def import_all(source: Path, dry_run: bool, as_json: bool) -> None:
    """Import all plans of the folder or zip SOURCE."""
    from lms_bridge.plans import batches

    with application():
        with transaction():
            batch = batches.start(source, name=source.name, scope=None, person=None, dry_run=dry_run)
        batches.carry_out(batch.id)
        answer = batches.report(batch)
    if as_json:
        print_json(answer)
        return
    for file in answer["files"]:
        click.echo(f"{file['state']:8} {file['file']}")
        for problem in file["problems"]:
            place = str(Place(**problem["place"])) if problem.get("place") else ""
            said = " ".join(part for part in (problem["message"], problem.get("remedy")) if part)
            click.echo(f"         {place}: {said}" if place else f"         {said}")
    click.echo(gettext("%(n)s files.", n=len(answer["files"])))
