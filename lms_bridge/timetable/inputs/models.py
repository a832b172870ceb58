"""Tables of what a school states about its timetable: subject rules, teaching arrangements, teachers' limits, rooms
that are lost."""

from __future__ import annotations

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_uid
from lms_bridge.roster.models import ClassGroup, Organisation, Person, Subject
from lms_bridge.timetable.models import TeacherPart


class RuleType(enum.StrEnum):
    """What a subject rule asks for."""

    DOUBLES = "doubles"
    """``number`` double periods a week."""
    SPREAD = "spread"
    """At most ``number`` periods on one day."""
    NOT_SAME_DAY = "not_same_day"
    """Never on a day on which the other subject is taught."""
    BEFORE = "before"
    """On a day with both, before the other subject."""
    PREFERRED = "preferred"
    """A wish: in this part of the day."""
    FIXED = "fixed"
    """At this weekday and period."""
    WEEKS = "weeks"
    """Only in odd, or only in even teaching weeks."""


class WeekParity(enum.StrEnum):
    """In which teaching weeks of the term a rule holds; the school calendar numbers them from 1."""

    EVERY = "every"
    ODD = "odd"
    EVEN = "even"

    def holds_in(self, number: int) -> bool:
        """Whether it holds in teaching week ``number``."""
        return self is WeekParity.EVERY or (number % 2 == 1) is (self is WeekParity.ODD)


class DayPart(enum.StrEnum):
    """A part of the school day: before or after noon, or by the numbers of its periods."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    PERIODS = "periods"


class SubjectRule(Base):
    """One rule of a campus for a subject: for one class, for a grade, or (neither) for all its classes.

    ``weekday`` counts from 0 (Monday) and is the one whose timetable a day follows. ``first_period`` and
    ``last_period`` (included) belong to ``day_part`` PERIODS; a fixed slot has ``first_period`` alone.
    """

    __tablename__ = "subject_rule"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    subject_id: Mapped[int] = mapped_column(sa.ForeignKey("subject.id"))
    kind: Mapped[RuleType]
    weeks: Mapped[WeekParity] = mapped_column(default=WeekParity.EVERY)
    grade: Mapped[str] = mapped_column(sa.String(16), default="")
    class_id: Mapped[int | None] = mapped_column(sa.ForeignKey("class_group.id"))
    other_id: Mapped[int | None] = mapped_column(sa.ForeignKey("subject.id"))
    number: Mapped[int | None]
    day_part: Mapped[DayPart | None]
    weekday: Mapped[int | None]
    first_period: Mapped[int | None]
    last_period: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    campus: Mapped[Organisation] = relationship()
    subject: Mapped[Subject] = relationship(foreign_keys=[subject_id])
    other: Mapped[Subject | None] = relationship(foreign_keys=[other_id])
    class_group: Mapped[ClassGroup | None] = relationship()


class Arrangement(Base):
    """A course that is not simply "one class, one teacher": several classes together, a group within a class, or two
    teachers. It replaces the ordinary lessons of its classes in its subject.

    Arrangements with the same ``band`` (not empty) are taught at the same time: the groups of a divided class.
    """

    __tablename__ = "teaching_arrangement"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    term_id: Mapped[int] = mapped_column(sa.ForeignKey("term.id"))
    subject_id: Mapped[int] = mapped_column(sa.ForeignKey("subject.id"))
    band: Mapped[str] = mapped_column(sa.String(60), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)

    campus: Mapped[Organisation] = relationship()
    subject: Mapped[Subject] = relationship()
    classes: Mapped[list[ArrangementClass]] = relationship(
        back_populates="arrangement", cascade="all, delete-orphan", order_by="ArrangementClass.id"
    )
    teachers: Mapped[list[ArrangementTeacher]] = relationship(
        back_populates="arrangement", cascade="all, delete-orphan", order_by="ArrangementTeacher.id"
    )


class ArrangementClass(Base):
    """A class of an arrangement, or (``part``) a named part of one."""

    __tablename__ = "teaching_arrangement_class"
    __table_args__ = (sa.UniqueConstraint("arrangement_id", "class_id"),)

    id: Mapped[PrimaryKey]
    arrangement_id: Mapped[int] = mapped_column(sa.ForeignKey("teaching_arrangement.id"))
    class_id: Mapped[int] = mapped_column(sa.ForeignKey("class_group.id"), index=True)
    part: Mapped[str] = mapped_column(sa.String(60), default="")

    arrangement: Mapped[Arrangement] = relationship(back_populates="classes")
    class_group: Mapped[ClassGroup] = relationship()


class ArrangementTeacher(Base):
    """A teacher of an arrangement: one leads, the others assist."""

    __tablename__ = "teaching_arrangement_teacher"
    __table_args__ = (sa.UniqueConstraint("arrangement_id", "person_id"),)

    id: Mapped[PrimaryKey]
    arrangement_id: Mapped[int] = mapped_column(sa.ForeignKey("teaching_arrangement.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    part: Mapped[TeacherPart] = mapped_column(default=TeacherPart.LEAD)

    arrangement: Mapped[Arrangement] = relationship(back_populates="teachers")
    person: Mapped[Person] = relationship()


class TeacherLimit(Base):
    """How many periods a teacher may have in a day, at all campuses together."""

    __tablename__ = "teacher_limit"

    id: Mapped[PrimaryKey]
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), unique=True)
    periods_per_day: Mapped[int]


class LostRooms(Base):
    """Days (both ends included) on which at most ``rooms`` online lessons may run at once at a campus, whatever its
    accounts can: a provider is lost (0), or licences are fewer."""

    __tablename__ = "lost_rooms"

    id: Mapped[PrimaryKey]
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    rooms: Mapped[int]


class ClassPartMember(Base):
    """A student of a named part of a class; a part without members is taken for the whole class."""

    __tablename__ = "class_part_member"
    __table_args__ = (sa.UniqueConstraint("class_id", "part", "person_id"),)

    id: Mapped[PrimaryKey]
    class_id: Mapped[int] = mapped_column(sa.ForeignKey("class_group.id"))
    part: Mapped[str] = mapped_column(sa.String(60))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
