"""Takes the rules of a FET file over into a campus's own inputs, and says what becomes of each type of constraint."""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lms_bridge.calendar.grids import grids_of
from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_, gettext, ngettext
from lms_bridge.roster.models import Organisation, Person, Subject, Term
from lms_bridge.timetable.cases.teacher_times import Absent, add_absence, set_limit
from lms_bridge.timetable.exchange.fet_inputs import (
    AtMost,
    Away,
    Reading,
    SubjectWish,
    Taken,
    Together,
    read_constraints,
)
from lms_bridge.timetable.exchange.given import GivenTimetable, folded
from lms_bridge.timetable.exchange.naming import Names
from lms_bridge.timetable.inputs import subject_rules
from lms_bridge.timetable.inputs.arrangements import WantedArrangement, add_arrangement, arrangements_of
from lms_bridge.timetable.inputs.models import DayPart, RuleType
from lms_bridge.timetable.inputs.stated_rules import Stated
from lms_bridge.timetable.inputs.teacher_limits import limits_of
from lms_bridge.timetable.models import TeacherPart, Unavailability
from lms_bridge.timetable.solving.problem import WEEKDAYS
from lms_bridge.timetable.wording import SubjectName

TAKEN_WORDS = {
    Taken.TEACHER_TIMES: N_("Times at which teachers cannot teach"),
    Taken.TEACHER_LIMITS: N_("Most periods a day of teachers"),
    Taken.FIXED: N_("Fixed periods of subjects"),
    Taken.SPREAD: N_("Subjects on different days"),
    Taken.PREFERRED: N_("Best parts of the day for subjects"),
    Taken.TOGETHER: N_("Groups that are taught at the same time"),
}


class Fate(enum.StrEnum):
    """What becomes of a constraint."""

    TAKEN = "taken"
    """It is taken over into the campus's inputs."""
    HOLDS = "holds"
    """It holds at the campus anyway."""
    NOT_CHOSEN = "not_chosen"
    """It could be taken over, but that is not wished."""
    NOT_SUPPORTED = "not_supported"
    """Nothing here holds what it says."""


FATE_WORDS = {
    Fate.TAKEN: N_("taken over"),
    Fate.HOLDS: N_("holds here anyway"),
    Fate.NOT_CHOSEN: N_("left out, as you chose"),
    Fate.NOT_SUPPORTED: N_("not supported, left out"),
}


