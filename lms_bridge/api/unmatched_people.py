"""Routes of people whom nobody recognises, below ``/api/v1/unmatched-people``: who they are, or that they are nobody of
ours, is said once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import lms_schemas as schemas
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.roster import people_search, strangers
from lms_bridge.roster.models import Organisation, Stranger
from lms_bridge.sync import overview, unmatched
from lms_bridge.sync.models import LmsAccount, SyncMapping

blueprint = APIBlueprint(
    "api_unmatched_people", __name__, url_prefix="/api/v1/unmatched-people", tag="Exchange with LMSs"
)

LISTED = 200

Row = Stranger | SyncMapping


@blueprint.get("")
@blueprint.auth_required(auth)
@blueprint.input(schemas.UnmatchedQuery, location="query")
@blueprint.output(schemas.UnmatchedPeople)
def waiting(query_data: schemas.UnmatchedQuery) -> schemas.UnmatchedPeople:
    """Who waits for the caller's word, from all ways in which people come."""
    scope = require(Permission.SYSTEM)
    below = [Organisation.path.startswith(path, autoescape=True) for path in scope.paths(Permission.SYSTEM)]
    places = db.session.scalars(sa.select(Organisation.id).where(sa.or_(sa.false(), *below))).all()
    accounts = db.session.scalars(sa.select(LmsAccount.id).where(LmsAccount.organisation_id.in_(places))).all()
    rows: list[Row] = [
        *strangers.strangers_of(places, not_ours=query_data.aside, most=LISTED),
        *unmatched.people(accounts, places, not_ours=query_data.aside, most=LISTED),
    ]
    people = sorted(map(_said, rows), key=lambda one: one.seen_at, reverse=True)
    return schemas.UnmatchedPeople(people=people[:LISTED])


@blueprint.get("/<source>/<key>/candidates")
@blueprint.auth_required(auth)
@blueprint.input(schemas.CandidatesQuery, location="query")
@blueprint.output(schemas.Candidates)
def candidates(source: str, key: str, query_data: schemas.CandidatesQuery) -> schemas.Candidates:
    """People of the roster whom the words may mean."""
    found = people_search.find_people(_organisation(_found(source, key)).id, query_data.q)
    return schemas.Candidates(
        people=[schemas.CandidateOut(uid=one.uid, name=one.display_name, number=one.number) for one in found]
    )


@blueprint.post("/<source>/<key>/bind")
@blueprint.auth_required(auth)
@blueprint.input(schemas.BindIn)
@blueprint.output(schemas.UnmatchedGone)
def bind(source: str, key: str, json_data: schemas.BindIn) -> schemas.UnmatchedGone:
    """Say which person of the roster it is; it holds from now on, for launches or the next run. 409: the person is
    somebody else in that LMS already."""
    row = _found(source, key)
    person = people_search.person_within(_organisation(row).id, json_data.person)
    with transaction():
        if isinstance(row, Stranger):
            unmatched.bind_stranger(row, person, actor_uid=caller().uid)
        else:
            unmatched.bind(row, person, actor_uid=caller().uid)
    return schemas.UnmatchedGone(source=_source(row), key=key, person=person.uid)


@blueprint.post("/<source>/<key>/aside")
@blueprint.auth_required(auth)
@blueprint.output(schemas.UnmatchedGone)
def set_aside(source: str, key: str) -> schemas.UnmatchedGone:
    """Say that it is nobody of ours."""
    return _set_aside(source, key, not_ours=True)


@blueprint.post("/<source>/<key>/back")
@blueprint.auth_required(auth)
@blueprint.output(schemas.UnmatchedGone)
def put_back(source: str, key: str) -> schemas.UnmatchedGone:
    """Put somebody back on the list."""
    return _set_aside(source, key, not_ours=False)


def _set_aside(source: str, key: str, *, not_ours: bool) -> schemas.UnmatchedGone:
    row = _found(source, key)
    with transaction():
        if isinstance(row, Stranger):
            unmatched.set_stranger_aside(row, not_ours=not_ours, actor_uid=caller().uid)
        else:
            unmatched.set_aside(row, not_ours=not_ours, actor_uid=caller().uid)
    return schemas.UnmatchedGone(source=_source(row), key=key)


def _found(source: str, key: str) -> Row:
    """The row, if the caller administers its organisation.

    :raises NotFound: there is none (any more), or not for them.
    """
    require(Permission.SYSTEM)
    if source == "launch":
        row: Row = strangers.stranger_named(key)
    elif source == "sync" and key.isdecimal() and len(key) < 19:
        row = unmatched.numbered(int(key))
    else:
        raise NotFound()
    require(Permission.SYSTEM, Target(_organisation(row).path))
    return row


def _organisation(row: Row) -> Organisation:
    if isinstance(row, Stranger):
        return db.session.get_one(Organisation, row.organisation_id)
    return db.session.get_one(LmsAccount, row.account_id).organisation


def _source(row: Row) -> Any:
    return "launch" if isinstance(row, Stranger) else "sync"


def _said(row: Row) -> schemas.UnmatchedOut:
    about: Mapping[str, Any] = row.about if isinstance(row, Stranger) else row.sent
    shared = {"organisation": _organisation(row).code, "source": _source(row)}
    if isinstance(row, Stranger):
        return schemas.UnmatchedOut(
            key=row.uid, name=str(about.get("name") or ""), where=row.sent_by, number=str(about.get("sourcedid") or ""),
            email=str(about.get("email") or ""), course=str(about.get("course") or ""), why="", seen_at=row.last_at,
            **shared,
        )  # fmt: skip
    return schemas.UnmatchedOut(
        key=str(row.id), name=overview.name_of(row), where=db.session.get_one(LmsAccount, row.account_id).name,
        number=str(about.get("number") or ""), email="", course="", why=overview.error_of(row),
        seen_at=row.seen_at or row.changed_at, **shared,
    )  # fmt: skip
