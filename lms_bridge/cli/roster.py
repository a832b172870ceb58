"""``roster import``."""

from __future__ import annotations

from pathlib import Path

import click

from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.core.database import transaction


@click.group("roster")
def roster_group() -> None:
    """People, classes and organisations."""


@roster_group.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--source", default="oneroster", show_default=True, help="Name of the system that the file comes from.")
@click.option("--confirm-removals", is_flag=True, help="Allow a bulk file that ends a large share of what is there.")
@json_option
def import_file(file: Path, dry_run: bool, source: str, confirm_removals: bool, as_json: bool) -> None:
    """Import the OneRoster 1.1 or 1.2 zip FILE: all or nothing."""
    from lms_bridge.roster.oneroster.importer import import_roster

    with application(), transaction():
        result = import_roster(
            file,
            name=file.name,
            source=source,
            actor_uid=None,
            dry_run=dry_run,
            confirm_removals=confirm_removals,
        )
    if as_json:
        print_json(result.as_dict())
        return
    for line in result.lines():
        click.echo(line)
