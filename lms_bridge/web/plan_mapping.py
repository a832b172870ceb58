"""The page on which a teacher says what the columns of their own form hold, beside the units as they would be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core import files
from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.models import StoredFile
from lms_bridge.plans import importer, lookup, mapping
from lms_bridge.plans.listing import teachable
from lms_bridge.plans.models import PlanKind, TeachingPlan
from lms_bridge.plans.reading.documents import Opened
from lms_bridge.plans.reading.headings import Field
from lms_bridge.plans.reading.mapped import CHOICES, Mapping
from lms_bridge.plans.reading.previews import Preview, PreviewTable, mapping_of, preview_of
from lms_bridge.plans.reading.problems import ColumnsContradict, ColumnsUnclear
from lms_bridge.plans.reading.tables import UNKNOWN_COLUMN
from lms_bridge.plans.units import PlanDocument
from lms_bridge.roster.models import ClassGroup, Organisation
from lms_bridge.web.plan_field_names import ASSUMED_NAMES, FIELD_NAMES
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("mapping", __name__, url_prefix="/mapping", enable_openapi=False)

PURPOSE = "plan_upload"
KEPT = timedelta(days=1)
SHOWN_ROWS = 12


@dataclass(frozen=True)
class BenchmarkFor:
    """What a benchmark is for, as its form says."""

    owner: Organisation
    subject: str
    grade: str
    language: str

    @property
    def values(self) -> dict[str, str]:
        """The same as values of a form."""
        return {"owner": str(self.owner.id), "subject": self.subject, "grade": self.grade, "language": self.language}


@dataclass(frozen=True)
class Upload:
    """A document that waits for its columns, and what it is for: classes and subject, a plan's next version (after
    version ``seen``), or a benchmark."""

    file: StoredFile
    scope: Scope
    classes: tuple[str, ...] = ()
    plan: TeachingPlan | None = None
    seen: int | None = None
    benchmark: BenchmarkFor | None = None

    def group(self) -> ClassGroup | None:
        """A class that the document is for."""
        if self.benchmark is not None:
            return None
        if self.plan is not None:
            return self.plan.classes[0].class_group if self.plan.classes else None
        codes, _ = chosen_classes(self.scope, self.classes)
        return lookup.class_by_code(codes[0])

    def keeper(self) -> Organisation | None:
        """The organisation that remembers the form."""
        if self.benchmark is not None:
            return self.benchmark.owner
        group = self.group()
        return group.campus if group is not None else None

    def read(self, opened: Opened, columns: Mapping) -> PlanDocument:
        """The plan in the document, with the columns as they were named by hand."""
        term = lookup.current_term(self.benchmark.owner) if self.benchmark is not None else None
        return importer.read_opened(opened, self.file.name, group=self.group(), term=term, mapping=columns)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the document is for, as hidden values of the page's form."""
        if self.benchmark is not None:
            return list(self.benchmark.values.items())
        if self.plan is not None:
            return [("plan", self.plan.uid), ("version", str(self.seen or ""))]
        return [("class", value) for value in self.classes]

    @property
    def back(self) -> str:
        """Where the document came from."""
        if self.benchmark is not None:
            return url_for("plans.benchmark_page")
        return url_for("plans.plan", uid=self.plan.uid) if self.plan is not None else url_for("plans.upload_page")


def owners(scope: Scope) -> list[Organisation]:
    """The organisations whose benchmarks a person writes."""
    paths = scope.paths(Permission.BENCHMARK_WRITE)
    reach = sa.or_(sa.false(), *(Organisation.path.startswith(path, autoescape=True) for path in paths))
    return list(db.session.scalars(sa.select(Organisation).where(reach).order_by(Organisation.path)))


def benchmark_asked(scope: Scope) -> BenchmarkFor:
    """What the benchmark of a form is for.

    :raises InputError: no organisation was chosen, or none whose benchmarks the person writes.
    """
    said = request.values
    owner = next((one for one in owners(scope) if str(one.id) == said.get("owner")), None)
    if owner is None:
        raise InputError(N_("No organisation was chosen."), remedy=N_("Choose whose benchmark it is."))
    language = "en" if said.get("language") == "en" else "zh-CN"
    return BenchmarkFor(owner, said.get("subject", ""), said.get("grade", ""), language)


def read_or_ask(
    path: Path, name: str, group: ClassGroup | None, *, owner: Organisation | None = None
) -> PlanDocument | None:
    """The plan in the document (of a class, or the benchmark of ``owner``); None where a person should say what its
    columns hold.

    :raises BridgeError: it cannot be read, and no word about its columns would help.
    """
    try:
        term = lookup.current_term(owner) if owner is not None else None
        document = importer.read(path, name, group=group, term=term, owner=owner)
    except (ColumnsUnclear, ColumnsContradict):
        return None
    return None if any(warning.message == UNKNOWN_COLUMN for warning in document.warnings) else document


def ask(
    path: Path,
    name: str,
    *,
    classes: Sequence[str] = (),
    plan: TeachingPlan | None = None,
    seen: int | None = None,
    benchmark: BenchmarkFor | None = None,
) -> Response:
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
    where: dict[str, Any] = {"class": list(classes)}
    if benchmark is not None:
        where = dict(benchmark.values)
    elif plan is not None:
        where = {"plan": plan.uid, "version": seen}
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


