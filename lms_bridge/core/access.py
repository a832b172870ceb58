"""One place decides who may do what: role x organisation subtree x own classes x own children x oneself.

:class:`Scope` is what a person may reach; ``roster.scope`` builds it from role assignments, enrolments and
guardianships of today. Reads filter with :meth:`Scope.paths` and the own ids; every look-up of one thing and every
write calls :meth:`Scope.require` with the thing's :class:`Target`. A thing outside a person's reach is "not found",
never "forbidden", so that nothing leaks about what exists.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from lms_bridge.core.errors import NotFound


class Role(enum.StrEnum):
    """What a person is in one organisation (OneRoster 1.2 roles where they exist)."""

    STUDENT = "student"
    GUARDIAN = "guardian"
    TEACHER = "teacher"
    RESEARCHER = "researcher"
    ADMINISTRATOR = "administrator"
    COUNSELLOR = "counsellor"
    SUPERVISOR = "supervisor"


class Permission(enum.StrEnum):
    """What can be done; pages and commands ask for one of these, never for a role."""

    SYSTEM = "system"
    ROSTER_READ = "roster.read"
    ROSTER_WRITE = "roster.write"
    PLAN_READ = "plan.read"
    PLAN_WRITE = "plan.write"
    PLAN_REVIEW = "plan.review"
    BENCHMARK_WRITE = "benchmark.write"
    CALENDAR_WRITE = "calendar.write"
    TIMETABLE_READ = "timetable.read"
    TIMETABLE_WRITE = "timetable.write"
    LESSON_ENTER = "lesson.enter"
    LESSON_LEAD = "lesson.lead"
    ATTENDANCE_READ = "attendance.read"
    ATTENDANCE_WRITE = "attendance.write"
    MESSAGES_READ = "messages.read"
    AUDIT_READ = "audit.read"


class Reach(enum.Enum):
    """How far a role's permission goes."""

    SUBTREE = enum.auto()
    """Everything of the organisation where the role is held, and below it."""
    CLASSES = enum.auto()
    """What concerns the classes that the person teaches."""
    ENROLLED = enum.auto()
    """What concerns the classes that the person is a student of."""
    CHILDREN = enum.auto()
    """What concerns the person's children and their classes."""
    SELF = enum.auto()
    """What concerns the person alone."""


_P, _R = Permission, Reach

RULES: dict[Role, dict[Permission, frozenset[Reach]]] = {
    Role.ADMINISTRATOR: dict.fromkeys(set(Permission) - {_P.PLAN_REVIEW}, frozenset({_R.SUBTREE})),
    Role.RESEARCHER: {
        p: frozenset({_R.SUBTREE})
        for p in (_P.PLAN_READ, _P.PLAN_REVIEW, _P.BENCHMARK_WRITE, _P.TIMETABLE_READ, _P.LESSON_ENTER)
    },
    Role.TEACHER: {
        _P.PLAN_READ: frozenset({_R.CLASSES, _R.SELF}),
        _P.PLAN_WRITE: frozenset({_R.SELF}),
        _P.TIMETABLE_READ: frozenset({_R.CLASSES, _R.SELF}),
        _P.LESSON_ENTER: frozenset({_R.CLASSES, _R.SELF}),
        _P.LESSON_LEAD: frozenset({_R.SELF}),
        _P.ATTENDANCE_READ: frozenset({_R.CLASSES, _R.SELF}),
        _P.ATTENDANCE_WRITE: frozenset({_R.CLASSES, _R.SELF}),
        _P.ROSTER_READ: frozenset({_R.CLASSES}),
    },
    Role.STUDENT: {
        _P.TIMETABLE_READ: frozenset({_R.ENROLLED, _R.SELF}),
        _P.LESSON_ENTER: frozenset({_R.ENROLLED, _R.SELF}),
        _P.ATTENDANCE_READ: frozenset({_R.SELF}),
    },
    Role.GUARDIAN: {
        _P.TIMETABLE_READ: frozenset({_R.CHILDREN}),
        _P.ATTENDANCE_READ: frozenset({_R.CHILDREN}),
        _P.MESSAGES_READ: frozenset({_R.SELF}),
    },
    Role.COUNSELLOR: {},
    Role.SUPERVISOR: {_P.TIMETABLE_READ: frozenset({_R.SUBTREE}), _P.ATTENDANCE_READ: frozenset({_R.SUBTREE})},
}


@dataclass(frozen=True)
class Target:
    """What a permission is asked for: where it belongs and whom it concerns.

    ``path`` is the materialised path of its organisation; ``class_ids`` the classes it concerns; ``person_ids`` the
    people it is about (a student's attendance, a plan's author, a lesson's teachers).
    """

    path: str | None = None
    class_ids: frozenset[int] = frozenset()
    person_ids: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Grant:
    """One role of the person in one organisation, today."""

    role: Role
    organisation_id: int
    path: str


@dataclass(frozen=True)
class Scope:
    """What one person may reach today."""

    person_id: int
    person_uid: str
    grants: tuple[Grant, ...] = ()
    taught_class_ids: frozenset[int] = frozenset()
    enrolled_class_ids: frozenset[int] = frozenset()
    child_ids: frozenset[int] = frozenset()
    child_class_ids: frozenset[int] = frozenset()
    homeroom_class_ids: frozenset[int] = field(default_factory=frozenset)

    @property
    def roles(self) -> frozenset[Role]:
        """The roles held anywhere."""
        return frozenset(grant.role for grant in self.grants)

    def allows(self, permission: Permission, target: Target) -> bool:
        """Whether some role of this person reaches ``target`` with ``permission``."""
        return any(
            self._reaches(grant, reach, target)
            for grant in self.grants
            for reach in RULES[grant.role].get(permission, ())
        )

    def _reaches(self, grant: Grant, reach: Reach, target: Target) -> bool:
        match reach:
            case Reach.SUBTREE:
                return target.path is not None and target.path.startswith(grant.path)
            case Reach.CLASSES:
                return bool(target.class_ids & self.taught_class_ids)
            case Reach.ENROLLED:
                return bool(target.class_ids & self.enrolled_class_ids)
            case Reach.CHILDREN:
                # A thing about particular people must be about one's child; a thing of a class, of a child's class.
                if target.person_ids:
                    return bool(target.person_ids & self.child_ids)
                return bool(target.class_ids & self.child_class_ids)
            case Reach.SELF:
                return self.person_id in target.person_ids

    def require(self, permission: Permission, target: Target) -> None:
        """Pass silently, or:

        :raises NotFound: the person's roles do not reach the target.
        """
        if not self.allows(permission, target):
            raise NotFound()

    def paths(self, permission: Permission) -> tuple[str, ...]:
        """The organisation subtrees (path prefixes) that the permission covers whole; empty for none."""
        return tuple(
            sorted({g.path for g in self.grants if Reach.SUBTREE in RULES[g.role].get(permission, frozenset())})
        )

    def may(self, permission: Permission) -> bool:
        """Whether the permission is held for anything at all: decides what a menu shows, never what is served."""
        return any(permission in RULES[grant.role] for grant in self.grants)
