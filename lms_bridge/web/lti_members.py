"""How the members of an LTI platform's courses were found, put into words for the platform's page and for commands."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.kept_problems import said
from lms_bridge.lti.models import LtiCourse
from lms_bridge.roster.models import Person

FIGURES: Final = {
    "members": N_("members"),
    "recognised": N_("recognised"),
    "bound": N_("recognised for the first time"),
    "unmatched": N_("not recognised"),
    "set_aside": N_("nobody of ours"),
    "not_let_in": N_("they sign in here only"),
    "inactive": N_("inactive there"),
    "nameless": N_("entries without a user"),
}


def shown(course: LtiCourse) -> dict[str, Any]:
    """One course: its name, when it was read, figures, what stands in one list only, and what went wrong."""
    found = course.members_found
    figures = [
        gettext("%(what)s: %(count)s", what=gettext(name), count=found[key])
        for key, name in FIGURES.items()
        if found.get(key)
    ]
    return {
        "title": course.title or course.sourcedid or course.context_id,
        "asked": course.members_asked_at is not None,
        "read_at": course.members_read_at,
        "dry_run": found.get("dry_run", False),
        "figures": gettext(", ").join(figures),
        "of_class": found.get("of_class", True),
        "missing": (found.get("missing_there", 0), _names(found.get("missing_people", []))),
        "others": (found.get("not_in_class", 0), _names(found.get("other_people", []))),
        "error": said(course.members_error),
    }


def _names(uids: list[str]) -> str:
    if not uids:
        return ""
    people = db.session.scalars(
        sa.select(Person).where(Person.uid.in_(uids), Person.erased_at.is_(None)).order_by(Person.id)
    )
    return gettext(", ").join(person.display_name for person in people)
