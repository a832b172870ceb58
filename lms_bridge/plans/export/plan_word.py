"""The teaching plan as a Word document, to be printed, signed, or changed and brought back."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bridge.core.i18n import get_locale, gettext, use_locale
from lms_bridge.plans.export.about import About, about, made_on
from lms_bridge.plans.export.columns import NARROW, Unit, UnitColumn, used_columns
from lms_bridge.plans.export.pieces import Cell, Head, Paper, TableColumn
from lms_bridge.plans.models import PlanVersion


def plan_docx(version: PlanVersion, locale: str | None = None) -> bytes:
    """``version`` as .docx in ``locale`` (default: the plan's own language), one row for each unit."""
    with use_locale(locale or version.plan.language):
        return write_plan(about(version), version.units)


def write_plan(facts: About, units: Sequence[Unit]) -> bytes:
    """The document of these facts and units, in the language in force."""
    locale = get_locale()
    paper = Paper(
        Head(
            title=facts.title,
            school=facts.school,
            term=facts.term,
            locale=locale,
            foot=gettext("%(title)s · version %(n)s", title=facts.title, n=facts.version),
            landscape=True,
            author=facts.author,
        )
    )
    paper.title(facts.title, f"{facts.school} · {facts.term}")
    paper.facts(facts.lines(), columns=4)
    columns = used_columns(units, locale)
    paper.table(
        [_column(column, locale) for column in columns],
        [*([_cell(column, unit, locale) for column in columns] for unit in units), _total(columns, facts.periods)],
    )
    paper.signatures(
        [gettext("Teacher of the subject"), gettext("Head of the subject group"), gettext("School leader")]
    )
    if any(column.field == "key" for column in columns):
        paper.paragraph(_about_keys(), "Remark")
    paper.paragraph(made_on(facts.zone), "Remark")
    return paper.save()


def _column(column: UnitColumn, locale: str) -> TableColumn:
    return TableColumn(column.heading(locale), column.width, column.centre, fixed=column.field in NARROW)


def _cell(column: UnitColumn, unit: Unit, locale: str) -> Cell:
    text = column.text(unit, locale)
    if column.field == "key":
        return Cell(in_two(text), "Table Small", centre=True)
    return Cell(text, bold=column.field == "unit")


def in_two(key: str) -> str:
    """A unit's key in two lines, which the importer joins again."""
    return f"{key[:10]}\n{key[10:]}" if len(key) == 20 else key


def _total(columns: Sequence[UnitColumn], periods: int) -> list[Cell]:
    """The last row, which the importer checks its sum with."""
    texts = {"unit": gettext("Total"), "periods": str(periods)}
    return [Cell(texts.get(column.field, ""), bold=True, fill="F3F5F8") for column in columns]


def _about_keys() -> str:
    return gettext(
        "The unit key ties a unit to its lessons: leave it as it is when you change this document and upload it "
        "again, and leave it empty for a new unit."
    )
