"""``doctor`` and ``plugins``: what an administrator looks at first."""

from __future__ import annotations

import sys

import click

from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.core import health, registry
from lms_bridge.core.plugins import CheckState

PLUGIN_SECONDS = 60.0
"""At the command line there is time for servers that answer slowly."""

MARKS = {
    CheckState.OK: "ok     ",
    CheckState.UNTRIED: "untried",
    CheckState.WARNING: "warning",
    CheckState.FAILED: "FAILED ",
}


@click.command()
@json_option
@click.option("--new-key", is_flag=True, help="Print a fresh key for LMS_BRIDGE_ENCRYPTION_KEYS and end.")
def doctor(as_json: bool, new_key: bool) -> None:
    """Check this installation and say in words what is missing; exit code 1 if something is."""
    if new_key:
        from cryptography.fernet import Fernet

        click.echo(Fernet.generate_key().decode("ascii"))
        return
    from lms_bridge.web.plugin_checks import check_plugins_in_use

    with application(ready=False):
        checks = [*health.readiness()]
        if all(check.state is not CheckState.FAILED for check in checks[:2]):
            checks += [health.check_jobs(), *check_plugins_in_use(seconds=PLUGIN_SECONDS)]
        checks += health.check_plugins()
    if as_json:
        print_json([{"title": c.title, "state": c.state, "detail": c.detail, "remedy": c.remedy} for c in checks])
    else:
        for check in checks:
            click.echo(f"{MARKS[check.state]}  {check.title}: {check.detail}".rstrip(": "))
            if check.remedy and check.state is not CheckState.OK:
                click.echo(f"         {check.remedy}")
    sys.exit(1 if any(check.state is CheckState.FAILED for check in checks) else 0)


@click.command()
@json_option
def plugins(as_json: bool) -> None:
    """List the installed plugins with their settings."""
    rows = []
    for found in registry.find():
        fields = found.cls.Settings.model_fields if found.cls is not None else {}
        rows.append(
            {
                "kind": found.group.removeprefix("lms_bridge."),
                "identifier": found.identifier,
                "name": found.cls.verbose_name if found.cls is not None else None,
                "distribution": found.distribution,
                "problem": found.problem or None,
                "settings": {
                    f"LMS_BRIDGE_{found.identifier.upper()}_{name.upper()}": field.description
                    for name, field in fields.items()
                },
            }
        )
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['kind']:18} {row['identifier']:14} {row['problem'] or row['name']}")
