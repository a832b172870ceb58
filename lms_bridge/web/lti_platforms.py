"""The administrator's page of LMS platforms: registered, added, changed, switched off; our keys."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission, Target
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, Conflict, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.lti import courses as lti_courses
from lms_bridge.lti import key_sets, keys, platforms, registration
from lms_bridge.lti.models import LtiPlatform
from lms_bridge.lti.platforms import Registered
from lms_bridge.roster.models import Organisation
from lms_bridge.sync import members
from lms_bridge.web import administered, lms_people, lti_members
from lms_bridge.web.lti_registration import carry_out
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required

blueprint = APIBlueprint("lti_platforms", __name__, url_prefix="/lms", enable_openapi=False)

FIELDS = (
    ("name", N_("Name of the LMS"), N_("As your people call it.")),
    ("issuer", N_("Platform ID (issuer)"), N_("Moodle: the site's address.")),
    ("client_id", N_("Client ID"), ""),
    ("login_url", N_("Authentication request address"), N_("Moodle: …/mod/lti/auth.php")),
    ("token_url", N_("Access token address"), N_("Moodle: …/mod/lti/token.php")),
    ("key_set_url", N_("Public key set address"), N_("Moodle: …/mod/lti/certs.php")),
)
MORE_FIELDS = (
    ("deployments", N_("Deployment IDs"), N_("Several with spaces between them.")),
    ("product", N_("Product"), N_("moodle, canvas, sakai, openedx …")),
    (
        "token_audience",
        N_("Audience of token requests"),
        N_("Only where the LMS names another than its token address."),
    ),
    (
        "web_origins",
        N_("Further addresses of the LMS"),
        N_("Only where people use it at another address than it signs in with."),
    ),
)


@blueprint.get("")
@signed_in_required
def overview() -> str:
    """Every platform of the administrator's organisations, with what waits there."""
    return _page()


def _page(problem: BridgeError | None = None, **more: Any) -> str:
    require(Permission.SYSTEM)
    places = {row.id: row for row in administered.organisations()}
    rows = platforms.of_organisations(places)
    return render_template(
        "lti/platforms.html",
        rows=rows,
        places=places,
        organisations=[(row.uid, row.label(get_locale())) for row in places.values()],
        unmatched=lms_people.counts()[0],
        keys=[(key, _key_words(key)) for key in keys.known_keys()],
        rotates=_whole(),
        problem=problem,
        **{"invitation": "", "form_values": {}} | more,
    )


def _key_words(key: Any) -> tuple[str, str]:
    if key.published_until is not None and key.published_until <= now():
        return "plain", gettext("withdrawn")
    if key.signs_from > now():
        return "info", gettext("will sign soon")
    newest = next((row.id for row in keys.known_keys() if row.signs_from <= now()), None)
    return ("good", gettext("signs")) if key.id == newest else ("plain", gettext("still published"))


def _whole() -> bool:
    """Whether the person administers the whole school system: our keys are everybody's."""
    root = db.session.scalar(sa.select(Organisation.path).where(Organisation.parent_id.is_(None)).limit(1))
    return root is not None and current_scope().allows(Permission.SYSTEM, Target(path=root))


def _mine(uid: str) -> LtiPlatform:
    row = platforms.named(uid)
    path = db.session.get_one(Organisation, row.organisation_id).path
    require(Permission.SYSTEM, Target(path=path))
    return row


@blueprint.post("/invitation")
@signed_in_required
def invite() -> str:
    """Make the address that the administrator of the LMS enters there; it holds for one hour and one registration."""
    require(Permission.SYSTEM)
    organisation = administered.organisation(request.form.get("organisation", ""))
    token = registration.invitation(organisation.uid, current_person().uid)
    return _page(invitation=f"{current_settings().base_url.rstrip('/')}/lti/register/{token}")


@blueprint.post("/registration")
@signed_in_required
def register() -> Response | tuple[str, int]:
    """Register with an LMS that gave its administrator a configuration address and a token."""
    require(Permission.SYSTEM)
    organisation = administered.organisation(request.form.get("organisation", ""))
    try:
        found = registration.register(
            request.form.get("configuration", "").strip(), request.form.get("token", "").strip(),
            base_url=current_settings().base_url,
        )  # fmt: skip
        with transaction():
            platform = carry_out(registration.invitation(organisation.uid, current_person().uid), found)
    except BridgeError as error:
        return _page(error, form_values=request.form), error.status
    key_sets.refresh(platform)
    flash(gettext("%(name)s is registered. Switch the tool on in the LMS now.", name=platform.name), "good")
    return redirect(url_for("lti_platforms.overview"))


@blueprint.get("/new")
@signed_in_required
def new() -> str:
    """The form for a platform that cannot register by itself."""
    require(Permission.SYSTEM)
    return _form()


@blueprint.post("/new")
@signed_in_required
def add() -> Response | tuple[str, int]:
    """Add a platform by hand."""
    require(Permission.SYSTEM)
    organisation = administered.organisation(request.form.get("organisation", ""))
    try:
        with transaction():
            row = platforms.add(_typed(), organisation.id, actor_uid=current_person().uid)
    except BridgeError as error:
        return _form(error=error), error.status
    if not key_sets.refresh(row):
        flash(gettext("Its keys could not be fetched yet. See whether the key set address is right."), "warn")
    flash(gettext("%(name)s is registered.", name=row.name), "good")
    return redirect(url_for("lti_platforms.overview"))


