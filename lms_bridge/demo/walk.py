"""The walk: a school system goes online before your eyes, every step by the same operations that people use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from lms_bridge.attendance.models import Verdict
from lms_bridge.calendar.days import iso_week
from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.core.models import Job, JobState
from lms_bridge.demo import lessons, plans, school
from lms_bridge.demo.anchor import Anchor, anchor_at
from lms_bridge.demo.plans import Paper
from lms_bridge.lessons.models import PresenceEvidence
from lms_bridge.lessons.presence import DOOR
from lms_bridge.notices.dates import say_slot
from lms_bridge.notices.models import Delivery, DeliveryState
from lms_bridge.plans import comparing, review
from lms_bridge.plans.models import TeachingPlan
from lms_bridge.roster.models import Person
from lms_bridge.roster.scope import scope_for
from lms_bridge.timetable.making.scheduling import solve_week
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import students_of

ZONE = "Asia/Shanghai"
VERDICTS = {
    Verdict.PRESENT: N_("present"),
    Verdict.LATE: N_("late"),
    Verdict.LEFT_EARLY: N_("left early"),
    Verdict.ABSENT: N_("absent"),
    Verdict.EXCUSED: N_("excused"),
    Verdict.UNVERIFIED: N_("not certain"),
}


WORKERS = 2
"""Worker processes that send the messages, as on two cores."""
LOOK_EVERY = 0.3


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def workers(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Worker processes of this installation, for as long as the block lasts, also when this process is told to stop."""
    before = signal.signal(signal.SIGTERM, _leave)
    command = [sys.executable, "-m", "lms_bridge.cli", "worker"]
    processes = [subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield processes
    finally:
        signal.signal(signal.SIGTERM, before)
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Walk:
    """The steps in their order, each telling ``console`` what it did. Needs an application context with an empty,
    migrated database."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.step_number = 0
        self.anchor: Anchor = anchor_at(clock.now(), ZONE)

    def run(self) -> None:
        """Walk through the whole main job."""
        with clock.at(self.anchor.planned_at):
            self._roster()
            plan = self._import()
            self._findings(plan)
            self._approve(plan)
        # Reading the documents took its time: the lesson to join begins now, not when the walk did.
        self.anchor = anchor_at(clock.now(), ZONE)
        with clock.at(self.anchor.planned_at):
            self._schedule()
        lesson = self._lesson(self.anchor.current)
        lessons.prepare(lesson)
        self._messages()
        self._join(lesson)
        self._earlier()

    def _said(self, text: str, *details: str) -> None:
        self.step_number += 1
        self.console.print(f"[bold green]{self.step_number:>2}[/] {escape(text)}")
        for line in details:
            self.console.print(f"     [dim]{escape(line)}[/]")

    @contextmanager
    def _bar(self, title: str, total: int | None = None) -> Iterator[tuple[Progress, TaskID]]:
        columns = (
            TextColumn("   {task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as bar:
            yield bar, bar.add_task(title, total=total)

    def _roster(self) -> None:
        with self._bar(gettext("Importing the roster")), transaction():
            result = school.load_roster(self.anchor)
            school.close_schools(self.anchor)
        counts = result.counts
        self._said(
            gettext(
                "Roster imported: %(people)s people, %(classes)s classes, %(campuses)s campuses.",
                people=counts["users"].new,
                classes=counts["classes"].new,
                campuses=len(school.campuses()),
            )
        )

    def _import(self) -> TeachingPlan:
        benchmarks, papers = plans.write_documents(plans.documents_folder())
        for title, todo in ((gettext("Reading benchmarks"), benchmarks), (gettext("Reading teaching plans"), papers)):
            with self._bar(title, len(todo)) as (bar, task):

                def told(done: int, total: int, bar: Progress = bar, task: TaskID = task) -> None:
                    bar.update(task, completed=done, total=total)

                if todo is benchmarks:
                    plans.import_benchmarks(todo, told)
                else:
                    made = plans.import_plans(todo, told)
        self.decided = plans.review_plans(made)
        paper, plan = next((p, t) for p, t in made.items() if p.featured)
        self._said(
            gettext("Plan imported: %(file)s", file=paper.path.name),
            gettext(
                "%(plans)s Word plans and %(benchmarks)s benchmarks were read; this one has %(units)s units.",
                plans=len(papers),
                benchmarks=len(benchmarks),
                units=len(plan.versions[-1].units),
            ),
        )
        return plan

    def _findings(self, plan: TeachingPlan) -> None:
        version = plan.versions[-1]
        found = comparing.findings_of(version)
        texts = comparing.sentences(version, found)
        self._said(
            gettext(
                "Findings: %(n)s, compared with the benchmark (%(percent)s %% covered)",
                n=len(found),
                percent=round((version.coverage or 0) * 100),
            ),
            *texts,
        )

    def _approve(self, plan: TeachingPlan) -> None:
        researcher = school.person_of("researcher-2")
        teacher = db.session.get_one(Person, plan.author_id or 0)
        with transaction():
            review.submit(plan, scope=scope_for(teacher), person=teacher)
        with transaction():
            review.approve(plan, scope=scope_for(researcher), person=researcher)
        self._said(
            gettext("Approved by %(who)s", who=researcher.display_name),
            gettext(
                "Of the other plans %(approved)s were approved, %(returned)s returned; %(waiting)s wait.",
                **self.decided,
            ),
        )

    def _schedule(self) -> None:
        total, lines = 0, []
        week = iso_week(self.anchor.day)
        with transaction():
            school.set_grids(self.anchor)
        for campus in school.campuses():
            with self._bar(gettext("Making the timetable of %(campus)s", campus=campus.label(get_locale()))):
                result = solve_week(campus.code, week, actor=school.person_of(f"admin-campus-{campus.code}"))
            total += result.counts.lessons
            lines.append(f"{result.lines()[0]} {result.seconds:.1f} s")
        self._said(gettext("Lessons scheduled: %(n)s, week %(week)s", n=total, week=week), *lines)

    def _messages(self) -> None:
        with self._bar(gettext("Telling the families")) as (bar, task), workers(WORKERS) as running:
            while self._unsent() and any(process.poll() is None for process in running):
                states = self._deliveries()
                bar.update(task, completed=states[DeliveryState.SENT], total=sum(states.values()) or None)
                time.sleep(LOOK_EVERY)
        states = self._deliveries()
        self._said(
            gettext("Messages written: %(n)s", n=states[DeliveryState.SENT]),
            gettext("Each person has one, in their language, with a calendar file; they lie in the mailbox folder."),
        )

    def _unsent(self) -> bool:
        """Whether the workers have anything to do that is due; nothing is due any more when a job waits to be tried
        again after a failure."""
        due = sa.or_(
            Job.state == JobState.RUNNING, sa.and_(Job.state == JobState.QUEUED, Job.not_before <= clock.now())
        )
        jobs_left = db.session.scalar(sa.select(sa.func.count()).select_from(Job).where(due))
        db.session.rollback()
        return bool(jobs_left)

    def _deliveries(self) -> Counter[DeliveryState]:
        rows = db.session.execute(sa.select(Delivery.state, sa.func.count()).group_by(Delivery.state)).all()
        db.session.rollback()
        return Counter({state: count for state, count in rows if state is not DeliveryState.NO_ADDRESS})

    def _join(self, lesson: Lesson) -> None:
        student = db.session.get_one(Person, students_of([lesson])[lesson.id][0])
        verdict = lessons.join_now(lesson, student)
        entered = db.session.scalar(
            sa.select(PresenceEvidence.at).where(
                PresenceEvidence.lesson_id == lesson.id,
                PresenceEvidence.person_id == student.id,
                PresenceEvidence.source == DOOR,
            )
        )
        assert entered is not None
        start = clock.local(lesson.starts_at, lesson.zone)
        self._said(
            gettext(
                "Joined through the door: %(who)s at %(time)s, %(subject)s",
                who=student.display_name,
                time=f"{clock.local(entered, lesson.zone):%H:%M:%S}",
                subject=lesson.subject.label(lesson.campus.locale),
            ),
            say_slot(start.date(), lesson.period_number, start.time(), get_locale()),
        )
        self._said(gettext("Attendance: %(who)s is %(verdict)s", who=student.display_name, verdict=_said(verdict)))

    def _earlier(self) -> None:
        """A lesson of this morning, attended by its whole class, if the day has one already."""
        if self.anchor.current == 1:
            return
        lesson = self._lesson(self.anchor.current - 1)
        with self._bar(gettext("A class attends the lesson before")):
            verdicts = lessons.replay(lesson)
        self._said(
            gettext(
                "The lesson before (%(subject)s, %(group)s): %(verdicts)s",
                subject=lesson.subject.label(lesson.campus.locale),
                group=lesson.audience[0].class_group.title,
                verdicts=", ".join(f"{count} {_said(verdict)}" for verdict, count in verdicts.most_common()),
            )
        )

    def _lesson(self, period: int) -> Lesson:
        found = lessons.lesson_at(self.anchor, period, school.campuses()[0])
        if found is None:
            raise NotFound()
        return found


def _said(verdict: Verdict | None) -> str:
    return gettext(VERDICTS[verdict]) if verdict is not None else gettext("not judged yet")


__all__ = ["Paper", "Walk"]
