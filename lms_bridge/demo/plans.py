"""The benchmarks and teaching plans of the demonstration: real Word documents, read and reviewed like all others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import sqlalchemy as sa
from flask import current_app

from lms_bridge.calendar.days import teaching_weeks
from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db, transaction
from lms_bridge.demo.curriculum import WEEKLY_PERIODS, departures, featured, in_weeks, is_primary, units_of_term
from lms_bridge.demo.documents import write_plan
from lms_bridge.demo.school import SEED, campuses, classes_of, person_of
from lms_bridge.plans import importer, review
from lms_bridge.plans.lookup import subject_teachers
from lms_bridge.plans.models import TeachingPlan
from lms_bridge.plans.units import PlanDocument
from lms_bridge.roster.models import ClassGroup, Organisation, OrganisationKind, Person, Subject, Term
from lms_bridge.roster.scope import scope_for

FEATURED = ("math", 7)
"""Subject and grade of the plan that the walk shows; the first campus's."""
WAITING = {("art", 9), ("pe", 6)}
"""Plans that still wait for a researcher when the demonstration begins."""
RETURNED = {("art", 5)}

NUMERALS = "零一二三四五六七八九"

Told = Callable[[int, int], None]
"""Is told how many of how many documents are done."""


@dataclass(frozen=True)
class Paper:
    """A document to be imported: a benchmark (no classes), or a plan for the classes of one campus and grade."""

    path: Path
    subject: str
    grade: int
    language: str
    classes: tuple[ClassGroup, ...] = ()

    @property
    def featured(self) -> bool:
        """Whether the walk shows this plan."""
        return bool(self.classes) and (self.subject, self.grade) == FEATURED and self.language == "zh-CN"


def write_documents(folder: Path) -> tuple[list[Paper], list[Paper]]:
    """Write the benchmarks and plans into ``folder``; both lists in a fixed order."""
    folder.mkdir(parents=True, exist_ok=True)
    benchmarks: list[Paper] = []
    plans: list[Paper] = []
    subjects = {s.code: s for s in db.session.scalars(sa.select(Subject))}
    for campus in campuses():
        groups: defaultdict[int, list[ClassGroup]] = defaultdict(list)
        for group in classes_of(campus):
            groups[int(group.grade)].append(group)
        for grade, members in sorted(groups.items()):
            term = db.session.get_one(Term, members[0].term_id)
            weeks = len(teaching_weeks(campus, term))
            for code, weekly in WEEKLY_PERIODS[is_primary(grade)].items():
                subject = subjects[code].label(campus.locale)
                language, title = campus.locale, _title(campus.locale, grade, subject)
                standard = in_weeks(units_of_term(code, grade, weeks, language), weekly)
                path = folder / f"benchmark-{code}-{grade}-{language}.docx"
                write_plan(path, *_words(language, title, True), standard, language)
                benchmarks.append(Paper(path, code, grade, language))
                rng = Random(f"{SEED}:plan:{campus.code}:{code}:{grade}")
                paper = Paper(folder / f"{title}-{campus.code}.docx", code, grade, language, tuple(members))
                units = featured(standard, language, weekly) if paper.featured else departures(
                    standard, rng, language, weekly
                )  # fmt: skip
                write_plan(paper.path, *_words(language, title, False), units, language)
                plans.append(paper)
    return benchmarks, plans


def _title(language: str, grade: int, subject: str) -> str:
    return f"{subject} grade {grade}" if language == "en" else f"{NUMERALS[grade]}年级{subject}"


def _words(language: str, title: str, benchmark: bool) -> tuple[str, str]:
    """Heading, and the line below it."""
    if language == "en":
        kind, by = ("Benchmark plan", "Teaching researchers of the bureau") if benchmark else ("Teaching plan", "")
        return f"{kind}: {title}", by
    return f"{title}{'教学基准' if benchmark else '教学计划'}", "市教育局教研室" if benchmark else ""


def read_all(papers: list[Paper], told: Told) -> Iterator[tuple[Paper, PlanDocument]]:
    """Read the documents, two at a time, each in a child process of its own as always; in the order given."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def read(paper: Paper) -> PlanDocument:
        with app.app_context():
            return importer.read(paper.path, paper.path.name)

    with ThreadPoolExecutor(2) as pool:
        for number, (paper, document) in enumerate(zip(papers, pool.map(read, papers), strict=True), 1):
            yield paper, document
            told(number, len(papers))


def import_benchmarks(papers: list[Paper], told: Told) -> None:
    """Import the benchmarks as a researcher of the bureau."""
    bureau = db.session.scalars(sa.select(Organisation).where(Organisation.kind == OrganisationKind.BUREAU)).one()
    researcher = person_of("researcher-1")
    term = db.session.scalars(sa.select(Term)).first()
    assert term is not None
    for paper, document in read_all(papers, told):
        with transaction():
            importer.import_benchmark(
                document, paper.path, name=paper.path.name, organisation=bureau, subject_code=paper.subject,
                grade=_grade(paper), term=term, language=paper.language, scope=scope_for(researcher), author=researcher,
            )  # fmt: skip


def _grade(paper: Paper) -> str:
    """The grade as the classes carry it."""
    return next(
        grade
        for grade in db.session.scalars(sa.select(ClassGroup.grade).distinct())
        if int(grade) == paper.grade
    )  # fmt: skip


def import_plans(papers: list[Paper], told: Told) -> dict[Paper, TeachingPlan]:
    """Import each plan as the teacher who teaches the first of its classes."""
    made: dict[Paper, TeachingPlan] = {}
    subjects = {s.code: s.id for s in db.session.scalars(sa.select(Subject))}
    for paper, document in read_all(papers, told):
        teacher = db.session.get_one(Person, min(subject_teachers(paper.classes[0].id, subjects[paper.subject])))
        with transaction():
            result = importer.import_plan(
                document, paper.path, name=paper.path.name, class_codes=[_code(group) for group in paper.classes],
                subject_code=paper.subject, scope=None, author=teacher,
            )  # fmt: skip
        assert result.plan is not None
        made[paper] = result.plan
    return made


def _code(group: ClassGroup) -> str:
    """The class's code with its campus before it, since both campuses have a class 4.1."""
    return f"{db.session.get_one(Organisation, group.campus_id).code}/{group.code}"


def review_plans(plans: dict[Paper, TeachingPlan]) -> dict[str, int]:
    """Submit and decide all plans but the one that the walk shows; how many came out how. A few wait, one is returned:
    the researchers' page has something to do."""
    researcher = person_of("researcher-2")
    counts = {"approved": 0, "waiting": 0, "returned": 0}
    with transaction():
        for paper, plan in plans.items():
            if paper.featured:
                continue
            review.submit(plan, scope=None, person=plan.author)
            if (paper.subject, paper.grade) in WAITING:
                counts["waiting"] += 1
            elif (paper.subject, paper.grade) in RETURNED:
                comment = (
                    "Please say which units go online." if paper.language == "en" else "请注明哪些单元适合线上教学。"
                )
                review.return_plan(plan, scope=None, person=researcher, comment=comment)
                counts["returned"] += 1
            else:
                review.approve(plan, scope=None, person=researcher)
                counts["approved"] += 1
    return counts


def documents_folder() -> Path:
    """Where the documents are kept, so that people can open them."""
    return current_settings().data_dir / "documents"
