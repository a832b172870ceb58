"""Batch import of plans: a row for the batch and one for each file, worked by a job; each file counts once.

A file is read outside any transaction and brought in together with its row's new state, so that a kill at any line
leaves it either done or waiting; the row is locked then, and whoever comes second finds it done.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from lms_bridge.core import audit, files, jobs
from lms_bridge.core.access import Grant, Permission, Role, Scope
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound, Place
from lms_bridge.core.i18n import N_, get_locale, use_locale
from lms_bridge.core.kept_problems import kept, told
from lms_bridge.core.models import StoredFile
from lms_bridge.plans import importer
from lms_bridge.plans.batch_files import Contents, Entry, Listed, contents
from lms_bridge.plans.batch_names import named, plain
from lms_bridge.plans.batch_plans import note_of_other_classes, plan_of, refuse_rivals, require_no_rival
from lms_bridge.plans.listing import teachable
from lms_bridge.plans.models import BatchFileState, BatchState, PlanBatch, PlanBatchFile, TeachingPlan
from lms_bridge.plans.reading.problems import ColumnsUnclear
from lms_bridge.plans.subject_check import words_of
from lms_bridge.plans.units import PlanDocument
from lms_bridge.plans.version_units import says_the_same
from lms_bridge.roster.models import ClassGroup, Person, Subject
from lms_bridge.roster.scope import scope_for

log = logging.getLogger(__name__)

WORK = "plans.batch"
FILE_KEPT = timedelta(days=7)
REPORT_KEPT = timedelta(days=90)
"""How long what became of a batch can be read again; its files go after ``FILE_KEPT``."""

COLUMNS_UNCLEAR = ColumnsUnclear.code

Pair = tuple[ClassGroup, Subject]


def start(
    source: Path, *, name: str, scope: Scope | None, person: Person | None, dry_run: bool = False
) -> PlanBatch:  # fmt: skip
    """Take in the folder or zip at ``source`` and ask for its files to be read; ``scope`` None is the operator.

    :raises NotFound: this person brings no plans at all. :raises InputError: the whole cannot be taken in.
    """
    if scope is not None and not scope.may(Permission.PLAN_WRITE):
        raise NotFound()
    found = contents(source, name, file_bytes=current_settings().max_upload_bytes)
    batch = PlanBatch(
        name=name[:255], person_id=person.id if person is not None else None, locale=get_locale(), dry_run=dry_run
    )
    db.session.add(batch)
    db.session.flush()
    pairs = _pairs(scope)
    rows = [_row(entry, found.listed.get(entry.path), pairs, batch) for entry in found.entries]
    rows += [_unmatched(path, listed, batch) for path, listed in _without_file(found)]
    for position, row in enumerate(rows, start=1):
        row.position = position
    db.session.add_all(rows)
    db.session.flush()
    refuse_rivals(rows)
    audit.record(
        "plan.batch", "plan_batch", batch.uid, actor_uid=person.uid if person is not None else None, files=len(rows)
    )
    jobs.enqueue(WORK, str(batch.id))
    return batch


def carry_out(batch_id: int) -> None:
    """Read the files of a batch that still wait; one that cannot be read does not stop the others."""
    batch = db.session.get(PlanBatch, batch_id, populate_existing=True)
    if batch is None:
        return
    with use_locale(batch.locale):
        for row_id in _waiting(batch_id):
            jobs.renew()
            _one(batch, row_id)
    with transaction():
        batch = db.session.get_one(PlanBatch, batch_id, populate_existing=True, with_for_update=True)
        # Files that somebody asked for again meanwhile belong to the job that was asked for with them.
        if batch.state is not BatchState.DONE and not _waiting(batch_id):
            batch.state, batch.finished_at = BatchState.DONE, now()


def _waiting(batch_id: int) -> list[int]:
    return list(
        db.session.scalars(
            sa.select(PlanBatchFile.id)
            .filter_by(batch_id=batch_id, state=BatchFileState.WAITING)
            .order_by(PlanBatchFile.position)
        )
    )


def batch_of(person: Person, uid: str) -> PlanBatch:
    """A person's own batch.

    :raises NotFound: there is none, or it is somebody else's.
    """
    found = db.session.scalar(sa.select(PlanBatch).filter_by(uid=uid, person_id=person.id))
    if found is None:
        raise NotFound()
    return found


def kept_file(batch: PlanBatch, position: int) -> tuple[PlanBatchFile, StoredFile]:
    """A file of a batch that was not read because its columns are not clear, and its bytes.

    :raises NotFound: it is no such file. :raises InputError: it is no longer kept.
    """
    row = db.session.scalar(
        sa.select(PlanBatchFile).filter_by(batch_id=batch.id, position=position, state=BatchFileState.REFUSED)
    )
    if row is None or not _unclear(row):
        raise NotFound()
    stored = db.session.get(StoredFile, row.file_id) if row.file_id is not None else None
    if stored is None or stored.delete_after is None or stored.delete_after < now():
        raise _gone(row.path.rpartition("/")[2])
    return row, stored


def read_again(batch: PlanBatch) -> int:
    """Let the files whose columns were not clear be read once more (somebody has said what a form's columns hold
    meanwhile); how many there are. The report of the others stays as it is."""
    db.session.refresh(batch, with_for_update=True)
    rows = db.session.scalars(
        sa.select(PlanBatchFile)
        .filter_by(batch_id=batch.id, state=BatchFileState.REFUSED)
        .where(PlanBatchFile.file_id.is_not(None))
        .order_by(PlanBatchFile.position)
        .with_for_update()
    ).all()
    again = [row for row in rows if _unclear(row)]
    for row in again:
        row.state, row.problems = BatchFileState.WAITING, []
    if again:
        batch.state, batch.finished_at = BatchState.WAITING, None
        jobs.enqueue(WORK, str(batch.id))
    db.session.flush()
    return len(again)


def forget_old() -> int:
    """Delete what was kept of batches that are long done; the plans stay. How many batches there were."""
    old = sa.select(PlanBatch.id).where(PlanBatch.finished_at < now() - REPORT_KEPT)
    ids = list(db.session.scalars(old))
    db.session.execute(sa.delete(PlanBatchFile).where(PlanBatchFile.batch_id.in_(ids)))
    db.session.execute(sa.delete(PlanBatch).where(PlanBatch.id.in_(ids)))
    return len(ids)


def _unclear(row: PlanBatchFile) -> bool:
    return any(problem.get("code") == COLUMNS_UNCLEAR for problem in row.problems)


def _gone(name: str) -> InputError:
    return InputError(N_("The file is no longer kept."), place=Place(file=name), remedy=N_("Upload it again."))


def batches_of(person: Person, limit: int = 10) -> list[PlanBatch]:
    """A person's batches, the newest first."""
    return list(
        db.session.scalars(
            sa.select(PlanBatch).filter_by(person_id=person.id).order_by(PlanBatch.id.desc()).limit(limit)
        )
    )


