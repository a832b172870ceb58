"""Ways to settle a case lesson by lesson: pure steps that are tried in turn for each lesson that cannot stay.

A way is a list of steps. Its first step is what it is named for and is tried for all lessons before the others, which
catch what the first could not settle; the last is always to cancel. Each step leaves what does not fit untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from lms_bridge.timetable.cases.colleagues import Colleague
from lms_bridge.timetable.cases.desk import Desk
from lms_bridge.timetable.cases.diary import Diary
from lms_bridge.timetable.models import LessonMode, LessonStatus, TeacherPart
from lms_bridge.timetable.snapshots import LessonState
from lms_bridge.timetable.weeks.slots import SlotTime


@dataclass
class Draft:
    """A proposal in the making. ``after``: lessons (by id) in their new states; ``added``: make-up lessons, by a
    negative number. ``settled``: by which step each lesson of the case was settled."""

    desk: Desk
    diary: Diary
    hit: Sequence[int]
    after: dict[int, LessonState] = field(default_factory=dict)
    added: dict[int, LessonState] = field(default_factory=dict)
    settled: dict[int, str] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)
    """How many lessons each substitute takes in this draft."""

    def state(self, lesson: int) -> LessonState:
        """A lesson as it would be by now."""
        return self.after.get(lesson, self.desk.lessons[lesson])

    def change(self, lesson: int, state: LessonState) -> None:
        """Let a lesson be so."""
        self.after[lesson] = state
        self.diary.put(lesson, state)

    @property
    def lost(self) -> int:
        """Lessons of the case that do not take place and are not made up for."""
        return sum(step == "cancel" for step in self.settled.values())


Step = Callable[[Draft, int], bool]
"""Tries to settle one lesson; False leaves everything as it was."""


def work_out(desk: Desk, hit: Sequence[int], steps: Sequence[tuple[str, Step]]) -> Draft:
    """Settle the lessons ``hit`` (ids) by ``steps`` (names and functions), of which the last always succeeds."""
    draft = Draft(desk, Diary(desk), hit)
    for lesson in hit:
        draft.diary.take(lesson)
    for position, (name, step) in enumerate(steps):
        for lesson in hit:
            if lesson not in draft.settled and step(draft, lesson):
                draft.settled[lesson] = name
        if position and all(lesson in draft.settled for lesson in hit):
            break
    return draft


def substitute(draft: Draft, lesson: int) -> bool:
    """Somebody of the subject who is free takes it (see :func:`candidates`)."""
    return _give(draft, lesson, candidates(draft, lesson))


def one_substitute(draft: Draft, lesson: int) -> bool:
    """The same, but the one who can take most lessons of the case takes them, so that few people must be told."""
    able = candidates(draft, lesson)
    others = [other for other in draft.hit if other not in draft.settled and other != lesson]
    cover = {
        c.person_id: sum(any(o.person_id == c.person_id for o in candidates(draft, other)) for other in others)
        for c in able
    }
    able.sort(key=lambda c: (-draft.taken.get(c.person_id, 0), -cover[c.person_id]))
    return _give(draft, lesson, able)


def candidates(draft: Draft, lesson: int) -> list[Colleague]:
    """Who teaches the subject (or, where nobody does, knows the class) and is free, the best first: of the same
    campus, knowing the class, who stood in least so far, with the fewest lessons in the week. Teachers of other
    campuses are only asked for online lessons."""
    state = draft.desk.lessons[lesson]
    here = [
        c
        for c in draft.desk.colleagues.values()
        if c.person_id not in state.teacher_ids
        and (c.same_campus or state.mode is LessonMode.ONLINE)
        and draft.diary.teacher_is_free(c.person_id, state, lesson)
    ]
    able = [c for c in here if state.subject_id in c.subjects]
    able = able or [c for c in here if c.same_campus and c.classes & state.class_ids]
    return sorted(
        able,
        key=lambda c: (
            not c.same_campus,
            c.load.stood_in + draft.taken.get(c.person_id, 0),
            not c.classes & state.class_ids,
            c.load.week,
            c.name,
            c.person_id,
        ),
    )


def _give(draft: Draft, lesson: int, able: Sequence[Colleague]) -> bool:
    before = draft.desk.lessons[lesson]
    assistants = tuple(t for t in before.teachers if t[1] is TeacherPart.ASSISTANT)
    for colleague in able:
        teachers = tuple(sorted((*assistants, (colleague.person_id, TeacherPart.SUBSTITUTE))))
        after = replace(before, teachers=teachers)
        if draft.diary.fits(lesson, after):
            draft.change(lesson, after)
            draft.taken[colleague.person_id] = draft.taken.get(colleague.person_id, 0) + 1
            return True
    return False


def move(draft: Draft, lesson: int) -> bool:
    """It moves to the nearest free period of its week, with its own teacher."""
    before = draft.desk.lessons[lesson]
    week = [t for t in draft.desk.open_for(before) if draft.desk.weeks[t.day] == before.week_id]
    day = before.starts_local.date()
    week.sort(key=lambda t: (abs((t.day - day).days), t.day < day, abs(t.starts_at - before.starts_at)))
    for time in week:
        after = at(before, time)
        if after != before and draft.diary.fits(lesson, after):
            draft.change(lesson, after)
            return True
    return False


def swap(draft: Draft, lesson: int) -> bool:
    """It changes places with another lesson of the class in its week, the nearest for which both teachers are free."""
    before = draft.desk.lessons[lesson]
    others = [
        (number, state)
        for number, state in sorted(draft.desk.lessons.items())
        if number not in draft.hit
        and number not in draft.after
        and state.week_id == before.week_id
        and state.classes == before.classes
        and state.subject_id != before.subject_id
        and state.starts_at >= draft.desk.settled
    ]
    others.sort(key=lambda pair: (abs(pair[1].starts_at - before.starts_at), pair[1].starts_at, pair[0]))
    for number, other in others:
        mine, theirs = _in_place_of(before, other), _in_place_of(other, before)
        draft.diary.take(number)
        if draft.diary.fits(lesson, mine):
            draft.diary.put(lesson, mine)
            if draft.diary.fits(number, theirs):
                draft.change(lesson, mine)
                draft.change(number, theirs)
                return True
            draft.diary.take(lesson)
        draft.diary.put(number, other)
    return False


def _in_place_of(one: LessonState, other: LessonState) -> LessonState:
    return replace(
        one, starts_at=other.starts_at, ends_at=other.ends_at, period_number=other.period_number, mode=other.mode
    )


def make_up(draft: Draft, lesson: int) -> bool:
    """It is cancelled, and a new lesson takes its place in the first free period after it, in whatever week."""
    before = draft.desk.lessons[lesson]
    for time in draft.desk.open_for(before):
        if time.starts_at <= before.starts_at:
            continue
        number = -lesson
        new = replace(
            at(before, time), week_id=draft.desk.weeks[time.day], units=(), replaces_id=lesson, teachers=_own(before)
        )
        if draft.diary.fits(number, new):
            cancel(draft, lesson)
            draft.added[number] = new
            draft.diary.put(number, new)
            return True
    return False


def _own(state: LessonState) -> tuple[tuple[int, TeacherPart], ...]:
    """The teachers of a make-up lesson: who stood in for the lost one has no part in it unless nobody else has."""
    own = tuple(t for t in state.teachers if t[1] is not TeacherPart.SUBSTITUTE)
    return own or state.teachers


def cancel(draft: Draft, lesson: int) -> bool:
    """It does not take place; what it was to teach goes to the next lesson."""
    draft.change(lesson, replace(draft.desk.lessons[lesson], status=LessonStatus.CANCELLED))
    return True


def in_place(draft: Draft, lesson: int) -> bool:
    """It stays in its period of its day, with the times and in the mode that the day has now."""
    before = draft.desk.lessons[lesson]
    time = draft.desk.opening(min(before.class_ids), before.starts_local.date(), before.period_number)
    if time is None:
        return False
    return _settle(draft, lesson, at(before, time))


def keep_times(draft: Draft, lesson: int) -> bool:
    """It keeps its clock times and only goes online, or back to school."""
    before = draft.desk.lessons[lesson]
    mode = LessonMode.IN_PERSON if before.mode is LessonMode.ONLINE else LessonMode.ONLINE
    return _settle(draft, lesson, replace(before, mode=mode))


def to(wish: SlotTime) -> Step:
    """The step that moves a lesson to the period that somebody asked for."""

    def step(draft: Draft, lesson: int) -> bool:
        before = draft.desk.lessons[lesson]
        week_id = draft.desk.weeks.get(wish.day)
        return week_id is not None and _settle(draft, lesson, replace(at(before, wish), week_id=week_id))

    return step


def _settle(draft: Draft, lesson: int, after: LessonState) -> bool:
    if not draft.diary.fits(lesson, after):
        return False
    draft.change(lesson, after)
    return True


def at(before: LessonState, time: SlotTime) -> LessonState:
    """A lesson in a period, in the mode of that day; its week stays."""
    return replace(
        before,
        starts_at=time.starts_at,
        ends_at=time.ends_at,
        period_number=time.slot.period,
        mode=LessonMode.ONLINE if time.online else LessonMode.IN_PERSON,
    )


def delayed(desk: Desk, after: Iterable[LessonState], changed: Iterable[int]) -> int:
    """How many periods of plan units are taught later than now, or not within the weeks that have a timetable, when
    the lessons ``changed`` (ids) give way to the states ``after`` and units follow lessons in order."""
    gone = set(changed)
    states = [state for state in after if state.takes_place]
    pairs = {
        (unit.class_id, state.subject_id) for number in gone for state in [desk.lessons[number]] for unit in state.units
    }
    total = 0
    for class_id, subject_id in sorted(pairs):
        old = [s for s in desk.lessons.values() if s.subject_id == subject_id and class_id in s.class_ids]
        kept = [
            s
            for number, s in desk.lessons.items()
            if number not in gone and s.subject_id == subject_id and class_id in s.class_ids
        ]
        new = kept + [s for s in states if s.subject_id == subject_id and class_id in s.class_ids]
        before_times, after_times = sorted(s.starts_at for s in old), sorted(s.starts_at for s in new)
        total += sum(place >= len(after_times) or after_times[place] > time for place, time in enumerate(before_times))
    return total