@blueprint.get("/<uid>")
@signed_in_required
def edit(uid: str) -> str:
    """What is registered of one platform."""
    return _form(_mine(uid))


@blueprint.post("/<uid>")
@signed_in_required
def save(uid: str) -> Response | tuple[str, int]:
    """Write it anew."""
    row = _mine(uid)
    try:
        with transaction():
            platforms.change(row, _typed(), actor_uid=current_person().uid)
    except BridgeError as error:
        return _form(row, error=error), error.status
    flash(gettext("Saved."), "good")
    return redirect(url_for("lti_platforms.overview"))


def _typed() -> Registered:
    form = request.form
    values = {name: form.get(name, "").strip() for name, *_ in FIELDS}
    return Registered(
        **values, product=form.get("product", "").strip().lower()[:60],
        token_audience=form.get("token_audience", "").strip()[:500], email_counts=bool(form.get("email_counts")),
        sends_scores=bool(form.get("sends_scores")), reads_members=bool(form.get("reads_members")),
        web_origins=tuple(form.get("web_origins", "").split()), deployments=tuple(form.get("deployments", "").split()),
    )  # fmt: skip


def _form(row: LtiPlatform | None = None, error: BridgeError | None = None) -> str:
    values: dict[str, Any] = {"reads_members": True}
    if error is not None:
        values = request.form.to_dict()
    elif row is not None:
        values = {name: getattr(row, name) for name, *_ in (*FIELDS, *MORE_FIELDS) if name != "deployments"}
        values |= {"web_origins": " ".join(row.web_origins), "email_counts": row.email_counts}
        values |= {"sends_scores": row.sends_scores, "reads_members": row.reads_members}
        values["deployments"] = " ".join(d.deployment_id for d in row.deployments if d.allowed_at is not None)
    problems = error.problems if isinstance(error, BadInputs) else []
    courses = lti_courses.of_platform(row) if row is not None else []
    base = current_settings().base_url.rstrip("/")
    return render_template(
        "lti/platform.html",
        row=row,
        gradebooks=[one for one in courses if one.line_items_url] if row is not None and row.sends_scores else [],
        lists=[lti_members.shown(one) for one in courses if one.members_url],
        asked=any(one.members_asked_at is not None for one in courses),
        zone=current_person().zone or (db.session.get_one(Organisation, row.organisation_id).zone if row else ""),
        values=values,
        fields=[(name, gettext(label), gettext(hint)) for name, label, hint in FIELDS],
        more_fields=[(name, gettext(label), gettext(hint)) for name, label, hint in MORE_FIELDS],
        errors={str(p.place.column): f"{p.text()} {p.remedy_text()}".strip() for p in problems if p.place is not None},
        problem=error if error is not None and not problems else None,
        organisations=[(o.uid, o.label(get_locale())) for o in administered.organisations()],
        ours=[
            (gettext("Tool address"), f"{base}/lti/launch"),
            (gettext("Login address"), f"{base}/lti/login"),
            (gettext("Redirect address"), f"{base}/lti/launch"),
            (gettext("Public key set address"), f"{base}/lti/jwks"),
        ],
    )


@blueprint.post("/<uid>/members")
@signed_in_required
def read_members(uid: str) -> Response:
    """Have the members of all courses of a platform read at once, or looked at first."""
    row = _mine(uid)
    if row.disabled_at is not None or not row.reads_members:
        raise Conflict(
            N_("The members of its courses are not read: that is switched off for %(name)s."), name=row.name,
            remedy=N_("Switch it on first."),
        )  # fmt: skip
    with transaction():
        members.ask_for(row, dry_run=bool(request.form.get("dry_run")))
    return redirect(url_for("lti_platforms.edit", uid=row.uid, _anchor="members"))


@blueprint.post("/<uid>/<any(on, off):state>")
@signed_in_required
def switch(uid: str, state: str) -> Response:
    """Stop everybody who comes from a platform at once, or let them come again."""
    row = _mine(uid)
    with transaction():
        platforms.switch(row, on=state == "on", actor_uid=current_person().uid)
    flash(
        gettext("%(name)s is switched on.", name=row.name)
        if state == "on"
        else gettext("%(name)s is switched off.", name=row.name),
        "good",
    )
    return redirect(url_for("lti_platforms.overview"))


@blueprint.post("/<uid>/deployments")
@signed_in_required
def allow(uid: str) -> Response:
    """Allow a deployment that waits."""
    row = _mine(uid)
    named = request.form.get("deployment", "")
    if named not in {d.deployment_id for d in row.deployments}:
        raise NotFound()
    with transaction():
        platforms.allow(row, named, actor_uid=current_person().uid)
    flash(gettext("The deployment is allowed."), "good")
    return redirect(url_for("lti_platforms.overview"))


@blueprint.post("/keys")
@signed_in_required
def rotate() -> Response:
    """Make the next key of ours."""
    require(Permission.SYSTEM)
    if not _whole():
        raise NotFound()
    at_once = bool(request.form.get("at_once"))
    with transaction():
        keys.rotate(actor_uid=current_person().uid, at_once=at_once)
    flash(
        gettext("The new key signs now; the earlier ones are withdrawn.") if at_once
        else gettext("The new key is published; it signs from tomorrow on."),
        "good",
    )  # fmt: skip
    return redirect(url_for("lti_platforms.overview", _anchor="keys"))
