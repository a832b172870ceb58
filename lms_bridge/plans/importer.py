"""Brings a document in as a plan, a new version of a plan, or a benchmark: all or nothing."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import audit, files
from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db
from lms_bridge.core.errors import Place
from lms_bridge.core.i18n import N_
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.models import StoredFile
from lms_bridge.plans.comparing import compare_draft, compare_version
from lms_bridge.plans.errors import WrongState
from lms_bridge.plans.import_checks import classes_for_plan
from lms_bridge.plans.lookup import known_grade, plan_access, subject_by_code, subject_teachers
from lms_bridge.plans.mapping import remembered_at
from lms_bridge.plans.models import PlanClass, PlanKind, PlanVersion, TeachingPlan, VersionState
from lms_bridge.plans.period_length import period_minutes
from lms_bridge.plans.reading import Mapping, ReadLimits, installed_converter
from lms_bridge.plans.reading.amounts import USUAL_MINUTES
from lms_bridge.plans.reading.documents import Opened, open_document, plan_in
from lms_bridge.plans.review import newest_seen, newest_version
from lms_bridge.plans.subject_check import with_subject_warning
from lms_bridge.plans.units import PlanDocument
from lms_bridge.plans.version_units import says_the_same, unit_rows
from lms_bridge.roster.models import ClassGroup, Organisation, Person, Subject, Term


@dataclass(frozen=True)
class ImportResult:
    """What an import did (or, as a dry run, would do)."""

    document: PlanDocument
    plan: TeachingPlan | None
    version: PlanVersion | None
    findings: int | None = None
    """How many findings the comparison with the benchmark gave; None: it was not compared."""
    dry_run: bool = False
    unchanged: bool = False
    """The document says what ``version``, which was there before, says already: nothing was made."""
    extra: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON for the command line and REST."""
        return {
            "plan": self.plan.uid if self.plan is not None else None,
            "version": self.version.number if self.version is not None else None,
            "dry_run": self.dry_run,
            "unchanged": self.unchanged,
            "title": self.document.title,
            "source": self.document.source,
            "units": [
                {
                    "sequence": u.sequence,
                    "title": u.title,
                    "periods": u.periods,
                    "week_from": u.week_from,
                    "week_to": u.week_to,
                    "provenance": u.provenance,
                    "assumed": list(u.assumed),
                }
                for u in self.document.units
            ],
            "periods": sum(u.periods for u in self.document.units),
            "warnings": [w.as_dict() for w in self.document.warnings],
            "findings": self.findings,
        }


def read_limits() -> ReadLimits:
    """The limits of this installation for reading a document."""
    settings = current_settings()
    return ReadLimits(
        file_bytes=settings.max_upload_bytes,
        memory_bytes=settings.parser_memory_bytes,
        wall_seconds=settings.parser_seconds,
    )


def read(
    path: Path,
    name: str,
    *,
    term: Term | None = None,
    group: ClassGroup | None = None,
    owner: Organisation | None = None,
    mapping: Mapping | None = None,
) -> PlanDocument:
    """Read a document with the limits of this installation (in a child process).

    What ``term``, ``group``, ``owner`` and ``mapping`` are: see :func:`read_opened`.
    """
    return read_opened(open_file(path, name), name, term=term, group=group, owner=owner, mapping=mapping)


def open_file(path: Path, name: str) -> Opened:
    """Open a document with the limits of this installation; an old form is converted where LibreOffice is installed."""
    return open_document(path, name, read_limits(), installed_converter())


def read_opened(
    opened: Opened,
    name: str,
    *,
    term: Term | None = None,
    group: ClassGroup | None = None,
    owner: Organisation | None = None,
    mapping: Mapping | None = None,
) -> PlanDocument:
    """The plan in a document that was opened.

    ``group`` is a class that it is for: its term gives dates their year (or ``term`` does), its campus's periods say
    how many an hour makes, and its campus's remembered columns are used. ``owner`` is the organisation whose remembered
    columns are used where there is no class. ``mapping`` names the columns by hand.
    """
    keeper = group.campus if group is not None else owner
    if group is not None and term is None:
        term = db.session.get_one(Term, group.term_id)
    return plan_in(
        opened,
        name=name,
        limits=read_limits(),
        term=(term.starts_on, term.ends_on) if term is not None else None,
        minutes=period_minutes(group) if group is not None else USUAL_MINUTES,
        mapping=mapping,
        remembered=remembered_at(keeper) if keeper is not None else None,
    )


