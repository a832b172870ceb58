"""Pages of the deadlines of plans: how plans stand before them, and the form that sets one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.calendar.days import written_day
from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.plans import deadlines
from lms_bridge.plans.models import PlanDeadline
from lms_bridge.roster.models import Organisation, Person, Term
from lms_bridge.roster.scope import today
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("deadlines", __name__, enable_openapi=False)


def parts_of_overview(scope: Scope, plan_ids: list[int]) -> dict[str, Any]:
    """What the overview of plans shows of deadlines: how plans stand before them, and which of the listed are late."""
    return {
        "standings": deadlines.standings(scope),
        "late": deadlines.late_plans(plan_ids),
        "may_set_deadlines": any(scope.may(permission) for permission in deadlines.SETTERS),
    }


def _settable(scope: Scope) -> list[Organisation]:
    paths = {path for permission in deadlines.SETTERS for path in scope.paths(permission)}
    if not paths:
        return []
    reach = sa.or_(*(Organisation.path.startswith(path, autoescape=True) for path in paths))
    query = sa.select(Organisation).where(reach, Organisation.valid_to.is_(None)).order_by(Organisation.path)
    return list(db.session.scalars(query))


def _terms(organisations: list[Organisation]) -> list[Term]:
    ids = {int(part) for organisation in organisations for part in organisation.path.strip("/").split("/")}
    query = sa.select(Term).where(Term.organisation_id.in_(ids), Term.valid_to.is_(None), Term.ends_on >= today())
    return list(db.session.scalars(query.order_by(Term.starts_on, Term.id)))


@blueprint.get("/deadlines")
@signed_in_required
def page() -> str:
    """How plans stand before their deadlines, who is missing, and the form for those who may set one."""
    return _page(require(Permission.PLAN_READ))


def _page(scope: Scope, error: BridgeError | None = None) -> str:
    organisations = _settable(scope)
    locale = get_locale()
    standings = deadlines.standings(scope)
    teachers = {i for s in standings for due in (*s.missing, *s.late) for i in due.teacher_ids}
    names = {p.id: p.display_name for p in db.session.scalars(sa.select(Person).where(Person.id.in_(teachers)))}
    return render_template(
        "plans/deadlines.html",
        standings=standings,
        names=names,
        organisations=[(str(o.id), o.label(locale)) for o in organisations],
        terms=[(str(t.id), t.title) for t in _terms(organisations)],
        rows=_rows(organisations),
        form_values=request.form,
        problems=error.problems if isinstance(error, BadInputs) else [error] if error is not None else [],
    )


def _rows(organisations: list[Organisation]) -> list[dict[str, Any]]:
    """The deadlines that are set, with the organisation and term of each."""
    known: Mapping[int, Organisation] = {o.id: o for o in organisations}
    query = (
        sa.select(PlanDeadline, Term)
        .join(Term, Term.id == PlanDeadline.term_id)
        .where(PlanDeadline.organisation_id.in_(known))
        .order_by(PlanDeadline.due_at)
    )
    return [
        {"deadline": row, "term": term, "organisation": known[row.organisation_id]}
        for row, term in db.session.execute(query)
    ]


@blueprint.post("/deadlines")
@signed_in_required
def set_deadline() -> Response | tuple[str, int]:
    """Set when plans are due."""
    scope = require(Permission.PLAN_READ)
    try:
        organisation, term, due = _form(_settable(scope))
        with transaction():
            deadlines.set_deadline(organisation, term, due, scope=scope, person=current_person())
    except BridgeError as error:
        if error.status == 404:
            raise
        return _page(scope, error), error.status
    flash(gettext("The deadline is set. Teachers without a plan are reminded."), "good")
    return redirect(url_for(".page"))


def _form(organisations: list[Organisation]) -> tuple[Organisation, Term, datetime]:
    """Organisation, term and time of the form.

    :raises BadInputs: what is missing or wrong, all at once.
    """
    problems: list[BridgeError] = []
    organisation = next((o for o in organisations if str(o.id) == request.form.get("organisation")), None)
    if organisation is None:
        problems.append(InputError(N_("No organisation was chosen."), remedy=N_("Choose whose plans are due.")))
    term = next((t for t in _terms(organisations) if str(t.id) == request.form.get("term")), None)
    if term is None:
        problems.append(InputError(N_("No term was chosen."), remedy=N_("Choose the term that the plans are for.")))
    due = None
    try:
        day = written_day(request.form.get("day", ""))
        due = datetime.combine(day, time.fromisoformat(request.form.get("time", "")).replace(tzinfo=None))
    except ValueError:
        problems.append(InputError(N_("The day or the time cannot be read."), remedy=N_("Give both, such as 18:00.")))
    if organisation is None or term is None or due is None:
        raise BadInputs(problems)
    return organisation, term, due


@blueprint.post("/deadlines/<int:number>/remove")
@signed_in_required
def remove(number: int) -> Response:
    """Take a deadline back."""
    scope = require(Permission.PLAN_READ)
    with transaction():
        row = db.session.get(PlanDeadline, number)
        if row is None:
            raise NotFound(N_("This deadline was removed already."))
        deadlines.remove_deadline(row, scope=scope, person=current_person())
    flash(gettext("The deadline is removed. Nobody is reminded of it any more."), "good")
    return redirect(url_for(".page"))
