"""Routes of change sets below ``/api/v1/change-sets``: see them, put them in force, give them up, undo them."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import timetable_schemas as schemas
from lms_bridge.api import timetable_views as views
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.named import campus_within
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.changing import changes, joint
from lms_bridge.timetable.models import ChangeKind, ChangeSet, LessonChange

blueprint = APIBlueprint("api_change_sets", __name__, url_prefix="/api/v1/change-sets", tag="Timetable changes")


def _found(uid: str) -> ChangeSet:
    row = changes.change_set_by_uid(uid)
    if row is None:
        raise NotFound()
    require(Permission.TIMETABLE_WRITE, Target(db.session.get_one(Organisation, row.campus_id).path))
    return row


@blueprint.get("")
@blueprint.auth_required(auth)
@blueprint.input(schemas.ChangeSetsQuery, location="query")
@blueprint.output(schemas.ChangeSetPage)
def listed(query_data: schemas.ChangeSetsQuery) -> schemas.ChangeSetPage:
    """Change sets of a campus, or of all campuses whose timetable the caller writes; the newest first."""
    scope = require(Permission.TIMETABLE_WRITE)
    if query_data.campus is not None:
        campus = campus_within(scope, Permission.TIMETABLE_WRITE, query_data.campus)
        where: list[sa.ColumnElement[bool]] = [ChangeSet.campus_id == campus.id]
    else:
        paths = scope.paths(Permission.TIMETABLE_WRITE)
        below = [Organisation.path.startswith(path, autoescape=True) for path in paths]
        where = [sa.or_(sa.false(), *below)]
    if query_data.state is not None:
        where.append(ChangeSet.state == query_data.state)
    chosen = sa.select(ChangeSet.id).join(Organisation, Organisation.id == ChangeSet.campus_id).where(*where)
    total = db.session.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0
    told = sa.and_(LessonChange.change_set_id == ChangeSet.id, LessonChange.kind != ChangeKind.UNIT)
    counts = sa.select(sa.func.count(LessonChange.id)).where(told).correlate(ChangeSet).scalar_subquery()
    rows = db.session.execute(
        sa.select(ChangeSet, Organisation.code, Person, counts)
        .join(Organisation, Organisation.id == ChangeSet.campus_id)
        .outerjoin(Person, Person.id == ChangeSet.author_id)
        .where(ChangeSet.id.in_(chosen))
        .order_by(ChangeSet.id.desc())
        .limit(query_data.per_page)
        .offset((query_data.page - 1) * query_data.per_page)
    ).all()
    items = [
        schemas.ChangeSetLine(
            **views.change_set_line(row, campus, author.display_name if author is not None else None, count)
        )
        for row, campus, author, count in rows
    ]
    return schemas.ChangeSetPage(items=items, **views.paged(total, query_data.page, query_data.per_page))


@blueprint.get("/<uid>")
@blueprint.auth_required(auth)
@blueprint.output(schemas.ChangeSetOut)
def one(uid: str) -> schemas.ChangeSetOut:
    """A change set with its lessons before and after, and whom it touches."""
    return views.change_set(_found(uid))


@blueprint.post("/<uid>/apply")
@blueprint.auth_required(auth)
@blueprint.output(schemas.ChangeSetOut)
def apply(uid: str) -> schemas.ChangeSetOut:
    """Put a proposed change set in force, with those that go together with it (``joint``), and tell everybody
    concerned. 409: a week was changed since it was made, or it is not proposed any more. 403: it goes together with one
    of a campus that is out of the caller's reach."""
    return _step(uid, changes.apply)


@blueprint.post("/<uid>/discard")
@blueprint.auth_required(auth)
@blueprint.output(schemas.ChangeSetOut)
def discard(uid: str) -> schemas.ChangeSetOut:
    """Give a proposed change set up, with those that go together with it."""
    return _step(uid, changes.discard)


@blueprint.post("/<uid>/undo")
@blueprint.auth_required(auth)
@blueprint.output(schemas.ChangeSetOut)
def undo(uid: str) -> schemas.ChangeSetOut:
    """Put the lessons of an applied change set back, with those that go together with it. 409: one of them was changed
    again since."""
    return _step(uid, changes.undo)


def _step(uid: str, step: Callable[[ChangeSet, Person], object]) -> schemas.ChangeSetOut:
    with transaction():
        row = _found(uid)
        joint.require_all(require(Permission.TIMETABLE_WRITE), row)
        step(row, caller())
        return views.change_set(row)