def import_plan(
    document: PlanDocument,
    path: Path,
    *,
    name: str,
    class_codes: Sequence[str],
    subject_code: str,
    scope: Scope | None,
    author: Person | None,
    dry_run: bool = False,
) -> ImportResult:
    """Make a plan (version 1, draft) of a document that was read, for one or more classes of a campus and grade.

    ``scope`` is the access scope of who does it; None means the system's own operator (command line).

    :raises UnknownCode: a class or subject is not known. :raises PlanExists: there is one already, or the classes
    are of several campuses, grades or terms.
    """
    subject = subject_by_code(subject_code)
    document = with_subject_warning(document, subject)
    classes = classes_for_plan(class_codes, subject, scope, name)
    campus = db.session.get_one(Organisation, classes[0].campus_id)
    plan = TeachingPlan(
        kind=PlanKind.TEACHING,
        organisation_id=campus.id,
        subject_id=subject.id,
        term_id=classes[0].term_id,
        grade=classes[0].grade,
        language=classes[0].language,
        author_id=author.id if author is not None else _sole_teacher(classes, subject),
        title=document.title or f"{classes[0].title} {subject.label(campus.locale)}",
        classes=[PlanClass(class_id=c.id, subject_id=subject.id, term_id=c.term_id) for c in classes],
    )
    if dry_run:
        found = compare_draft(plan, document.units)
        return ImportResult(document, None, None, findings=len(found), dry_run=True)
    db.session.add(plan)
    db.session.flush()
    version = _add_version(plan, document, path, name, author)
    audit.record(
        "plan.import", "plan", plan.uid, actor_uid=_uid(author), organisation_id=campus.id, units=len(document.units)
    )
    return ImportResult(document, plan, version, findings=len(compare_version(version)))


def import_benchmark(
    document: PlanDocument,
    path: Path,
    *,
    name: str,
    organisation: Organisation,
    subject_code: str,
    grade: str,
    term: Term,
    language: str,
    scope: Scope | None,
    author: Person | None,
    dry_run: bool = False,
) -> ImportResult:
    """Make (or renew) the benchmark of an organisation for a subject, grade and term; it is in force at once, and
    the plans compared with its predecessor are compared again.

    :raises UnknownCode: the subject is not known, or no class of the organisation is of this grade.
    """
    if scope is not None:
        scope.require(Permission.BENCHMARK_WRITE, Target(organisation.path))
    subject = subject_by_code(subject_code)
    grade = known_grade(organisation, grade)
    document = with_subject_warning(document, subject)
    if dry_run:
        return ImportResult(document, None, None, dry_run=True)
    plan = _benchmark_of(organisation, subject, grade, term, language) or _new_benchmark(
        organisation, subject, grade, term, language, author=author, title=document.title
    )
    _put_in_force(plan, document, path, name, author)
    audit.record(
        "benchmark.import", "plan", plan.uid, actor_uid=_uid(author), organisation_id=organisation.id,
        units=len(document.units),
    )  # fmt: skip
    for affected in _plans_under(plan, organisation):
        compare_version(affected.versions[-1])
    return ImportResult(document, plan, plan.versions[-1])


def _benchmark_of(
    organisation: Organisation, subject: Subject, grade: str, term: Term, language: str
) -> TeachingPlan | None:
    """The benchmark that the organisation has for this already."""
    return db.session.scalar(
        sa.select(TeachingPlan).filter_by(
            kind=PlanKind.BENCHMARK,
            organisation_id=organisation.id,
            subject_id=subject.id,
            term_id=term.id,
            grade=grade,
            language=language,
            withdrawn_at=None,
        )
    )


def _new_benchmark(
    organisation: Organisation,
    subject: Subject,
    grade: str,
    term: Term,
    language: str,
    *,
    author: Person | None,
    title: str | None,
) -> TeachingPlan:
    """A benchmark without a version yet. Flushes."""
    plan = TeachingPlan(
        kind=PlanKind.BENCHMARK,
        organisation_id=organisation.id,
        subject_id=subject.id,
        term_id=term.id,
        grade=grade,
        language=language,
        author_id=author.id if author is not None else None,
        title=title or f"{subject.label(language)} {grade}",
    )
    db.session.add(plan)
    db.session.flush()
    return plan


