"""Subject rules in the solver's terms: what they make of the courses of a week. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time

from lms_bridge.calendar.days import TeachingDay
from lms_bridge.core.clock import local
from lms_bridge.timetable.inputs.models import DayPart, RuleType
from lms_bridge.timetable.inputs.stated_rules import Stated, WeekRules
from lms_bridge.timetable.solving.problem import Course, Slot
from lms_bridge.timetable.weeks.slots import SlotTime

NOON = time(12)

Pairs = tuple[tuple[str, str], ...]


USUAL_A_DAY = 2
"""Without a rule of its own a course has at most so many periods on one day."""


def most_a_day(periods: int, days: int) -> int:
    """How many periods of a course one day may have where no rule says it; more where a week has too few days."""
    return max(USUAL_A_DAY, -(-periods // days) if days else USUAL_A_DAY)


@dataclass(frozen=True, slots=True)
class Note:
    """What a course of the solver is about: its classes (ids with their named part or ""), subject and mode, and
    whether it is a lesson that stays where it is."""

    classes: Mapping[int, str]
    subject_id: int
    online: bool
    held: bool = False


@dataclass(frozen=True, slots=True)
class Week:
    """What the rules must know of the week: its school days, and the campus's time zone."""

    days: Sequence[TeachingDay]
    zone: str


def shaped(
    course: Course, note: Note, rules: WeekRules, times: Mapping[Slot, SlotTime], held: Sequence[Slot], week: Week
) -> Course:
    """The course as the rules for its subject want it. ``held`` are the slots of its lessons that stay."""
    class_ids, slots = sorted(note.classes), course.slots or frozenset()
    fixed = _fixed(rules.fixed(class_ids, note.subject_id), slots, week.days, course.periods)
    most = rules.most_per_day(class_ids, note.subject_id)
    blocks = _blocks(rules.doubles(class_ids, note.subject_id) - _pairs_in(held), course.periods)
    forbidden = set(course.forbidden)
    if most is not None:
        per_day = Counter(slot.day for slot in held)
        forbidden |= {slot for slot in slots if per_day[slot.day] + 1 > most} - set(fixed)
    wish = rules.preferred(class_ids, note.subject_id)
    fullest = max(Counter(slot.day for slot in fixed).values(), default=0)
    return replace(
        course,
        fixed=fixed,
        max_per_day=max(most if most is not None else max(course.max_per_day, 2 if blocks else 1), fullest),
        blocks=blocks,
        forbidden=frozenset(forbidden),
        preferred=preferred_slots(wish, times, week.zone) & slots if wish is not None else None,
    )


def _fixed(
    wanted: Sequence[tuple[int, int]], slots: frozenset[Slot], days: Sequence[TeachingDay], periods: int
) -> tuple[Slot, ...]:
    """The slots of the weekdays (a make-up day follows the weekday it stands in for) that the week has."""
    found = [Slot(day.day.weekday(), period) for day in days for weekday, period in wanted if day.weekday == weekday]
    return tuple(sorted(slot for slot in found if slot in slots))[:periods]


def _pairs_in(held: Sequence[Slot]) -> int:
    """How many double periods are among the lessons that stay."""
    left, pairs = set(held), 0
    for slot in sorted(held):
        following = Slot(slot.day, slot.period + 1)
        if slot in left and following in left:
            left -= {slot, following}
            pairs += 1
    return pairs


def _blocks(doubles: int, periods: int) -> tuple[int, ...]:
    doubles = min(doubles, periods // 2)
    return (2,) * doubles + (1,) * (periods - 2 * doubles) if doubles > 0 else ()


def preferred_slots(rule: Stated, times: Mapping[Slot, SlotTime], zone: str) -> frozenset[Slot]:
    """Those of the slots that a rule wishes for."""
    if rule.day_part is DayPart.PERIODS:
        return frozenset(s for s in times if (rule.first_period or 1) <= s.period <= (rule.last_period or 1))
    morning = frozenset(slot for slot, at in times.items() if local(at.starts_at, zone).time() < NOON)
    return morning if rule.day_part is DayPart.MORNING else frozenset(times) - morning


def pairs(notes: Mapping[str, Note], rules: WeekRules, kind: RuleType) -> Pairs:
    """The pairs of courses that a rule of two subjects is about. Groups of a class that are taught apart are not:
    nobody is in both."""
    by_class: dict[int, list[str]] = {}
    for key, note in notes.items():
        for class_id in note.classes:
            by_class.setdefault(class_id, []).append(key)
    found = {
        (one, other)
        for class_id, keys in by_class.items()
        for subject_id, other_id in rules.pairs(class_id, kind)
        for one in keys
        for other in keys
        if (notes[one].subject_id, notes[other].subject_id) == (subject_id, other_id)
        and _meet(notes[one], notes[other], class_id)
    }
    return tuple(sorted(found))


def _meet(one: Note, other: Note, class_id: int) -> bool:
    apart = one.classes[class_id] and other.classes[class_id] and one.classes[class_id] != other.classes[class_id]
    return one.online is other.online and not apart and not (one.held and other.held)


def bands(keys: Iterable[tuple[str, bool, str]]) -> tuple[tuple[str, ...], ...]:
    """Courses that always take the same slots, from (band, online, course key)."""
    found: dict[tuple[str, bool], list[str]] = {}
    for band, online, key in keys:
        found.setdefault((band, online), []).append(key)
    return tuple(tuple(sorted(group)) for _, group in sorted(found.items()) if len(group) > 1)
