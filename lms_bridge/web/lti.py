"""From an LMS to a lesson: login, launch, the page in the frame, and the way out of the frame.

What is genuine is decided by :mod:`lms_bridge.lti`, who somebody is by :mod:`lms_bridge.roster.lms_identity`.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from apiflask import APIBlueprint
from flask import Response, g, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core import audit
from lms_bridge.core.application import current_settings
from lms_bridge.core.database import transaction
from lms_bridge.core.i18n import N_
from lms_bridge.lti import courses, keys, known, launch, login, platforms
from lms_bridge.lti.claims import DEEP_LINK, Launch
from lms_bridge.lti.errors import LtiRefused
from lms_bridge.lti.known import Known
from lms_bridge.lti.login import Login
from lms_bridge.roster import lms_identity, strangers
from lms_bridge.roster.accounts import session_version_of
from lms_bridge.roster.somebody import Somebody
from lms_bridge.web import language, lti_frames, lti_landing, lti_picking, lti_tickets, session
from lms_bridge.web.security import csrf, safe_next
from lms_bridge.web.session import current_person, signed_in_required

log = logging.getLogger(__name__)

blueprint = APIBlueprint("lti", __name__, url_prefix="/lti", enable_openapi=False)
lti_frames.protect(blueprint)

COOKIE = "lti_browser"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@blueprint.route("/login", methods=["GET", "POST"])
def begin() -> BaseResponse:
    """The LMS announces somebody. A window of its own goes on at once; inside a frame a small page first sees whether
    the browser keeps anything for us there."""
    try:
        begun = login.begin(
            request.values.to_dict(), base_url=current_settings().base_url, secret=request.cookies.get(COOKIE)
        )
    except LtiRefused as error:
        _log(error)
        raise
    g.lti_platform = begun.platform
    # Browsers say where they show a page, to addresses that they trust; of the others the page's script finds out.
    window = request.headers.get("Sec-Fetch-Dest") == "document"
    answer = redirect(begun.url) if window else make_response(_frame_page(begun))
    _keep_secret(answer, begun.secret)
    return answer


def _frame_page(begun: Login) -> str:
    origin = platforms.origin(begun.platform.login_url)
    g.form_targets = [origin]
    return render_template(
        "lti/login.html", begun=begun, origin=origin, fields=request.values.items(), key=_storage_key(begun.state)
    )


def _keep_secret(answer: BaseResponse, secret: str) -> None:
    """In a cookie that also holds inside the frame of another site, kept apart for each LMS (CHIPS). Without https
    browsers keep none there; then it is for windows only, where Chrome lets it come back by POST for two minutes."""
    base = urlsplit(current_settings().base_url)
    secure = base.scheme == "https" or base.hostname in LOOPBACK
    answer.set_cookie(
        COOKIE, secret, max_age=login.STATE_LIVES, path="/lti", httponly=True, secure=secure, partitioned=secure,
        samesite="None" if secure else None,
    )  # fmt: skip


@blueprint.post("/launch")
def arrive() -> BaseResponse | tuple[str, int]:
    """The LMS says who comes. Everything is checked, then the launch is used up, and its person is known."""
    try:
        state = login.read_state(request.form.get("state", ""))
        platform = g.lti_platform = known.platform(state.platform_id)
        secret = request.cookies.get(COOKIE)
        if not state.fits(secret) and lti_tickets.from_own_page():
            secret = request.form.get("browser")  # fetched from the LMS's storage by our own page
        if not state.fits(secret):
            return _ask_storage(state)
        checked = launch.check(request.form.to_dict(), state, platform, base_url=current_settings().base_url)
        return _let_in(checked)
    except launch.UnknownDeployment as error:
        with transaction():
            platforms.note_waiting(error.platform, error.deployment_id)
        _log(error)
        raise
    except lms_identity.AnotherPerson as error:
        with transaction():
            strangers.note_another(error)
        _log(error)
        raise
    except LtiRefused as error:
        _log(error)
        raise


def _ask_storage(state: login.State) -> BaseResponse:
    """The browser shows no cookie: our page asks the LMS's storage, once, if there is one."""
    platform = g.lti_platform
    if not state.storage or platform is None or "browser" in request.form:
        raise LtiRefused(
            "other_browser",
            N_("This login was begun in another browser, or this one keeps no cookies."),
            remedy=N_("Open the activity from the course page again, in a new window."),
        )
    sent = request.form
    return make_response(
        render_template(
            "lti/storage.html", storage=state.storage, origin=platforms.origin(platform.login_url),
            key=_storage_key(sent["state"]),
            fields={name: sent[name] for name in ("state", "id_token") if name in sent},
        )
    )  # fmt: skip


