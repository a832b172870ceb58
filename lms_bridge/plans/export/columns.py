"""The columns of a plan's units as they are written, so that the importer reads the same units out of them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from lms_bridge.plans.export.clean import clean, one_line
from lms_bridge.plans.models import PlanUnit
from lms_bridge.plans.reading.headings import Field
from lms_bridge.plans.units import UnitDraft

Unit = PlanUnit | UnitDraft

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NOT_ONLINE = {"en": "No"}


@dataclass(frozen=True)
class UnitColumn:
    """A column of units: the field it holds, its headings (words of the importer's table, not translations of a
    message), its width on a wide page in centimetres, and the text in it."""

    field: Field
    chinese: str
    english: str
    width: float
    text: Callable[[Unit, str], str]
    centre: bool = False

    def heading(self, locale: str) -> str:
        """The heading in a language."""
        return self.english if locale == "en" else self.chinese


def weeks(unit: Unit, locale: str = "en") -> str:
    """The teaching weeks: ``3``, ``3–4``; empty where there are none."""
    if unit.week_from is None:
        return ""
    last = unit.week_to if unit.week_to is not None else unit.week_from
    return str(unit.week_from) if last == unit.week_from else f"{unit.week_from}–{last}"


def dates(unit: Unit, locale: str) -> str:
    """The days: ``2026.9.1–9.5``, ``1 Sep – 5 Sep 2026``; always with the year, so that no term need be known."""
    first = unit.date_from
    if first is None:
        return ""
    last = unit.date_to or first
    if locale == "en":
        if first == last:
            return _english(first, year=True)
        return f"{_english(first, year=first.year != last.year)} – {_english(last, year=True)}"
    if first == last:
        return _chinese(first, year=True)
    return f"{_chinese(first, year=True)}–{_chinese(last, year=first.year != last.year)}"


def _english(day: date, *, year: bool) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}{f' {day.year}' if year else ''}"


def _chinese(day: date, *, year: bool) -> str:
    return f"{f'{day.year}.' if year else ''}{day.month}.{day.day}"


def online(unit: Unit, locale: str) -> str:
    """What takes the unit's place online; a plain no where it cannot be taught online and nothing does."""
    if unit.online_alternative:
        return clean(unit.online_alternative)
    return "" if unit.online_possible else _NOT_ONLINE.get(locale, "否")


def _of(name: str) -> Callable[[Unit, str], str]:
    return lambda unit, locale: clean(getattr(unit, name))


COLUMNS: tuple[UnitColumn, ...] = (
    UnitColumn("number", "序号", "No.", 1.0, lambda unit, locale: str(unit.sequence), centre=True),
    UnitColumn("week", "周次", "Week", 1.3, weeks, centre=True),
    UnitColumn("dates", "日期", "Dates", 2.1, dates, centre=True),
    UnitColumn("unit", "单元", "Unit", 3.6, lambda unit, locale: one_line(unit.title)),
    UnitColumn("content", "教学内容", "Content", 4.0, _of("content")),
    UnitColumn("periods", "课时", "Periods", 1.7, lambda unit, locale: str(unit.periods), centre=True),
    UnitColumn("objectives", "教学目标", "Objectives", 3.8, _of("objectives")),
    UnitColumn("key_points", "重点难点", "Key and difficult points", 3.0, _of("key_points")),
    UnitColumn("methods", "教学方法", "Methods", 2.4, _of("methods")),
    UnitColumn("homework", "作业", "Homework", 2.6, _of("homework")),
    UnitColumn("materials", "教学资源", "Materials", 2.2, _of("materials")),
    UnitColumn("online_alternative", "线上替代", "Online alternative", 2.8, online),
    UnitColumn("remarks", "备注", "Remarks", 2.2, _of("remarks")),
    UnitColumn("key", "单元标识", "Unit key", 1.6, lambda unit, locale: unit.key or "", centre=True),
)
"""All columns in their order."""

NARROW: frozenset[Field] = frozenset({"number", "week", "dates", "periods", "key"})
"""Columns whose width does not grow with the page."""
_ALWAYS: frozenset[Field] = frozenset({"number", "unit", "periods"})


def used_columns(units: Sequence[Unit], locale: str) -> list[UnitColumn]:
    """The columns in which something stands, and those without which a plan is none."""
    return [column for column in COLUMNS if column.field in _ALWAYS or any(column.text(unit, locale) for unit in units)]
