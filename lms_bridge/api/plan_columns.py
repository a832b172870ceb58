"""What the columns of a document hold, said by a program: its tables to look at, and the word about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from marshmallow import ValidationError

from lms_bridge.api import plan_schemas as schemas
from lms_bridge.api import plan_work_answers as work_answers
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.uploads import uploaded
from lms_bridge.core.access import Permission
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_
from lms_bridge.plans import importer, mapping
from lms_bridge.plans.reading.documents import Opened
from lms_bridge.plans.reading.headings import Field
from lms_bridge.plans.reading.mapped import Mapping
from lms_bridge.plans.reading.previews import PreviewTable, mapping_of, preview_of
from lms_bridge.plans.units import PlanDocument
from lms_bridge.roster.models import ClassGroup, Organisation, Term

blueprint = APIBlueprint("api_plan_columns", __name__, url_prefix="/api/v1", tag="Many plans")

SHOWN_ROWS = 12


class Columns:
    """What a program said of a document's columns (None: nothing); read with it, and remember it afterwards."""

    def __init__(self, said: str | dict[str, Any] | None) -> None:
        """:raises InputError: it is not as :class:`lms_bridge.api.plan_schemas.Columns` describes."""
        self._said = _checked(said)
        self._table: PreviewTable | None = None

    def read(
        self, path: Path, name: str, *, group: ClassGroup | None = None, owner: Organisation | None = None,
        term: Term | None = None,
    ) -> PlanDocument:  # fmt: skip
        """The plan in the document; everything else as :func:`lms_bridge.plans.importer.read`."""
        opened = importer.open_file(path, name)
        columns = self._mapping(opened, name) if self._said is not None else None
        return importer.read_opened(opened, name, group=group, owner=owner, term=term, mapping=columns)

    def remember(self, keeper: Organisation | None) -> None:
        """Keep what was said for the organisation, in the transaction in force."""
        if self._table is not None and self._said is not None and keeper is not None:
            mapping.remember_table(keeper, self._table, self._fields(), person=caller())

    def _fields(self) -> dict[int, Field]:
        assert self._said is not None
        return {int(position): field for position, field in self._said["fields"].items()}

    def _mapping(self, opened: Opened, name: str) -> Mapping:
        assert self._said is not None
        shown = preview_of(opened, name, self._said["turned"], self._said["header_row"])
        wanted = self._said["table"]
        self._table = shown.table(str(wanted) if wanted is not None else None)
        return mapping_of(self._table, self._fields())


def _checked(said: str | dict[str, Any] | None) -> dict[str, Any] | None:
    if said is None:
        return None
    try:
        whole = json.loads(said) if isinstance(said, str) else said
        checked: dict[str, Any] = schemas.Columns().load(whole)
    except (ValueError, RecursionError, ValidationError) as error:
        about = error.messages if isinstance(error, ValidationError) and isinstance(error.messages, dict) else {}
        raise InputError(
            N_("The columns are not described as they should be (%(where)s)."),
            remedy=N_("Send them as JSON: table, header_row, turned, and fields by the position of the column."),
            where=", ".join(str(name) for name in about) or "columns",
        ) from error
    return checked


@blueprint.post("/plan-previews")
@blueprint.auth_required(auth)
@blueprint.input(schemas.PreviewForm, location="form_and_files")
@blueprint.output(work_answers.Preview)
def preview(form_and_files_data: dict[str, Any]) -> dict[str, Any]:
    """The tables of a document, the one most like a plan first, with what each column is taken for; nothing is kept.
    It is for whom `columns_unclear` was answered: send the document again with `columns`."""
    require(Permission.PLAN_READ)
    said = form_and_files_data
    with uploaded() as (path, name):
        shown = preview_of(importer.open_file(path, name), name, said.get("turned"), said.get("header_row"))
    return {"source": shown.source, "tables": [_table(table) for table in shown.tables]}


def _table(table: PreviewTable) -> dict[str, Any]:
    return {
        "table": table.label,
        "header_row": table.header_row,
        "turned": table.turned,
        "columns": [{"index": c.index, "heading": c.heading, "field": c.field} for c in table.columns],
        "rows": [{"number": row.number, "cells": list(row.cells)} for row in table.rows[:SHOWN_ROWS]],
        "count": len(table.rows),
    }
