"""Organisations, people and classes (OneRoster 1.2 terms; https://www.imsglobal.org/spec/oneroster/v1p2).

Nothing about people is deleted by an import: rows get ``valid_to`` (the first day on which they no longer hold).
"""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_uid
from lms_bridge.core.types import EncryptedJSON, KeptProblem


class OrganisationKind(enum.StrEnum):
    """The three levels of the system; one bureau per installation."""

    BUREAU = "bureau"
    GROUP = "group"
    CAMPUS = "campus"


class Organisation(Base):
    """A node of the tree. ``path`` is the materialised path of ids (``/1/4/9/``), so that a subtree is a prefix."""

    __tablename__ = "organisation"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    kind: Mapped[OrganisationKind]
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    path: Mapped[str] = mapped_column(sa.String(255), unique=True)
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    name_en: Mapped[str | None] = mapped_column(sa.String(200))
    zone: Mapped[str] = mapped_column(sa.String(64), default="Asia/Shanghai")
    locale: Mapped[str] = mapped_column(sa.String(16), default="zh-CN")
    country: Mapped[str | None] = mapped_column(sa.String(8), default="CN")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    valid_to: Mapped[date | None]

    parent: Mapped[Organisation | None] = relationship(remote_side="Organisation.id")

    def label(self, locale: str) -> str:
        """The name in the language ``locale``, as far as there is one."""
        return (self.name_en or self.name) if locale == "en" else self.name


class Term(Base):
    """A term (OneRoster academicSession of type term or semester) of an organisation and those below it."""

    __tablename__ = "term"
    __table_args__ = (sa.UniqueConstraint("organisation_id", "code"),)

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    code: Mapped[str] = mapped_column(sa.String(60))
    title: Mapped[str] = mapped_column(sa.String(200))
    school_year: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    valid_to: Mapped[date | None]


class Subject(Base):
    """A school subject of the bureau, with its names in both languages and the headings it is known by."""

    __tablename__ = "subject"

    id: Mapped[PrimaryKey]
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    name_en: Mapped[str] = mapped_column(sa.String(100))

    def label(self, locale: str) -> str:
        """The name in the language ``locale``."""
        return self.name_en if locale == "en" else self.name


class Person(Base):
    """A human. ``family_name`` and ``given_name`` as the roster has them; the order of showing is by script."""

    __tablename__ = "person"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    family_name: Mapped[str] = mapped_column(sa.String(100))
    given_name: Mapped[str] = mapped_column(sa.String(100))
    middle_name: Mapped[str | None] = mapped_column(sa.String(100))
    number: Mapped[str | None] = mapped_column(sa.String(60), index=True)
    language: Mapped[str] = mapped_column(sa.String(16), default="zh-CN")
    zone: Mapped[str | None] = mapped_column(sa.String(64))
    erased_at: Mapped[datetime | None]
    valid_to: Mapped[date | None]

    @property
    def display_name(self) -> str:
        """The name as it is said: family name first and unspaced in Chinese, last in Latin script."""
        return name_as_said(self.family_name, self.given_name, self.middle_name)


def name_as_said(family_name: str, given_name: str, middle_name: str | None) -> str:
    """A person's name as it is said: family name first and unspaced in Chinese, last in Latin script."""
    if any("\u3400" <= c <= "\u9fff" for c in family_name + given_name):
        return f"{family_name}{given_name}"
    return " ".join(part for part in (given_name, middle_name, family_name) if part)


class Account(Base):
    """How a person signs in here: a login name and an argon2 hash (none: by link or LMS only)."""

    __tablename__ = "account"

    id: Mapped[PrimaryKey]
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), unique=True)
    login: Mapped[str] = mapped_column(sa.String(120), unique=True)
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    session_version: Mapped[int] = mapped_column(default=1)
    disabled_at: Mapped[datetime | None]