@dataclass(frozen=True, slots=True)
class ConstraintCount:
    """How many constraints of a type (FET's name for it) have a fate, hard and soft ones apart."""

    kind: str
    fate: Fate
    hard: int
    soft: int

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"kind": self.kind, "fate": self.fate.value, "hard": self.hard, "soft": self.soft}

    def __str__(self) -> str:
        numbers = [
            gettext("%(n)s hard", n=self.hard) if self.hard else "",
            gettext("%(n)s soft", n=self.soft) if self.soft else "",
        ]
        said = gettext(", ").join(number for number in numbers if number)
        return gettext(
            "%(kind)s: %(numbers)s, %(fate)s", kind=self.kind, numbers=said, fate=gettext(FATE_WORDS[self.fate])
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """A wish with its names resolved: what is stored (none: it is there already), and its text."""

    store: Absent | int | Stated | tuple[WantedArrangement, ...] | None
    person: Person | None
    text: str


class FileRules:
    """The constraints of a FET file held against a campus: which can be taken over, and what becomes of the others."""

    def __init__(self, campus: Organisation, term: Term, names: Names, given: GivenTimetable) -> None:
        self.campus, self.term, self.names = campus, term, names
        school = given.school
        self.readings = read_constraints(school, times_locked=given.times_locked) if school is not None else []
        self.people = {p.id: p for p in db.session.scalars(sa.select(Person).where(Person.id.in_(self._teacher_ids())))}
        self.subjects = {s.id: s for s in db.session.scalars(sa.select(Subject))}
        self.limits = limits_of(self.people)
        self.away = self._away()
        self.grid = {(p.weekday, p.number) for grid in grids_of(campus.id) for p in grid.periods}
        self.arranged = arrangements_of(campus.id, term.id)
        self.stored = {Stated.of(row) for row in subject_rules.rules_of(campus.id)}
        self.known = [self._known(reading) for reading in self.readings]
        self._drop_contradicting()
        self._drop_refused_arrangements()

    def offered(self) -> dict[Taken, list[str]]:
        """What can be taken over, in words, by the input that holds it; what is there already is not offered."""
        found: dict[Taken, dict[str, None]] = {}
        for reading, known in zip(self.readings, self.known, strict=True):
            for item in known or ():
                if item.store is not None and reading.taken is not None:
                    found.setdefault(reading.taken, {})[item.text] = None
        return {kind: list(found[kind]) for kind in Taken if kind in found}

    def counts(self, chosen: Collection[Taken]) -> list[ConstraintCount]:
        """What becomes of every constraint in force if the ``chosen`` inputs are taken over: what is not supported
        first, hard ones before soft ones."""
        hard, soft = Counter[tuple[str, Fate]](), Counter[tuple[str, Fate]]()
        for reading, known in zip(self.readings, self.known, strict=True):
            key = reading.constraint.kind, self._fate(reading, known, chosen)
            (hard if reading.constraint.hard else soft)[key] += 1
        order = [Fate.NOT_SUPPORTED, Fate.NOT_CHOSEN, Fate.TAKEN, Fate.HOLDS]
        lines = [ConstraintCount(kind, fate, hard[kind, fate], soft[kind, fate]) for kind, fate in {**hard, **soft}]
        return sorted(lines, key=lambda line: (order.index(line.fate), -line.hard, -line.soft, line.kind))

    def take(self, chosen: Collection[Taken], actor: Person | None) -> None:
        """Store what the chosen inputs hold, each once.

        :raises BadInputs: the campus's inputs were changed so that they contradict it now.
        """
        rules: dict[Stated, None] = {}
        done: set[object] = set()
        for reading, known in zip(self.readings, self.known, strict=True):
            if reading.taken not in chosen:
                continue
            for item in known or ():
                if isinstance(item.store, Stated):
                    rules[item.store] = None
                elif item.store is not None and (reading.taken, item.text) not in done:
                    done.add((reading.taken, item.text))
                    self._store(item, actor)
        subject_rules.add_rules(self.campus, list(rules), actor=actor)

    def _store(self, item: _Known, actor: Person | None) -> None:
        if isinstance(item.store, Absent) and item.person is not None:
            add_absence(self.campus, item.person, item.store, actor=actor)
        elif isinstance(item.store, int) and item.person is not None:
            # Of two limits for one teacher the lower one holds.
            if item.store < limits_of([item.person.id]).get(item.person.id, item.store + 1):
                set_limit(self.campus, item.person, item.store, actor=actor)
        elif isinstance(item.store, tuple):
            for wanted in item.store:
                add_arrangement(self.campus, wanted, actor=actor)

    def _fate(self, reading: Reading, known: Sequence[_Known] | None, chosen: Collection[Taken]) -> Fate:
        if known is None:
            return Fate.NOT_SUPPORTED
        if all(item.store is None for item in known):
            return Fate.HOLDS
        return Fate.TAKEN if reading.taken in chosen else Fate.NOT_CHOSEN

    def _known(self, reading: Reading) -> list[_Known] | None:
        """The constraint by the campus's own ids; empty: it holds anyway; None: nothing here can hold it."""
        if reading.met or (reading.closed and not reading.closed & self.grid):
            return []
        if reading.taken is None:
            return None
        found: list[_Known] = []
        for said in reading.said:
            match said:
                case Away():
                    known = self._away_known(said)
                case AtMost():
                    known = self._limit_known(said)
                case SubjectWish():
                    known = self._rule_known(said)
                case Together():
                    known = self._together_known(said)
            if known is None:
                return None
            found.append(known)
        return found

    def _teacher(self, name: str) -> Person | None:
        """A teacher of the campus; for one of another, limits and times are not this campus's to state."""
        ids = self.names.teachers.get(folded(name), set())
        return self.people[next(iter(ids))] if len(ids) == 1 else None

    def _teacher_ids(self) -> set[int]:
        return {key for ids in self.names.teachers.values() for key in ids}

    def _away(self) -> Mapping[int, set[tuple[int | None, int | None]]]:
        """The weekly times in which teachers cannot teach already, at least until the end of the term."""
        rows = db.session.scalars(
            sa.select(Unavailability).where(
                Unavailability.person_id.in_(self.people),
                Unavailability.weekday.is_not(None),
                sa.or_(Unavailability.first_day.is_(None), Unavailability.first_day <= self.term.starts_on),
                sa.or_(Unavailability.last_day.is_(None), Unavailability.last_day >= self.term.ends_on),
            )
        )
        found: defaultdict[int, set[tuple[int | None, int | None]]] = defaultdict(set)
        for row in rows:
            found[row.person_id].add((row.weekday, row.period_number))
        return found

    def _away_known(self, said: Away) -> _Known | None:
        person = self._teacher(said.teacher)
        if person is None:
            return None
        there = self.away.get(person.id, set())
        periods = frozenset(p for p in said.periods if (said.weekday, p) not in there)
        closed = (said.weekday, None) in there or (said.periods and not periods)
        words = ", ".join(str(period) for period in sorted(said.periods))
        day = gettext(WEEKDAYS[said.weekday])
        text = (
            gettext("%(who)s: not on %(day)s, periods %(periods)s", who=person.display_name, day=day, periods=words)
            if said.periods
            else gettext("%(who)s: not on %(day)s", who=person.display_name, day=day)
        )
        store = Absent(frozenset({said.weekday}), periods, last_day=self.term.ends_on)
        return _Known(None if closed else store, person, text)

    def _limit_known(self, said: AtMost) -> _Known | None:
        person = self._teacher(said.teacher)
        if person is None:
            return None
        there = self.limits.get(person.id)
        text = ngettext(
            "%(who)s: at most %(n)s period a day", "%(who)s: at most %(n)s periods a day", said.periods,
            who=person.display_name,
        )  # fmt: skip
        return _Known(None if there is not None and there <= said.periods else said.periods, person, text)

    def _rule_known(self, said: SubjectWish) -> _Known | None:
        subjects = self.names.subjects.get(folded(said.subject), set())
        groups = self.names.class_id(said.group) if said.group else {None}
        if len(subjects) != 1 or len(groups) != 1:
            return None
        rule = Stated(
            next(iter(subjects)), said.kind, class_id=next(iter(groups)), number=said.number, weekday=said.weekday,
            day_part=DayPart.PERIODS if said.kind is RuleType.PREFERRED else None,
            first_period=said.first_period, last_period=said.last_period,
        )  # fmt: skip
        return _Known(None if rule in self.stored else rule, None, "")

    def _together_known(self, said: Together) -> _Known | None:
        wanted: list[WantedArrangement] = []
        for subject, groups, teachers in said.courses:
            subjects = self.names.subjects.get(folded(subject), set())
            classes = [(self.names.class_id(group), part) for group, part in groups]
            people = [self._teacher(name) for name in teachers]
            if len(subjects) != 1 or any(len(ids) != 1 for ids, _ in classes) or None in people:
                return None
            lead, *others = [person for person in people if person is not None]
            wanted.append(
                WantedArrangement(
                    self.term, self.subjects[next(iter(subjects))],
                    tuple((next(iter(ids)), part) for ids, part in classes), lead, tuple(others),
                )
            )  # fmt: skip
        bands = [self._band_of(one) for one in wanted]
        text = gettext("; ").join(self._course_words(one) for one in wanted)
        if None not in bands and len(set(bands)) == 1 and bands[0]:
            return _Known(None, None, text)
        return _Known(tuple(wanted), None, text) if set(bands) == {None} else None

    def _band_of(self, wanted: WantedArrangement) -> str | None:
        """The band of the arrangement that is there already of exactly this course; None: there is none."""
        people = {wanted.lead.id if wanted.lead else 0: TeacherPart.LEAD}
        people |= {person.id: TeacherPart.ASSISTANT for person in wanted.assistants}
        for row in self.arranged:
            same = {(c.class_id, c.part) for c in row.classes} == set(wanted.classes)
            if same and row.subject_id == wanted.subject.id and {t.person_id: t.part for t in row.teachers} == people:
                return row.band
        return None

    def _course_words(self, wanted: WantedArrangement) -> str:
        groups = ", ".join(f"{self.names.titles[key]} {part}".strip() for key, part in wanted.classes)
        teacher = wanted.lead.display_name if wanted.lead is not None else ""
        return f"{groups} {SubjectName.of(wanted.subject)} ({teacher})"

    def _drop_contradicting(self) -> None:
        """Rules that contradict the campus's rules, or each other, or do not fit its period grid, are not offered."""
        rules = [item.store for known in self.known for item in known or () if isinstance(item.store, Stated)]
        rules = list(dict.fromkeys(rules))
        unfit = subject_rules.unfit(self.campus, rules)
        words = subject_rules.words_of(rules)
        for number, known in enumerate(self.known):
            stated = [item.store for item in known or () if isinstance(item.store, Stated)]
            if any(rule in unfit for rule in stated):
                self.known[number] = None
            elif known and stated:
                self.known[number] = [
                    _Known(item.store, None, words[item.store]) if isinstance(item.store, Stated) else item
                    for item in known
                ]

    def _drop_refused_arrangements(self) -> None:
        """Groups whose classes are arranged otherwise already are not offered; each band gets a name of its own."""
        taken = {row.band for row in self.arranged}
        free = (f"FET {number}" for number in range(1, 10_000) if f"FET {number}" not in taken)
        bands: dict[str, tuple[WantedArrangement, ...]] = {}
        courses = {(c.class_id, row.subject_id) for row in self.arranged for c in row.classes}
        claimed: dict[tuple[int, str, int], str] = {}
        for number, known in enumerate(self.known):
            item = next((item for item in known or () if isinstance(item.store, tuple)), None)
            if item is None or not isinstance(item.store, tuple):
                continue
            if item.text not in bands:
                keys = [(key, part, one.subject.id) for one in item.store for key, part in one.classes]
                if any((key, subject) in courses for key, _, subject in keys) or any(key in claimed for key in keys):
                    self.known[number] = None
                    continue
                claimed |= dict.fromkeys(keys, item.text)
                bands[item.text] = banded(item.store, next(free))
            self.known[number] = [_Known(bands[item.text], None, item.text)]


def banded(wanted: Iterable[WantedArrangement], band: str) -> tuple[WantedArrangement, ...]:
    """The arrangements with a common band."""
    return tuple(
        WantedArrangement(one.term, one.subject, one.classes, one.lead, one.assistants, band) for one in wanted
    )
