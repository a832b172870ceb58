"""Short builders of real rows for tests: call them in ``with transaction():``; each adds its row and flushes.

``small_system()`` makes a whole bureau with two campuses in a transaction of its own; the other builders add one
thing each, with defaults that are valid on any day near the test's clock. Rows are returned attached to the session.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from lms_bridge.calendar.models import OnlineSpan, Period, PeriodGrid
from lms_bridge.core.access import Role
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.lessons.models import JoinLink, Meeting, MeetingState, ProviderAccount, RecordedLesson
from lms_bridge.plans.models import PlanClass, PlanKind, PlanUnit, PlanVersion, TeachingPlan, VersionState
from lms_bridge.roster.models import (
    ClassGroup,
    ClassType,
    ContactKind,
    ContactPoint,
    ContactState,
    Enrolment,
    EnrolmentRole,
    Guardianship,
    Organisation,
    OrganisationKind,
    Person,
    RoleAssignment,
    Subject,
    Term,
)
from lms_bridge.timetable.models import (
    Lesson,
    LessonAudience,
    LessonMode,
    LessonTeacher,
    LessonUnit,
    TeacherPart,
    TimetableWeek,
)

ZONE = "Asia/Shanghai"
LONG_AGO = date(2020, 1, 1)
PERIOD_STARTS = (time(8, 0), time(8, 50), time(9, 50), time(10, 40), time(14, 0), time(14, 50))
PERIOD_MINUTES = 40

T = TypeVar("T")

_numbers = itertools.count(1)


def added(row: T) -> T:
    """``row``, added to the session and flushed."""
    db.session.add(row)
    db.session.flush()
    return row


def all_added(rows: Iterable[T]) -> list[T]:
    """``rows``, added to the session and flushed together: many times quicker than one by one."""
    rows = list(rows)
    db.session.add_all(rows)
    db.session.flush()
    return rows


def organisation(
    kind: OrganisationKind, parent: Organisation | None = None, *, code: str | None = None, **more: Any
) -> Organisation:
    """A node of the tree; its path is filled in."""
    number = next(_numbers)
    code = code or f"{kind.value}-{number}"
    values: dict[str, Any] = {"name": f"组织{number}", "name_en": f"Organisation {number}", "zone": ZONE} | more
    row = added(Organisation(kind=kind, parent_id=parent.id if parent else None, code=code, path=f"?{code}", **values))
    row.path = f"{parent.path if parent else '/'}{row.id}/"
    db.session.flush()
    return row


def person(
    family_name: str = "王", given_name: str | None = None, *, language: str = "zh-CN", email: str | None = None
) -> Person:
    """A person without a role; ``email`` also makes a contact point in good state."""
    row = added(Person(family_name=family_name, given_name=given_name or f"小{next(_numbers)}", language=language))
    if email is not None:
        contact(row, email)
    return row


def contact(owner: Person, address: str, *, state: ContactState = ContactState.GOOD, **more: Any) -> ContactPoint:
    """An e-mail address of ``owner``."""
    return added(_contact(owner, address, state=state, **more))


def _contact(owner: Person, address: str, *, state: ContactState = ContactState.GOOD, **more: Any) -> ContactPoint:
    return ContactPoint(person_id=owner.id, kind=ContactKind.EMAIL, address=address, state=state, **more)


def role(owner: Person, where: Organisation, what: Role, **more: Any) -> RoleAssignment:
    """``owner`` is ``what`` in ``where``."""
    values: dict[str, Any] = {"valid_from": LONG_AGO} | more
    return added(RoleAssignment(person_id=owner.id, organisation_id=where.id, role=what, **values))


def person_as(what: Role, where: Organisation, **more: Any) -> Person:
    """A new person with the role ``what`` in ``where``."""
    row = person(**more)
    role(row, where, what)
    return row


def people_as(where: Organisation, wanted: Iterable[tuple[Role, str]]) -> list[Person]:
    """New people of ``where``, one for each role and family name."""
    wanted = list(wanted)
    people = all_added(
        Person(family_name=name, given_name=f"小{next(_numbers)}", language="zh-CN") for _, name in wanted
    )
    all_added(
        RoleAssignment(person_id=row.id, organisation_id=where.id, role=what, valid_from=LONG_AGO)
        for row, (what, _) in zip(people, wanted, strict=True)
    )
    return people


def subject(code: str = "math", name: str = "数学", name_en: str = "Mathematics") -> Subject:
    """A subject; the one of that code if it is there already."""
    known = db.session.query(Subject).filter_by(code=code).one_or_none()
    return known or added(Subject(code=code, name=name, name_en=name_en))


def term(where: Organisation, *, code: str = "autumn", **more: Any) -> Term:
    """A term of ``where`` that began 12 weeks ago on a Monday and lasts for 20 weeks."""
    today = local(now(), where.zone).date()
    starts = today - timedelta(days=today.weekday(), weeks=12)
    values: dict[str, Any] = {
        "title": "秋季学期",
        "school_year": starts.year,
        "starts_on": starts,
        "ends_on": starts + timedelta(weeks=20, days=-1),
    } | more
    return added(Term(organisation_id=where.id, code=code, **values))


def class_group(
    campus: Organisation, in_term: Term, *, code: str | None = None, grade: str = "5", **more: Any
) -> ClassGroup:
    """A homeroom of ``campus``."""
    return added(_class_group(campus, in_term, code=code, grade=grade, **more))


def _class_group(
    campus: Organisation, in_term: Term, *, code: str | None = None, grade: str = "5", **more: Any
) -> ClassGroup:
    code = code or f"{grade}-{next(_numbers)}"
    values: dict[str, Any] = {"title": code, "class_type": ClassType.HOMEROOM} | more
    return ClassGroup(campus_id=campus.id, term_id=in_term.id, code=code, grade=grade, **values)


def enrol(
    who: Person,
    group: ClassGroup,
    what: EnrolmentRole = EnrolmentRole.STUDENT,
    *,
    teaches: Subject | None = None,
    **more: Any,
) -> Enrolment:
    """``who`` is a student of ``group``, or teaches there."""
    return added(_enrolment(who, group, what, teaches=teaches, **more))


def _enrolment(
    who: Person, group: ClassGroup, what: EnrolmentRole, *, teaches: Subject | None = None, **more: Any
) -> Enrolment:
    values: dict[str, Any] = {"valid_from": LONG_AGO} | more
    return Enrolment(
        class_id=group.id, person_id=who.id, role=what, subject_id=teaches.id if teaches else None, **values
    )


def guardianship(guardian: Person, student: Person, **more: Any) -> Guardianship:
    """``guardian`` answers for ``student``."""
    return added(_guardianship(guardian, student, **more))


def _guardianship(guardian: Person, student: Person, **more: Any) -> Guardianship:
    values: dict[str, Any] = {"valid_from": LONG_AGO} | more
    return Guardianship(student_id=student.id, guardian_id=guardian.id, **values)


def grid(
    campus: Organisation, *, starts: Sequence[time] = PERIOD_STARTS, weekdays: Iterable[int] = range(5), **more: Any
) -> PeriodGrid:
    """The periods of ``campus``: 40 minutes each from ``starts``, on each of ``weekdays``."""
    values: dict[str, Any] = {"name": f"grid {next(_numbers)}"} | more

    def end(begins: time) -> time:
        return (datetime.combine(LONG_AGO, begins) + timedelta(minutes=PERIOD_MINUTES)).time()

    periods = [
        Period(weekday=weekday, number=number, starts=begins, ends=end(begins))
        for weekday in weekdays
        for number, begins in enumerate(starts, start=1)
    ]
    return added(PeriodGrid(campus_id=campus.id, periods=periods, **values))


def online(where: Organisation, first_day: date, last_day: date | None = None, **more: Any) -> OnlineSpan:
    """``where`` is taught online from ``first_day`` to ``last_day`` (included; none: until further notice)."""
    return added(OnlineSpan(organisation_id=where.id, first_day=first_day, last_day=last_day, **more))


def plan(
    groups: Sequence[ClassGroup],
    what: Subject,
    author: Person,
    *,
    units: Sequence[tuple[str, int]] = (("分数的初步认识", 2), ("小数加减法", 3)),
    state: VersionState = VersionState.APPROVED,
    **more: Any,
) -> TeachingPlan:
    """A plan of ``author`` for ``groups`` with one version in ``state``; ``units`` are titles with their periods."""
    first = groups[0]
    values: dict[str, Any] = {"title": f"{what.name} {first.title}"} | more
    return added(
        TeachingPlan(
            kind=PlanKind.TEACHING,
            organisation_id=first.campus_id,
            subject_id=what.id,
            term_id=first.term_id,
            grade=first.grade,
            author_id=author.id,
            classes=[PlanClass(class_id=group.id, subject_id=what.id, term_id=group.term_id) for group in groups],
            versions=[_version(units, state, author)],
            **values,
        )
    )


def benchmark(
    where: Organisation,
    in_term: Term,
    what: Subject,
    author: Person,
    *,
    grade: str = "5",
    units: Sequence[tuple[str, int]] = (("分数的初步认识", 2), ("小数加减法", 3)),
) -> TeachingPlan:
    """The researchers' approved plan for a subject, grade and term."""
    return added(
        TeachingPlan(
            kind=PlanKind.BENCHMARK,
            organisation_id=where.id,
            subject_id=what.id,
            term_id=in_term.id,
            grade=grade,
            author_id=author.id,
            title=f"{what.name} 基准计划",
            versions=[_version(units, VersionState.APPROVED, author)],
        )
    )


