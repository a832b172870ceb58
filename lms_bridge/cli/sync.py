"""``sync ...``: accounts at LMSs, what is exchanged with them, and how it stands."""

from __future__ import annotations

import sys
from typing import Any

import click

from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.core.i18n import gettext, ngettext
from lms_bridge.core.kept_problems import said
from lms_bridge.core.plugins import Check, CheckState

MARKS = {
    CheckState.OK: "ok     ",
    CheckState.UNTRIED: "untried",
    CheckState.WARNING: "warning",
    CheckState.FAILED: "FAILED ",
}
KINDS = ("roster", "activities", "events", "reconcile", "marks", "homework")


@click.group("sync")
def sync_group() -> None:
    """Exchange with a learning management system."""


@sync_group.command()
@click.argument("plugin")
@click.option("--organisation", metavar="CODE", required=True, help="The account serves this organisation and below.")
@click.option("--name", default="", help="Name for people (default: that of the plugin).")
@click.option("--people", "makes_people", is_flag=True, help="People come from there: who is unknown here is made.")
@click.option("--courses", "makes_courses", is_flag=True, help="Make courses and enrolments that are missing there.")
def connect(plugin: str, organisation: str, name: str, makes_people: bool, makes_courses: bool) -> None:
    """Store an account, with the settings of the PLUGIN in the environment (LMS_BRIDGE_MOODLE_URL, ...) or the file.

    The same name again changes its settings.
    """
    from lms_bridge.core import registry
    from lms_bridge.core.database import transaction
    from lms_bridge.core.plugins import LmsConnector
    from lms_bridge.sync import accounts
    from lms_bridge.sync.overview import organisation_with

    with application(), transaction():
        cls = registry.plugin_class(LmsConnector, plugin)
        account = accounts.connect(
            organisation_with(organisation),
            plugin,
            name=name or cls.verbose_name,
            settings=registry.installation_values(cls),
            actor_uid=None,
            makes_people=makes_people,
            makes_courses=makes_courses,
        )
        click.echo(account.uid)