def report(batch: PlanBatch) -> dict[str, Any]:
    """The batch and each of its files as plain JSON."""
    rows = db.session.execute(
        sa.select(PlanBatchFile, TeachingPlan.uid, ClassGroup.code, Subject.code)
        .outerjoin(TeachingPlan, TeachingPlan.id == PlanBatchFile.plan_id)
        .outerjoin(ClassGroup, ClassGroup.id == PlanBatchFile.class_id)
        .outerjoin(Subject, Subject.id == PlanBatchFile.subject_id)
        .where(PlanBatchFile.batch_id == batch.id)
        .order_by(PlanBatchFile.position)
    ).all()
    counts = {state.value: sum(row.state is state for row, *_ in rows) for state in BatchFileState}
    return {
        "batch": batch.uid, "name": batch.name, "state": batch.state.value, "dry_run": batch.dry_run, "counts": counts,
        "files": [
            {
                "file": row.path, "position": row.position, "state": row.state.value, "class": group,
                "subject": subject, "plan": plan,
                "version": row.version, "units": row.units, "findings": row.findings,
                "problems": [told(problem) for problem in row.problems],
            }
            for row, plan, group, subject in rows
        ],
    }  # fmt: skip


def _pairs(scope: Scope | None) -> list[Pair]:
    reach = scope or Scope(0, "", (Grant(Role.ADMINISTRATOR, 0, "/"),))
    return [(group, subject) for group, subject, _ in teachable(reach)]