def _version(units: Sequence[tuple[str, int]], state: VersionState, author: Person) -> PlanVersion:
    taught = [
        PlanUnit(sequence=sequence, title=title, periods=periods)
        for sequence, (title, periods) in enumerate(units, start=1)
    ]
    return PlanVersion(number=1, state=state, created_by_id=author.id, units=taught)


def week_of(campus: Organisation, in_term: Term, moment: datetime, **more: Any) -> TimetableWeek:
    """The campus's timetable of the ISO week of ``moment``; the one that is there already, if any."""
    year, number, _ = local(moment, campus.zone).isocalendar()
    name = f"{year}-W{number:02}"
    known = db.session.query(TimetableWeek).filter_by(campus_id=campus.id, week=name).one_or_none()
    return known or added(TimetableWeek(campus_id=campus.id, term_id=in_term.id, week=name, **more))


def lesson(
    group: ClassGroup,
    what: Subject,
    teacher: Person,
    starts_at: datetime | None = None,
    *,
    minutes: int = 40,
    of_plan: TeachingPlan | None = None,
    **more: Any,
) -> Lesson:
    """An online lesson of one class, by default beginning in 5 minutes; with ``of_plan`` it teaches its first unit."""
    starts_at = starts_at or now() + timedelta(minutes=5)
    campus = db.session.get_one(Organisation, group.campus_id)
    week = week_of(campus, db.session.get_one(Term, group.term_id), starts_at)
    values: dict[str, Any] = {"mode": LessonMode.ONLINE, "period_number": 1} | more
    row = Lesson(
        campus_id=campus.id,
        week_id=week.id,
        subject_id=what.id,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        zone=campus.zone,
        **values,
    )
    row.audience.append(LessonAudience(class_id=group.id))
    row.teachers.append(LessonTeacher(person_id=teacher.id, part=TeacherPart.LEAD))
    if of_plan is not None:
        unit = of_plan.versions[-1].units[0]
        row.units.append(LessonUnit(class_id=group.id, plan_id=of_plan.id, unit_key=unit.key))
    return added(row)


