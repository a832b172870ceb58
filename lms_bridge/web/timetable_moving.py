"""Moving a lesson by hand: what each slot of the week says to it, what would change and who is told, then the step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from lms_bridge.calendar.days import iso_week, monday_of, shift_week, written_day
from lms_bridge.core.clock import local
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.notices.dates import say_day, say_period, say_slot, say_time
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.lesson_changes import hints_of, move_lesson, planned_move, planned_swap, swap_lessons
from lms_bridge.timetable.changing.slot_checks import SlotCheck, Verdict, check_week
from lms_bridge.timetable.models import ChangeSet, Lesson
from lms_bridge.timetable.telling.touched import touched_by
from lms_bridge.web.change_words import ChangeWords
from lms_bridge.web.security import safe_next
from lms_bridge.web.session import current_person, signed_in_required
from lms_bridge.web.timetable_changes import lesson_to_change
from lms_bridge.web.timetable_parts import in_words, lesson_title, slot_words, week_url

blueprint = APIBlueprint("moving", __name__, enable_openapi=False)


@blueprint.get("/lessons/<uid>/slots")
@signed_in_required
def slots(uid: str) -> dict[str, Any]:
    """For each slot of a week (``week`` in the address, else the lesson's own), whether the lesson can be moved there,
    can change places, or what speaks against it; in words. For the grid's script."""
    lesson = lesson_to_change(uid)
    week = iso_week(monday_of(request.args["week"])) if request.args.get("week") else _own_week(lesson)
    checks = check_week(lesson, week)
    version = changes.version_of(lesson.week_id)
    free = sum(check.verdict is Verdict.FREE for check in checks)
    swaps = sum(check.verdict is Verdict.SWAP for check in checks)
    return {
        "lesson": lesson.uid,
        "title": lesson_title(lesson),
        "version": version,
        "summary": gettext(
            "%(lesson)s, %(when)s: %(free)s slots are free, in %(swaps)s it can change places.",
            lesson=lesson_title(lesson),
            when=slot_words(lesson),
            free=free,
            swaps=swaps,
        ),
        "slots": [_slot(lesson, check, version) for check in checks],
    }


@blueprint.get("/lessons/<uid>/place")
@signed_in_required
def place(uid: str) -> str | tuple[str, int]:
    """What moving it to a day and period (or changing places with another) would change, and who would be told;
    without a place in the address, all slots of a week to choose from."""
    lesson = lesson_to_change(uid)
    if not {"day", "swap"} & set(request.args):
        return _all_slots(lesson)
    return _page(lesson, request.args)


@blueprint.post("/lessons/<uid>/place")
@signed_in_required
def put(uid: str) -> Response | tuple[str, int]:
    """Do so, if the week is still as it was seen; then back to where one came from."""
    form = request.form
    try:
        with transaction():
            done = _carry_out(lesson_to_change(uid), form)
    except BadInputs as refusal:
        return _page(lesson_to_change(uid), form, refusal)
    back = safe_next(form.get("back"))
    if not back:
        return redirect(url_for("timetable.changes.change_set", uid=done.uid))
    parts = urlsplit(back)
    query = [(key, value) for key, value in parse_qsl(parts.query) if key != "done"] + [("done", done.uid)]
    return redirect(f"{parts.path}?{urlencode(query)}")


def _carry_out(lesson: Lesson, said: MultiDict[str, str]) -> ChangeSet:
    reason, seen = said.get("reason", "").strip(), said.get("version", type=int)
    if said.get("swap"):
        other = lesson_to_change(said["swap"])
        return swap_lessons(lesson, other, actor=current_person(), reason=reason, seen=seen)
    day, period = _target(said)
    return move_lesson(lesson, day, period=period, actor=current_person(), reason=reason, seen=seen)


def _page(lesson: Lesson, said: MultiDict[str, str], refusal: BadInputs | None = None) -> tuple[str, int]:
    other = lesson_to_change(said["swap"]) if said.get("swap") else None
    plan: Callable[[], list[changes.Wanted]]
    if other is not None:
        plan, back_to = (lambda: planned_swap(lesson, other)), _own_week(lesson)
        title = gettext("%(one)s and %(other)s change places", one=lesson_title(lesson), other=lesson_title(other))
        hidden: dict[str, Any] = {"swap": other.uid}
    else:
        day, period = _target(said)
        plan, back_to = (lambda: planned_move(lesson, day, period=period)), iso_week(day)
        title = gettext("Move %(lesson)s", lesson=lesson_title(lesson))
        hidden = {"day": day.isoformat(), "period": period}
    problems: list[BridgeError] = refusal.problems if refusal is not None else []
    preview, hints = None, []
    if not problems:
        try:
            wanted = plan()
            preview, hints = changes.preview(lesson.campus, wanted), hints_of(wanted)
        except BadInputs as found:
            problems = found.problems
    words = ChangeWords(preview) if preview is not None else None
    group = lesson.audience[0].class_group if lesson.audience else None
    week = week_url(({"class": group.uid} if group is not None else {}) | {"week": back_to})
    page = render_template(
        "timetable/place.html",
        lesson=lesson,
        title=title,
        rows=[words.row(change) for change in preview.changes] if preview is not None and words is not None else [],
        touched=touched_by(preview) if preview is not None else None,
        problems=problems,
        hints=[hint.text() for hint in hints],
        hidden=hidden
        | {"version": said.get("version") or changes.version_of(lesson.week_id), "back": safe_next(said.get("back"))},
        back=safe_next(said.get("back")) or week,
        reason=said.get("reason", ""),
        swap=other,
    )
    return page, refusal.status if refusal is not None else 200


def _all_slots(lesson: Lesson) -> str:
    week = iso_week(monday_of(request.args["week"])) if request.args.get("week") else _own_week(lesson)
    version = changes.version_of(lesson.week_id)
    by_day: dict[date, list[dict[str, Any]]] = {}
    for check in check_week(lesson, week):
        by_day.setdefault(check.at.day, []).append(_slot(lesson, check, version))
    return render_template(
        "timetable/slots.html",
        lesson=lesson,
        title=gettext("Move %(lesson)s", lesson=lesson_title(lesson)),
        when=slot_words(lesson),
        days=[(say_day(day, get_locale()), rows) for day, rows in by_day.items()],
        weeks={"previous": shift_week(week, -1), "next": shift_week(week, 1)},
    )


def _slot(lesson: Lesson, check: SlotCheck, version: int) -> dict[str, Any]:
    start = local(check.at.starts_at, lesson.zone)
    address: dict[str, Any] = {"version": version, "day": check.at.day.isoformat(), "period": check.at.slot.period}
    if check.swap is not None:
        address = {"version": version, "swap": check.swap.uid}
    told = check.reasons if check.verdict is Verdict.CLASH else check.hints
    open_ = check.verdict in (Verdict.FREE, Verdict.SWAP)
    return {
        "day": check.at.day.isoformat(),
        "period": check.at.slot.period,
        "at": say_slot(start.date(), check.at.slot.period, start.time(), get_locale()),
        "verdict": check.verdict.value,
        "word": _word(check),
        "period_at": say_period_at(check.at.slot.period, start.time()),
        "reasons": [in_words(problem) for problem in told],
        "why": " ".join(problem.text() for problem in told),
        "url": url_for(".place", uid=lesson.uid, **address) if open_ else None,
    }


def say_period_at(period: int, start: time) -> str:
    """A slot within its day: ``period 3, 10:10``."""
    separator = ", " if get_locale() == "en" else " "
    return separator.join((say_period(period, get_locale()), say_time(start)))


def _word(check: SlotCheck) -> str:
    if check.swap is not None:
        return gettext("Change places with %(lesson)s", lesson=lesson_title(check.swap))
    return {
        Verdict.HERE: gettext("Here now"),
        Verdict.FREE: gettext("Fits"),
    }.get(check.verdict) or gettext("Does not fit")


def _target(said: MultiDict[str, str]) -> tuple[date, int]:
    try:
        return written_day(said.get("day", "")), int(said.get("period", ""))
    except ValueError:
        raise InputError(
            N_("The address names no day and period."), remedy=N_("Choose a slot in the week's table again.")
        ) from None


def _own_week(lesson: Lesson) -> str:
    return iso_week(local(lesson.starts_at, lesson.zone).date())
