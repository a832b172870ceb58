"""Cases, proposals and the substitution board as plain JSON, for commands and the REST interface.

People, classes and lessons are named by their uids; moments are ISO 8601 in UTC. The private reason of an absence is
in none of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.roster.models import ClassGroup, Person
from lms_bridge.timetable.cases.board import Board
from lms_bridge.timetable.cases.cases import meanwhile
from lms_bridge.timetable.cases.models import CaseProposal, ChangeCase
from lms_bridge.timetable.models import ChangeKind, ChangeSet, ChangeState, Lesson
from lms_bridge.timetable.snapshots import LessonState, from_json


def case_as_dict(case: ChangeCase) -> dict[str, Any]:
    """A case with its proposals, best first."""
    return {
        "uid": case.uid,
        "campus": case.campus.code,
        "cause": case.cause.value,
        "state": case.state.value,
        "first_day": case.first_day.isoformat(),
        "last_day": case.last_day.isoformat(),
        "teacher": case.absence.person.uid if case.absence is not None else None,
        "class": case.class_group.uid if case.class_group is not None else None,
        "reason": case.reason,
        "created_at": case.created_at.isoformat(),
        "computing": case.computing.value,
        "progress": case.progress,
        "problems": case.problems,
        "stale": meanwhile(case).stale,
        "proposals": [
            proposal_as_dict(p)
            for p in case.proposals
            if p.change_set.state in (ChangeState.PROPOSED, ChangeState.APPLIED)
        ],
    }


def proposal_as_dict(proposal: CaseProposal) -> dict[str, Any]:
    """A proposal with its figures and the difference that it makes."""
    return {
        "uid": proposal.change_set.uid,
        "position": proposal.position,
        "way": proposal.way,
        "state": proposal.change_set.state.value,
        "figures": proposal.figures,
        "changes": changes_as_list(proposal.change_set),
    }


def changes_as_list(change_set: ChangeSet) -> list[dict[str, Any]]:
    """Each lesson of a change set before and after, in order of time; lessons of which only the unit changes too."""
    states = [from_json(data) for c in change_set.changes for data in (c.before, c.after) if data]
    names = _Uids(states, [c.lesson_id for c in change_set.changes])
    found = [
        {
            "lesson": names.lessons.get(change.lesson_id or 0),
            "kind": change.kind.value,
            "told": change.kind is not ChangeKind.UNIT,
            "before": names.state(from_json(change.before)) if change.before else None,
            "after": names.state(from_json(change.after)) if change.after else None,
        }
        for change in change_set.changes
    ]
    return sorted(found, key=lambda row: str((row["before"] or row["after"])["starts_at"]))


def board_as_dict(board: Board) -> dict[str, Any]:
    """The board of a day: lessons with those who could take them, and the loads."""
    people = {o.colleague.person_id for row in board.rows for o in row.offers}
    people |= {line.colleague.person_id for line in board.loads}
    uids = dict(db.session.execute(sa.select(Person.id, Person.uid).where(Person.id.in_(people))).all())
    return {
        "campus": board.campus.code,
        "day": board.day.isoformat(),
        "missing": board.missing,
        "lessons": [
            {
                "lesson": row.lesson.uid,
                "starts_at": row.lesson.starts_at.isoformat(),
                "absent": list(row.absent),
                "stands_in": row.stands_in,
                "open": row.open,
                "offers": [
                    {
                        "teacher": uids[o.colleague.person_id],
                        "name": o.colleague.name,
                        "fit": ("subject", "class", "free")[o.fit],
                        "same_campus": o.colleague.same_campus,
                        "stood_in": o.colleague.load.stood_in,
                        "week": o.colleague.load.week,
                    }
                    for o in row.offers
                ],
            }
            for row in board.rows
        ],
        "loads": [
            {
                "teacher": uids[line.colleague.person_id],
                "name": line.colleague.name,
                "stood_in": line.colleague.load.stood_in,
                "day": line.today,
                "week": line.colleague.load.week,
            }
            for line in board.loads
        ],
    }


class _Uids:
    """The uids of what states speak of, read at once."""

    def __init__(self, states: Iterable[LessonState], lessons: Iterable[int | None]) -> None:
        states = list(states)
        people = {person_id for state in states for person_id in state.teacher_ids}
        classes = {class_id for state in states for class_id in state.class_ids}
        self.people = dict(db.session.execute(sa.select(Person.id, Person.uid).where(Person.id.in_(people))).all())
        self.classes = dict(
            db.session.execute(sa.select(ClassGroup.id, ClassGroup.uid).where(ClassGroup.id.in_(classes))).all()
        )
        numbers = [number for number in lessons if number is not None]
        self.lessons = dict(db.session.execute(sa.select(Lesson.id, Lesson.uid).where(Lesson.id.in_(numbers))).all())

    def state(self, state: LessonState) -> dict[str, Any]:
        """A state as JSON."""
        return {
            "starts_at": state.starts_at.isoformat(),
            "ends_at": state.ends_at.isoformat(),
            "period": state.period_number,
            "mode": state.mode.value,
            "status": state.status.value,
            "teachers": [self.people.get(person_id) for person_id, _ in state.teachers],
            "classes": [self.classes.get(class_id) for class_id, _ in state.classes],
        }
