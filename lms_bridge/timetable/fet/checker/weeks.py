"""The timetable laid out for checking: the week of each teacher and each smallest students set, and the rooms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from lms_bridge.timetable.fet.model import Activity, Constraint, School
from lms_bridge.timetable.fet.timetable import Slot, Timetable


class Week:
    """The week of one teacher or one smallest students set.

    ``taken[day]`` maps an hour to the activity in it (the first, where two overlap; the overlap is reported by the
    basic rule). ``closed`` are the slots that are breaks or in which this person is not available.
    """

    def __init__(self, name: str, activities: list[Activity], placed: Placed, absent: Iterable[Slot]) -> None:
        self.name = name
        self.activities = activities
        self.closed = placed.breaks | set(absent)
        self.hours = len(placed.school.hours)
        self.taken: list[dict[int, Activity]] = [{} for _ in placed.school.days]
        for activity in activities:
            for day, hour in placed.slots(activity):
                self.taken[day].setdefault(hour, activity)

    def working_days(self) -> list[int]:
        """The days with at least one activity."""
        return [day for day, hours in enumerate(self.taken) if hours]

    def gaps(self, day: int) -> int:
        """Free hours between the first and the last activity; closed ones are none."""
        hours = self.taken[day]
        if not hours:
            return 0
        return sum(hour not in hours and (day, hour) not in self.closed for hour in range(min(hours), max(hours) + 1))

    def longest_run(self, day: int, tag: str | None = None) -> int:
        """The most hours in a row with activities (of one tag, if it is given)."""
        best = run = 0
        for hour in range(self.hours):
            activity = self.taken[day].get(hour)
            run = run + 1 if activity is not None and (tag is None or tag in activity.tags) else 0
            best = max(best, run)
        return best


class Placed:
    """A school with a timetable; only active activities that lie within the grid are laid out."""

    def __init__(self, school: School, timetable: Timetable) -> None:
        self.school = school
        self.timetable = timetable
        self.activities = [a for a in school.active_activities() if self._within_grid(a)]
        self.placed_ids = {activity.id for activity in self.activities}
        self.breaks: set[Slot] = set()
        teacher_absent: defaultdict[str, set[Slot]] = defaultdict(set)
        set_absent: defaultdict[str, set[Slot]] = defaultdict(set)
        for constraint in school.active_constraints():
            if constraint.kind == "BreakTimes":
                self.breaks |= set(self.listed(constraint, "Break_Time"))
            elif constraint.kind == "TeacherNotAvailableTimes":
                name = constraint.fields.text("Teacher")
                teacher_absent[name] |= set(self.listed(constraint, "Not_Available_Time"))
            elif constraint.kind == "StudentsSetNotAvailableTimes":
                for leaf in school.students[constraint.fields.text("Students")].leaves:
                    set_absent[leaf] |= set(self.listed(constraint, "Not_Available_Time"))
        self.teachers = self._weeks(school.teachers, lambda a: a.teachers, teacher_absent)
        self.leaves = self._weeks(school.leaves, school.leaves_of, set_absent)

    def _weeks(
        self,
        names: Iterable[str],
        members: Callable[[Activity], Iterable[str]],
        absent: Mapping[str, set[Slot]],
    ) -> dict[str, Week]:
        found: defaultdict[str, list[Activity]] = defaultdict(list)
        for activity in self.activities:
            for name in members(activity):
                found[name].append(activity)
        return {name: Week(name, found[name], self, absent.get(name, ())) for name in names}

    def _within_grid(self, activity: Activity) -> bool:
        start = self.timetable.starts.get(activity.id)
        return (
            start is not None
            and 0 <= start[0] < len(self.school.days)
            and 0 <= start[1] <= len(self.school.hours) - activity.duration
        )

    def start(self, activity: Activity) -> Slot:
        """The first slot of a placed activity."""
        return self.timetable.starts[activity.id]

    def slots(self, activity: Activity) -> Iterator[Slot]:
        """Every slot that a placed activity takes."""
        day, hour = self.start(activity)
        return ((day, hour + k) for k in range(activity.duration))

    def named(self, constraint: Constraint, *fields: str) -> list[Activity]:
        """The placed activities that a constraint lists by id."""
        ids = [int(text) for field in fields or ("Activity_Id",) for text in constraint.fields.texts(field)]
        return [self.school.by_id[i] for i in ids if i in self.placed_ids]

    def listed(self, constraint: Constraint, element: str, day: str = "Day", hour: str = "Hour") -> list[Slot]:
        """The slots that a constraint lists; one without a day or an hour stands for all of them."""
        found = []
        for day_name, hour_name in constraint.fields.times(element, day, hour):
            days = [self.school.day_index[day_name]] if day_name else range(len(self.school.days))
            hours = [self.school.hour_index[hour_name]] if hour_name else range(len(self.school.hours))
            found += [(d, h) for d in days for h in hours]
        return found

    def only_closed(self, day: int, first: int, end: int) -> bool:
        """Whether all hours from ``first`` before ``end`` are breaks (true where there are none)."""
        return all((day, hour) in self.breaks for hour in range(first, end))

    # --- words

    def when(self, slot: Slot) -> str:
        """A slot in words, as the file names it."""
        return f"{self.day(slot[0])} {self.school.hours[slot[1]]}"

    def day(self, day: int) -> str:
        """The name of a day."""
        return self.school.days[day]

    def what(self, activity: Activity) -> str:
        """An activity in words: id, subject, teachers, students."""
        people = ", ".join((*activity.teachers, *activity.students))
        return f"{activity.id} {activity.subject} ({people})" if people else f"{activity.id} {activity.subject}"


Weeks = Mapping[str, Week]
