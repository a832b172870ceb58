"""Holds the names of a timetable from a file against the roster: classes, subjects and teachers, never guessed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa

from lms_bridge.core.access import Role
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Person, RoleAssignment, Subject
from lms_bridge.roster.scope import valid
from lms_bridge.timetable.exchange.given import GivenLesson, Original, Parity, folded, person_and_part
from lms_bridge.timetable.models import Lesson, TeacherPart

LISTED = 8


@dataclass(frozen=True, slots=True)
class NamedLesson:
    """One period a week with everything in it known; ids of the roster. ``classes`` are (class id, part), ``teachers``
    (person id, what the person does or None where the file does not say), who leads first."""

    classes: tuple[tuple[int, str], ...]
    weekday: int
    period: int
    subject_id: int
    teachers: tuple[tuple[int, TeacherPart | None], ...]
    parity: Parity
    place: Place
    makes_up: Original | None = None

    @property
    def teacher_ids(self) -> tuple[int, ...]:
        """Everybody who teaches in it."""
        return tuple(key for key, _ in self.teachers)


class Names:
    """The names that a campus's people use: those of its classes of a term, of all subjects, and of teachers."""

    def __init__(self, campus: Organisation, classes: Collection[ClassGroup], day: date) -> None:
        self.campus = campus
        self.day = day
        self.titles = {group.id: group.title for group in classes}
        self.classes = _index((group.id, (group.code, group.title)) for group in classes)
        # "7-3", "7-3班" and "G7-3" mean the same class; where two classes would, the short form means neither.
        self.short = _index((group.id, (_bare(group.code), _bare(group.title))) for group in classes)
        self.subjects = _index((s.id, (s.code, s.name, s.name_en)) for s in db.session.scalars(sa.select(Subject)))
        self.teachers, self.elsewhere = self._teachers()
        self.of_roster = self._of_roster()

    def _teachers(self) -> tuple[Mapping[str, set[int]], Mapping[str, set[int]]]:
        rows = db.session.execute(
            sa.select(Person, RoleAssignment.organisation_id)
            .join(RoleAssignment, RoleAssignment.person_id == Person.id)
            .where(RoleAssignment.role == Role.TEACHER, valid(RoleAssignment, self.day))
        ).all()
        own = {person.id for person, organisation in rows if organisation == self.campus.id}
        people = {person.id: person for person, _ in rows}
        named = [(key, _names_of(person)) for key, person in people.items()]
        return _index(row for row in named if row[0] in own), _index(row for row in named if row[0] not in own)

    def _of_roster(self) -> Mapping[tuple[int, int | None], list[int]]:
        """Who teaches a class in a subject by the roster (subject None: any), the main teacher first."""
        found: defaultdict[tuple[int, int | None], list[int]] = defaultdict(list)
        for row in db.session.scalars(
            sa.select(Enrolment)
            .where(
                Enrolment.class_id.in_(self.titles),
                Enrolment.role == EnrolmentRole.TEACHER,
                sa.or_(Enrolment.valid_to.is_(None), Enrolment.valid_to > self.day),
            )
            .order_by(Enrolment.is_primary.desc(), Enrolment.id)
        ):
            found[row.class_id, row.subject_id].append(row.person_id)
        return found

    def class_id(self, text: str) -> set[int]:
        """The classes that a name may mean."""
        return self.classes.get(folded(text)) or self.short.get(_bare(text), set())

    def teacher_id(self, text: str) -> set[int]:
        """The teachers that a name may mean: those of the campus, else those of others."""
        return self.teachers.get(folded(text)) or self.elsewhere.get(folded(text), set())


def named_lessons(names: Names, given: Iterable[GivenLesson]) -> tuple[list[NamedLesson], list[BridgeError]]:
    """The lessons with their names resolved, and everything that could not be: each unknown name once."""
    found: list[NamedLesson] = []
    problems: dict[tuple[str, str], BridgeError] = {}
    for lesson in given:
        classes = [
            (_one(names.class_id(text), "class", text, lesson.place, problems), part)
            for text, part in lesson.classes_with_parts()
        ]
        subject = None
        if lesson.subject:  # A missing one is told where the row is read.
            known = names.subjects.get(folded(lesson.subject), set())
            subject = _one(known, "subject", lesson.subject, lesson.place, problems)
        said = [person_and_part(text) for text in lesson.teachers]
        teachers = [
            (_one(names.teacher_id(text), "teacher", text, lesson.place, problems), part) for text, part in said
        ]
        if subject is None or not classes or any(key is None for key, _ in (*classes, *teachers)):
            continue
        groups = [(key, part) for key, part in dict.fromkeys(classes) if key is not None]
        people = {key: part for key, part in reversed(teachers) if key is not None}
        leads = [(key, people[key]) for key in dict.fromkeys(key for key, _ in teachers) if key is not None]
        if not leads:
            by_roster = _by_roster(names, [key for key, _ in groups], subject)[:1]
            if not by_roster:
                problems.setdefault(("nobody", f"{groups}{subject}"), _nobody(names, groups, lesson))
                continue
            leads = [(by_roster[0], None)]
        if lesson.readable:
            found.append(
                NamedLesson(
                    tuple(sorted(groups)), lesson.weekday, lesson.period, subject, tuple(leads), lesson.parity,
                    lesson.place, lesson.makes_up,
                )
            )  # fmt: skip
    return found, list(problems.values())


