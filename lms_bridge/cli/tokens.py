"""``token create``, ``token list``, ``token revoke``: keys for programs that use the REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.core.database import transaction
from lms_bridge.core.i18n import gettext

if TYPE_CHECKING:
    from lms_bridge.roster.models import Person


@click.group("token")
def token_group() -> None:
    """Keys for programs that use the REST API."""


def _person(name: str) -> Person:
    """The person with this uid, login name or number.

    :raises NotFound: none, or several.
    """
    import sqlalchemy as sa

    from lms_bridge.core.database import db
    from lms_bridge.core.errors import NotFound
    from lms_bridge.core.i18n import N_
    from lms_bridge.roster.models import Account, Person

    found = db.session.scalars(
        sa.select(Person)
        .outerjoin(Account, Account.person_id == Person.id)
        .where(sa.or_(Person.uid == name, Account.login == name, Person.number == name), Person.erased_at.is_(None))
        .limit(2)
    ).all()
    if len(found) != 1:
        raise NotFound(
            N_('No or several people have the login name, number or uid "%(name)s".'),
            remedy=N_("Write the uid, which is in the address of the person's page."),
            name=name,
        )
    return found[0]


@token_group.command("create")
@click.option("--person", required=True, help="Login name, number or uid of whose rights the key has.")
@click.option("--name", required=True, help="What it is for.")
@click.option("--days", type=int, default=90, show_default=True)
@click.option("--write", is_flag=True, help="It may also change things.")
@json_option
def create(person: str, name: str, days: int, write: bool, as_json: bool) -> None:
    """Make a key and print it; it is stored nowhere."""
    from lms_bridge.roster import api_tokens

    with application(), transaction():
        token, key = api_tokens.create(_person(person), name, days=days, may_write=write, actor=None)
        uid, expires = token.uid, token.expires_at
    if as_json:
        print_json({"uid": uid, "key": key, "expires_at": expires})
    else:
        click.echo(key)
        click.echo(gettext("It lives until %(day)s and is not shown again.", day=f"{expires:%Y-%m-%d}"), err=True)


@token_group.command("list")
@click.option("--person", required=True)
@json_option
def show(person: str, as_json: bool) -> None:
    """The keys of a person."""
    from lms_bridge.roster import api_tokens

    with application():
        rows = [
            {"uid": row.uid, "name": row.name, "may_write": row.may_write, "in_force": api_tokens.in_force(row),
             "expires_at": row.expires_at, "used_at": row.used_at}
            for row in api_tokens.tokens_of(_person(person))
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    for row in rows:
        state = gettext("in force") if row["in_force"] else gettext("ended")
        click.echo(f"{row['uid']}  {row['name']}  {state}  {row['expires_at']:%Y-%m-%d}")


@token_group.command("revoke")
@click.argument("uid")
def revoke(uid: str) -> None:
    """End a key at once."""
    from lms_bridge.roster import api_tokens

    with application(), transaction():
        api_tokens.revoke(uid, owner=None, actor=None)
    click.echo(gettext("The key opens nothing any more."))
