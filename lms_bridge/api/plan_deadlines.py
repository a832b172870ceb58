"""Routes of deadlines below ``/api/v1/plan-deadlines``: how plans stand before them, set one, take one back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import plan_answers as answers
from lms_bridge.api import plan_schemas as schemas
from lms_bridge.api import plan_work_answers as work_answers
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.core.access import Permission
from lms_bridge.core.clock import local
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.plans import deadlines, lookup
from lms_bridge.plans.models import PlanDeadline
from lms_bridge.roster.models import Organisation, Term

blueprint = APIBlueprint("api_plan_deadlines", __name__, url_prefix="/api/v1/plan-deadlines", tag="Many plans")


@blueprint.get("")
@blueprint.auth_required(auth)
@blueprint.output(answers.Deadlines)
def plan_deadlines() -> dict[str, Any]:
    """How plans stand before their deadlines."""
    return {"deadlines": [row.as_dict() for row in deadlines.standings(require(Permission.PLAN_READ))]}


@blueprint.put("/<organisation>")
@blueprint.auth_required(auth)
@blueprint.input(schemas.NewDeadline)
@blueprint.output(work_answers.SetDeadline)
def put(organisation: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """Set when the plans of an organisation (its code) are due in a term; teachers without a plan are reminded."""
    scope = require(Permission.PLAN_READ)
    owner = _owner(organisation)
    due = json_data["due_at"]
    if due.tzinfo is not None:
        due = local(due, owner.zone).replace(tzinfo=None)
    with transaction():
        row = deadlines.set_deadline(owner, _term(owner, json_data["term"]), due, scope=scope, person=caller())
        return _shown(row, owner)


@blueprint.delete("/<organisation>")
@blueprint.auth_required(auth)
@blueprint.input(schemas.TermQuery, location="query")
@blueprint.output(work_answers.SetDeadline)
def remove(organisation: str, query_data: dict[str, Any]) -> dict[str, Any]:
    """Take a deadline back: the plans are no longer due, or by the deadline of an organisation above."""
    scope = require(Permission.PLAN_READ)
    owner = _owner(organisation)
    term = _term(owner, query_data["term"])
    row = db.session.scalar(sa.select(PlanDeadline).filter_by(organisation_id=owner.id, term_id=term.id))
    if row is None:
        raise NotFound()
    with transaction():
        shown = _shown(row, owner)
        deadlines.remove_deadline(row, scope=scope, person=caller())
    return shown


def _owner(code: str) -> Organisation:
    found = db.session.scalar(sa.select(Organisation).filter_by(code=code.strip()))
    if found is None:
        raise NotFound()
    return found


def _term(owner: Organisation, code: str | None) -> Term:
    """The term with this code that counts for the organisation; without a code the running one."""
    if code is None:
        return lookup.current_term(owner)
    ids = [int(part) for part in owner.path.strip("/").split("/")]
    term = db.session.scalars(
        sa.select(Term)
        .where(Term.organisation_id.in_(ids), Term.valid_to.is_(None), Term.code == code)
        .order_by(Term.starts_on.desc())
    ).first()
    if term is None:
        raise InputError(
            N_('There is no term with the code "%(code)s".'), code=code,
            remedy=N_("Leave the term out for the running one."),
        )  # fmt: skip
    return term


def _shown(row: PlanDeadline, owner: Organisation) -> dict[str, Any]:
    due = local(row.due_at, owner.zone).isoformat(timespec="minutes")
    return {"organisation": owner.code, "term": db.session.get_one(Term, row.term_id).code, "due_at": due}
