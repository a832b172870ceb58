"""The page on which a teacher says what the columns of their own form hold, beside the units as they would be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core import files
from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.models import StoredFile
from lms_bridge.plans import importer, lookup, mapping
from lms_bridge.plans.listing import teachable
from lms_bridge.plans.models import TeachingPlan
from lms_bridge.plans.reading.documents import Opened
from lms_bridge.plans.reading.headings import Field
from lms_bridge.plans.reading.mapped import CHOICES
from lms_bridge.plans.reading.previews import Preview, PreviewTable, mapping_of, preview_of
from lms_bridge.plans.reading.problems import ColumnsContradict, ColumnsUnclear
from lms_bridge.plans.reading.tables import UNKNOWN_COLUMN
from lms_bridge.plans.units import PlanDocument
from lms_bridge.roster.models import ClassGroup
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("mapping", __name__, url_prefix="/mapping", enable_openapi=False)

PURPOSE = "plan_upload"
KEPT = timedelta(days=1)
SHOWN_ROWS = 12

FIELD_NAMES: dict[Field, str] = {
    "week": N_("Week of teaching"),
    "dates": N_("Dates"),
    "starts": N_("First day"),
    "ends": N_("Last day"),
    "when": N_("Week or dates"),
    "unit": N_("Unit"),
    "topic": N_("Topic of the lesson"),
    "content": N_("Content"),
    "periods": N_("Periods"),
    "objectives": N_("Objectives"),
    "key_points": N_("Key and difficult points"),
    "methods": N_("Methods"),
    "homework": N_("Homework"),
    "materials": N_("Materials"),
    "remarks": N_("Remarks"),
    "online_alternative": N_("Online alternative"),
    "number": N_("Number in the list"),
}
ASSUMED_NAMES = {
    "title": N_("title"),
    "content": N_("content"),
    "periods": N_("periods"),
    "week_from": N_("weeks"),
    "week_to": N_("weeks"),
    "date_from": N_("dates"),
    "date_to": N_("dates"),
    "objectives": N_("objectives"),
    "key_points": N_("key points"),
    "methods": N_("methods"),
    "homework": N_("homework"),
    "materials": N_("materials"),
    "remarks": N_("remarks"),
    "online_alternative": N_("online instead"),
}


@dataclass(frozen=True)
class Upload:
    """A document that waits for its columns, and what it is for: classes and subject, or a plan's next version."""

    file: StoredFile
    scope: Scope
    classes: tuple[str, ...]
    plan: TeachingPlan | None

    def group(self) -> ClassGroup | None:
        """A class that the document is for."""
        if self.plan is not None:
            return self.plan.classes[0].class_group if self.plan.classes else None
        codes, _ = chosen_classes(self.scope, self.classes)
        return lookup.class_by_code(codes[0])


def read_or_ask(path: Path, name: str, group: ClassGroup | None) -> PlanDocument | None:
    """The plan in the document; None where a person should say what its columns hold.

    :raises BridgeError: it cannot be read, and no word about its columns would help.
    """
    try:
        document = importer.read(path, name, group=group)
    except (ColumnsUnclear, ColumnsContradict):
        return None
    return None if any(warning.message == UNKNOWN_COLUMN for warning in document.warnings) else document


def ask(path: Path, name: str, *, classes: Sequence[str] = (), plan: str | None = None) -> Response:
    """Keep the document for a day and lead to the page about its columns."""
    with transaction(), path.open("rb") as stream:
        stored = files.store(
            stream,
            name=name,
            media_type="application/octet-stream",
            purpose=PURPOSE,
            max_bytes=current_settings().max_upload_bytes,
            owner_id=current_person().id,
            delete_after=now() + KEPT,
        )
        uid = stored.uid
    where = {"plan": plan} if plan is not None else {"class": list(classes)}
    return redirect(url_for("plans.mapping.page", file=uid, **where))


def chosen_classes(scope: Scope, values: Sequence[str]) -> tuple[list[str], str]:
    """Class codes and subject code of a form's choice, which must be among what the person may bring a plan for.

    :raises InputError: nothing was chosen, or different subjects.
    """
    offered = {f"{group.id}:{subject.id}": (group, subject) for group, subject, _ in teachable(scope)}
    picked = [offered[value] for value in values if value in offered]
    if not picked:
        raise InputError(N_("No class was chosen."), remedy=N_("Choose the class and subject that the plan is for."))
    if len({subject.id for _, subject in picked}) > 1:
        raise InputError(
            N_("The chosen classes have different subjects."), remedy=N_("Make one plan for each subject.")
        )
    return [f"{group.campus.code}/{group.code}" for group, _ in picked], picked[0][1].code


@blueprint.get("/<file>")
@signed_in_required
def page(file: str) -> str:
    """The document's own table, a choice above each column, and the units as they would be read."""
    upload = _upload(file)
    return _page(upload, _look(upload), None)


