"""``timetable absence | online | back | rooms | day-lost | cases | case | apply | undo | board``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.cli.timetable import timetable_group
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_, gettext

if TYPE_CHECKING:
    from lms_bridge.roster.models import ClassGroup, Organisation, Person
    from lms_bridge.timetable.cases.models import ChangeCase
    from lms_bridge.timetable.models import ChangeSet


class _Day(click.DateTime):
    """A day of a school calendar, as in 2026-11-23."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The day at midnight; days that are centuries away are refused."""
        from lms_bridge.calendar.days import check_day

        found = super().convert(value, param, ctx)
        check_day(found.date())
        return found


DAY = _Day(["%Y-%m-%d"])
campus_option = click.option("--campus", required=True, metavar="CODE", help="Campus that it concerns.")
first_option = click.option("--from", "first", required=True, type=DAY, metavar="DAY", help="First day, 2026-11-25.")
reason_option = click.option("--reason", default="", metavar="TEXT", help="Read by those who are told of the change.")


@timetable_group.command("absence")
@click.option("--teacher", required=True, metavar="NUMBER", help="The teacher's number in the roster, or their uid.")
@first_option
@click.option("--to", "last", type=DAY, metavar="DAY", help="Last day; by default the first.")
@click.option("--period", "periods", multiple=True, type=int, help="Only this period; may be repeated.")
@click.option("--reason", default="", metavar="TEXT", help="Private: read only by the teacher and those who decide.")
@json_option
def absence(
    teacher: str, first: datetime, last: datetime | None, periods: tuple[int, ...], reason: str, as_json: bool
) -> None:
    """A teacher is absent: note it, and work out proposals for the lessons that it hits."""
    import sqlalchemy as sa

    from lms_bridge.core.database import db, transaction
    from lms_bridge.timetable.cases.absences import report_absence
    from lms_bridge.timetable.cases.models import ChangeCase

    with application():
        with transaction():
            row = report_absence(
                _teacher(teacher), first.date(), _last(first, last), periods=periods, reason=reason, actor=None
            )
        found = db.session.scalars(sa.select(ChangeCase).where(ChangeCase.absence_id == row.id)).all()
        _work_out(found, as_json)


@timetable_group.command("online")
@campus_option
@first_option
@click.option("--to", "last", type=DAY, metavar="DAY", help="Last day; by default until further notice.")
@click.option("--class", "group", metavar="CODE", help="Only this class.")
@reason_option
@json_option
def online(campus: str, first: datetime, last: datetime | None, group: str | None, reason: str, as_json: bool) -> None:
    """A campus, or one class of it, is taught online."""
    from lms_bridge.timetable.cases.opening import go_online

    until = last.date() if last is not None else None
    _open(
        campus,
        as_json,
        lambda row: go_online(row, first.date(), until, group=_group(row, group), reason=reason, actor=None),
    )


@timetable_group.command("back")
@campus_option
@first_option
@click.option("--class", "group", metavar="CODE", help="Only this class.")
@reason_option
@json_option
def back(campus: str, first: datetime, group: str | None, reason: str, as_json: bool) -> None:
    """A campus, or one class of it, is at school again from a day on."""
    from lms_bridge.timetable.cases.opening import come_back

    _open(
        campus,
        as_json,
        lambda row: come_back(row, first.date(), group=_group(row, group), reason=reason, actor=None),
    )


@timetable_group.command("rooms")
@campus_option
@first_option
@click.option("--to", "last", type=DAY, metavar="DAY", help="Last day; by default the first.")
@click.option("--rooms", required=True, type=int, help="Online lessons that can run at once; 0: provider lost.")
@reason_option
@json_option
def rooms(campus: str, first: datetime, last: datetime | None, rooms: int, reason: str, as_json: bool) -> None:
    """A provider is lost, or licences are fewer."""
    from lms_bridge.timetable.cases.opening import lose_rooms

    _open(
        campus,
        as_json,
        lambda row: lose_rooms(row, first.date(), _last(first, last), rooms, reason=reason, actor=None),
    )