def _without_file(found: Contents) -> list[tuple[str, Listed]]:
    known = {entry.path for entry in found.entries}
    return [(path, listed) for path, listed in found.listed.items() if path not in known]


def _unmatched(path: str, listed: Listed, batch: PlanBatch) -> PlanBatchFile:
    problem = InputError(
        N_("plans.csv names this file, but it is not there."),
        place=Place(file="plans.csv", row=listed.row, value=path),
        remedy=N_("Add the file, or correct its name in plans.csv."),
    )  # fmt: skip
    return PlanBatchFile(batch_id=batch.id, path=path[:1000], state=BatchFileState.REFUSED, problems=[kept(problem)])


def _row(entry: Entry, listed: Listed | None, pairs: list[Pair], batch: PlanBatch) -> PlanBatchFile:
    row = PlanBatchFile(batch_id=batch.id, path=entry.path[:1000], state=BatchFileState.WAITING, problems=[])
    try:
        if entry.refusal is not None:
            raise entry.refusal
        group, subject = _meant(entry.path, listed, pairs)
    except InputError as refusal:
        row.state, row.problems = BatchFileState.REFUSED, [kept(refusal)]
        return row
    row.class_id, row.subject_id = group.id, subject.id
    row.file_id = files.store(
        BytesIO(entry.data), name=entry.path, media_type="application/octet-stream", purpose="plan_batch",
        max_bytes=current_settings().max_upload_bytes, owner_id=batch.person_id, organisation_id=group.campus_id,
        delete_after=now() + FILE_KEPT,
    ).id  # fmt: skip
    return row


def _meant(path: str, listed: Listed | None, pairs: list[Pair]) -> Pair:
    """The one class and subject that a file is for, by ``plans.csv`` or else by its path; never guessed.

    :raises InputError: none of the person's classes, or several.
    """
    text_of_class, text_of_subject = (listed.group, listed.subject) if listed else (path.rpartition(".")[0],) * 2
    groups = {group.id: group for group, _ in pairs}
    subjects = {subject.id: subject for _, subject in pairs}
    classes = named(text_of_class, {g.id: {g.code, g.title} for g in groups.values()})
    campuses = named(text_of_class, {g.campus_id: _campus_names(g) for g in groups.values()})
    if campuses and any(groups[c].campus_id in campuses for c in classes):
        classes = {c for c in classes if groups[c].campus_id in campuses}
    meant_subjects = named(text_of_subject, {s.id: {s.code, *words_of(s)} for s in subjects.values()})
    found = {(g.id, s.id): (g, s) for g, s in pairs if g.id in classes and s.id in meant_subjects}
    if len(found) == 1 and len(classes) == 1 and len(meant_subjects) == 1:
        return next(iter(found.values()))
    place = Place(file="plans.csv", row=listed.row, value=path) if listed else Place(file=path)
    raise InputError(
        N_("It is not clear for which class and subject this file is.")
        if classes or meant_subjects
        else N_("Neither a class nor a subject of yours is named."),
        place=place,
        remedy=N_(
            "Name class and subject in the file's name, as in “G7-1 Mathematics.docx”, or in plans.csv (file, class, "
            "subject)."
        ),
    )


def _campus_names(group: ClassGroup) -> set[str]:
    campus = group.campus
    return {name for name in (campus.code, campus.name, campus.name_en) if name and plain(name)}


