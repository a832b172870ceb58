"""Change sets of campuses that were solved together: in force together or not at all, and a matter of those alone who
may change the timetable of each of them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.database import db
from lms_bridge.core.errors import Forbidden
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.models import ChangeSet
from lms_bridge.timetable.wording import Listed


def joint_with(change_set: ChangeSet) -> list[ChangeSet]:
    """The change sets that are put in force together with this one, itself among them, always in the same order."""
    if change_set.joint_uid is None:
        return [change_set]
    return list(
        db.session.scalars(
            sa.select(ChangeSet)
            .where(ChangeSet.joint_uid == change_set.joint_uid)
            .order_by(ChangeSet.id)
            .options(selectinload(ChangeSet.changes))
        )
    )


def campuses_of(change_sets: Sequence[ChangeSet]) -> list[Organisation]:
    """The campuses that these change sets are of, in order of their codes."""
    ids = {one.campus_id for one in change_sets}
    return list(db.session.scalars(sa.select(Organisation).where(Organisation.id.in_(ids)).order_by(Organisation.code)))


def require_all(scope: Scope, change_set: ChangeSet) -> None:
    """Make sure that somebody may put in force, give up or undo a change set with all that go with it.

    :raises Forbidden: it changes the timetable of a campus that is not theirs.
    """
    campuses = campuses_of(joint_with(change_set))
    if not all(scope.allows(Permission.TIMETABLE_WRITE, Target(campus.path)) for campus in campuses):
        raise Forbidden(
            N_("This change goes together with those of other campuses: %(campuses)s."),
            remedy=N_("Ask somebody who may change the timetable of all of them."),
            campuses=Listed([campus.code for campus in campuses]),
        )