def join_link(of: Lesson, who: Person) -> JoinLink:
    """The personal address by which ``who`` enters ``of``."""
    return added(JoinLink(lesson_id=of.id, person_id=who.id))


def provider_account(where: Organisation, plugin: str = "classroom", **more: Any) -> ProviderAccount:
    """An account at a meeting provider, by default of the built-in classroom."""
    values: dict[str, Any] = {"name": plugin} | more
    return added(ProviderAccount(organisation_id=where.id, plugin=plugin, **values))


def recording(of: Lesson, account: ProviderAccount | None = None, **more: Any) -> RecordedLesson:
    """A recording of a lesson, kept by a video system of its campus."""
    account = account or provider_account(of.campus, "bigbluebutton", enabled=False)
    meeting = added(Meeting(lesson_id=of.id, account_id=account.id, state=MeetingState.ENDED))
    values: dict[str, Any] = {
        "recording_id": "r1", "title": "", "url": "https://video.test/r1", "starts_at": of.starts_at,
        "ends_at": of.ends_at, "last_day": of.ends_at.date() + timedelta(days=30),
    }  # fmt: skip
    return added(RecordedLesson(meeting_id=meeting.id, **values | more))


@dataclass
class CampusWorld:
    """One campus with one person of each role, two classes of grade 5, an approved plan and a lesson soon."""

    campus: Organisation
    administrator: Person
    teacher: Person
    other_teacher: Person
    students: list[Person]
    guardians: list[Person]
    counsellor: Person
    supervisor: Person
    classes: list[ClassGroup]
    grid: PeriodGrid
    plan: TeachingPlan
    lesson: Lesson