def _one(batch: PlanBatch, row_id: int) -> None:
    row = db.session.get_one(PlanBatchFile, row_id)
    name = row.path.rpartition("/")[2]
    try:
        stored = db.session.get(StoredFile, row.file_id) if row.file_id is not None else None
        if stored is None:
            raise _gone(name)
        group = db.session.get_one(ClassGroup, row.class_id)
        known = plan_of(row)
        if known is not None and _adjusted(known) and _same_file(known, stored):
            _finish(row_id, BatchFileState.SKIPPED, plan_id=known.id, version=known.versions[-1].number)
            return
        path = files.path_of(stored)
        document = importer.read(path, name, group=group)
        with transaction():
            row = _held(row_id)
            if row.state is BatchFileState.WAITING:
                _bring_in(batch, row, document, path, stored)
    except BridgeError as refusal:
        db.session.rollback()
        problems = refusal.problems if isinstance(refusal, BadInputs) else [refusal]
        said = [kept(problem) for problem in problems]
        if refusal.code == COLUMNS_UNCLEAR:
            # A person can say what the columns hold, whichever problem made that necessary.
            said = [problem | {"code": COLUMNS_UNCLEAR} for problem in said]
        _finish(row_id, BatchFileState.REFUSED, problems=said)
    except SQLAlchemyError:
        # The database went away or is busy: the file waits, and the job comes back.
        raise
    except Exception:
        # Something that nobody thought of, in one file: the others must not wait for it.
        log.exception("file %s of batch %s cannot be read", row_id, batch.id)
        db.session.rollback()
        problem = InputError(
            N_("The file cannot be read; this has been noted."), place=Place(file=name),
            remedy=N_("Upload it on its own, or open it in Word or Excel and save it anew."),
        )  # fmt: skip
        _finish(row_id, BatchFileState.REFUSED, problems=[kept(problem)])


def _bring_in(batch: PlanBatch, row: PlanBatchFile, document: PlanDocument, path: Path, stored: StoredFile) -> None:
    """Read in one document as a new plan, or as the next version of the one that its class has, if it says more."""
    name = row.path.rpartition("/")[2]
    person = db.session.get(Person, batch.person_id) if batch.person_id is not None else None
    # Roles may have ended since the batch was handed over: those of now count.
    scope = scope_for(person) if person is not None else None
    known, group = plan_of(row), db.session.get_one(ClassGroup, row.class_id)
    subject = db.session.get_one(Subject, row.subject_id)
    if known is not None:
        if _same_file(known, stored) and says_the_same(document.units, known.versions[-1]):
            row.state, row.plan_id, row.version = BatchFileState.SKIPPED, known.id, known.versions[-1].number
            return
        require_no_rival(row, known)
    if known is None:
        result = importer.import_plan(
            document, path, name=name, class_codes=[f"{group.campus.code}/{group.code}"], subject_code=subject.code,
            scope=scope, author=person if scope is not None and Role.TEACHER in scope.roles else None,
            dry_run=batch.dry_run,
        )  # fmt: skip
    elif batch.dry_run:
        result = importer.ImportResult(document, known, None, dry_run=True)
    else:
        result = importer.import_version(known, document, path, name=name, scope=scope, author=person)
    noted = [*result.document.warnings]
    if known is not None and (note := note_of_other_classes(row, known)) is not None:
        noted.append(note)
    warnings = [kept(warning) for warning in noted]
    row.state = BatchFileState.FLAGGED if warnings else BatchFileState.READ
    row.plan_id = result.plan.id if result.plan is not None else None
    row.version = result.version.number if result.version is not None else None
    row.units, row.findings, row.problems = len(document.units), result.findings, warnings


def _adjusted(plan: TeachingPlan) -> bool:
    """Whether accepted proposals made the newest version: the document of the version before is still its own."""
    return len(plan.versions) > 1 and plan.versions[-1].file_id == plan.versions[-2].file_id


def _same_file(plan: TeachingPlan, stored: StoredFile) -> bool:
    newest = plan.versions[-1]
    before = db.session.get(StoredFile, newest.file_id) if newest.file_id is not None else None
    return before is not None and before.sha256 == stored.sha256


def _held(row_id: int) -> PlanBatchFile:
    return db.session.get_one(PlanBatchFile, row_id, populate_existing=True, with_for_update=True)


def _finish(row_id: int, state: BatchFileState, **values: Any) -> None:
    with transaction():
        row = _held(row_id)
        if row.state is BatchFileState.WAITING:
            row.state = state
            for name, value in values.items():
                setattr(row, name, value)
