"""Which room an activity may have, and what rooms can hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from lms_bridge.core.i18n import N_
from lms_bridge.timetable.fet.checker.violations import Broken
from lms_bridge.timetable.fet.checker.weeks import Placed
from lms_bridge.timetable.fet.model import Activity, Constraint
from lms_bridge.timetable.fet.timetable import Slot

_BY_PLACE = frozenset({
    "ActivityPreferredRoom", "ActivityPreferredRooms", "SubjectPreferredRoom", "SubjectPreferredRooms",
    "ActivityTagPreferredRoom", "ActivityTagPreferredRooms", "SubjectActivityTagPreferredRoom",
    "SubjectActivityTagPreferredRooms",
})  # fmt: skip


def taken_rooms(placed: Placed, activity: Activity) -> tuple[str, ...]:
    """The real rooms that an activity takes: its room, or those behind its virtual room."""
    name = placed.timetable.rooms.get(activity.id)
    if name is None:
        return ()
    room = placed.school.rooms.get(name)
    if room is not None and room.virtual:
        return placed.timetable.real_rooms.get(activity.id, ())
    return (name,)


def compulsory_space(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """No room holds two activities at once or more students than it has places; virtual rooms have real ones."""
    for activity in placed.activities:
        name = placed.timetable.rooms.get(activity.id)
        if name is None:
            continue
        room = placed.school.rooms.get(name)
        if room is None:
            yield (
                N_("Activity %(what)s is in room %(room)s, which the file does not define."),
                {"what": placed.what(activity), "room": name},
            )
            continue
        size = _size(placed, activity)
        if size > room.capacity:
            yield (
                N_("Activity %(what)s has %(found)s students; room %(room)s holds %(limit)s."),
                {"what": placed.what(activity), "found": size, "room": name, "limit": room.capacity},
            )
        if room.virtual and not _covers(room.sets, taken_rooms(placed, activity)):
            yield (
                N_("Activity %(what)s has no real room out of each set of the virtual room %(room)s."),
                {"what": placed.what(activity), "room": name},
            )
    yield from _clashes(placed)


def _clashes(placed: Placed) -> Iterator[Broken]:
    users: defaultdict[tuple[str, Slot], list[Activity]] = defaultdict(list)
    seen: set[tuple[str, int, int]] = set()
    for activity in placed.activities:
        for name in taken_rooms(placed, activity):
            for slot in placed.slots(activity):
                users[name, slot].append(activity)
    for (name, slot), activities in users.items():
        for one, other in pairwise(activities):
            if (name, one.id, other.id) not in seen:
                seen.add((name, one.id, other.id))
                yield (
                    N_("Room %(room)s has activities %(one)s and %(other)s at the same time, on %(when)s."),
                    {
                        "room": name,
                        "one": placed.what(one),
                        "other": placed.what(other),
                        "when": placed.when(slot),
                    },
                )


def _size(placed: Placed, activity: Activity) -> int:
    """How many students take part, as the file states it for the activity or for its students sets."""
    if activity.size is not None:
        return activity.size
    return sum(placed.school.students[name].size for name in activity.students)


def _covers(sets: tuple[tuple[str, ...], ...], chosen: tuple[str, ...]) -> bool:
    """Whether the chosen rooms are one out of each set, all different, in some order."""
    if len(sets) != len(chosen) or len(set(chosen)) != len(chosen):
        return False
    if not sets:
        return True
    return any(name in sets[0] and _covers(sets[1:], chosen[:i] + chosen[i + 1 :]) for i, name in enumerate(chosen))


def not_available(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """A room is not used when it is closed."""
    name, closed = constraint.fields.text("Room"), set(placed.listed(constraint, "Not_Available_Time"))
    for activity in placed.activities:
        if name not in (*taken_rooms(placed, activity), placed.timetable.rooms.get(activity.id)):
            continue
        for slot in placed.slots(activity):
            if slot in closed:
                yield (
                    N_("Room %(room)s is not available on %(when)s, when activity %(what)s takes place in it."),
                    {"room": name, "when": placed.when(slot), "what": placed.what(activity)},
                )


def _fits(constraint: Constraint, activity: Activity) -> bool:
    """Whether a constraint on rooms is about an activity (homes of people not looked at)."""
    fields = constraint.fields
    if fields.has("Activity_Id"):
        return fields.whole("Activity_Id") == activity.id
    return (not fields.has("Subject") or fields.text("Subject") == activity.subject) and (
        not fields.has("Activity_Tag") or fields.text("Activity_Tag") in activity.tags
    )


def preferred(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """Activities of a subject, a tag, both, or one activity, are in the rooms that are named."""
    for activity in placed.activities:
        if _fits(constraint, activity):
            yield from _in_rooms(placed, constraint, activity)


def home(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """Activities that no other constraint gives a room are in the home of their teacher or students set."""
    others = [c for c in placed.school.active_constraints() if c.kind in _BY_PLACE]
    for activity in placed.activities:
        names = activity.teachers if constraint.kind.startswith("Teacher") else activity.students
        who = constraint.fields.text("Teacher") or constraint.fields.text("Students")
        if names == (who,) and not any(_fits(other, activity) for other in others):
            yield from _in_rooms(placed, constraint, activity)


def _in_rooms(placed: Placed, constraint: Constraint, activity: Activity) -> Iterator[Broken]:
    allowed = constraint.fields.texts("Preferred_Room") or constraint.fields.texts("Room")
    room = placed.timetable.rooms.get(activity.id)
    if room not in allowed:
        yield (
            N_("Activity %(what)s is in room %(room)s; it should be in %(wanted)s."),
            {
                "what": placed.what(activity),
                "room": room or "-",
                "wanted": ", ".join(allowed[:6]) + (" ..." if len(allowed) > 6 else ""),
            },
        )
        return
    fixed = constraint.fields.texts("Real_Room")
    if fixed and sorted(fixed) != sorted(taken_rooms(placed, activity)):
        yield (
            N_("Activity %(what)s takes the real rooms %(room)s; it should take %(wanted)s."),
            {
                "what": placed.what(activity),
                "room": ", ".join(taken_rooms(placed, activity)) or "-",
                "wanted": ", ".join(fixed),
            },
        )


def few_rooms(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """The activities take at most so many different rooms."""
    limit = constraint.fields.whole("Max_Number_of_Different_Rooms")
    found = {room for activity in placed.named(constraint) for room in taken_rooms(placed, activity)}
    if len(found) > limit:
        yield (
            N_("%(count)s activities take %(found)s different rooms (%(rooms)s); at most %(limit)s are allowed."),
            {
                "count": len(placed.named(constraint)),
                "found": len(found),
                "rooms": ", ".join(sorted(found)),
                "limit": limit,
            },
        )


def same_room_if_consecutive(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """Activities that stand one right after the other share a room; a break between them parts them."""
    activities = sorted(placed.named(constraint), key=placed.start)
    for one in activities:
        for other in activities:
            (day, hour), start = placed.start(one), placed.start(other)
            if start != (day, hour + one.duration):
                continue
            rooms = placed.timetable.rooms.get(one.id), placed.timetable.rooms.get(other.id)
            if None not in rooms and rooms[0] != rooms[1]:
                yield (
                    N_(
                        "Activities %(one)s (%(one_when)s) and %(other)s (%(other_when)s) follow each other in "
                        "different rooms."
                    ),
                    {
                        "one": placed.what(one),
                        "one_when": placed.when(placed.start(one)),
                        "other": placed.what(other),
                        "other_when": placed.when(start),
                    },
                )
