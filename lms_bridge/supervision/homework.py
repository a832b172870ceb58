"""Which homework a student still has to hand in."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.roster.models import Enrolment, EnrolmentRole
from lms_bridge.roster.scope import today, valid
from lms_bridge.supervision.models import Homework, HomeworkAnswer, HomeworkState

OVERDUE = timedelta(days=7)
"""So long homework stays on a student's list after it was due."""


def open_of(student_id: int, zone: str, limit: int = 8) -> list[Homework]:
    """The homework of the student's classes that is open and not handed in, the most urgent first; that without a due
    date last."""
    moment = now()
    mine = sa.select(Enrolment.class_id).where(
        Enrolment.person_id == student_id, Enrolment.role == EnrolmentRole.STUDENT, valid(Enrolment, today(zone))
    )
    done = sa.exists().where(
        HomeworkAnswer.homework_id == Homework.id,
        HomeworkAnswer.person_id == student_id,
        HomeworkAnswer.state == HomeworkState.SUBMITTED,
    )
    return list(
        db.session.scalars(
            sa.select(Homework)
            .where(
                Homework.class_id.in_(mine),
                Homework.withdrawn_at.is_(None),
                sa.or_(Homework.opens_at.is_(None), Homework.opens_at <= moment),
                sa.or_(Homework.due_at.is_(None), Homework.due_at > moment - OVERDUE),
                ~done,
            )
            .options(selectinload(Homework.subject))
            .order_by(Homework.due_at.is_(None), Homework.due_at, Homework.id)
            .limit(limit)
        )
    )
