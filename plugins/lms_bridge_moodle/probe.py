"""What the token may not do, in words, and how to allow it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lms_bridge.core.plugins import (
    N_,
    AccessRefused,
    Check,
    CheckState,
    PluginError,
    TemporaryFailure,
    gettext,
)
from lms_bridge_moodle.activities import Activities
from lms_bridge_moodle.calendar import Calendar
from lms_bridge_moodle.client import MoodleClient
from lms_bridge_moodle.roster import Roster

MINIMUM = 2024100700
"""Moodle 4.5, as its version number says it."""


@dataclass(frozen=True)
class Need:
    """A feature, the functions that the service must hold for it, and the capabilities that the role must have."""

    title: str
    functions: tuple[str, ...]
    capabilities: tuple[str, ...]
    optional: bool = True
    tried: bool = False
    """Whether :func:`probe` finds out what the role may do, because looking changes nothing."""


NEEDS = (
    Need(
        N_("Courses and members"),
        (
            "core_course_get_courses", "core_course_get_courses_by_field", "core_enrol_get_enrolled_users",
            "core_user_get_users_by_field", "core_group_get_course_groups",
        ),
        (
            "moodle/course:view", "moodle/course:viewhiddencourses", "moodle/course:viewparticipants",
            "moodle/course:enrolreview", "moodle/user:viewdetails", "moodle/user:viewalldetails",
            "moodle/course:managegroups",
        ),
        optional=False,
        tried=True,
    ),
    Need(
        N_("Calendar events"),
        (
            "core_calendar_create_calendar_events", "core_calendar_get_calendar_events",
            "core_calendar_delete_calendar_events", "core_calendar_submit_create_update_form",
        ),
        ("moodle/calendar:manageentries",),
        optional=False,
        tried=True,
    ),
    Need(
        N_('The activity "Online lessons"'),
        ("core_course_get_contents", "core_course_import_course"),
        (
            "moodle/backup:backuptargetimport", "moodle/restore:restoretargetimport", "mod/lti:view",
            "mod/lti:addinstance",
        ),
    ),
    Need(
        N_("Taking the activity out again, when the account is removed"),
        ("core_course_delete_modules",),
        ("moodle/course:manageactivities",),
    ),
    Need(
        N_("Cohorts"),
        ("core_cohort_get_cohorts", "core_cohort_get_cohort_members"),
        ("moodle/cohort:view",),
        tried=True,
    ),
    Need(N_("Making courses"), ("core_course_create_courses",), ("moodle/course:create",)),
    Need(
        N_("Making groups for parts of classes"),
        ("core_group_create_groups", "core_group_add_group_members"),
        ("moodle/course:managegroups",),
    ),
    Need(N_("Enrolling people"), ("enrol_manual_enrol_users",), ("enrol/manual:enrol", "moodle/role:assign")),
    Need(
        N_("Messages in Moodle"),
        ("core_message_send_instant_messages",),
        ("moodle/site:sendmessage", "moodle/site:messageanyuser"),
    ),
    Need(
        N_("Homework"),
        ("mod_assign_get_assignments", "mod_assign_get_submissions"),
        ("mod/assign:view", "mod/assign:grade"),
    ),
    Need(
        N_("Attendance register (mod_attendance)"),
        (
            "mod_attendance_add_attendance", "mod_attendance_add_session", "mod_attendance_get_session",
            "mod_attendance_get_sessions", "mod_attendance_update_user_status",
        ),
        (
            "mod/attendance:view", "mod/attendance:addinstance", "mod/attendance:manageattendances",
            "mod/attendance:takeattendances", "moodle/course:manageactivities",
        ),
    ),
)  # fmt: skip


def probe(client: MoodleClient, roster: Roster, calendar: Calendar, activities: Activities) -> list[Check]:
    """Look at everything; changes nothing in Moodle."""
    try:
        site = client.read("core_webservice_get_site_info")
        release, version = str(site["release"]), str(site["version"])
        known = {str(row["name"]) for row in site.get("functions") or ()}
    except (PluginError, KeyError, TypeError, AttributeError) as error:
        return [_failed(gettext("Moodle"), error)]
    state = CheckState.OK if _number(version) >= MINIMUM else CheckState.WARNING
    remedy = "" if state is CheckState.OK else gettext("LMS Bridge is made for Moodle 4.5 and newer.")
    checks = [Check(gettext("Moodle"), state, f"{site.get('sitename', '')} {release}".strip(), remedy)]
    checks += [_functions(need, known) for need in NEEDS]
    trials: list[tuple[str, Sequence[str], Callable[[], object]]] = [
        (gettext("Time zone of the service user"), (), lambda: _zone(calendar)),
        (gettext("Template course"), (), activities.template),
        (gettext("May see courses and their members"), NEEDS[0].capabilities, lambda: _members(roster)),
        (gettext("May edit calendars"), NEEDS[1].capabilities, lambda: _calendars(roster, calendar)),
    ]
    if "core_cohort_get_cohorts" in known:
        trials.append((gettext("May see cohorts"), ("moodle/cohort:view",), lambda: list(roster.cohorts())))
    for title, capabilities, trial in trials:
        checks.append(_tried(title, capabilities, trial))
        if checks[-1].state is CheckState.FAILED and checks[-1].detail == "":
            break
    return checks


def _functions(need: Need, known: set[str]) -> Check:
    missing = [function for function in need.functions if function not in known]
    title = gettext(need.title)
    if not missing and need.tried:
        return Check(title, CheckState.OK, gettext("the service holds the functions"))
    if not missing:
        # Moodle tells nobody which capabilities they have, and trying would change something there.
        remedy = gettext("Look whether the role of the service user has: %(list)s", list=", ".join(need.capabilities))
        return Check(title, CheckState.UNTRIED, gettext("the service holds the functions"), remedy)
    state = CheckState.WARNING if need.optional else CheckState.FAILED
    remedy = gettext(
        "Add these functions to the external service in Moodle, and allow the role of the service user: %(list)s",
        list=", ".join(need.capabilities),
    )
    return Check(title, state, gettext("the token may not call %(list)s", list=", ".join(missing)), remedy)


def _tried(title: str, capabilities: Sequence[str], trial: Callable[[], object]) -> Check:
    try:
        said = trial()
    except (PluginError, KeyError, TypeError, ValueError) as error:
        check = _failed(title, error)
        if capabilities and not isinstance(error, TemporaryFailure | AccessRefused):
            allow = gettext("Allow the role of the service user: %(list)s", list=", ".join(capabilities))
            return Check(title, check.state, check.detail, allow)
        return check
    if isinstance(said, Check):
        return said
    return Check(title, CheckState.OK, said if isinstance(said, str) else "")


def _failed(title: str, error: Exception) -> Check:
    if isinstance(error, PluginError):
        return Check(title, CheckState.FAILED, error.text(), error.remedy_text())
    detail = gettext("Moodle's answer has another form than Moodle 4.5 gives it.")
    return Check(title, CheckState.FAILED, detail)


def _number(version: str) -> float:
    try:
        return float(version)
    except ValueError:
        return 0.0


def _zone(calendar: Calendar) -> str | Check:
    zone = calendar.zone()
    if zone in ("UTC", "Etc/UTC"):
        return zone
    remedy = gettext("Set it to UTC: in an hour that a clock change repeats, times could not be told apart.")
    return Check(gettext("Time zone of the service user"), CheckState.WARNING, zone, remedy)


def _members(roster: Roster) -> str | Check:
    courses = list(roster.courses())
    if not courses:
        return gettext("no course yet")
    title = gettext("May see courses and their members")
    seen = 0
    for course in courses[:3]:
        for member in roster.members(course.remote_id):
            seen += 1
            if member.person.number:
                return gettext("%(count)s courses", count=len(courses))
    if not seen:
        return gettext("%(count)s courses, nobody in the first ones", count=len(courses))
    return Check(
        title,
        CheckState.WARNING,
        gettext("no ID numbers of people are to be seen"),
        gettext("Give people their ID numbers in Moodle, and allow the role moodle/user:viewalldetails."),
    )


def _calendars(roster: Roster, calendar: Calendar) -> str:
    first = next(iter(roster.courses()), None)
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    if first is not None:
        list(calendar.find([first.remote_id], moment, moment.replace(day=2)))
    return ""