def double_bookings(
    names: Names, lessons: Iterable[NamedLesson]
) -> tuple[list[BridgeError], set[frozenset[Place | None]]]:
    """Classes and teachers that the file itself puts into two lessons at once; and the pairs of rows."""
    taken: defaultdict[tuple[str, int, int, int], list[NamedLesson]] = defaultdict(list)
    problems: list[BridgeError] = []
    pairs: set[frozenset[Place | None]] = set()
    lessons = list(lessons)
    people = _people({key for lesson in lessons for key in lesson.teacher_ids})
    for lesson in lessons:
        keys = [("class", key, names.titles[key]) for key, _ in lesson.classes]
        keys += [("teacher", key, people[key]) for key in lesson.teacher_ids]
        for kind, key, name in keys:
            slot = taken[kind, key, lesson.weekday, lesson.period]
            other = next((o for o in slot if _at_once(o, lesson, kind, key)), None)
            slot.append(lesson)
            if other is not None:
                pairs.add(frozenset((other.place, lesson.place)))
                problems.append(
                    InputError(
                        N_("%(who)s is in two lessons at once; the other is in %(other)s."),
                        place=replace(lesson.place, value=None),
                        remedy=N_("Correct the weekday or period of one of them."),
                        who=name,
                        other=str(replace(other.place, value=None)),
                    )
                )
    return problems, pairs


def _at_once(one: NamedLesson, two: NamedLesson, kind: str, key: int) -> bool:
    if Parity.ALL not in (one.parity, two.parity) and one.parity is not two.parity:
        return False
    parts = [dict(lesson.classes).get(key, "") for lesson in (one, two)] if kind == "class" else ["", ""]
    return not (parts[0] and parts[1] and parts[0] != parts[1])


def _by_roster(names: Names, class_ids: Iterable[int], subject_id: int) -> list[int]:
    found: list[int] = []
    for key in class_ids:
        found += names.of_roster.get((key, subject_id), []) or names.of_roster.get((key, None), [])
    return list(dict.fromkeys(found))


def _one(
    found: set[int], kind: str, text: str, place: Place, problems: dict[tuple[str, str], BridgeError]
) -> int | None:
    if len(found) == 1:
        return next(iter(found))
    message, remedy = {
        ("class", False): (N_("There is no class “%(name)s”."), N_("Write its code or title as in the roster.")),
        ("class", True): (N_("“%(name)s” may be one of several classes."), N_("Write its code as in the roster.")),
        ("subject", False): (N_("There is no subject “%(name)s”."), N_("Write its name or code as in the roster.")),
        ("subject", True): (N_("“%(name)s” may be one of several subjects."), N_("Write its code as in the roster.")),
        ("teacher", False): (
            N_("There is no teacher “%(name)s”."),
            N_("Write the name as in the roster, or leave it empty: then the roster says who teaches."),
        ),
        ("teacher", True): (
            N_("“%(name)s” may be one of several teachers."),
            N_("Write the teacher's number instead, or leave it empty: then the roster says who teaches."),
        ),
    }[kind, bool(found)]
    problems.setdefault((kind, folded(text)), InputError(message, place=place, remedy=remedy, name=text))
    return None


def _nobody(names: Names, groups: Iterable[tuple[int, str]], lesson: GivenLesson) -> BridgeError:
    return InputError(
        N_("Neither the file nor the roster says who teaches %(subject)s in %(group)s."),
        place=lesson.place,
        remedy=N_("Write the teacher into the file, or enrol one in the class (roster)."),
        subject=lesson.subject,
        group=", ".join(names.titles[key] for key, _ in groups),
    )


def _names_of(person: Person) -> tuple[str, ...]:
    family, given = person.family_name, person.given_name
    texts = (person.display_name, f"{family}{given}", f"{given}{family}", person.number or "", told_apart(person))
    return tuple(text for text in texts if text.strip())


def told_apart(person: Person) -> str:
    """The name with what tells the person from others of that name: the number, or else the uid."""
    return f"{person.display_name} {person.number or person.uid}"


def written_names(lessons: Iterable[Lesson]) -> dict[int, str]:
    """What the teachers of these lessons are called in a file, so that each name means one person when it comes in
    again: by person id."""
    people = {t.person_id: t.person for lesson in lessons for t in lesson.teachers}
    campuses = {lesson.campus_id for lesson in lessons}
    own = db.session.execute(
        sa.select(Person, RoleAssignment.id)
        .join(RoleAssignment, RoleAssignment.person_id == Person.id)
        .where(RoleAssignment.role == Role.TEACHER, RoleAssignment.organisation_id.in_(campuses))
    ).all()
    all_of = {person.id: person for person, _ in own} | people
    at_home = {person.id for person, _ in own}
    same = Counter(folded(person.display_name) for person in all_of.values())
    return {
        key: person.display_name if same[folded(person.display_name)] == 1 and key in at_home else told_apart(person)
        for key, person in people.items()
    }


def _bare(text: str) -> str:
    word = folded(text)
    for prefix in ("class", "form", "g"):
        word = word.removeprefix(prefix)
    return word.removesuffix("班")


def _index(rows: Iterable[tuple[int, Iterable[str]]]) -> Mapping[str, set[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    for key, texts in rows:
        for text in texts:
            found[folded(text)].add(key)
    return dict(found)


def _people(ids: Collection[int]) -> dict[int, str]:
    return {p.id: p.display_name for p in db.session.scalars(sa.select(Person).where(Person.id.in_(ids)))}
