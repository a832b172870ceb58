"""One lesson: its details, and the forms that move it, cancel it or give it another teacher; and change sets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.calendar.days import written_day
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.cases.substitutes import candidates
from lms_bridge.timetable.changing import changes, joint
from lms_bridge.timetable.changing.lesson_changes import (
    LessonProblem,
    cancel_lesson,
    move_lesson,
    periods_on,
    substitute_teacher,
)
from lms_bridge.timetable.models import (
    ChangeCause,
    ChangeKind,
    ChangeSet,
    ChangeState,
    Lesson,
    LessonChange,
    LessonStatus,
)
from lms_bridge.timetable.queries import lesson_by_uid
from lms_bridge.timetable.rooms import room_states
from lms_bridge.timetable.snapshots import state_of
from lms_bridge.timetable.telling.touched import touched_by
from lms_bridge.timetable.units.unit_titles import unit_titles
from lms_bridge.web.change_words import ChangeWords
from lms_bridge.web.security import safe_next
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required

blueprint = APIBlueprint("changes", __name__, enable_openapi=False)

PAGE = 60

KIND_NAMES = {
    ChangeKind.ADDED: N_("New"),
    ChangeKind.MOVED: N_("Moved"),
    ChangeKind.CANCELLED: N_("Cancelled"),
    ChangeKind.RESTORED: N_("Takes place again"),
    ChangeKind.TEACHER: N_("Other teacher"),
    ChangeKind.MODE: N_("Online or at school"),
    ChangeKind.UNIT: N_("Other unit"),
}
KIND_BADGES = {
    ChangeKind.ADDED: "good",
    ChangeKind.MOVED: "warn",
    ChangeKind.CANCELLED: "bad",
    ChangeKind.RESTORED: "good",
    ChangeKind.TEACHER: "info",
    ChangeKind.MODE: "info",
    ChangeKind.UNIT: "plain",
}
STATE_NAMES = {
    ChangeState.PROPOSED: N_("Proposed, not in force"),
    ChangeState.APPLIED: N_("In force"),
    ChangeState.UNDONE: N_("Undone"),
    ChangeState.DISCARDED: N_("Given up"),
}
STATE_BADGES = {
    ChangeState.PROPOSED: "warn",
    ChangeState.APPLIED: "good",
    ChangeState.UNDONE: "plain",
    ChangeState.DISCARDED: "plain",
}
CAUSE_NAMES = {
    ChangeCause.PUBLICATION: N_("Publication of the week"),
    ChangeCause.TEACHER_ABSENCE: N_("Teacher absent"),
    ChangeCause.CLOSURE: N_("School closed or open again"),
    ChangeCause.PROVIDER_FAILURE: N_("Video system failed"),
    ChangeCause.DAY_LOST: N_("Day lost"),
    ChangeCause.PLAN_CHANGED: N_("Week solved again"),
    ChangeCause.REQUEST: N_("On request"),
}


@blueprint.get("/lessons/<uid>")
@signed_in_required
def lesson(uid: str) -> str:
    """A lesson with the forms that change it; for those who write the timetable of its campus."""
    return _lesson_page(lesson_to_change(uid))


@blueprint.post("/lessons/<uid>/move")
@signed_in_required
def move(uid: str) -> Response | tuple[str, int]:
    """Move it to a day and period, or to a day and time."""

    def carry_out(row: Lesson) -> ChangeSet:
        day, period, start = _new_time()
        return move_lesson(row, day, period=period, start=start, actor=current_person(), reason=_reason(), seen=_seen())

    return _change(uid, "move", carry_out)


@blueprint.post("/lessons/<uid>/cancel")
@signed_in_required
def cancel(uid: str) -> Response | tuple[str, int]:
    """Cancel it."""
    return _change(
        uid, "cancel", lambda row: cancel_lesson(row, actor=current_person(), reason=_reason(), seen=_seen())
    )


@blueprint.post("/lessons/<uid>/substitute")
@signed_in_required
def substitute(uid: str) -> Response | tuple[str, int]:
    """Give it to another teacher."""

    def carry_out(row: Lesson) -> ChangeSet:
        teacher = db.session.scalar(sa.select(Person).where(Person.uid == request.form.get("teacher", "")))
        if teacher is None:
            raise BadInputs(
                [LessonProblem(N_("No teacher was chosen."), field="teacher", remedy=N_("Choose one from the list."))]
            )
        return substitute_teacher(row, teacher, actor=current_person(), reason=_reason(), seen=_seen())

    return _change(uid, "substitute", carry_out)


@blueprint.get("/changes")
@signed_in_required
def overview() -> str:
    """The latest change sets of the campuses within reach."""
    scope = require(Permission.TIMETABLE_WRITE)
    below = [Organisation.path.startswith(path, autoescape=True) for path in scope.paths(Permission.TIMETABLE_WRITE)]
    rows = db.session.execute(
        sa.select(ChangeSet, Organisation, Person)
        .join(Organisation, Organisation.id == ChangeSet.campus_id)
        .outerjoin(Person, Person.id == ChangeSet.author_id)
        .where(sa.or_(sa.false(), *below))
        .order_by(ChangeSet.id.desc())
        .limit(PAGE)
    ).all()
    counted = db.session.execute(
        sa.select(LessonChange.change_set_id, sa.func.count())
        .where(LessonChange.change_set_id.in_([row.id for row, _, _ in rows]), LessonChange.kind != ChangeKind.UNIT)
        .group_by(LessonChange.change_set_id)
    )
    sizes = dict(counted.all())
    return render_template("timetable/changes.html", rows=rows, sizes=sizes, **_names())


@blueprint.get("/changes/<uid>")
@signed_in_required
def change_set(uid: str) -> str:
    """What a change set changes, before and after, and who is touched."""
    row = _change_set(uid)
    told = [change for change in row.changes if change.kind is not ChangeKind.UNIT]
    pages = max(1, -(-len(told) // PAGE))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    wording = ChangeWords(row)
    ordered = sorted(told, key=wording.order)
    counts: dict[ChangeKind, int] = {}
    for change in row.changes:
        counts[change.kind] = counts.get(change.kind, 0) + 1
    return render_template(
        "timetable/change_set.html",
        change_set=row,
        campus=wording.campus,
        author=db.session.get(Person, row.author_id) if row.author_id is not None else None,
        counts=counts,
        rows=[wording.row(change) for change in ordered[(page - 1) * PAGE : page * PAGE]],
        page=page,
        pages=pages,
        touched=touched_by(row),
        told=row.state is ChangeState.APPLIED and not changes.nobody_told(row),
        undoable=changes.undoable(row),
        others=_others(row),
        is_undo=(row.cause_ref or "").startswith(changes.UNDO),
        **_names(),
    )


@blueprint.post("/changes/<uid>/apply")
@signed_in_required
def apply(uid: str) -> Response:
    """Put a proposed change set in force."""
    with transaction():
        row = changes.apply(_to_decide(uid), current_person())
    flash(gettext("The change is in force. Everybody concerned is being told."), "good")
    return redirect(url_for(".change_set", uid=row.uid))


@blueprint.post("/changes/<uid>/discard")
@signed_in_required
def discard(uid: str) -> Response:
    """Give a proposal up."""
    with transaction():
        row = _to_decide(uid)
        changes.discard(row, current_person())
    flash(gettext("The proposal was given up. Nothing has changed."), "good")
    return redirect(url_for(".change_set", uid=row.uid))


@blueprint.post("/changes/<uid>/undo")
@signed_in_required
def undo(uid: str) -> Response:
    """Put the lessons of a change set back."""
    with transaction():
        changes.undo(_to_decide(uid), current_person())
    flash(gettext("The change was undone. The lessons are as they were before."), "good")
    return redirect(safe_next(request.form.get("next")) or url_for(".change_set", uid=uid))


def _change(uid: str, form: str, carry_out: Callable[[Lesson], ChangeSet]) -> Response | tuple[str, int]:
    """Carry a form out; what speaks against it stands beside its fields, and what was typed stays."""
    row = lesson_to_change(uid)
    try:
        with transaction():
            done = carry_out(lesson_to_change(uid))
    except BadInputs as refusal:
        return _lesson_page(row, form, refusal.problems), refusal.status
    flash(gettext("Done. Everybody concerned is being told."), "good")
    return redirect(url_for(".change_set", uid=done.uid))


def lesson_to_change(uid: str) -> Lesson:
    """The lesson, for those who write the timetable of its campus; read afresh, with its parts."""
    row = lesson_by_uid(uid)
    if row is None:
        raise NotFound()
    current_scope().require(Permission.TIMETABLE_WRITE, Target(row.campus.path))
    return row


def _change_set(uid: str) -> ChangeSet:
    row = changes.change_set_by_uid(uid)
    if row is None:
        raise NotFound()
    campus = db.session.get_one(Organisation, row.campus_id)
    current_scope().require(Permission.TIMETABLE_WRITE, Target(campus.path))
    return row


def _to_decide(uid: str) -> ChangeSet:
    """The change set, for those who may change the timetable of every campus that it goes together with."""
    row = _change_set(uid)
    joint.require_all(current_scope(), row)
    return row


def _others(row: ChangeSet) -> list[tuple[str, str, bool]]:
    """The change sets that go together with it: campus, uid, and whether the person may look at it."""
    scope = current_scope()
    found = []
    for one in joint.joint_with(row):
        campus = db.session.get_one(Organisation, one.campus_id)
        if one.id != row.id:
            seen = scope.allows(Permission.TIMETABLE_WRITE, Target(campus.path))
            found.append((campus.label(get_locale()), one.uid, seen))
    return found


def _lesson_page(row: Lesson, form: str = "", problems: list[BridgeError] | None = None) -> str:
    state = state_of(row)
    errors: dict[str, list[str]] = {}
    for problem in problems or []:
        field = problem.field if isinstance(problem, LessonProblem) else ""
        errors.setdefault(field, []).append(f"{problem.text()} {problem.remedy_text()}".strip())
    day = _typed_day() or state.starts_local.date()
    # All periods of the day first shown; another day is checked when the form is sent.
    periods = [(p.number, f"{p.number} · {p.hours()}") for p in periods_on(row.campus, state, day)]
    history = db.session.execute(
        sa.select(ChangeSet, LessonChange)
        .join(LessonChange, LessonChange.change_set_id == ChangeSet.id)
        .where(
            LessonChange.lesson_id == row.id,
            LessonChange.kind != ChangeKind.UNIT,
            ChangeSet.state.in_((ChangeState.APPLIED, ChangeState.UNDONE)),
        )
        .order_by(ChangeSet.applied_at.desc(), ChangeSet.id.desc())
        .limit(20)
    ).all()
    changeable = row.status is LessonStatus.SCHEDULED and row.starts_at > now()
    return render_template(
        "timetable/lesson.html",
        lesson=row,
        room=room_states([row])[row.id],
        unit=unit_titles([row]).get(row.id),
        day=day.isoformat() if form != "move" else request.form.get("date", ""),
        periods=periods,
        period=request.form.get("period", state.period_number if not form else ""),
        candidates=_candidate_options(row) if changeable else [],
        history=history,
        changeable=changeable,
        version=_seen() if form else changes.version_of(row.week_id),
        form=form,
        errors=errors,
        typed=request.form,
        group=row.audience[0].class_group if row.audience else None,
        week=f"{local(row.starts_at, row.zone):%G-W%V}",
        **_names(),
    )


def _candidate_options(row: Lesson) -> list[tuple[str, list[tuple[str, str]]]]:
    """Teachers who are free, those of the subject first."""
    found = candidates(row)
    groups = (
        (gettext("Free, and teaches the subject"), [c for c in found if c.teaches_subject]),
        (gettext("Free, and knows the class"), [c for c in found if c.teaches_class and not c.teaches_subject]),
        (gettext("Free"), [c for c in found if not c.teaches_class and not c.teaches_subject]),
    )
    return [(label, [(c.person.uid, c.person.display_name) for c in people]) for label, people in groups if people]


def _new_time() -> tuple[date, int | None, time | None]:
    problems: list[BridgeError] = []
    day = _typed_day()
    if day is None:
        problems.append(LessonProblem(N_("No day was chosen."), field="date", remedy=N_("Choose a day.")))
    period = request.form.get("period", type=int)
    start = None
    typed = request.form.get("start", "").strip()
    if typed:
        try:
            start = time.fromisoformat(typed)
        except ValueError:
            problems.append(
                LessonProblem(
                    N_("“%(text)s” is not a time."), field="start", remedy=N_("Write it like 14:30."), text=typed
                )
            )
    elif period is None:
        problems.append(
            LessonProblem(N_("No period was chosen."), field="period", remedy=N_("Choose a period, or give a time."))
        )
    if problems or day is None:
        raise BadInputs(problems)
    return day, period, start


def _typed_day() -> date | None:
    try:
        return written_day(request.form.get("date", ""))
    except ValueError:
        return None


def _seen() -> int | None:
    """The version of the week that the person looked at."""
    return request.form.get("version", type=int)


def _reason() -> str:
    return request.form.get("reason", "").strip()


def _names() -> dict[str, Any]:
    return {
        "kind_names": {kind: gettext(name) for kind, name in KIND_NAMES.items()},
        "kind_badges": KIND_BADGES,
        "state_names": {state: gettext(name) for state, name in STATE_NAMES.items()},
        "state_badges": STATE_BADGES,
        "cause_names": {cause: gettext(name) for cause, name in CAUSE_NAMES.items()},
    }
