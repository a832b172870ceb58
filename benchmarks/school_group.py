"""A generated education group for measuring the timetable solver: campuses, classes, teachers, licences, wishes.

Everything comes from a seed. The shape is that of issue 4: 400 classes with 30 periods a week on a grid of 5 x 9,
600 teachers of whom 5 % teach at two campuses, 320 licences in one pool for each campus. Science has a double period;
Chinese and mathematics are wished for in the first half of the day; some siblings share a device.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from lms_bridge.timetable.solving.problem import Apart, Course, Pool, Problem, Slot

SUBJECTS = (
    ("chinese", 5), ("maths", 5), ("english", 4), ("science", 3), ("history", 2), ("geography", 2), ("sport", 3),
    ("art", 2), ("music", 2), ("computing", 1),
)  # fmt: skip
CLASS_HOUR = "class hour"
MORNING = 4
ONLINE_PERIODS = 8
"""The online grid of a day is one period shorter than the usual one."""

Placed = Mapping[str, tuple[Slot, ...]]


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the group is."""

    campuses: int = 5
    classes: int = 400
    teachers: int = 600
    shared: float = 0.05
    licences: int = 320
    days: int = 5
    periods: int = 9
    siblings: int = 100


def education_group(seed: int, shape: Shape = Shape()) -> Problem:
    """The whole group, every class taught online, as one problem."""
    rng = Random(seed)
    slots = tuple(Slot(day, period) for day in range(shape.days) for period in range(1, shape.periods + 1))
    own, load = shape.teachers // shape.campuses, Counter[str]()
    shared = set(rng.sample(range(shape.teachers), round(shape.shared * shape.teachers)))
    courses: list[Course] = []
    for campus in range(shape.campuses):
        here = [f"teacher {n}" for n in range(campus * own, (campus + 1) * own)]
        here += [f"teacher {n}" for n in sorted(shared) if (n // own + 1) % shape.campuses == campus]
        rng.shuffle(here)
        courses += _campus(campus, shape.classes // shape.campuses, here, load, rng, slots)
    away = {f"teacher {n}": frozenset(rng.sample(slots, rng.choice((0, 0, 3, 5)))) for n in range(shape.teachers)}
    classes = sorted({key for course in courses for key in course.classes})
    pairs = [rng.sample(classes, 2) for _ in range(shape.siblings)]
    licences = Pool(shape.licences // shape.campuses)
    return Problem(
        slots,
        tuple(courses),
        unavailable=away,
        pools={pool_of(campus): licences for campus in range(shape.campuses)},
        apart=tuple(Apart(one, other) for one, other in pairs),
    )


def pool_of(campus: int) -> str:
    """The key of a campus's licences."""
    return f"licences {campus}"


def teacher_away(problem: Problem, placed: Placed, days: tuple[int, int] = (1, 2)) -> Problem:
    """The teacher with the most lessons is away on two days; what finds no other place may be given up."""
    load = Counter(dict.fromkeys(problem.unavailable, 0))
    for course in problem.courses:
        load.update(dict.fromkeys(course.teachers, course.periods))
    teacher = max(sorted(load), key=lambda key: load[key])
    lost = frozenset(slot for slot in problem.slots if slot.day in days)
    away = {**problem.unavailable, teacher: problem.unavailable.get(teacher, frozenset()) | lost}
    courses = tuple(replace(course, may_drop=teacher in course.teachers) for course in problem.courses)
    return replace(problem, courses=courses, unavailable=away, hint=placed)


def licences_halved(problem: Problem, placed: Placed, campus: int = 0) -> Problem:
    """One campus has half of its licences left; lessons without one may be given up."""
    key = pool_of(campus)
    pools = {**problem.pools, key: Pool(problem.pools[key].limit // 2)}
    courses = tuple(replace(course, may_drop=course.pool == key) for course in problem.courses)
    return replace(problem, courses=courses, pools=pools, hint=placed)


def in_person(problem: Problem, campus: int) -> Problem:
    """The same group with one campus taught at school."""
    key = pool_of(campus)
    courses = tuple(replace(c, online=False) if c.pool == key else c for c in problem.courses)
    return replace(problem, courses=courses)


def closing_tomorrow(problem: Problem, placed: Placed, campus: int) -> Problem:
    """After Monday one campus goes online: with licences, a shorter day and at most seven online periods in it.

    ``problem`` is the group with that campus in person, ``placed`` its timetable. Monday's lessons have been held.
    """
    key = pool_of(campus)
    slots = tuple(slot for slot in problem.slots if slot.day > 0)
    online = frozenset(slot for slot in slots if slot.period <= ONLINE_PERIODS)
    left = {course: tuple(slot for slot in own if slot.day > 0) for course, own in placed.items()}
    courses = []
    for course in problem.courses:
        periods = len(left.get(course.key, ()))
        # A double period that was held on Monday is not asked for again.
        now = replace(course, periods=periods, blocks=course.blocks if periods == course.periods else ())
        courses.append(replace(now, online=True, slots=online) if course.pool == key else now)
    classes = {one for course in problem.courses if course.pool == key for one in course.classes}
    return replace(
        problem, slots=slots, courses=tuple(courses), hint=left, max_online_per_day=dict.fromkeys(sorted(classes), 7)
    )


def _campus(
    campus: int, classes: int, teachers: list[str], load: Counter[str], rng: Random, slots: tuple[Slot, ...]
) -> list[Course]:
    """The courses of one campus; teachers have one subject each, in proportion to its periods."""
    total = sum(periods for _, periods in SUBJECTS)
    staff, first = {}, 0
    for subject, periods in SUBJECTS:
        count = max(1, len(teachers) * periods // total)
        staff[subject] = teachers[first : first + count]
        first += count
    morning = frozenset(slot for slot in slots if slot.period <= MORNING)
    courses: list[Course] = []
    for number in range(classes):
        key, size, own = f"class {campus}-{number + 1}", rng.randint(28, 46), []
        for subject, periods in SUBJECTS:
            teacher = min(staff[subject], key=lambda one: (load[one], one))
            load[teacher] += periods
            own.append(teacher)
            courses.append(
                Course(
                    f"{key} {subject}",
                    (key,),
                    (teacher,),
                    subject,
                    periods,
                    f"{key} {subject}",
                    max_per_day=2 if periods > 2 else 1,
                    blocks=(2, 1) if subject == "science" else (),
                    preferred=morning if subject in ("chinese", "maths") else None,
                    pool=pool_of(campus),
                    people=size + 1,
                )
            )
        form = min(own, key=lambda one: (load[one], one))
        load[form] += 1
        label = f"{key} {CLASS_HOUR}"
        courses.append(Course(label, (key,), (form,), CLASS_HOUR, 1, label, pool=pool_of(campus), people=size + 1))
    return courses