def _put_in_force(plan: TeachingPlan, document: PlanDocument, path: Path, name: str, author: Person | None) -> None:
    """Make the document the benchmark's version in force, in place of the one before. Flushes."""
    for earlier in plan.versions:
        if earlier.state is VersionState.APPROVED:
            earlier.state = VersionState.SUPERSEDED
    predecessor = plan.versions[-1] if plan.versions else None
    version = _add_version(plan, document, path, name, author, earlier=predecessor)
    version.state = VersionState.APPROVED
    db.session.flush()


def import_version(
    plan: TeachingPlan,
    document: PlanDocument,
    path: Path,
    *,
    name: str,
    scope: Scope | None,
    author: Person | None,
    seen: int | None = None,
) -> ImportResult:
    """Make the next version of a plan from a document; units that stayed the same keep their keys. A document that is
    the newest version's own, byte for byte, and says the same makes none (``unchanged``).

    ``seen`` is the number of the version that the person looked at.

    :raises WrongState: the newest version is being reviewed, or a newer one than ``seen`` has come.
    """
    if scope is not None:
        scope.require(Permission.PLAN_WRITE, plan_access(plan).write)
    document = with_subject_warning(document, plan.subject)
    newest = newest_version(plan)
    if _same_bytes(newest, path) and says_the_same(document.units, newest):
        return ImportResult(document, plan, newest, unchanged=True)
    newest = newest_seen(plan, seen)
    if newest.state is VersionState.SUBMITTED:
        raise WrongState(
            N_("The plan is being reviewed."),
            remedy=N_("Wait for the answer, or ask the researcher to return it."),
            place=Place(file=name),
        )
    if newest.state in (VersionState.DRAFT, VersionState.RETURNED):
        newest.state = VersionState.SUPERSEDED
    version = _add_version(plan, document, path, name, author, earlier=newest)
    audit.record(
        "plan.version", "plan", plan.uid, actor_uid=_uid(author), organisation_id=plan.organisation_id,
        version=version.number,
    )  # fmt: skip
    return ImportResult(document, plan, version, findings=len(compare_version(version)))


def _same_bytes(version: PlanVersion, path: Path) -> bool:
    stored = db.session.get(StoredFile, version.file_id) if version.file_id is not None else None
    if stored is None:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == stored.sha256


def _sole_teacher(classes: Sequence[ClassGroup], subject: Subject) -> int | None:
    """Who the plan is by, where nobody says so: the teacher of the subject, if there is just one."""
    teachers = set().union(*(subject_teachers(c.id, subject.id) for c in classes))
    return next(iter(teachers)) if len(teachers) == 1 else None


def _add_version(
    plan: TeachingPlan,
    document: PlanDocument,
    path: Path,
    name: str,
    author: Person | None,
    earlier: PlanVersion | None = None,
) -> PlanVersion:
    with path.open("rb") as stream:
        stored = files.store(
            stream,
            name=name,
            media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            purpose="plan",
            max_bytes=current_settings().max_upload_bytes,
            owner_id=author.id if author is not None else None,
            organisation_id=plan.organisation_id,
        )
    version = PlanVersion(
        number=1 + max((v.number for v in plan.versions), default=0),
        file_id=stored.id,
        created_by_id=author.id if author is not None else None,
        warnings=[kept(w) for w in document.warnings],
        # What can be done online stands in a benchmark's own document; in a teacher's it may come from a proposal.
        units=unit_rows(document.units, earlier, online_stays=plan.kind is PlanKind.TEACHING),
    )
    plan.versions.append(version)
    db.session.flush()
    return version


def _plans_under(benchmark: TeachingPlan, organisation: Organisation) -> Sequence[TeachingPlan]:
    return db.session.scalars(
        sa.select(TeachingPlan)
        .join(Organisation, Organisation.id == TeachingPlan.organisation_id)
        .where(
            TeachingPlan.kind == PlanKind.TEACHING,
            TeachingPlan.subject_id == benchmark.subject_id,
            TeachingPlan.term_id == benchmark.term_id,
            TeachingPlan.grade == benchmark.grade,
            Organisation.path.startswith(organisation.path, autoescape=True),
        )
    ).all()


def _uid(person: Person | None) -> str | None:
    return person.uid if person is not None else None