class Stranger(Base):
    """Somebody whom an LMS or an identity provider sent, and whom no rule finds in the roster; waits to be bound to a
    person once.

    ``system`` is that of ``external_id``; ``about`` holds what was said of them (name, e-mail, course), encrypted,
    since it is about minors.
    """

    __tablename__ = "stranger"
    __table_args__ = (sa.UniqueConstraint("system", "subject"),)

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    system: Mapped[str] = mapped_column(sa.String(80))
    sent_by: Mapped[str] = mapped_column(sa.String(120))
    """Name of the LMS or provider, for people."""
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    subject: Mapped[str] = mapped_column(sa.String(255))
    about: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON)
    tries: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[datetime] = mapped_column(default=now)
    last_at: Mapped[datetime] = mapped_column(default=now)
    not_ours_at: Mapped[datetime | None]
    """When an administrator said that this is nobody of ours."""


class ApiToken(Base):
    """A person's key for programs: what it may do is what the person may do, and only reading unless ``may_write``.

    Only the SHA-256 of the key is stored; the key itself is shown once.
    """

    __tablename__ = "api_token"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    key_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    may_write: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship()


class ContactKind(enum.StrEnum):
    """What kind of address a contact point is."""

    EMAIL = "email"
    PHONE = "phone"
    SMS = "sms"
    ACCOUNT = "account"


class ContactState(enum.StrEnum):
    """What is known of a contact point."""

    UNVERIFIED = "unverified"
    GOOD = "good"
    BOUNCING = "bouncing"
    OPTED_OUT = "opted_out"


class ContactPoint(Base):
    """An address of a person. One address may serve several people, each with a row and a state of its own."""

    __tablename__ = "contact_point"
    # It also serves as the index by person.
    __table_args__ = (sa.UniqueConstraint("person_id", "kind", "service", "address"),)

    id: Mapped[PrimaryKey]
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    kind: Mapped[ContactKind]
    service: Mapped[str] = mapped_column(sa.String(40), default="")
    address: Mapped[str] = mapped_column(sa.String(255), index=True)
    state: Mapped[ContactState] = mapped_column(default=ContactState.UNVERIFIED)
    state_reason: Mapped[dict[str, Any] | None] = mapped_column(KeptProblem)
    state_at: Mapped[datetime | None]
    source: Mapped[str | None] = mapped_column(sa.String(80))
    """The roster that named it (as in ``external_id.system``), and may end it; none: entered here."""
    valid_to: Mapped[date | None]


class RoleAssignment(Base):
    """What a person is in one organisation, and when."""

    __tablename__ = "role_assignment"
    __table_args__ = (sa.Index("ix_role_assignment_who", "person_id", "role"),)

    id: Mapped[PrimaryKey]
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    role: Mapped[Role]
    is_primary: Mapped[bool] = mapped_column(default=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class ClassType(enum.StrEnum):
    """OneRoster classType: a homeroom (Chinese administrative class) or a scheduled teaching group."""

    HOMEROOM = "homeroom"
    SCHEDULED = "scheduled"


class Course(Base):
    """OneRoster course: what is taught in scheduled classes."""

    __tablename__ = "course"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(60))
    title: Mapped[str] = mapped_column(sa.String(200))
    subject_id: Mapped[int | None] = mapped_column(sa.ForeignKey("subject.id"))
    grade: Mapped[str | None] = mapped_column(sa.String(16))
    valid_to: Mapped[date | None]


