"""One problem of several campuses: teachers and rooms that they share are counted once, by the clock on the wall."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.making.building import Beside, campus_problem
from lms_bridge.timetable.making.clocks import bells_of, clocks, overlapping
from lms_bridge.timetable.making.impossible import AtCampus
from lms_bridge.timetable.solving.problem import Course, Placement, Problem, Slot, Solution
from lms_bridge.timetable.weeks.capacity import POOL, Share, pools
from lms_bridge.timetable.weeks.reading import WeekContext, read_week


@dataclass(frozen=True)
class Together:
    """The week of some campuses as one problem; ``clocks`` are those of its slots, campus by campus."""

    problem: Problem
    contexts: Sequence[WeekContext]
    clocks: Sequence[int]

    def own(self, solution: Solution) -> list[Solution]:
        """What of an answer is about each campus, in its own slots."""
        return [
            replace(
                solution,
                placements=tuple(
                    Placement(p.course_key, p.slot._replace(clock=0))
                    for p in solution.placements
                    if p.course_key in context.courses
                ),
            )
            for context in self.contexts
        ]


def build_problem(campus: Organisation, week: str) -> tuple[Problem, WeekContext]:
    """The problem of one campus's week (``2026-W48``), and what its answer is read with; refuses like
    :func:`build_together`."""
    found = build_together([campus], week)
    return found.problem, found.contexts[0]


def build_together(campuses: Sequence[Organisation], week: str) -> Together:
    """The problem of a week (``2026-W48``) of campuses that are solved together. Lessons of other campuses keep their
    teachers and rooms.

    :raises InputError: as :func:`lms_bridge.timetable.weeks.reading.read_week`, for a campus alone.
    :raises BadInputs: classes without a period grid, subjects without a teacher, and the like; of several campuses
        everything that stands in the way at any of them, each with its name.
    """
    if len(campuses) == 1:
        contexts = [read_week(campuses[0], week)]
        return _merged(contexts, [campus_problem(contexts[0], Beside())])
    refused: list[BridgeError] = []
    contexts = []
    for campus in campuses:
        try:
            contexts.append(read_week(campus, week))
        except BadInputs as refusal:
            refused += [AtCampus(campus, problem) for problem in refusal.problems]
        except InputError as refusal:
            refused.append(AtCampus(campus, refusal))
    beside = Beside(frozenset(lesson for context in contexts for lesson in _moving(context)))
    problems: list[Problem] = []
    for context in contexts:
        try:
            problems.append(campus_problem(context, beside))
        except BadInputs as refusal:
            refused += [AtCampus(context.campus, problem) for problem in refusal.problems]
    if refused:
        raise BadInputs(refused)
    return _merged(contexts, problems)


def _moving(context: WeekContext) -> frozenset[int]:
    return frozenset(lesson.id for lessons in context.movable.values() for lesson in lessons)


def _merged(contexts: Sequence[WeekContext], problems: Sequence[Problem]) -> Together:
    times = [context.times for context in contexts]
    numbers = clocks([bells_of(own) for own in times])
    alone = len(contexts) == 1
    shares = [
        Share(
            context.campus,
            [replace(time, slot=time.slot._replace(clock=clock)) for time in own],
            context.kept,
            _moving(context),
            POOL if alone else f"{POOL}{context.campus.id}",
        )
        for context, own, clock in zip(contexts, times, numbers, strict=True)
    ]
    rooms = pools(shares)
    names = {
        key: _listed(share.campus for share in shares if share.pool == key or share.pool in pool.of)
        for key, pool in rooms.items()
    }
    if alone:
        (problem,) = problems
        return Together(replace(problem, pools=rooms, names={**problem.names, **names}), contexts, numbers)
    parts = [
        _of_campus(problem, share, clock, number)
        for number, (problem, share, clock) in enumerate(zip(problems, shares, numbers, strict=True))
    ]
    courses = tuple(course for part in parts for course in part.courses)
    counted: defaultdict[str, set[Slot]] = defaultdict(set)
    for course in courses:
        if not course.classes:
            for key in course.teachers:
                counted[key] |= set(course.fixed)
    busy = {key: slots - counted[key] for key, slots in _joined(part.teacher_busy for part in parts).items()}
    whole = Problem(
        slots=tuple(sorted({slot for part in parts for slot in part.slots})),
        courses=courses,
        unavailable=_joined(part.unavailable for part in parts),
        max_online_per_day={key: most for part in parts for key, most in part.max_online_per_day.items()},
        class_busy=_joined(part.class_busy for part in parts),
        teacher_busy=busy,
        hint={key: slots for part in parts for key, slots in part.hint.items()},
        names={key: name for part in parts for key, name in part.names.items()} | names,
        max_online_run={key: most for part in parts for key, most in part.max_online_run.items()},
        max_per_day={key: most for part in parts for key, most in part.max_per_day.items()},
        pools=rooms,
        not_same_day=tuple(pair for part in parts for pair in part.not_same_day),
        in_order=tuple(pair for part in parts for pair in part.in_order),
        parallel=tuple(group for part in parts for group in part.parallel),
        apart=tuple(dict.fromkeys(wish for part in parts for wish in part.apart)),
        overlapping=overlapping(bells_of(share.times) for share in shares),
    )
    return Together(whole, contexts, numbers)


def _of_campus(problem: Problem, share: Share, clock: int, number: int) -> Problem:
    """The same problem in the slots, names and keys that it has beside those of other campuses."""
    name = share.campus.label(get_locale())

    def moved(slots: Iterable[Slot]) -> frozenset[Slot]:
        return frozenset(slot._replace(clock=clock) for slot in slots)

    def in_order(slots: Iterable[Slot]) -> tuple[Slot, ...]:
        return tuple(slot._replace(clock=clock) for slot in slots)

    def course(one: Course) -> Course:
        return replace(
            one,
            # A lesson elsewhere is counted under a number of its own, which two campuses may both have given.
            key=one.key if one.classes else f"{one.key}@{number}",
            label=f"{one.label} ({name})",
            forbidden=moved(one.forbidden),
            fixed=in_order(one.fixed),
            slots=moved(one.slots) if one.slots is not None else None,
            preferred=moved(one.preferred) if one.preferred is not None else None,
            pool=share.pool if one.pool else "",
        )

    classes = {key for one in problem.courses for key in one.classes} | problem.max_online_per_day.keys()
    return replace(
        problem,
        slots=in_order(problem.slots),
        courses=tuple(course(one) for one in problem.courses),
        unavailable={key: moved(slots) for key, slots in problem.unavailable.items()},
        class_busy={key: moved(slots) for key, slots in problem.class_busy.items()},
        teacher_busy={key: moved(slots) for key, slots in problem.teacher_busy.items()},
        hint={key: in_order(slots) for key, slots in problem.hint.items()},
        names={key: f"{said} ({name})" if key in classes else said for key, said in problem.names.items()},
    )


def _joined(parts: Iterable[Mapping[str, frozenset[Slot]]]) -> dict[str, frozenset[Slot]]:
    found: dict[str, frozenset[Slot]] = {}
    for part in parts:
        for key, slots in part.items():
            found[key] = found.get(key, frozenset()) | slots
    return found


def _listed(campuses: Iterable[Organisation]) -> str:
    return gettext(", ").join(campus.label(get_locale()) for campus in campuses)
