"""Makes the demonstration's school system: its roster by the real import, its calendar, and what it is closed for."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from lms_bridge.attendance.models import AttendancePolicy
from lms_bridge.calendar.days import own_days, school_days
from lms_bridge.calendar.grids import every_weekday, set_grid
from lms_bridge.calendar.models import CalendarDay, DayKind, OnlineSpan
from lms_bridge.core.database import db
from lms_bridge.core.models import ExternalId
from lms_bridge.demo.anchor import MIDDLE_MINUTES, PRIMARY_MINUTES, Anchor
from lms_bridge.demo.curriculum import is_primary
from lms_bridge.roster.generate import DEMO_SHAPE, term_of, write_roster
from lms_bridge.roster.models import ClassGroup, Organisation, OrganisationKind, Person
from lms_bridge.roster.oneroster.importer import RosterResult, import_roster

SEED = 2026
SOURCE = "oneroster"
LATE_AFTER = 10
"""Minutes; at home it takes longer to find the lesson than at school."""
REASON = "流感高发，全校转为线上教学 / Influenza: all lessons online"


def load_roster(anchor: Anchor) -> RosterResult:
    """Write the made-up roster as a OneRoster zip and import it; in the transaction in force."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo-roster.zip"
        write_roster(path, DEMO_SHAPE, SEED, term_of(anchor.day))
        return import_roster(path, name=path.name, source=SOURCE, actor_uid=None)


def campuses() -> list[Organisation]:
    """The campuses in the order of the roster."""
    return list(
        db.session.scalars(
            sa.select(Organisation).where(Organisation.kind == OrganisationKind.CAMPUS).order_by(Organisation.id)
        )
    )


def classes_of(campus: Organisation) -> list[ClassGroup]:
    """The classes of a campus in the order of the roster."""
    return list(db.session.scalars(sa.select(ClassGroup).filter_by(campus_id=campus.id).order_by(ClassGroup.id)))


def person_of(sourced_id: str) -> Person:
    """The person whom the roster calls ``sourced_id``.

    :raises LookupError: nobody.
    """
    found = db.session.scalar(
        sa.select(Person)
        .join(ExternalId, ExternalId.entity_id == Person.id)
        .where(ExternalId.entity == "person", ExternalId.key == sourced_id)
    )
    if found is None:
        raise LookupError(sourced_id)
    return found


def close_schools(anchor: Anchor) -> None:
    """The group's campuses teach online from this week's Monday on, for two weeks; flushes."""
    group = db.session.scalars(sa.select(Organisation).where(Organisation.kind == OrganisationKind.GROUP)).one()
    monday = anchor.day - timedelta(days=anchor.day.weekday())
    db.session.add(
        OnlineSpan(organisation_id=group.id, first_day=monday, last_day=monday + timedelta(days=13), reason=REASON)
    )
    db.session.add(AttendancePolicy(organisation_id=group.id, late_after=LATE_AFTER))
    db.session.flush()


def set_grids(anchor: Anchor) -> None:
    """The online period grids of each campus, with a period that begins at the anchor's moment; flushes."""
    for campus in campuses():
        _make_school_day(campus, anchor)
        grades = sorted({group.grade for group in classes_of(campus)})
        for name, primary, minutes in (
            ("线上（小学）", True, PRIMARY_MINUTES),
            ("线上（初中）", False, MIDDLE_MINUTES),
        ):
            set_grid(
                campus,
                name,
                every_weekday(anchor.times(minutes)),
                online=True,
                grades=[grade for grade in grades if is_primary(int(grade)) is primary],
            )
    db.session.flush()


def _make_school_day(campus: Organisation, anchor: Anchor) -> None:
    """A holiday or a weekend day in hand becomes a school day."""
    days, _ = school_days(anchor.day, anchor.day, own_days(campus, anchor.day, anchor.day), campus.country)
    if days:
        return
    db.session.add(
        CalendarDay(
            organisation_id=campus.id,
            day=anchor.day,
            kind=DayKind.MAKE_UP,
            as_weekday=anchor.weekday,
            name="线上教学日",
            name_en="Online school day",
        )
    )