@timetable_group.command("day-lost")
@campus_option
@click.option("--day", required=True, type=DAY, metavar="DAY", help="The day without school, 2026-11-25.")
@reason_option
@json_option
def day_lost(campus: str, day: datetime, reason: str, as_json: bool) -> None:
    """No school is held on a day."""
    from lms_bridge.timetable.cases.opening import lose_day

    _open(campus, as_json, lambda row: lose_day(row, day.date(), reason=reason, actor=None))


@timetable_group.command("cases")
@click.option("--campus", metavar="CODE", help="Only those of this campus.")
@click.option("--all", "every", is_flag=True, help="Also those that were dealt with.")
@json_option
def list_cases(campus: str | None, every: bool, as_json: bool) -> None:
    """What waits to be decided."""
    from lms_bridge.timetable.cases.answers import case_as_dict
    from lms_bridge.timetable.cases.cases import open_cases
    from lms_bridge.timetable.making.scheduling import campus_by_code

    with application():
        rows = open_cases(campus_by_code(campus) if campus else None, dealt_with=every)
        if as_json:
            print_json({"cases": [case_as_dict(case) for case in rows]})
            return
        for case in rows:
            click.echo(_headline(case))
        if not rows:
            click.echo(gettext("Nothing is to be decided."))


@timetable_group.command("case")
@click.argument("uid")
@click.option("--again", is_flag=True, help="Work the proposals out again from the timetable as it is now.")
@click.option("--rooms", type=int, metavar="N", help="Correct how many online lessons can run at once.")
@click.option("--to", "last", type=DAY, metavar="DAY", help="Correct the last day on which rooms are missing.")
@click.option("--withdraw", is_flag=True, help="What happened holds no more; no lesson changes.")
@json_option
def show_case(uid: str, again: bool, rooms: int | None, last: datetime | None, withdraw: bool, as_json: bool) -> None:
    """One case with its proposals, best first; worked out again, corrected or taken back first, if asked for."""
    from lms_bridge.core.database import transaction
    from lms_bridge.timetable.cases.absences import withdraw_absence
    from lms_bridge.timetable.cases.cases import compute_again, end_case
    from lms_bridge.timetable.cases.models import CaseState
    from lms_bridge.timetable.cases.opening import correct_rooms

    with application():
        case = _case(uid)
        with transaction():
            if withdraw and case.absence is not None:
                withdraw_absence(case.absence, actor=None)
            elif withdraw:
                end_case(case, CaseState.WITHDRAWN, None)
            elif rooms is not None or last is not None:
                count = rooms if rooms is not None else int(case.details.get("rooms", 0))
                correct_rooms(case, count, last.date() if last is not None else case.last_day, actor=None)
            elif again:
                compute_again(case, actor=None)
        _work_out([case], as_json)


@timetable_group.command("apply")
@click.argument("uid")
def apply(uid: str) -> None:
    """Put a proposal in force; everybody concerned is told, the other proposals of its case are given up."""
    from lms_bridge.core.database import transaction
    from lms_bridge.timetable.changing import changes

    with application():
        with transaction():
            changes.apply(_change_set(uid), None)
        click.echo(gettext("The change is in force. Everybody concerned is being told."))


@timetable_group.command("undo")
@click.argument("uid")
def undo(uid: str) -> None:
    """Put the lessons of a change back, on the day on which it was put in force."""
    from lms_bridge.core.database import transaction
    from lms_bridge.timetable.changing import changes

    with application():
        with transaction():
            changes.undo(_change_set(uid), None)
        click.echo(gettext("The change was undone. The lessons are as they were before."))


