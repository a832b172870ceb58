"""From the draft to the problem of the engine: activities that start together become one unit."""

from __future__ import annotations

from collections import defaultdict

from lms_bridge.timetable.engine.arrays import SURE
from lms_bridge.timetable.engine.problem import Hold, Limits, Need, Pair, PlacingProblem, Resource, SlotGroup, Unit
from lms_bridge.timetable.fet.draft import Draft, Wanted


class Former:
    """Forms the units, resources and rules of one draft."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.days, self.hours = len(draft.school.days), len(draft.school.hours)
        self.problem = PlacingProblem(self.days, self.hours, self._bits(draft.pauses))
        self.resource_of: dict[tuple[str, str], int] = {}
        self.unit_of: list[int] = []

    def form(self) -> PlacingProblem:
        """The whole problem."""
        self._units()
        self._people()
        self._rooms()
        self._apart()
        self._starts()
        self.problem.pairs = [
            Pair(first, second, pair.kind, pair.amount, pair.first_hours, pair.second_hours, pair.check)
            for pair in self.draft.pairs
            if (first := self.unit_of[pair.first]) != (second := self.unit_of[pair.second])
        ]
        for group in self.draft.groups:
            members: dict[int, int] = {}
            for number, hours in group.members:
                unit = self.unit_of[number]
                members[unit] = max(hours, members.get(unit, 0))
            self.problem.groups.append(
                SlotGroup(group.kind, group.most, group.slots, tuple(members.items()), group.check)
            )
        return self.problem

    def _bits(self, slots: set[int]) -> list[int]:
        return [sum(1 << hour for hour in range(self.hours) if day * self.hours + hour in slots)
                for day in range(self.days)]  # fmt: skip

    def _units(self) -> None:
        """Join the activities that hard rules let start together."""
        leader = list(range(len(self.draft.activities)))

        def find(number: int) -> int:
            while leader[number] != number:
                leader[number] = leader[leader[number]]
                number = leader[number]
            return number

        for group in self.draft.together:
            for number in group[1:]:
                leader[find(number)] = find(group[0])
        members: dict[int, list[int]] = defaultdict(list)
        for number in range(len(leader)):
            members[find(number)].append(number)
        self.unit_of = [0] * len(leader)
        for place, numbers in enumerate(members.values()):
            for number in numbers:
                self.unit_of[number] = place
            duration = max(self.draft.activities[number].duration for number in numbers)
            self.problem.units.append(Unit(tuple(numbers), duration))

    def _resource(self, kind: str, name: str) -> int:
        """The number of a teacher, students set or room; made at its first use."""
        key = (kind, name)
        if key not in self.resource_of:
            closed = self.draft.closed.get(key, set()) | self.draft.pauses
            every = (1 << self.hours) - 1
            self.resource_of[key] = len(self.problem.resources)
            self.problem.resources.append(Resource(name, [every & ~bits for bits in self._bits(closed)]))
        return self.resource_of[key]

    def _people(self) -> None:
        """Teachers and smallest students sets, their limits, and further resources for limits on some activities."""
        owners: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, activity in enumerate(self.draft.activities):
            for teacher in activity.teachers:
                owners["teacher", teacher].append(number)
            for leaf in self.draft.leaves[number]:
                owners["students", leaf].append(number)
        for (kind, name), numbers in owners.items():
            resource = self._resource(kind, name)
            for number in numbers:
                self._hold(number, resource, ends=kind == "students" and number in self.draft.ending)
            some: dict[frozenset[int], list[Limits]] = defaultdict(list)
            for only, limits in self.draft.limits.get((kind, name), ()):
                if only is None:
                    self.problem.resources[resource].limits.append(limits)
                else:
                    some[only].append(limits)
            for only, all_limits in some.items():
                self._partial(resource, [number for number in numbers if number in only], all_limits)

    def _partial(self, resource: int, numbers: list[int], limits: list[Limits]) -> None:
        if not numbers:
            return
        whole = self.problem.resources[resource]
        self.problem.resources.append(Resource(whole.name, whole.open, limits))
        for number in numbers:
            self._hold(number, len(self.problem.resources) - 1)

    def _hold(self, number: int, resource: int, *, ends: bool = False) -> None:
        hours = self.draft.activities[number].duration
        self.problem.units[self.unit_of[number]].holds.append(Hold(resource, hours, ends))

    def _apart(self) -> None:
        """Activities that must not overlap share a resource that one can have."""
        every = [(1 << self.hours) - 1] * self.days
        for numbers in self.draft.apart:
            self.problem.resources.append(Resource("", every))
            for number in numbers:
                self._hold(number, len(self.problem.resources) - 1)

    def _rooms(self) -> None:
        for number, activity in enumerate(self.draft.activities):
            wanted = self.draft.rooms.get(number, [])
            wanted = [found for found in wanted if not found.home] or wanted
            if not wanted:
                continue
            choices, none = self._choices(number, wanted)
            unit = self.problem.units[self.unit_of[number]]
            unit.needs.append(Need(number, activity.duration, choices, none))

    def _choices(self, number: int, wanted: list[Wanted]) -> tuple[tuple[tuple[int, int], ...], int]:
        """The rooms that the rules allow with the probability of refusal of each, and that of no room at all."""
        school, activity = self.draft.school, self.draft.activities[number]
        size = activity.size
        if size is None:
            size = sum(school.students[name].size for name in activity.students)
        rooms = dict.fromkeys(room for found in wanted for room in found.rooms)
        choices = []
        for room in rooms:
            accepted = 1.0
            for found in wanted:
                if room not in found.rooms:
                    accepted *= 1 - found.check / SURE
            if accepted > 0 and school.rooms[room].capacity >= size:
                choices.append((self._resource("room", room), SURE - round(accepted * SURE)))
        without = 1.0
        for found in wanted:
            without *= 1 - found.check / SURE
        return tuple(choices), SURE - round(without * SURE)

    def _starts(self) -> None:
        """The slots in which all activities of a unit may start."""
        for unit in self.problem.units:
            refused = 1.0 - (1.0 - self.draft.refused[list(unit.activities)]).prod(axis=0)
            unit.starts = [
                (slot, min(SURE - 1, round(float(refused[slot]) * SURE)))
                for slot in range(len(refused))
                if refused[slot] < 1.0 - 1e-9
            ]