class ClassGroup(Base):
    """OneRoster class: a homeroom, or a teaching group of one course. ``code`` is unique per campus and term."""

    __tablename__ = "class_group"
    __table_args__ = (sa.UniqueConstraint("campus_id", "term_id", "code"),)

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    term_id: Mapped[int] = mapped_column(sa.ForeignKey("term.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(60))
    title: Mapped[str] = mapped_column(sa.String(200))
    class_type: Mapped[ClassType]
    grade: Mapped[str] = mapped_column(sa.String(16))
    course_id: Mapped[int | None] = mapped_column(sa.ForeignKey("course.id"))
    subject_id: Mapped[int | None] = mapped_column(sa.ForeignKey("subject.id"))
    language: Mapped[str] = mapped_column(sa.String(16), default="zh-CN")
    valid_to: Mapped[date | None]

    campus: Mapped[Organisation] = relationship()


class EnrolmentRole(enum.StrEnum):
    """What a person is in a class."""

    STUDENT = "student"
    TEACHER = "teacher"


class Enrolment(Base):
    """A person in a class. For a teacher in a homeroom ``subject_id`` says what they teach there (a homeroom has many
    subjects); none with ``is_primary`` means the class teacher."""

    __tablename__ = "enrolment"
    __table_args__ = (
        sa.Index("ix_enrolment_class", "class_id", "role"),
        sa.Index("ix_enrolment_person", "person_id", "role"),
    )

    id: Mapped[PrimaryKey]
    class_id: Mapped[int] = mapped_column(sa.ForeignKey("class_group.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    role: Mapped[EnrolmentRole]
    subject_id: Mapped[int | None] = mapped_column(sa.ForeignKey("subject.id"))
    is_primary: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Guardianship(Base):
    """Who answers for a student. ``restricted`` (court orders) shuts a guardian out of everything about the child."""

    __tablename__ = "guardianship"

    id: Mapped[PrimaryKey]
    student_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    guardian_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    relation: Mapped[str] = mapped_column(sa.String(40), default="guardian")
    position: Mapped[int] = mapped_column(default=1)
    may_receive: Mapped[bool] = mapped_column(default=True)
    may_confirm: Mapped[bool] = mapped_column(default=True)
    restricted: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str | None] = mapped_column(sa.String(80))
    """The roster that named it (as in ``external_id.system``), and may end it; none: entered here."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Household(Base):
    """Students who live together and may share devices."""

    __tablename__ = "household"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    devices: Mapped[int | None]


class HouseholdMember(Base):
    """A person in a household."""

    __tablename__ = "household_member"
    __table_args__ = (sa.UniqueConstraint("household_id", "person_id"),)

    id: Mapped[PrimaryKey]
    household_id: Mapped[int] = mapped_column(sa.ForeignKey("household.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Consent(Base):
    """A consent given: for what purpose, to which version of the text, by whom, when, and when withdrawn."""

    __tablename__ = "consent"

    id: Mapped[PrimaryKey]
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    given_by_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    purpose: Mapped[str] = mapped_column(sa.String(60))
    text_version: Mapped[str] = mapped_column(sa.String(40))
    given_at: Mapped[datetime] = mapped_column(default=now)
    withdrawn_at: Mapped[datetime | None]


class AccommodationKind(enum.StrEnum):
    """What a student needs differently."""

    SCREEN_BREAKS = "screen_breaks"
    NO_VIDEO = "no_video"
    EXTRA_TIME = "extra_time"
    EXCUSED = "excused"


class Accommodation(Base):
    """An accommodation of one student; ``details`` is encrypted, since it may be about health."""

    __tablename__ = "accommodation"

    id: Mapped[PrimaryKey]
    student_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    kind: Mapped[AccommodationKind]
    details: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class RosterImport(Base):
    """One import that was carried out: which file (by hash), from which source, with what counts."""

    __tablename__ = "roster_import"

    id: Mapped[PrimaryKey]
    source: Mapped[str] = mapped_column(sa.String(80))
    file_name: Mapped[str] = mapped_column(sa.String(255))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime] = mapped_column(default=now)
    actor_uid: Mapped[str | None] = mapped_column(sa.String(32))
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class UploadState(enum.StrEnum):
    """The way of a roster file handed over on the page: checked first, imported once confirmed."""

    CHECKING = "checking"
    CHECKED = "checked"
    IMPORTING = "importing"
    DONE = "done"
    REFUSED = "refused"


class RosterUpload(Base):
    """A roster file that a person handed over, kept in the private store until it is imported or forgotten.

    ``result`` is what the check or the import counted; ``problems`` the refusals as plain JSON, message ids and
    parameters, so that they can be shown in the reader's language.
    """

    __tablename__ = "roster_upload"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stored_file.id", ondelete="SET NULL"))
    file_name: Mapped[str] = mapped_column(sa.String(255))
    size: Mapped[int]
    state: Mapped[UploadState] = mapped_column(default=UploadState.CHECKING)
    confirm_removals: Mapped[bool] = mapped_column(default=False)
    actor_uid: Mapped[str | None] = mapped_column(sa.String(32))
    result: Mapped[dict[str, Any] | None]
    problems: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