@timetable_group.command("board")
@campus_option
@click.option("--day", type=DAY, metavar="DAY", help="By default today.")
@json_option
def board(campus: str, day: datetime | None, as_json: bool) -> None:
    """The substitution board of a day: lessons without a teacher, and who is free."""
    from lms_bridge.roster.scope import today
    from lms_bridge.timetable.cases.answers import board_as_dict
    from lms_bridge.timetable.cases.board import board_of
    from lms_bridge.web.case_words import lesson_words

    with application():
        from lms_bridge.timetable.making.scheduling import campus_by_code

        row = campus_by_code(campus)
        found = board_of(row, day.date() if day is not None else today(row.zone))
        if as_json:
            print_json(board_as_dict(found))
            return
        for line in found.rows:
            names = line.stands_in or ", ".join(offer.colleague.name for offer in line.offers[:5]) or "–"
            click.echo(f"{lesson_words(line.lesson)}  {', '.join(line.absent)} → {names}")
        if not found.rows:
            click.echo(gettext("Every lesson has a teacher"))


def _open(campus: str, as_json: bool, opener: Callable[[Organisation], ChangeCase]) -> None:
    from lms_bridge.core.database import transaction
    from lms_bridge.timetable.making.scheduling import campus_by_code

    with application():
        with transaction():
            case = opener(campus_by_code(campus))
        _work_out([case], as_json)


def _work_out(found: Sequence[ChangeCase], as_json: bool) -> None:
    """Work the proposals out now and print them."""
    from lms_bridge.timetable.cases.answers import case_as_dict
    from lms_bridge.timetable.cases.runs import work_out_case
    from lms_bridge.web.case_words import proposal_words

    for case in found:
        work_out_case(case.id)
    cases = [_case(case.uid) for case in found]
    if as_json:
        print_json({"cases": [case_as_dict(case) for case in cases]})
        return
    for case in cases:
        click.echo(_headline(case))
        for proposal in case.proposals:
            words = proposal_words(proposal)
            if words["open"]:
                figures = gettext(
                    "%(people)s people, %(delayed)s periods later",
                    people=proposal.figures["people"],
                    delayed=proposal.figures["delayed"],
                )
                parts = [words["way"], figures, *words["what"], words["proved"]]
                click.echo(f"  {proposal.position}. {words['uid']}  {' · '.join(part for part in parts if part)}")
    if not cases:
        click.echo(gettext("No lesson is hit"))


def _headline(case: ChangeCase) -> str:
    from lms_bridge.web.case_words import CASE_STATES, case_title, case_when

    return (
        f"{case.uid}  {case.campus.code}  {case_title(case)} · {case_when(case)} · {gettext(CASE_STATES[case.state])}"
    )


def _last(first: datetime, last: datetime | None) -> date:
    return (last or first).date()


def _teacher(number: str) -> Person:
    import sqlalchemy as sa

    from lms_bridge.core.database import db
    from lms_bridge.roster.models import Person

    rows = db.session.scalars(
        sa.select(Person).where(sa.or_(Person.number == number, Person.uid == number)).limit(2)
    ).all()
    if len(rows) != 1:
        raise InputError(
            N_("There is no teacher with the number “%(number)s”."),
            remedy=N_("Give the number of the roster, or the uid where two share one."),
            number=number,
        )
    return rows[0]


def _group(campus: Organisation, code: str | None) -> ClassGroup | None:
    from lms_bridge.plans.lookup import class_by_code

    return class_by_code(f"{campus.code}/{code}") if code else None


def _case(uid: str) -> ChangeCase:
    from lms_bridge.timetable.cases.cases import case_by_uid

    case = case_by_uid(uid)
    if case is None:
        raise InputError(
            N_("There is no case “%(uid)s”."), remedy=N_("“timetable cases” lists those that are open."), uid=uid
        )
    return case


def _change_set(uid: str) -> ChangeSet:
    from lms_bridge.timetable.changing.changes import change_set_by_uid

    change_set = change_set_by_uid(uid)
    if change_set is None:
        raise InputError(
            N_("There is no change “%(uid)s”."), remedy=N_("“timetable case” lists the proposals of a case."), uid=uid
        )
    return change_set