@dataclass
class SchoolSystem:
    """A bureau with one group and two campuses; ``a`` and ``b`` are alike and know nothing of each other."""

    bureau: Organisation
    group: Organisation
    term: Term
    subject: Subject
    researcher: Person
    bureau_administrator: Person
    benchmark: TeachingPlan
    a: CampusWorld
    b: CampusWorld
    people: dict[Role, Person] = field(default_factory=dict)
    """One person for each role, of campus A where the role is held at a campus."""


def campus_world(
    parent: Organisation, in_term: Term, what: Subject, *, students: int = 2, mark: str = "a"
) -> CampusWorld:
    """A campus under ``parent`` with ``students`` in its first class (one guardian each) and one more in the second."""
    campus = organisation(OrganisationKind.CAMPUS, parent, code=f"campus-{mark}", name=f"{mark.upper()}校区")
    classes = all_added(_class_group(campus, in_term, code=f"5-{n}") for n in (1, 2))
    families = [(Role.STUDENT, "陈"), (Role.GUARDIAN, "陈")] * (students + 1)
    staff = [(Role.ADMINISTRATOR, "周"), (Role.COUNSELLOR, "吴"), (Role.SUPERVISOR, "郑")]
    people = people_as(campus, [(Role.TEACHER, "李"), (Role.TEACHER, "赵"), *families, *staff])
    teacher, other, *rest, administrator, counsellor, supervisor = people
    pupils, guardians = rest[::2], rest[1::2]
    all_added(
        [
            _enrolment(teacher, classes[0], EnrolmentRole.TEACHER, teaches=what, is_primary=True),
            _enrolment(other, classes[1], EnrolmentRole.TEACHER, teaches=what, is_primary=True),
            *(_enrolment(pupil, classes[0], EnrolmentRole.STUDENT) for pupil in pupils[:-1]),
            _enrolment(pupils[-1], classes[1], EnrolmentRole.STUDENT),
            *(_guardianship(guardian, pupil) for guardian, pupil in zip(guardians, pupils, strict=True)),
            *(_contact(guardian, f"guardian-{mark}{n}@example.org") for n, guardian in enumerate(guardians)),
        ]
    )
    a_plan = plan(classes[:1], what, teacher)
    return CampusWorld(
        campus=campus,
        administrator=administrator,
        teacher=teacher,
        other_teacher=other,
        students=pupils,
        guardians=guardians,
        counsellor=counsellor,
        supervisor=supervisor,
        classes=classes,
        grid=grid(campus),
        plan=a_plan,
        lesson=lesson(classes[0], what, teacher, of_plan=a_plan),
    )


def small_system(*, students: int = 2) -> SchoolSystem:
    """A whole school system of about 30 people, committed; see :class:`SchoolSystem`."""
    with transaction():
        bureau = organisation(OrganisationKind.BUREAU, code="bureau", name="教育局", name_en="Education bureau")
        group = organisation(OrganisationKind.GROUP, bureau, code="group", name="教育集团", name_en="Education group")
        in_term, what = term(bureau), subject()
        researcher = person_as(Role.RESEARCHER, bureau, family_name="孙")
        administrator = person_as(Role.ADMINISTRATOR, bureau, family_name="钱")
        provider_account(bureau)
        a, b = (campus_world(group, in_term, what, students=students, mark=mark) for mark in "ab")
        return SchoolSystem(
            bureau=bureau,
            group=group,
            term=in_term,
            subject=what,
            researcher=researcher,
            bureau_administrator=administrator,
            benchmark=benchmark(bureau, in_term, what, researcher),
            a=a,
            b=b,
            people={
                Role.STUDENT: a.students[0],
                Role.GUARDIAN: a.guardians[0],
                Role.TEACHER: a.teacher,
                Role.RESEARCHER: researcher,
                Role.ADMINISTRATOR: a.administrator,
                Role.COUNSELLOR: a.counsellor,
                Role.SUPERVISOR: a.supervisor,
            },
        )