@blueprint.post("/of/<uid>")
@signed_in_required
def again(uid: str) -> Response:
    """Lead to the page about the columns of the document that the newest version of a plan (or benchmark) came from:
    it was not read as it is meant."""
    plan = lookup.plan_by_uid(uid)
    version = plan.versions[-1]
    if plan.kind is PlanKind.BENCHMARK:
        owner = db.session.get_one(Organisation, plan.organisation_id)
        require(Permission.BENCHMARK_WRITE, Target(owner.path))
        wanted = BenchmarkFor(owner, plan.subject.code, plan.grade, plan.language)
    else:
        require(Permission.PLAN_WRITE, lookup.plan_access(plan).write)
        wanted = None
    stored = db.session.get(StoredFile, version.file_id) if version.file_id is not None else None
    if stored is None:
        raise NotFound()
    return ask(files.path_of(stored), stored.name, plan=plan, seen=version.number, benchmark=wanted)


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
    scope = require(Permission.BENCHMARK_WRITE if request.values.get("owner") else Permission.PLAN_WRITE)
    row = db.session.query(StoredFile).filter_by(uid=uid, purpose=PURPOSE, owner_id=current_person().id).one_or_none()
    if row is None or row.delete_after is None or row.delete_after < now():
        raise NotFound(
            N_("This document is no longer kept here."), remedy=N_("Upload it again; it is kept for one day.")
        )
    if request.values.get("owner"):
        return Upload(row, scope, benchmark=benchmark_asked(scope))
    plan = None
    if wanted := request.values.get("plan"):
        plan = lookup.plan_by_uid(wanted)
        require(Permission.PLAN_WRITE, lookup.plan_access(plan).write)
    classes = tuple(dict.fromkeys(request.values.getlist("class")))
    return Upload(row, scope, classes, plan, request.values.get("version", type=int))


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
        fields = _said_before(upload, table) or {
            column.index: column.field for column in table.columns if column.field in CHOICES and column.field
        }
    document: PlanDocument | None = None
    try:
        document = upload.read(opened, mapping_of(table, fields))
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


def _said_before(upload: Upload, table: PreviewTable) -> dict[int, Field] | None:
    """What the columns hold by the last word about this form, by their positions in the table."""
    keeper = upload.keeper()
    row = mapping.lookup(keeper, table.headings) if keeper is not None else None
    known = mapping.remembered_at(keeper)[row.heading_hash] if row is not None and keeper is not None else None
    if known is None or known.turned != table.turned:
        return None
    positions = [column.index for column in table.columns if column.heading]
    return {positions[i]: field for i, field in known.fields.items() if i < len(positions)} | dict(known.bare)


def _table_name(table: PreviewTable) -> str:
    if isinstance(table.label, int):
        return gettext("Table %(n)s", n=table.label)
    return table.label or gettext("The table")


def _import(upload: Upload, look: Look, fields: dict[int, Field]) -> Response:
    opened, table, _ = look
    document = upload.read(opened, mapping_of(table, fields))
    with transaction():
        result = _brought_in(upload, document)
        keeper = upload.keeper()
        if keeper is not None:
            mapping.remember_table(keeper, table, fields, person=current_person())
        db.session.delete(upload.file)
        assert result.plan is not None
        uid = result.plan.uid
    flash_read(result)
    return redirect(url_for("plans.plan", uid=uid))


def _brought_in(upload: Upload, document: PlanDocument) -> importer.ImportResult:
    path, name, person = files.path_of(upload.file), upload.file.name, current_person()
    if upload.benchmark is not None:
        return import_benchmark(upload.benchmark, document, path, name, upload.scope)
    if upload.plan is not None:
        return importer.import_version(
            upload.plan, document, path, name=name, scope=upload.scope, author=person, seen=upload.seen
        )
    classes, subject = chosen_classes(upload.scope, upload.classes)
    return importer.import_plan(
        document, path, name=name, class_codes=classes, subject_code=subject, scope=upload.scope, author=person
    )


def import_benchmark(
    wanted: BenchmarkFor, document: PlanDocument, path: Path, name: str, scope: Scope
) -> importer.ImportResult:
    """Put a benchmark in force."""
    return importer.import_benchmark(
        document, path, name=name, organisation=wanted.owner, subject_code=wanted.subject, grade=wanted.grade,
        term=lookup.current_term(wanted.owner), language=wanted.language, scope=scope, author=current_person(),
    )  # fmt: skip


def flash_read(result: importer.ImportResult) -> None:
    """Say at the next page what was read."""
    assert result.plan is not None
    assert result.version is not None
    count = len(result.document.units)
    if result.unchanged:
        number = result.version.number
        flash(gettext("The document is that of version %(n)s, unchanged. No new version was made.", n=number), "info")
    elif result.plan.kind is PlanKind.BENCHMARK:
        flash(gettext("The benchmark is in force: %(n)s units.", n=count), "good")
    elif result.version.number > 1:
        flash(gettext("The new version was read: %(n)s units.", n=count), "good")
    else:
        flash(gettext("The plan was read: %(n)s units.", n=count), "good")
