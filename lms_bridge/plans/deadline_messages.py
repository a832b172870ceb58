"""What teachers are told of plans that are due: which are missing, and until when."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_, get_locale
from lms_bridge.notices import dates
from lms_bridge.notices.kinds import Kind, MessageContext
from lms_bridge.notices.models import Priority
from lms_bridge.plans.deadlines import Due, due_plans
from lms_bridge.plans.models import PlanDeadline
from lms_bridge.plans.reminders import DUE, deadline_of
from lms_bridge.roster.models import Organisation, Person


def tardy(cause: str, after_person_id: int, limit: int) -> list[int]:
    """The audience of ``plan.due``: teachers of a plan that this deadline asks for and nobody has submitted."""
    row = _deadline(cause)
    if row is None:
        return []
    people = {person_id for due in _missing(row) for person_id in due.teacher_ids}
    return sorted(person_id for person_id in people if person_id > after_person_id)[:limit]


def gather_due(person: Person, cause: str) -> MessageContext | None:
    """What is missing of ``person``'s plans; None once everything was submitted, or the deadline has changed."""
    row = _deadline(cause)
    missing = _missing(row, person.id) if row is not None else []
    if row is None or not missing:
        return None
    zone = db.session.get_one(Organisation, row.organisation_id).zone
    url = current_settings().base_url.rstrip("/")
    return MessageContext(
        data={
            "overdue": row.due_at <= now(),
            "due": dates.say_date(row.due_at, zone, get_locale(), with_time=True),
            "plans": [
                {
                    "what": f"{due.subject.label(get_locale())} {due.class_title}",
                    "uploaded": due.plan_id is not None,
                }
                for due in missing
            ],
            "url": f"{url}/plans/upload" if all(due.plan_id is None for due in missing) else f"{url}/plans/",
        }
    )


def _deadline(cause: str) -> PlanDeadline | None:
    """The deadline of a cause (``plan_deadline:17:day1:1764151200``), if it still is that one."""
    table, _, subject = cause.partition(":")
    if table != "plan_deadline" or subject.count(":") != 2:
        raise ValueError(f"not a deadline of plans: {cause!r}")
    return deadline_of(subject)


def _missing(row: PlanDeadline, teacher_id: int | None = None) -> list[Due]:
    """The plans that ``row`` asks for and that are missing; those of campuses with a deadline of their own are not
    among them."""
    path = db.session.get_one(Organisation, row.organisation_id).path
    below = db.session.scalars(
        sa.select(Organisation).where(
            Organisation.path.startswith(path, autoescape=True), Organisation.valid_to.is_(None)
        )
    ).all()
    return [due for due in due_plans(below, teacher_id=teacher_id) if due.deadline.id == row.id and due.missing]


KIND = Kind(
    name=DUE,
    priority=Priority.NORMAL,
    template="plan_due",
    audience=tardy,
    gather=gather_due,
    title=N_("Teaching plan is due"),
)
