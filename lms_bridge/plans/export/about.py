"""What a document says about a plan above its units: school, term, subject, classes, author, version, approval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.plans.models import PlanKind, PlanVersion, ReviewStep, VersionState
from lms_bridge.plans.review import STATE_NAMES
from lms_bridge.roster.models import Organisation, Person

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class About:
    """The facts of one version of a plan in one language. ``approved_at`` is aware UTC; ``zone`` the school's."""

    title: str
    school: str
    term: str
    subject: str
    grade: str
    classes: str
    author: str
    version: int
    state: str
    approved_by: str
    approved_at: datetime | None
    zone: str
    benchmark: bool
    units: int
    periods: int

    def approval(self) -> str:
        """By whom and when it was approved; empty where it was not."""
        if self.approved_at is None:
            return ""
        return gettext(", ").join(part for part in (self.approved_by, say_moment(self.approved_at, self.zone)) if part)

    def lines(self) -> list[tuple[str, str]]:
        """Label and value of each fact, as they stand below the title."""
        facts = [
            (gettext("Subject"), self.subject),
            (gettext("Grade"), self.grade),
            (gettext("Classes"), self.classes),
            (gettext("Author"), self.author),
            (gettext("Version"), str(self.version)),
            (gettext("State"), self.state),
            (gettext("Units in all"), str(self.units)),
            (gettext("Periods in all"), str(self.periods)),
        ]
        if self.benchmark:
            facts = [fact for fact in facts if fact[0] != gettext("Classes")]
        if self.approved_at is not None:
            facts.append((gettext("Approved by"), self.approval()))
        return facts


def about(version: PlanVersion) -> About:
    """The facts of ``version`` in the language in force."""
    plan, locale = version.plan, get_locale()
    owner = db.session.get_one(Organisation, plan.organisation_id)
    by, at = _approval(version)
    return About(
        title=plan.title,
        school=owner.label(locale),
        term=plan.term.title,
        subject=plan.subject.label(locale),
        grade=plan.grade,
        classes=gettext(", ").join(link.class_group.title for link in plan.classes),
        author=plan.author.display_name if plan.author is not None and plan.author.erased_at is None else "",
        version=version.number,
        state=gettext(STATE_NAMES[version.state]),
        approved_by=by,
        approved_at=at,
        zone=owner.zone,
        benchmark=plan.kind is PlanKind.BENCHMARK,
        units=len(version.units),
        periods=sum(unit.periods for unit in version.units),
    )


def _approval(version: PlanVersion) -> tuple[str, datetime | None]:
    """Who approved the version and when; one that was superseded later keeps it."""
    row = db.session.execute(
        sa.select(ReviewStep, Person)
        .outerjoin(Person, Person.id == ReviewStep.person_id)
        .where(ReviewStep.version_id == version.id, ReviewStep.state == VersionState.APPROVED)
        .order_by(ReviewStep.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return "", None
    step, person = row
    return (person.display_name if person is not None and person.erased_at is None else ""), step.at


def say_full_day(day: date) -> str:
    """A day with its year, as documents write it: ``2026年11月24日``, ``24 November 2026``."""
    if get_locale() == "en":
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return f"{day.year}年{day.month}月{day.day}日"


def say_moment(moment: datetime, zone: str) -> str:
    """The same with the time on the wall clock of ``zone``."""
    there = moment.astimezone(ZoneInfo(zone))
    return f"{say_full_day(there.date())} {there:%H:%M}"


def made_on(zone: str) -> str:
    """The line that says when a document was made."""
    return gettext("Made on %(day)s", day=say_full_day(now().astimezone(ZoneInfo(zone)).date()))
