"""What the token may not do, in words, and how to allow it."""

from __future__ import annotations

from itertools import islice

from lms_bridge.core.plugins import N_, Check, CheckState, PluginError, gettext
from lms_bridge_canvas.client import CanvasClient
from lms_bridge_canvas.roster import Roster
from lms_bridge_canvas.settings import CanvasSettings

NEEDS = (
    ("read_course_list", N_("May see the list of courses"), "Courses - view list", CheckState.FAILED),
    ("read_roster", N_("May see the people of courses"), "Users - view list", CheckState.FAILED),
    ("read_sis", N_("May see SIS ids"), "SIS Data - read", CheckState.FAILED),
    (
        "manage_calendar",
        N_("May edit calendars"),
        "Course Calendar - add / edit / delete",
        CheckState.FAILED,
    ),
    ("manage_courses_add", N_("May make courses"), "Courses - add", CheckState.WARNING),
    ("manage_students", N_("May enrol students"), "Users - add / remove students in courses", CheckState.WARNING),
)
"""Canvas's names of permissions, as its API and (the third) as its page of roles calls them."""


def probe(client: CanvasClient, roster: Roster, settings: CanvasSettings) -> list[Check]:
    """Look at everything; changes nothing in Canvas."""
    try:
        me = client.read("users/self")
        account = client.read(f"accounts/{settings.account_id}")
    except PluginError as error:
        return [Check("Canvas", CheckState.FAILED, error.text(), error.remedy_text())]
    checks = [Check("Canvas", CheckState.OK, f"{account.get('name', '')} ({me.get('name', '')})")]
    try:
        asked = {"permissions[]": [name for name, *_ in NEEDS]}
        allowed = client.read(f"accounts/{settings.account_id}/permissions", asked)
        for name, title, as_called, state in NEEDS:
            good = allowed.get(name) is True
            checks.append(
                Check(
                    gettext(title),
                    CheckState.OK if good else state,
                    "" if good else gettext("the role of the service user lacks it"),
                    "" if good else gettext('Allow its role "%(name)s" in Canvas.', name=as_called),
                )
            )
        checks.append(_courses(roster))
    except PluginError as error:
        checks.append(Check(gettext("Permissions"), CheckState.FAILED, error.text(), error.remedy_text()))
    return checks


def _courses(roster: Roster) -> Check:
    title = gettext("Courses with SIS ids")
    first = list(islice(roster.courses(), 100))
    marked = sum(course.key is not None for course in first)
    if marked:
        return Check(title, CheckState.OK, gettext("%(count)s of the first %(all)s", count=marked, all=len(first)))
    remedy = gettext("Give the courses of classes the SIS id CAMPUS/CLASS (docs/canvas.md).")
    return Check(title, CheckState.WARNING, gettext("none of the first %(all)s", all=len(first)), remedy)
