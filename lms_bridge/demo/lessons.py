"""Two lessons of the demonstration: one that is over and was attended by a class, one that a student joins now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import current_app

from lms_bridge.attendance import recording
from lms_bridge.attendance.models import Verdict
from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.demo.anchor import Anchor
from lms_bridge.demo.plans import FEATURED
from lms_bridge.demo.school import SEED
from lms_bridge.demo.visitors import Visitor, served
from lms_bridge.lessons import joinlinks, materials
from lms_bridge.lessons.models import MaterialKind
from lms_bridge.roster.accounts import sign_in_token
from lms_bridge.roster.models import ClassGroup, Organisation, Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import lessons_between, students_of

BEATS_EVERY = timedelta(minutes=4)
"""How often the replayed pages hand in the signs of life that they made meanwhile."""
BEAT_SECONDS = 60


@dataclass(frozen=True)
class Stay:
    """When a student comes to a lesson and goes, in minutes after its start."""

    person: Person
    comes: float
    goes: float


def lesson_at(anchor: Anchor, period: int, campus: Organisation) -> Lesson | None:
    """A lesson of a campus in a period of the anchor's day; the featured subject and grade before others."""
    day = clock.now()
    found = [
        lesson
        for lesson in lessons_between(day - timedelta(days=1), day + timedelta(days=1), campus_ids=[campus.id])
        if lesson.period_number == period and clock.local(lesson.starts_at, lesson.zone).date() == anchor.day
    ]

    return min(found, key=_rank, default=None)


def lesson_near(campus: Organisation) -> Lesson:
    """The lesson of a campus whose start is nearest to now (within half a year); of several that
    :func:`lesson_at` would choose.

    :raises NotFound: there is none at all.
    """
    moment = clock.now()
    found = lessons_between(moment - timedelta(days=180), moment + timedelta(days=180), campus_ids=[campus.id])
    if not found:
        raise NotFound()
    return min(found, key=lambda lesson: (abs(lesson.starts_at - moment), _rank(lesson)))


def _rank(lesson: Lesson) -> tuple[bool, bool, int]:
    group = db.session.get_one(ClassGroup, lesson.audience[0].class_id)
    return (lesson.subject.code != FEATURED[0], int(group.grade) != FEATURED[1], lesson.id)


def prepare(lesson: Lesson) -> None:
    """Put a note and a link into the lesson's room, as its teacher would."""
    teacher = teacher_of(lesson)
    chinese = lesson.campus.locale == "zh-CN"
    with transaction():
        materials.add_note(
            lesson,
            teacher,
            title="本节课要做的事" if chinese else "What we do today",
            text="1. 看例题\n2. 在练习本上做三道题\n3. 有问题请在提问板上写"
            if chinese
            else "1. Read the example\n2. Solve three tasks on paper\n3. Ask on the question board",
        )
        materials.add_address(
            lesson,
            teacher,
            MaterialKind.LINK,
            title="国家中小学智慧教育平台" if chinese else "National platform of smart education (primary, secondary)",
            url="https://basic.smartedu.cn/",
        )


def teacher_of(lesson: Lesson) -> Person:
    """Who teaches it."""
    return db.session.get_one(Person, lesson.teachers[0].person_id)


def join_now(lesson: Lesson, student: Person) -> Verdict | None:
    """The student opens the personal link of the lesson and joins; the verdict as it then stands."""
    visitor_path = _personal_path(lesson, student)
    with served(current_app._get_current_object()) as address:  # type: ignore[attr-defined]
        visitor = Visitor(address, visitor_path, lesson.uid)
        visitor.enter()
        visitor.beat([0])
        visitor.ask(
            "老师，第二题可以用两种方法吗？" if student.language == "zh-CN" else "May I solve task 2 in two ways?"
        )
    return _verdict(lesson, student)


def replay(lesson: Lesson) -> Counter[Verdict]:
    """A whole class attends a lesson that is over: the clock is set back and goes through it. Most are there, some
    come late, leave early or stay away. How many have which verdict."""
    stays = _stays(lesson)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    with served(app) as address:
        with clock.at(lesson.starts_at - timedelta(minutes=4)):
            teacher = Visitor(address, f"/l/{lesson.uid}", lesson.uid)
            with transaction():
                token = sign_in_token(teacher_of(lesson))
            teacher.sign_in(token)
            teacher.enter()
        _attend(lesson, address, stays)
    with clock.at(lesson.ends_at + timedelta(minutes=20)):
        with transaction():
            records = recording.compute(lesson)
        jobs.run_due()
    return Counter(record.verdict for record in records.values())


def _stays(lesson: Lesson) -> list[Stay]:
    rng = Random(f"{SEED}:lesson:{lesson.subject.code}")
    length = (lesson.ends_at - lesson.starts_at).total_seconds() / 60
    people = db.session.scalars(
        sa.select(Person).where(Person.id.in_(students_of([lesson])[lesson.id])).order_by(Person.id)
    ).all()
    stays = []
    for number, person in enumerate(people):
        comes, goes = rng.uniform(-4, 2), length
        if number % 17 == 5:
            continue
        if number % 12 == 7:
            comes = rng.uniform(11, 14)
        elif number % 15 == 3:
            goes = length - rng.uniform(12, 14)
        stays.append(Stay(person, comes, goes))
    return stays


def _attend(lesson: Lesson, address: str, stays: list[Stay]) -> None:
    visitors = {
        stay.person.id: Visitor(address, _personal_path(lesson, stay.person), lesson.uid) for stay in stays
    }  # fmt: skip
    for stay in sorted(stays, key=lambda s: s.comes):
        with clock.at(lesson.starts_at + timedelta(minutes=stay.comes)):
            visitors[stay.person.id].enter()
    moment = lesson.starts_at
    while moment < lesson.ends_at:
        before, moment = moment, min(moment + BEATS_EVERY, lesson.ends_at)
        for stay in stays:
            first = max(before, lesson.starts_at + timedelta(minutes=stay.comes))
            last = min(moment, lesson.starts_at + timedelta(minutes=stay.goes))
            ages = [(moment - last).total_seconds() + n * BEAT_SECONDS for n in range(10)]
            ages = [age for age in ages if moment - timedelta(seconds=age) >= first]
            if last > first and ages:
                with clock.at(moment):
                    visitors[stay.person.id].beat(sorted(ages, reverse=True))


def _personal_path(lesson: Lesson, person: Person) -> str:
    with transaction():
        return urlsplit(joinlinks.personal_urls([lesson.id], person.id)[lesson.id]).path


def _verdict(lesson: Lesson, student: Person) -> Verdict | None:
    with transaction():
        record = recording.compute(lesson, [student.id]).get(student.id)
        return record.verdict if record is not None else None
