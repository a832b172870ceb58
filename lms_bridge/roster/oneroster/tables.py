"""The CSV tables of OneRoster 1.1 and 1.2 as far as they are read, and their vocabularies.

Sources: OneRoster 1.1.1 CSV Tables (https://www.imsglobal.org/oneroster-v11-final-csv-tables) and OneRoster 1.2.1
CSV Binding (https://www.imsglobal.org/spec/oneroster/v1p2/bind/csv). Columns named ``metadata.*`` are extensions that
both versions allow; those read here are described in ``docs/roster.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

from lms_bridge.core.access import Role

STUDENT, GUARDIAN, PARENT, RELATIVE = 1, 2, 4, 8
"""Bits of what a user is, as far as it decides who answers for whom."""

ANY_GUARDIAN = GUARDIAN | PARENT | RELATIVE


@dataclass(frozen=True)
class Column:
    """A column that is read. ``required``: the column must be there and no cell blank; ``longest`` in characters."""

    name: str
    required: bool = False
    longest: int = 255


@dataclass(frozen=True)
class Table:
    """A CSV file of the zip; ``name`` as in the manifest, rows are read as cells in the order of ``columns``."""

    name: str
    columns: tuple[Column, ...]

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"{self.name}.csv"


def _columns(text: str) -> tuple[Column, ...]:
    """``name`` optional, ``name!`` required, ``name:60`` with its longest value."""
    found = []
    for word in text.split():
        name, _, longest = word.partition(":")
        found.append(Column(name.rstrip("!"), name.endswith("!"), int(longest or 255)))
    return tuple(found)


ORGS = Table(
    "orgs",
    _columns(
        "sourcedId! status name!:200 type! identifier parentSourcedId"
        " metadata.nameEn:200 metadata.zone:64 metadata.locale:16 metadata.country:8"
    ),
)
SESSIONS = Table(
    "academicSessions",
    _columns("sourcedId! status title!:200 type! startDate! endDate! parentSourcedId schoolYear!"),
)
COURSES = Table(
    "courses",
    _columns("sourcedId! status title!:200 courseCode grades orgSourcedId! subjects subjectCodes metadata.subjectsEn"),
)
CLASSES = Table(
    "classes",
    _columns(
        "sourcedId! status title!:200 grades courseSourcedId classCode classType! schoolSourcedId! termSourcedIds!"
        " subjects subjectCodes metadata.subjectsEn metadata.language:16"
    ),
)
_USER_CELLS = (
    "sourcedId! status enabledUser! givenName:100 familyName:100 middleName:100 preferredGivenName:100"
    " preferredFamilyName:100 identifier:60 email phone sms agentSourcedIds:4000 primaryOrgSourcedId"
    " metadata.language:16 metadata.zone:64 metadata.restricted:4000"
)
USERS_1_1 = Table("users", _columns(_USER_CELLS + " role! orgSourcedIds!:4000"))
USERS_1_2 = Table("users", _columns(_USER_CELLS))
ROLES = Table(
    "roles",
    _columns("sourcedId! status userSourcedId! roleType! role! beginDate endDate orgSourcedId!"),
)
ENROLMENTS = Table(
    "enrollments",
    _columns(
        "sourcedId! status classSourcedId! schoolSourcedId! userSourcedId! role! primary beginDate endDate"
        " metadata.subjectCode:40"
    ),
)

TABLES: dict[str, tuple[Table, ...]] = {
    "1.1": (ORGS, SESSIONS, COURSES, CLASSES, USERS_1_1, ENROLMENTS),
    "1.2": (ORGS, SESSIONS, COURSES, CLASSES, USERS_1_2, ROLES, ENROLMENTS),
}

IGNORED = frozenset(
    {
        "demographics", "categories", "lineItems", "results", "resources", "classResources", "courseResources",
        "userResources", "userProfiles", "scoreScales", "lineItemLearningObjectiveIds", "lineItemScoreScales",
        "resultLearningObjectiveIds", "resultScoreScales",
    }
)  # fmt: skip
"""Tables of the standard that the roster has no use for; named in a note, never an error."""

ORG_TYPES = frozenset({"department", "school", "district", "local", "state", "national"})
SESSION_TYPES = frozenset({"gradingPeriod", "semester", "schoolYear", "term"})
CLASS_TYPES = frozenset({"homeroom", "scheduled"})

USER_ROLES: dict[str, Role] = {
    "student": Role.STUDENT,
    "guardian": Role.GUARDIAN,
    "parent": Role.GUARDIAN,
    "relative": Role.GUARDIAN,
    "teacher": Role.TEACHER,
    "aide": Role.TEACHER,
    "counselor": Role.COUNSELLOR,
    "proctor": Role.SUPERVISOR,
    "principal": Role.ADMINISTRATOR,
    "administrator": Role.ADMINISTRATOR,
    "siteAdministrator": Role.ADMINISTRATOR,
    "districtAdministrator": Role.ADMINISTRATOR,
    "systemAdministrator": Role.ADMINISTRATOR,
    "ext:researcher": Role.RESEARCHER,
    "ext:supervisor": Role.SUPERVISOR,
}
"""What a role word of either version means here."""

ROLE_BITS = {"student": STUDENT, "guardian": GUARDIAN, "parent": PARENT, "relative": RELATIVE}

ENROLMENT_ROLES: dict[str, str | None] = {
    "student": "student",
    "teacher": "teacher",
    "aide": "teacher",
    "administrator": None,
    "proctor": None,
    "guardian": None,
    "parent": None,
    "relative": None,
}
"""What a person is in a class; none: known to the standard, but of no use here (named in a note)."""
