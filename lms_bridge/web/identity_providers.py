"""The administrator's pages of identity providers: added, changed, checked live, switched on and off, removed. Those of
the settings file are shown, and changed there."""

from __future__ import annotations

import re
from typing import Any

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission, Target
from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, Place
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.core.settings import IdentityProvider
from lms_bridge.oidc import checking, providers, stored
from lms_bridge.oidc.models import StoredProvider
from lms_bridge.oidc.providers import Provider
from lms_bridge.roster.models import Organisation
from lms_bridge.roster.provider_identity import organisation_of
from lms_bridge.web import administered
from lms_bridge.web.plugin_checks import in_words
from lms_bridge.web.plugin_forms import AGAIN, NAMES_SOMEBODY, complaints, names_somebody
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("identity_providers", __name__, url_prefix="/system/sign-in", enable_openapi=False)

IDENTIFIER = re.compile(r"[a-z0-9-]{1,40}")
TEXTS = ("name", "issuer", "client_id", "number_claim", "scopes")


@blueprint.get("/")
@signed_in_required
def overview() -> str:
    """Every provider that speaks for people of the administrator's organisations."""
    require(Permission.SYSTEM)
    places = {row.id: row for row in administered.organisations()}
    rows = [(row, providers.of(row), places[row.organisation_id]) for row in stored.of_organisations(places)]
    return render_template(
        "identity_providers/overview.html", rows=rows, fixed=[(one, organisation_of(one)) for one in _fixed(places)]
    )


@blueprint.get("/new")
@signed_in_required
def new() -> str:
    """The form for one more."""
    require(Permission.SYSTEM)
    return _form()


@blueprint.post("/new")
@signed_in_required
def add() -> Response | tuple[str, int]:
    """Store it, and show what it says; it is not on the sign-in page yet."""
    require(Permission.SYSTEM)
    organisation = administered.organisation(request.form.get("organisation", ""))
    try:
        identifier, said = _typed()
        with transaction():
            row = stored.add(identifier, said, organisation.id, actor_uid=current_person().uid)
    except BridgeError as error:
        return _form(error=error), error.status
    flash(gettext("%(name)s is saved. Enter the addresses below there, then switch it on.", name=said.name), "good")
    return redirect(url_for(".show", name=row.identifier))


@blueprint.get("/<name>")
@signed_in_required
def show(name: str) -> str:
    """What the provider has to know of us, and what it says now."""
    row, provider = _found(name)
    rows, worst = in_words(checking.check(provider))
    base = current_settings().base_url.rstrip("/")
    return render_template(
        "identity_providers/provider.html",
        row=row,
        provider=provider,
        place=organisation_of(provider),
        ours=[
            (gettext("Redirect address"), provider.way_back),
            (gettext("Address after signing out"), base + url_for("auth.sign_in_page")),
        ],
        rows=rows,
        worst=worst,
    )


@blueprint.get("/<name>/settings")
@signed_in_required
def edit(name: str) -> str:
    """What is stored of it, except its secret."""
    return _form(_mine(name))


@blueprint.post("/<name>/settings")
@signed_in_required
def save(name: str) -> Response | tuple[str, int]:
    """Write it anew, and show what it says now."""
    row = _mine(name)
    try:
        _, said = _typed(row)
        with transaction():
            stored.change(row, said, actor_uid=current_person().uid)
    except BridgeError as error:
        return _form(row, error), error.status
    flash(gettext("Saved."), "good")
    return redirect(url_for(".show", name=name))


@blueprint.post("/<name>/<any(on, off):state>")
@signed_in_required
def switch(name: str, state: str) -> Response:
    """Put it on the sign-in page, or take it away from there."""
    row = _mine(name)
    with transaction():
        stored.switch(row, on=state == "on", actor_uid=current_person().uid)
    said = providers.of(row)
    flash(
        gettext("%(name)s is on the sign-in page now.", name=said.name)
        if state == "on"
        else gettext("%(name)s is switched off.", name=said.name),
        "good",
    )
    return redirect(url_for(".show", name=name))


