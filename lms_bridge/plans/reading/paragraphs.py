"""Plans without a table: a line for each unit (第一单元 声现象（6课时）), and below it lines such as 教学目标：…"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from lms_bridge.core.errors import Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.amounts import USUAL_MINUTES, Amount, read_amount
from lms_bridge.plans.reading.cells import NO_PERIODS, joined
from lms_bridge.plans.reading.dating import dated
from lms_bridge.plans.reading.estimates import estimated
from lms_bridge.plans.reading.exclusions import Exclusion, exclusion
from lms_bridge.plans.reading.grid import Paragraph
from lms_bridge.plans.reading.headings import TEXT_FIELDS, Field
from lms_bridge.plans.reading.naming import LONGEST_TITLE
from lms_bridge.plans.reading.notes import Notes
from lms_bridge.plans.reading.online import fields
from lms_bridge.plans.reading.outline import WEEK, Line, apart_from, sections_of, take_apart, unit_family, weeks_told
from lms_bridge.plans.reading.places import short
from lms_bridge.plans.reading.problems import CellProblem
from lms_bridge.plans.reading.several import parts_of, total
from lms_bridge.plans.reading.when import Calendar, When, read_when
from lms_bridge.plans.units import UnitDraft, Warning_

_WHEN: tuple[Field, ...] = ("week", "when", "dates")
_NAMES: tuple[Field, ...] = ("topic", "unit", "content")


@dataclass
class _Unit:
    """A unit while its lines are collected; ``open`` is the field that lines without a label belong to."""

    line: Line
    week: str = ""
    texts: dict[Field, list[str]] = field(default_factory=dict)
    open: Field = "content"


def _time_in(line: Line) -> str:
    """The words of a line about a week: with its days, where it says nothing else."""
    with suppress(CellProblem):
        if read_when(line.text, "text", bare_weeks=True).week_from is not None:
            return line.text
    return line.week


class TextReader:
    """Reads the paragraphs of a document into ``units``, collecting problems and warnings."""

    def __init__(
        self, name: str, calendar: Calendar | None, minutes: int = USUAL_MINUTES, weekly: int | None = None
    ) -> None:
        self.weekly = weekly
        self._untold = False  # no line tells its periods, but each begins with its week
        self.name = name
        self.calendar = calendar
        self.minutes = minutes
        self.units: list[UnitDraft] = []
        self.notes = Notes(name)
        self.undated = 0

    def read(self, paragraphs: Sequence[Paragraph]) -> None:
        """All units in ``paragraphs``; none where no line tells a number of periods or its week."""
        lines = take_apart(paragraphs)
        family = unit_family(lines)
        if family is None and weeks_told(lines):
            family, self._untold = "week", True
        if family is None:
            return
        current: _Unit | None = None
        said, week = False, ""
        rank = next(line.rank for line in lines if line.family == family)
        sections = sections_of(lines, family)
        apart = set() if self._untold else apart_from(lines, family)
        for position, line in enumerate(lines):
            kind = exclusion(line.text) if line.field is None else None
            if kind is None and line.field is None and line.family == family:
                kind = exclusion(line.tail.title)
            if kind is not None and self._left_out(kind, line):
                if line.family == family or line.week:
                    self._close(current)
                    current = None
            elif self._begins(line, family) and position not in apart:
                self._close(current)
                current, said = _Unit(line, week), False
            elif line.family == "week" and family != "week" and line.field is None:
                # A week above its units.
                self._close(current)
                current, week = None, _time_in(line)
            elif current is not None and (line.paragraph.number in sections or self._ends(line, rank)):
                self._close(current)
                current, said = None, True
                self._warn(N_("This text stands outside of the units and was left out."), line)
            elif current is not None:
                self._collect(current, line)
            elif self.units and not said:
                said = True
                self._warn(N_("This text stands outside of the units and was left out."), line)
        self._close(current)
        if self._untold:
            self.units = estimated(self.units, self.weekly, self.notes, Place(file=self.name))
        if any(p.boxed for p in paragraphs) and self.units:
            message = N_("Text boxes were read in the order in which the document stores them.")
            self.notes.warnings.append(Warning_(message, Place(file=self.name)))

    # --- collecting

    def _begins(self, line: Line, family: str) -> bool:
        return line.field is None and line.family == family and (family != "plain" or bool(line.tail.amount))

    def _ends(self, line: Line, rank: int) -> bool:
        """A heading of the same or a greater level that is no unit, or a numbered section, ends the unit."""
        if line.field is not None:
            return False
        if line.rank < 10:
            return line.rank < rank and rank != WEEK
        return (10 < line.rank < 20 and (rank < 10 or line.rank <= rank)) or (line.family == "cn" and rank != line.rank)

    def _collect(self, unit: _Unit, line: Line) -> None:
        if line.field is not None:
            unit.open = line.field
        text = line.text
        if text:
            unit.texts.setdefault(unit.open, []).append(text)

    def _left_out(self, kind: Exclusion, line: Line) -> bool:
        """Whether the line is no unit and no text of one, saying so."""
        if kind in ("total", "subtotal"):
            digits = [run for run in "".join(c if c.isdigit() else " " for c in line.text).split() if len(run) < 4]
            found = sum(unit.periods for unit in self.units)
            if len(digits) == 1 and int(digits[0]) != found and found:
                message = N_("The document gives %(total)s periods in all, but its units add up to %(found)s.")
                self._warn(message, line, total=int(digits[0]), found=found)
            return True
        if kind in ("signature", "note"):
            self._warn(N_("This line is no part of a unit and was left out."), line)
            return True
        if kind == "spare":
            self._warn(N_("This line is time kept free, not a unit, and was left out."), line)
        elif kind == "exam":
            self._warn(N_("This line is an examination, not a unit, and was left out."), line)
        elif line.tail.amount:
            self._warn(N_("This title may be a holiday; because it has periods it was read as a unit."), line)
            return False
        else:
            self._warn(N_("This line is a holiday, not a unit, and was left out."), line)
        return True

    # --- one unit

    def _close(self, unit: _Unit | None) -> None:
        if unit is None:
            return
        try:
            self._add(unit)
        except CellProblem as problem:
            self.notes.problem_at(problem, self._place(unit.line))

    def _add(self, unit: _Unit) -> None:
        line = unit.line
        title, title_assumed = self._title(unit)
        amount = self._amount(unit)
        when, words = self._when(unit)
        above = bool(unit.week) and when.week_from is None
        if above:
            when = joined(when, read_when(unit.week, "text", bare_weeks=True))
        content = [line.tail.after, *unit.texts.get("content", [])]
        provenance: dict[str, object] = {"paragraph": line.paragraph.number}
        if words:
            provenance["when"] = words
        draft = UnitDraft(
            sequence=len(self.units) + 1,
            title=title,
            periods=amount.periods,
            content="\n".join(text for text in content if text),
            provenance=provenance,
            assumed=(
                *(["title"] if title_assumed else []),
                *(["periods"] if amount.assumed else []),
                *(["week_from", "week_to"] if above else []),
            ),
            week_from=when.week_from,
            week_to=when.week_to,
        )
        texts: dict[str, str] = {name: "\n".join(unit.texts.get(name, [])) for name in TEXT_FIELDS}
        draft = replace(draft, **fields(texts))
        found = dated(draft, when, self.calendar)
        self.undated += found is None
        self.units.append(found or draft)

    def _title(self, unit: _Unit) -> tuple[str, bool]:
        """The unit's name; taken from 课题：… below where the line only says which week it is."""
        title = unit.line.tail.title
        if title:
            named = next((name for name in _NAMES[:2] if unit.texts.get(name)), None)
            if named is not None:
                unit.texts.setdefault("content", [])[:0] = unit.texts[named]
        else:
            named = next((name for name in _NAMES if unit.texts.get(name)), None)
            if named is None:
                remedy = N_("Write what is taught, or remove the row if it is not a unit.")
                raise CellProblem(N_("The unit has no title."), remedy)
            title, *more = unit.texts[named]
            if named == "content":
                unit.texts["content"] = more
        if len(title) > LONGEST_TITLE:
            raise CellProblem(
                N_("The title has more than %(longest)s characters."),
                N_("Put a short title into the first line of the cell and the details below it."),
                longest=LONGEST_TITLE,
            )
        return title, not unit.line.tail.title

    def _amount(self, unit: _Unit) -> Amount:
        texts = unit.texts.get("periods", [])
        said = unit.line.tail.amount
        parts = parts_of("\n".join(unit.texts.get("content", [])))
        amounts = [read_amount(text, "text", minutes=self.minutes) for text in ([said] if said else []) + texts]
        found = [amount for amount in amounts if amount is not None]
        below = total(parts, self.minutes) if parts else None
        if not found and below is not None:
            found = [below]
        if not found and self._untold:
            return Amount(1, assumed=True)
        if not found:
            raise CellProblem(*NO_PERIODS)
        if len({amount.periods for amount in found}) > 1:
            raise CellProblem(
                N_("Different numbers of periods are given for this unit."), N_("Keep the one that is right.")
            )
        if found[0].periods == 0:
            raise CellProblem(N_("A unit takes at least one period."), NO_PERIODS[1])
        if below is not None and below.periods != found[0].periods:
            message = N_("The parts of this unit add up to %(found)s periods, but it is said to take %(stated)s.")
            self._warn(message, unit.line, found=below.periods, stated=found[0].periods)
        return found[0]

    def _when(self, unit: _Unit) -> tuple[When, str]:
        words = [unit.line.week, unit.line.tail.when, *(text for name in _WHEN for text in unit.texts.get(name, []))]
        words = [word for word in words if word]
        found = When()
        for word in words:
            found = joined(found, read_when(word, "text", bare_weeks=True))
        return found, "; ".join(words)

    def _place(self, line: Line) -> Place:
        return Place(file=self.name, paragraph=line.paragraph.number, value=short(line.paragraph.text) or None)

    def _warn(self, message: str, line: Line, **params: object) -> None:
        self.notes.warnings.append(Warning_(message, self._place(line), dict(params)))