def _let_in(checked: launch.Checked) -> BaseResponse | tuple[str, int]:
    found, platform, shown = checked.launch, checked.platform, None
    with transaction():
        launch.consume(checked)
        courses.remember(platform, found)
        who = lms_identity.person_of(found, platform)
        if who is not None:
            lms_identity.remember(platform, found, who)
            version = session_version_of(who.person)
            audit.record(
                "sign_in", "person", who.person.uid, actor_uid=who.person.uid, by="lti", platform=platform.uid,
                found_by=who.by.value,
            )  # fmt: skip
            if found.message_type != DEEP_LINK:
                # In the same transaction, since everybody comes in the same minute and each one costs a further one.
                shown = _looked_up(found, who.person)
        else:
            strangers.note_stranger(platform, found)
    if who is None:
        log.warning("lti: platform %s sent somebody whom the roster does not know", platform.uid)
        page = render_template("lti/stranger.html", platform=platform, launch=found)
        return page, 403
    framed = _framed(found)
    if not framed:
        session.sign_in(who.person, version)
    language.speak_to(who.person)
    if shown is None:
        return lti_picking.page(found, platform, who.person.loaded(), version)
    return _where_to(found, platform, shown, version, framed=framed)


def _looked_up(found: Launch, person: Somebody) -> lti_landing.Shown:
    """What the launch's page shows: one lesson first, a course's lessons, or the person's day and week, also with the
    homework due."""
    view = found.custom.get("bridge_view")
    return lti_landing.look_up(
        person,
        course=found.course_sourcedid if view == "course" else "",
        lesson_uid=found.custom.get("bridge_lesson", ""),
        plan=view == lti_picking.STUDY_PLAN,
    )


def _framed(found: Launch) -> bool:
    where = request.headers.get("Sec-Fetch-Dest")
    return where in ("iframe", "frame") if where else found.framed


def _where_to(
    found: Launch, platform: Known, shown: lti_landing.Shown, session_version: int, *, framed: bool
) -> BaseResponse:
    """The page in the frame, the lesson that the activity is about, or the page in a window of its own."""
    if framed:
        ticket = lti_tickets.issue(
            shown.person, session_version, platform, c=shown.course, u=shown.lesson_uid, s=shown.plan
        )
        return make_response(lti_landing.page(shown, ticket=ticket))
    if shown.lesson_uid:
        return redirect(url_for("door.door", uid=shown.lesson_uid), code=303)
    # At once, without a further request, since everybody comes in the same minute; its script gives it its own address.
    g.own_window = True
    return make_response(lti_landing.page(shown))


@blueprint.get("/landing")
@signed_in_required
def landing() -> str:
    """The person's day, in a window of its own."""
    g.own_window = True
    shown = lti_landing.look_up(
        current_person(), course=request.args.get("course", ""), plan=bool(request.args.get("plan"))
    )
    return lti_landing.page(shown)


@blueprint.post("/landing")
def landing_again() -> str:
    """The page in the frame, loaded again."""
    ticket = request.form.get("ticket", "")
    person, platform, about = lti_tickets.holder(ticket)
    g.lti_platform = platform
    language.speak_to(person)
    shown = lti_landing.look_up(
        person, course=str(about.get("c", "")), lesson_uid=str(about.get("u", "")), plan=bool(about.get("s"))
    )
    return lti_landing.page(shown, ticket=ticket)


@blueprint.post("/go")
def go() -> BaseResponse:
    """Out of the frame, into a window of our own, where the person is signed in."""
    person, _, _ = lti_tickets.holder(request.form.get("ticket", ""))
    with transaction():
        session.sign_in(person)
    return redirect(safe_next(request.form.get("to")) or url_for("home.home"), code=303)


@blueprint.get("/jwks")
def key_set() -> Response:
    """Our public keys; the first one is made when a platform first asks."""
    found = keys.published()
    if not found["keys"]:
        with transaction():
            keys.signing_key()
            found = keys.published()
    answer = jsonify(found)
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


def _storage_key(state: str) -> str:
    """Under which name the LMS keeps the browser's secret for this login."""
    return f"lms_bridge_{login.fingerprint(state)}"


def _log(error: LtiRefused | lms_identity.AnotherPerson) -> None:
    """What was refused and why; neither token, state, nor anything that the LMS says of a person."""
    platform = g.get("lti_platform")
    log.warning("lti refused: %s, platform %s", error.reason, platform.uid if platform is not None else "-")


# The LMS posts here from its own pages; state, nonce and signature are what proves a launch. The forms of framed pages
# have no session, and are proved by their ticket and their origin.
for name in ("begin", "arrive", "landing_again", "go"):
    csrf.exempt(f"{__name__}.{name}")