@blueprint.post("/<name>/remove")
@signed_in_required
def remove(name: str) -> Response:
    """Forget it."""
    row = _mine(name)
    said = providers.of(row)
    with transaction():
        stored.remove(row, actor_uid=current_person().uid)
    flash(gettext("%(name)s is removed.", name=said.name), "good")
    return redirect(url_for(".overview"))


def _mine(name: str) -> StoredProvider:
    """The stored provider, if the person administers its organisation.

    :raises NotFound: there is none, or not for them.
    """
    scope = require(Permission.SYSTEM)
    row = stored.named(name)
    scope.require(Permission.SYSTEM, Target(db.session.get_one(Organisation, row.organisation_id).path))
    return row


def _found(name: str) -> tuple[StoredProvider | None, Provider]:
    """The provider, of the settings or stored, if the person administers its organisation."""
    require(Permission.SYSTEM)
    fixed = next((one for one in _fixed({row.id: row for row in administered.organisations()})
                  if one.identifier == name), None)  # fmt: skip
    if fixed is not None:
        return None, fixed
    row = _mine(name)
    return row, providers.of(row)


def _fixed(places: dict[int, Organisation]) -> list[Provider]:
    """Those of the settings that speak for people of these organisations alone."""
    mine = {row.id for row in places.values()}
    return [one for one in providers.of_settings() if (place := organisation_of(one)) is not None and place.id in mine]


def _typed(row: StoredProvider | None = None) -> tuple[str, IdentityProvider]:
    """The name in addresses and the rest of the form.

    :raises BadInputs: something is missing or wrong.
    """
    form, problems = request.form, list[BridgeError]()
    identifier = row.identifier if row is not None else form.get("identifier", "").strip()
    if not IDENTIFIER.fullmatch(identifier):
        problems.append(
            InputError(N_("It has up to 40 small letters, digits and hyphens."), place=Place(column="identifier"))
        )
    values: dict[str, Any] = {name: form.get(name, "").strip() for name in TEXTS}
    values = {name: value for name, value in values.items() if value or name in ("issuer", "client_id")}
    values |= {"email_counts": bool(form.get("email_counts")), "client_secret": form.get("client_secret", "")}
    if not values.get("name"):
        problems.append(InputError(N_("Please fill this in."), place=Place(column="name")))
    if names_somebody(values["issuer"]):
        problems.append(InputError(NAMES_SOMEBODY, place=Place(column="issuer")))
    if row is not None and not values["client_secret"]:
        if row.said["client_secret"] and values["issuer"] != row.said["issuer"]:
            problems.append(InputError(AGAIN, place=Place(column="client_secret")))
        values["client_secret"] = "" if form.get("no_secret") else row.said["client_secret"]
    try:
        said = IdentityProvider(**values)
    except ValidationError as error:
        raise BadInputs(problems + complaints(error)) from None
    if problems:
        raise BadInputs(problems)
    return identifier, said


def _form(row: StoredProvider | None = None, error: BridgeError | None = None) -> str:
    values: dict[str, Any] = {"scopes": IdentityProvider.model_fields["scopes"].default}
    if error is not None:
        values = {name: value for name, value in request.form.items() if name != "client_secret"}
    elif row is not None:
        values |= {name: value for name, value in row.said.items() if name != "client_secret"}
    problems = error.problems if isinstance(error, BadInputs) else [error] if error is not None else []
    return render_template(
        "identity_providers/settings.html",
        row=row,
        name=providers.of(row).name if row is not None else "",
        values=values,
        stored=bool(row is not None and row.said["client_secret"]),
        errors={str(one.place.column): f"{one.text()} {one.remedy_text()}".strip() for one in problems if one.place},
        problem=next((one for one in problems if one.place is None), None),
        organisations=[(one.uid, one.label(get_locale())) for one in administered.organisations()],
        way_back=f"{current_settings().base_url.rstrip('/')}/sign-in/with/…/back",
    )
