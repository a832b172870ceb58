"""Whom the demonstration lets you be: one person for each role, with a sign-in link and a name and password."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db, transaction
from lms_bridge.core.i18n import N_
from lms_bridge.demo import school
from lms_bridge.demo.lessons import lesson_near, teacher_of
from lms_bridge.roster.accounts import set_password, sign_in_token
from lms_bridge.roster.models import Person
from lms_bridge.timetable.queries import guardians_of, students_of

ROLES = {
    "student": N_("Student"),
    "guardian": N_("Guardian"),
    "teacher": N_("Teacher"),
    "researcher": N_("Teaching researcher"),
    "administrator": N_("Administrator"),
}


@dataclass(frozen=True)
class Card:
    """One person to be: their role (a key of :data:`ROLES`), name, and a link that signs in once."""

    role: str
    name: str
    url: str


def people() -> dict[str, Person]:
    """One person for each role, around the lesson that is to be joined now, or else the one nearest to now."""
    campus = school.campuses()[0]
    lesson = lesson_near(campus)
    students = students_of([lesson])[lesson.id]
    guardians = guardians_of(students, lesson.starts_at, lesson.zone)
    # The first one has joined already; the second is for whoever tries.
    student = students[1]
    return {
        "student": db.session.get_one(Person, student),
        "guardian": db.session.get_one(Person, guardians[student][0]),
        "teacher": teacher_of(lesson),
        "researcher": school.person_of("researcher-1"),
        "administrator": school.person_of(f"admin-campus-{campus.code}"),
    }


def give_cards() -> tuple[list[Card], str]:
    """Cards for each role, and the password under which each can sign in with the role's name (made anew)."""
    base, password = current_settings().base_url, f"demo-{secrets.token_hex(4)}"
    cards = []
    with transaction():
        for role, person in people().items():
            set_password(person, role, password)
            cards.append(Card(role, person.display_name, f"{base}/sign-in/link/{sign_in_token(person)}"))
    return cards, password