@blueprint.post("/<file>")
@signed_in_required
def decide(file: str) -> Response | str | tuple[str, int]:
    """Show the units again under other columns, or import them."""
    upload = _upload(file)
    look = _look(upload)
    fields = None if _moved(look[1]) else _fields()
    if fields is None or request.form.get("do") != "import":
        return _page(upload, look, fields)
    try:
        return _import(upload, look, fields)
    except BridgeError as error:
        if error.status == 404:
            raise
        return _page(upload, look, fields, error), error.status


def _upload(uid: str) -> Upload:
    """The kept document, if it is this person's and not past its day.

    :raises NotFound: it is not.
    """
    scope = require(Permission.PLAN_WRITE)
    row = db.session.query(StoredFile).filter_by(uid=uid, purpose=PURPOSE, owner_id=current_person().id).one_or_none()
    if row is None or row.delete_after is None or row.delete_after < now():
        raise NotFound(
            N_("This document is no longer kept here."), remedy=N_("Upload it again; it is kept for one day.")
        )
    plan = None
    if wanted := request.values.get("plan"):
        plan = lookup.plan_by_uid(wanted)
        require(Permission.PLAN_WRITE, lookup.plan_access(plan).write)
    return Upload(row, scope, tuple(dict.fromkeys(request.values.getlist("class"))), plan)


Look = tuple[Opened, PreviewTable, Preview]


def _look(upload: Upload) -> Look:
    """The document opened, the table that is looked at, and all its tables."""
    opened = importer.open_file(files.path_of(upload.file), upload.file.name)
    asked = request.form.get("do") is not None
    # Another table begins with what is recognised in it; a row or direction counts for the table it was said of.
    same = request.form.get("table") == request.form.get("was_table")
    turned = bool(request.form.get("turned")) if asked and same else None
    row = request.form.get("header_row", type=int) if same and not _turned_round() else None
    shown = preview_of(opened, upload.file.name, turned, row)
    return opened, shown.table(request.values.get("table")), shown


def _turned_round() -> bool:
    return bool(request.form.get("turned")) != (request.form.get("was_turned") == "1")


def _moved(table: PreviewTable) -> bool:
    """Whether the form was about another table, row or direction than the one shown now: its choices do not count."""
    form = request.form
    was = (form.get("was_table"), form.get("was_header_row"), form.get("was_turned"))
    return was != (str(table.label), str(table.header_row), "1" if table.turned else "0")


def _fields() -> dict[int, Field]:
    known: dict[str, Field] = {field: field for field in CHOICES}
    chosen: dict[int, Field] = {}
    for name, value in request.form.items():
        position = name.removeprefix("field-")
        if position != name and position.isascii() and position.isdigit() and value in known:
            chosen[int(position[:4])] = known[value]
    return chosen


def _page(upload: Upload, look: Look, fields: dict[int, Field] | None, error: BridgeError | None = None) -> str:
    opened, table, shown = look
    if fields is None:
        fields = {column.index: column.field for column in table.columns if column.field in CHOICES and column.field}
    document: PlanDocument | None = None
    try:
        document = importer.read_opened(
            opened, upload.file.name, group=upload.group(), mapping=mapping_of(table, fields)
        )
    except BridgeError as refusal:
        error = error or refusal
    return render_template(
        "plans/mapping.html",
        upload=upload,
        table=table,
        tables=[(str(one.label), _table_name(one)) for one in shown.tables],
        fields=fields,
        options=[(field, gettext(name)) for field, name in FIELD_NAMES.items()],
        rows=table.rows[:SHOWN_ROWS],
        hidden_rows=max(0, len(table.rows) - SHOWN_ROWS),
        header_rows=[(str(row.number), str(row.number)) for row in table.rows[: SHOWN_ROWS * 2]],
        document=document,
        assumed_names={key: gettext(name) for key, name in ASSUMED_NAMES.items()},
        problems=error.problems if isinstance(error, BadInputs) else [error] if error is not None else [],
    )


def _table_name(table: PreviewTable) -> str:
    if isinstance(table.label, int):
        return gettext("Table %(n)s", n=table.label)
    return table.label or gettext("The table")


def _import(upload: Upload, look: Look, fields: dict[int, Field]) -> Response:
    opened, table, _ = look
    path, name, person = files.path_of(upload.file), upload.file.name, current_person()
    group = upload.group()
    document = importer.read_opened(opened, name, group=group, mapping=mapping_of(table, fields))
    with transaction():
        if upload.plan is not None:
            result = importer.import_version(upload.plan, document, path, name=name, scope=upload.scope, author=person)
        else:
            classes, subject = chosen_classes(upload.scope, upload.classes)
            result = importer.import_plan(
                document, path, name=name, class_codes=classes, subject_code=subject, scope=upload.scope,
                author=person,
            )  # fmt: skip
        if group is not None:
            positions = [column.index for column in table.columns if column.heading]
            mapping.remember(
                group.campus, table.headings, {positions.index(i): f for i, f in fields.items() if i in positions},
                bare={i: f for i, f in fields.items() if i not in positions}, turned=table.turned, person=person,
            )  # fmt: skip
        db.session.delete(upload.file)
        assert result.plan is not None
        uid = result.plan.uid
    flash(gettext("The plan was read: %(n)s units.", n=len(document.units)), "good")
    return redirect(url_for("plans.plan", uid=uid))
