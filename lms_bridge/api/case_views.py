"""Absences, cases and the board as their routes answer them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from lms_bridge.api import case_schemas as schemas
from lms_bridge.api import timetable_views as views
from lms_bridge.core.database import db
from lms_bridge.core.i18n import gettext
from lms_bridge.roster.models import Person
from lms_bridge.timetable.cases import cases
from lms_bridge.timetable.cases.board import Board, Offer
from lms_bridge.timetable.cases.models import CaseProposal, CaseState, ChangeCase, TeacherAbsence
from lms_bridge.timetable.cases.runs import affected
from lms_bridge.timetable.cases.ways import WAY_NAMES
from lms_bridge.timetable.models import Lesson, RunState


def absence(row: TeacherAbsence) -> schemas.AbsenceOut:
    """An absence without its reason, which is private."""
    person = row.person or db.session.get_one(Person, row.person_id)
    uids = db.session.scalars(
        sa.select(ChangeCase.uid).where(ChangeCase.absence_id == row.id).order_by(ChangeCase.id)
    ).all()
    return schemas.AbsenceOut(
        uid=row.uid,
        teacher=person.uid,
        name=person.display_name,
        first_day=row.first_day,
        last_day=row.last_day,
        periods=row.periods,
        created_at=row.created_at,
        withdrawn_at=row.withdrawn_at,
        cases=list(uids),
    )


def move_request(case: ChangeCase) -> schemas.MoveRequestOut:
    """A lesson that its teacher asked to move."""
    return schemas.MoveRequestOut(
        uid=case.uid,
        lesson=db.session.scalars(sa.select(Lesson.uid).where(Lesson.id == case.lesson_id)).one(),
        date=case.details.get("day"),
        period=case.details.get("period"),
        reason=case.reason,
        created_at=case.created_at,
        state=case.state.value,
    )


def case_line(case: ChangeCase) -> schemas.CaseLine:
    """A case without its proposals."""
    return schemas.CaseLine(**_line(case))


def case(case: ChangeCase) -> schemas.CaseOut:
    """A case with its proposals."""
    waiting = case.computing in (RunState.WAITING, RunState.RUNNING)
    is_open = case.state is CaseState.OPEN
    return schemas.CaseOut(
        **_line(case),
        stale=is_open and cases.meanwhile(case).stale,
        hit=_uids(affected(case)) if is_open and not waiting else [],
        problems=case.problems,
        options=[_proposal(row) for row in case.proposals],
    )


def board(found: Board) -> schemas.BoardOut:
    """The board of a day."""
    lessons = views.lessons([row.lesson for row in found.rows])
    people = _people({offer.colleague.person_id for row in found.rows for offer in row.offers})
    return schemas.BoardOut(
        campus=found.campus.code,
        day=found.day,
        missing=found.missing,
        rows=[
            schemas.BoardRowOut(
                lesson=lesson,
                absent=list(row.absent),
                stands_in=row.stands_in,
                open=row.open,
                offers=[_offer(offer, people[offer.colleague.person_id]) for offer in row.offers],
                change_set=row.change_set.uid if row.change_set is not None else None,
            )
            for row, lesson in zip(found.rows, lessons, strict=True)
        ],
    )


def _line(case: ChangeCase) -> dict[str, Any]:
    return {
        "uid": case.uid,
        "campus": case.campus.code,
        "cause": case.cause.value,
        "state": case.state.value,
        "first_day": case.first_day,
        "last_day": case.last_day,
        "reason": case.reason,
        "created_at": case.created_at,
        "closed_at": case.closed_at,
        "computing": case.computing.value,
        "absence": case.absence.uid if case.absence is not None else None,
        "proposals": len(case.proposals),
    }


def _proposal(row: CaseProposal) -> schemas.ProposalOut:
    return schemas.ProposalOut(
        uid=row.change_set.uid,
        position=row.position,
        way=row.way,
        name=gettext(WAY_NAMES.get(row.way, row.way)),
        state=row.change_set.state.value,
        figures=row.figures,
        change_set=views.change_set(row.change_set),
    )


def _offer(offer: Offer, uid: str) -> schemas.OfferOut:
    colleague = offer.colleague
    return schemas.OfferOut(
        teacher=uid,
        name=colleague.name,
        campus=colleague.campus,
        same_campus=colleague.same_campus,
        fit=offer.fit,
        stood_in=colleague.load.stood_in,
        week=colleague.load.week,
    )


def _people(person_ids: Collection[int]) -> dict[int, str]:
    return dict(db.session.execute(sa.select(Person.id, Person.uid).where(Person.id.in_(person_ids))).all())


def _uids(numbers: list[int]) -> list[str]:
    known = dict(db.session.execute(sa.select(Lesson.id, Lesson.uid).where(Lesson.id.in_(numbers))).all())
    return [known[number] for number in numbers if number in known]
