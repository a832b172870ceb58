"""``plan approve-all`` and ``plan deadline``: the review of many plans from the terminal."""

from __future__ import annotations

from datetime import datetime

import click

from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.core.database import transaction
from lms_bridge.core.i18n import gettext, ngettext


@click.command("approve-all")
@click.option(
    "--without-above",
    "severity",
    type=click.Choice(["none", "info", "minor"]),
    required=True,
    help="Approve plans whose findings are at most this severe; none: those without any finding.",
)
@click.option("--organisation", metavar="CODE", help="Only plans of this organisation and those below it.")
@click.option("--comment", default="", help="Words for the authors.")
@click.option("--dry-run", is_flag=True, help="Only list the plans that would be approved.")
@json_option
def approve_all(severity: str, organisation: str | None, comment: str, dry_run: bool, as_json: bool) -> None:
    """Approve every submitted plan without findings above a severity, each for itself.

    Plans that were not compared with a benchmark are left out. Exit code 1 if a plan was refused.
    """
    from lms_bridge.plans import bulk, lookup

    with application():
        without = bulk.Without(severity)
        under = lookup.organisation_by_code(organisation).path if organisation else "/"
        found = bulk.candidates(None, without=without, under=under, limit=None)
        outcomes = []
        if not dry_run:
            chosen = [(candidate.plan.uid, candidate.version.number) for candidate in found]
            outcomes = bulk.approve_all(chosen, scope=None, person=None, without=without, comment=comment)
        answer = {
            "dry_run": dry_run,
            "plans": [candidate.as_dict() for candidate in found],
            "outcomes": [outcome.as_dict() for outcome in outcomes],
        }
        lines = [f"  {c.campus.code}  {c.plan.title}  {c.plan.uid}" for c in found]
    refused = [outcome for outcome in outcomes if not outcome.approved]
    if as_json:
        print_json(answer)
    elif dry_run:
        click.echo(ngettext("One plan would be approved.", "%(n)s plans would be approved.", len(found)))
        click.echo("\n".join(lines), nl=bool(lines))
    else:
        click.echo(ngettext("One plan was approved.", "%(n)s plans were approved.", len(outcomes) - len(refused)))
        for outcome in refused:
            click.echo(f"  {outcome.title} ({outcome.uid}): {outcome.reason}", err=True)
    if refused:
        raise SystemExit(1)


@click.command("deadline")
@click.option("--organisation", metavar="CODE", help="Whose plans are due (default: the bureau).")
@click.option("--due", type=click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]), help="On the organisation's clock.")
@json_option
def deadline(organisation: str | None, due: datetime | None, as_json: bool) -> None:
    """Set when plans of the running term are due, or without --due say which of them are missing."""
    from lms_bridge.plans import deadlines, lookup

    with application():
        owner = lookup.organisation_by_code(organisation)
        if due is not None:
            with transaction():
                deadlines.set_deadline(owner, lookup.current_term(owner), due, scope=None, person=None)
        answer = [standing.as_dict() for standing in deadlines.standings_below(owner)]
    if as_json:
        print_json({"organisation": owner.code, "standings": answer})
        return
    if not answer:
        click.echo(gettext("No plan is due"))
    for row in answer:
        said = gettext("%(n)s of %(of)s plans are still missing", n=len(row["missing"]), of=row["plans"])
        click.echo(f"{row['campus']}  {row['due_at']}  {said}")
        for missing in row["missing"]:
            click.echo(f"  {missing['class']}  {missing['subject']}")
