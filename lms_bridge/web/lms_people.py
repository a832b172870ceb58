"""People whom nobody here recognises, one list for all ways in which they come: by a launch from an LMS, by an identity
provider, or in a course that is read. The administrator says once who each is, or that they are nobody of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, NotFound
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.roster import people_search, strangers
from lms_bridge.roster.models import ClassGroup, Enrolment, Organisation, Person, RoleAssignment, Stranger
from lms_bridge.roster.scope import today, valid
from lms_bridge.sync import overview as sync_overview
from lms_bridge.sync import unmatched
from lms_bridge.sync.models import LmsAccount, SyncMapping
from lms_bridge.web import administered
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("lms_people", __name__, url_prefix="/lms/people", enable_openapi=False)

LISTED = 200

Row = Stranger | SyncMapping


@dataclass(frozen=True)
class Unknown:
    """One of them as the pages show them. ``source`` and ``key`` name them in an address."""

    source: str
    key: str
    name: str
    facts: tuple[str, ...]
    teacher: bool
    at: datetime
    zone: str
    search: str


@blueprint.get("")
@signed_in_required
def waiting() -> str:
    """Everybody who waits, or (``aside``) those who were said to be nobody of ours."""
    aside = bool(request.args.get("aside"))
    return render_template(
        "lti/people.html", people=_listed(not_ours=aside), aside=aside, counts=counts(), listed=LISTED
    )


@blueprint.get("/<source>/<key>")
@signed_in_required
def who(source: str, key: str) -> str:
    """One of them, and those of the roster who may be meant."""
    return _who(source, _row(source, key))


@blueprint.post("/<source>/<key>")
@signed_in_required
def bind(source: str, key: str) -> Response | tuple[str, int]:
    """Say which person of the roster it is."""
    row = _row(source, key)
    actor_uid = current_person().uid
    person = people_search.person_within(_organisation(row).id, request.form.get("person", ""))
    try:
        with transaction():
            if isinstance(row, Stranger):
                unmatched.bind_stranger(row, person, actor_uid=actor_uid)
            else:
                unmatched.bind(row, person, actor_uid=actor_uid)
    except BridgeError as error:
        return _who(source, _row(source, key), error), error.status
    flash(gettext("From now on %(name)s is known.", name=person.display_name), "good")
    return redirect(url_for(".waiting"))


@blueprint.post("/<source>/<key>/<any(aside, back):where>")
@signed_in_required
def set_aside(source: str, key: str, where: str) -> Response:
    """Say that it is nobody of ours, or put them back on the list."""
    row, not_ours, actor_uid = _row(source, key), where == "aside", current_person().uid
    with transaction():
        if isinstance(row, Stranger):
            unmatched.set_stranger_aside(row, not_ours=not_ours, actor_uid=actor_uid)
        else:
            unmatched.set_aside(row, not_ours=not_ours, actor_uid=actor_uid)
    flash(gettext("Noted: nobody of ours.") if not_ours else gettext("Put back on the list."), "good")
    return redirect(url_for(".waiting", aside=None if not_ours else 1))


def counts() -> tuple[int, int]:
    """How many wait for the person's word, and how many are nobody of ours."""
    places = [row.id for row in administered.organisations()]
    of_accounts = [row.id for row in _accounts(places)]
    first, second = (
        strangers.count_strangers(places, not_ours=aside) + unmatched.count(of_accounts, places, not_ours=aside)
        for aside in (False, True)
    )
    return first, second


def _accounts(organisation_ids: list[int]) -> list[LmsAccount]:
    return list(db.session.scalars(sa.select(LmsAccount).where(LmsAccount.organisation_id.in_(organisation_ids))))


def _listed(*, not_ours: bool) -> list[Unknown]:
    require(Permission.SYSTEM)
    places = {row.id: row for row in administered.organisations()}
    accounts = {row.id: row for row in _accounts(list(places))}
    rows = [
        _stranger(row, places[row.organisation_id])
        for row in strangers.strangers_of(places, not_ours=not_ours, most=LISTED)
    ]
    rows += [
        _mapped(row, accounts[row.account_id])
        for row in unmatched.people(list(accounts), list(places), not_ours=not_ours, most=LISTED)
    ]
    return sorted(rows, key=lambda one: one.at, reverse=True)[:LISTED]


def _stranger(row: Stranger, place: Organisation) -> Unknown:
    about: Mapping[str, Any] = row.about
    name = str(about.get("name") or about.get("email") or "")
    before = about.get("known_as")
    known = gettext("known until now as %(name)s", name=before) if before else ""
    facts = (row.sent_by, about.get("course"), about.get("email"), about.get("sourcedid"), known)
    return Unknown(
        source="launch", key=row.uid, name=name, facts=tuple(str(one) for one in facts if one),
        teacher=bool(about.get("teacher")), at=row.last_at, zone=place.zone,
        search=str(about.get("sourcedid") or name),
    )  # fmt: skip


def _mapped(row: SyncMapping, account: LmsAccount) -> Unknown:
    number = str(row.sent.get("number") or "")
    said = gettext("number %(number)s", number=number) if number else ""
    facts = (account.name, said, sync_overview.error_of(row))
    name = sync_overview.name_of(row)
    return Unknown(
        source="sync", key=str(row.id), name=name, facts=tuple(one for one in facts if one), teacher=False,
        at=row.seen_at or row.changed_at, zone=account.organisation.zone, search=name,
    )  # fmt: skip


def _who(source: str, row: Row, problem: BridgeError | None = None) -> str:
    place = _organisation(row)
    if isinstance(row, Stranger):
        one = _stranger(row, place)
    else:
        one = _mapped(row, db.session.get_one(LmsAccount, row.account_id))
    asked = request.args.get("q")
    words = one.search if asked is None else asked.strip()
    return render_template(
        "lti/person.html", one=one, words=words, problem=problem,
        found=[(person, _where(person)) for person in people_search.find_people(place.id, words[:100])],
    )  # fmt: skip


def _where(person: Person) -> str:
    """The classes of a person, else the organisations where they have a role."""
    day, name = today(), get_locale()
    classes = db.session.scalars(
        sa.select(ClassGroup.title)
        .join(Enrolment, Enrolment.class_id == ClassGroup.id)
        .where(Enrolment.person_id == person.id, valid(Enrolment, day))
        .distinct()
        .order_by(ClassGroup.title)
        .limit(4)
    ).all()
    places = db.session.scalars(
        sa.select(Organisation)
        .join(RoleAssignment, RoleAssignment.organisation_id == Organisation.id)
        .where(RoleAssignment.person_id == person.id, valid(RoleAssignment, day))
        .limit(2)
    ).unique()
    return gettext(", ").join([*dict.fromkeys(place.label(name) for place in places), *classes])


def _row(source: str, key: str) -> Row:
    """The row, if the person administers its organisation.

    :raises NotFound: there is none (any more), or not for them.
    """
    scope = require(Permission.SYSTEM)
    if source == "launch":
        row: Row = strangers.stranger_named(key)
    elif source == "sync" and key.isdecimal() and len(key) < 19:
        row = unmatched.numbered(int(key))
    else:
        raise NotFound()
    scope.require(Permission.SYSTEM, Target(_organisation(row).path))
    return row


def _organisation(row: Row) -> Organisation:
    if isinstance(row, Stranger):
        return db.session.get_one(Organisation, row.organisation_id)
    return db.session.get_one(LmsAccount, row.account_id).organisation