@sync_group.command()
@click.argument("account")
@click.option("--clear", is_flag=True, help="First delete the events and activities that LMS Bridge made in the LMS.")
@click.option("--keep", "kept", is_flag=True, help="Stop a removal that is not through yet.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(account: str, clear: bool, kept: bool, yes: bool) -> None:
    """Forget an ACCOUNT (its uid) with all that is known of its LMS; in the LMS everything stays, except with --clear.

    People, enrolments, lessons and attendance here stay. Exit code 1: the LMS does not answer or did not let go of
    something; the account then stays, and the removal is tried again by itself where that may help.
    """
    from lms_bridge.core.database import db, transaction
    from lms_bridge.sync import accounts, removal
    from lms_bridge.sync.models import LmsAccount, Removal

    with application():
        row = accounts.account_named(account)
        if kept:
            with transaction():
                removal.keep(row, actor_uid=None)
            click.echo(gettext("%(name)s is kept, and stays switched off.", name=row.name))
            return
        known = removal.footprint(row)
        for name, count in vars(known).items():
            click.echo(f"  {name}: {count}")
        if not yes:
            click.confirm(gettext("This cannot be undone. Remove %(name)s?", name=row.name), abort=True)
        with transaction():
            removal.remove(row, Removal.CLEAR if clear else Removal.FORGET, actor_uid=None)
        removal.carry_out_now(row.id)
        left = db.session.get(LmsAccount, row.id, populate_existing=True)
    if left is None:
        click.echo(gettext("%(name)s is removed.", name=row.name))
        return
    click.echo(said(left.last_error) or gettext("It will be tried again by itself."))
    sys.exit(1)


@sync_group.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the accounts and how many of each thing stand how."""
    from lms_bridge.sync.overview import overview

    with application():
        rows = overview()
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['account']}  {row['plugin']:8} {row['organisation']:12} {row['name']}")
        if row["removal"]:
            click.echo("  " + gettext("is being removed"))
        if row["last_error"]:
            click.echo(f"  {row['last_error']}")
        for kind, states in row["mappings"].items():
            click.echo(f"  {kind:10} " + "  ".join(f"{state} {count}" for state, count in states.items()))


@sync_group.command()
@click.argument("account", required=False)
@json_option
def check(account: str | None, as_json: bool) -> None:
    """Say in words what an account may not do and how to allow it; exit code 1 if something needed is missing."""
    from lms_bridge.sync import accounts

    checks: list[tuple[str, Check]] = []
    with application():
        asked = [accounts.account_named(account)] if account else accounts.enabled_accounts()
        for row in asked:
            connector = accounts.connector_for(row)
            checks += [(row.name, one) for one in connector.check()]
            connector.close()
    if as_json:
        print_json(
            [
                {"account": name, "title": c.title, "state": c.state, "detail": c.detail, "remedy": c.remedy}
                for name, c in checks
            ]
        )
    else:
        for name, one in checks:
            title = f"{name}: {one.title}" if len(asked) > 1 else one.title
            click.echo(f"{MARKS[one.state]}  {title}: {one.detail}".rstrip(": "))
            if one.remedy and one.state is not CheckState.OK:
                click.echo(f"         {one.remedy}")
    sys.exit(1 if any(one.state is CheckState.FAILED for _, one in checks) else 0)


@sync_group.command("parts")
@click.argument("account")
@click.option("--marks/--no-marks", "writes_marks", default=None, help="Write attendance into the LMS's register.")
@click.option("--homework/--no-homework", "reads_homework", default=None, help="Read assignments and submissions.")
@click.option("--cohorts/--no-cohorts", "reads_cohorts", default=None, help="Classes without a course: from cohorts.")
@click.option("--messages/--no-messages", "sends_messages", default=None, help="People may be written to there.")
def parts_(account: str, **wanted: bool | None) -> None:
    """Say what else is exchanged with an ACCOUNT (its uid): nothing of it is done unless it is switched on."""
    from lms_bridge.core.database import transaction
    from lms_bridge.sync import accounts, parts

    with application(), transaction():
        row = accounts.account_named(account)
        parts.choose(row, {part: on for part, on in wanted.items() if on is not None}, actor_uid=None)
        for part, name in parts.PARTS.items():
            click.echo(f"{'on ' if getattr(row, part) else 'off'}  {gettext(name)}")


@sync_group.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--account", metavar="UID", help="Only this account (default: all).")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--names", "with_names", is_flag=True, help="Name what is counted: the first 50 of each.")
@click.option("--confirm-removals", is_flag=True, help="End as many enrolments as the LMS no longer lists.")
@json_option
def run(kind: str, account: str | None, dry_run: bool, with_names: bool, confirm_removals: bool, as_json: bool) -> None:
    """Do it now and wait for it: people in (roster), the activity into courses (activities), lessons into calendars
    (events), the comparison of calendars (reconcile), attendance into the register (marks), homework in (homework)."""
    from lms_bridge.core.database import db, transaction
    from lms_bridge.sync import accounts, leases, runs
    from lms_bridge.sync.models import RunKind, SyncRun, SyncState
    from lms_bridge.sync.overview import run_as_dict

    def must_wait() -> None:
        busy = gettext(
            "Another job writes into this LMS and is waited for. If it was killed, its place is free after"
            " %(minutes)s minutes.",
            minutes=int(leases.LEASE.total_seconds() // 60),
        )
        click.echo(busy, err=True)

    results: list[dict[str, Any]] = []
    with application():
        chosen = [accounts.account_named(account)] if account else accounts.enabled_accounts()
        for row in chosen:
            with transaction():
                wanted = runs.start(row, RunKind(kind), actor_uid=None, dry_run=dry_run, confirmed=confirm_removals)
            runs.carry_out_now(wanted.id, must_wait)
            done = db.session.get_one(SyncRun, wanted.id, populate_existing=True)
            results.append(run_as_dict(done))
        failed = any(result["state"] != SyncState.DONE for result in results)
    if as_json:
        print_json(results)
    for result in [] if as_json else results:
        click.echo(f"{result['account']}  {result['kind']}  {result['state']}")
        for name, value in result["result"].items():
            if isinstance(value, int | float):
                click.echo(f"  {name}: {value}")
                names = result["result"].get("names", {}).get(name, []) if with_names else []
                for one in names:
                    click.echo(f"    {one}")
                if names and value > len(names):
                    more = int(value) - len(names)
                    click.echo("    " + ngettext("and %(count)s more", "and %(count)s more", more, count=more))
        for problem in result["problems"]:
            click.echo(f"  {problem}")
        if result["state"] == SyncState.WAITING:
            busy = "" if result["problems"] else gettext("Another job still writes into this LMS.") + " "
            click.echo(f"  {busy}{gettext('It will be tried again by itself.')}")
    sys.exit(1 if failed else 0)


@sync_group.command("members")
@click.option("--platform", metavar="UID", help="Only this LTI platform (default: all).")
@click.option("--dry-run", is_flag=True, help="Say who would be recognised, and keep nothing.")
@json_option
def members_(platform: str | None, dry_run: bool, as_json: bool) -> None:
    """Read the members of the courses of LTI platforms now, match them, and compare them with our classes."""
    from lms_bridge.core.database import db
    from lms_bridge.core.jobs import RetryAt
    from lms_bridge.lti import courses, platforms
    from lms_bridge.lti.errors import PlatformSilent
    from lms_bridge.lti.models import LtiCourse
    from lms_bridge.sync import members

    results: list[dict[str, Any]] = []
    with application():
        for number in courses.to_be_read(platforms.named(platform) if platform else None):
            busy = ""
            try:
                members.read(number, dry_run=dry_run)
            except PlatformSilent:
                pass  # it stands with the course
            except RetryAt:
                busy = gettext("Another job reads it just now.")
            course = db.session.get_one(LtiCourse, number, populate_existing=True)
            error = busy or said(course.members_error) or None
            results.append({"course": course.title or course.context_id, "found": course.members_found, "error": error})
    if as_json:
        print_json(results)
    for result in [] if as_json else results:
        click.echo(str(result["course"]))
        for name, value in ({} if result["error"] else result["found"]).items():
            if value and isinstance(value, int):
                click.echo(f"  {name}: {value}" if value is not True else f"  {name}")
        if result["error"]:
            click.echo(f"  {result['error']}")
    sys.exit(1 if any(result["error"] for result in results) else 0)


@sync_group.command()
@click.option("--account", metavar="UID", help="Only this account.")
@json_option
def failed(account: str | None, as_json: bool) -> None:
    """List what an LMS refused and what could not be matched."""
    from lms_bridge.sync.overview import failed_mappings

    with application():
        rows = failed_mappings(account)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['kind']:10} {row['state']:10} {row['name']}  {row['error']}")


@sync_group.command()
@click.option("--account", metavar="UID", help="Only this account.")
def retry(account: str | None) -> None:
    """Try at once what was refused and would be tried later."""
    from lms_bridge.core.database import transaction
    from lms_bridge.sync.overview import retry_failed

    with application(), transaction():
        click.echo(retry_failed(account))
