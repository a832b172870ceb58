"""The picker: in the LMS a teacher chooses what an activity opens (LTI Deep Linking 2.0)."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import g, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core.access import Permission
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import Forbidden, InputError
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.lti import keys, library, platforms
from lms_bridge.lti.claims import Launch
from lms_bridge.lti.known import Known
from lms_bridge.notices.dates import say_slot
from lms_bridge.roster.course_classes import classes_of
from lms_bridge.roster.models import Person
from lms_bridge.roster.scope import scope_for
from lms_bridge.timetable.glance import GlanceLesson, lessons_at_a_glance
from lms_bridge.timetable.models import LessonStatus
from lms_bridge.web import language, lti_frames, lti_tickets
from lms_bridge.web.lti_landing import AHEAD
from lms_bridge.web.security import csrf

blueprint = APIBlueprint("lti_picking", __name__, url_prefix="/lti", enable_openapi=False)
lti_frames.protect(blueprint)

STUDY_PLAN = "study_plan"
KEPT = ("deep_link_return_url", "data")


def page(found: Launch, platform: Known, person: Person, session_version: int) -> BaseResponse:
    """The choices for a teacher.

    :raises Forbidden: the roster knows the person as no teacher: what the LMS calls them does not count.
    """
    if not scope_for(person).may(Permission.LESSON_LEAD):
        raise Forbidden(
            N_("Only teachers choose what an activity opens."), remedy=N_("Ask your school to enter you as a teacher.")
        )
    where = str(found.deep_linking.get("deep_link_return_url", ""))
    if not platforms.origin(where):
        raise InputError(N_("The LMS does not say where the choice is to go."))
    settings = {name: found.deep_linking[name] for name in KEPT if found.deep_linking.get(name) is not None}
    ticket = lti_tickets.issue(
        person, session_version, platform, d=found.deployment_id, s=settings, c=found.course_sourcedid
    )
    return make_response(render_template(
        "lti/picker.html", ticket=ticket, course=found.context_title,
        lessons=[{"uid": row.uid, "label": _label(row)} for row in _lessons(person, found.course_sourcedid)],
    ))  # fmt: skip


def _lessons(person: Person, course: str) -> list[GlanceLesson]:
    """The coming lessons of the course, or all of the teacher's where the roster does not know the course."""
    moment = now()
    rows = lessons_at_a_glance(person.id, moment, moment + 4 * AHEAD, class_ids=classes_of(course))
    return [row for row in rows if row.status is LessonStatus.SCHEDULED and row.teaches][:60]


def _label(row: GlanceLesson) -> str:
    starts = local(row.starts_at, row.zone)
    when = say_slot(starts.date(), row.period, starts.time(), get_locale())
    return f"{row.subject_in(get_locale())} {', '.join(row.names)} · {when}"


@blueprint.post("/pick")
def pick() -> BaseResponse:
    """Sign what was chosen; the answer is a form that takes it back to the LMS."""
    person, platform, about = lti_tickets.holder(request.form.get("ticket", ""))
    g.lti_platform = platform
    language.speak_to(person)
    settings: dict[str, Any] = about.get("s", {})
    item = _item(person, request.form.get("what", ""), str(about.get("c", "")))
    with transaction():
        key = keys.signing_key()
    answer = library.deep_link_answer(platform, key, str(about["d"]), settings, [item])
    g.form_targets = [platforms.origin(settings["deep_link_return_url"])]
    return make_response(
        render_template("lti/picked.html", where=settings["deep_link_return_url"], jwt=answer, title=item.get_title())
    )


def _item(person: Person, what: str, course: str) -> library.DeepLinkResource:
    item = library.DeepLinkResource().set_url(f"{current_settings().base_url.rstrip('/')}/lti/launch")
    kind, _, uid = what.partition(":")
    match kind:
        case "course":
            return item.set_title(gettext("Online lessons")).set_custom_params({"bridge_view": "course"})
        case "plan":
            return item.set_title(gettext("My day and week")).set_custom_params({"bridge_view": STUDY_PLAN})
        case "lesson":
            row = next((row for row in _lessons(person, course) if row.uid == uid), None)
            if row is not None:
                return item.set_title(_label(row)).set_custom_params({"bridge_view": "lesson", "bridge_lesson": uid})
    raise InputError(N_("Choose what the activity is to open."))


csrf.exempt(f"{__name__}.pick")
