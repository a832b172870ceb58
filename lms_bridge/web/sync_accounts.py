"""Accounts at LMSs for administrators: adding one, changing it, switching it off and on, and the live check of what it
may do there."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core import registry
from lms_bridge.core.access import Permission
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import BadInputs, BridgeError, ConfigurationError, Conflict, InputError, NotFound, Place
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.core.plugins import LmsConnector
from lms_bridge.sync import accounts
from lms_bridge.sync.models import LmsAccount
from lms_bridge.web import administered, plugin_forms
from lms_bridge.web.plugin_checks import check_account, in_words
from lms_bridge.web.session import current_person, require, signed_in_required
from lms_bridge.web.sync import administered_account

blueprint = APIBlueprint("sync_accounts", __name__, url_prefix="/system/lms", enable_openapi=False)

LONGEST_NAME = 120


def installed() -> list[type[LmsConnector]]:
    """The connectors that can be chosen."""
    found = [one.cls for one in registry.find() if one.cls is not None and issubclass(one.cls, LmsConnector)]
    return sorted(found, key=lambda cls: cls.verbose_name)


@blueprint.get("/new")
@signed_in_required
def new() -> str:
    """Which LMS; where there is but one connector, or one was chosen, its form."""
    require(Permission.SYSTEM)
    found, chosen = installed(), request.args.get("plugin", "")
    if not chosen and len(found) != 1:
        return render_template("sync/choose.html", plugins=[(cls.identifier, cls.verbose_name) for cls in found])
    return _form(_plugin(chosen) if chosen else found[0])


@blueprint.post("/new")
@signed_in_required
def add() -> Response | tuple[str, int]:
    """Store a new account, and show what it may do."""
    require(Permission.SYSTEM)
    organisation = administered.organisation(request.form.get("organisation", ""))
    cls = _plugin(request.form.get("plugin", ""))
    try:
        name, settings = _typed(cls, {})
        if accounts.named(organisation, cls.identifier, name) is not None:
            raise Conflict(accounts.NAME_TAKEN, name=name, place=Place(column="name"))
        with transaction():
            account = accounts.connect(
                organisation, cls.identifier, name=name, settings=settings, actor_uid=current_person().uid, **_duties()
            )
    except BridgeError as error:
        return _form(cls, error=error), error.status
    flash(gettext("%(name)s is saved; what it allows stands below.", name=account.name), "good")
    return redirect(url_for(".check", uid=account.uid))


@blueprint.get("/<uid>/settings")
@signed_in_required
def edit(uid: str) -> str:
    """What is stored of an account, except its secrets."""
    account = administered_account(uid)
    return _form(_plugin(account.plugin), account)


@blueprint.post("/<uid>/settings")
@signed_in_required
def save(uid: str) -> Response | tuple[str, int]:
    """Write it anew, and show what it may do now."""
    account = administered_account(uid)
    cls = _plugin(account.plugin)
    try:
        name, settings = _typed(cls, account.settings)
        with transaction():
            accounts.change(account, name=name, settings=settings, actor_uid=current_person().uid, **_duties())
    except BridgeError as error:
        return _form(cls, account, error), error.status
    flash(gettext("Saved."), "good")
    return redirect(url_for(".check", uid=uid))


@blueprint.get("/<uid>/check")
@signed_in_required
def check(uid: str) -> str:
    """Ask the LMS now what the account may do: each point in words, what is missing first."""
    account = administered_account(uid)
    rows, worst = in_words(check_account(account))
    return render_template(
        "sync/check.html",
        account=account,
        rows=rows,
        worst=worst,
    )


@blueprint.post("/<uid>/<any(on, off):state>")
@signed_in_required
def switch(uid: str, state: str) -> Response:
    """Stop the exchange with an LMS, or begin it again."""
    account = administered_account(uid)
    with transaction():
        accounts.switch(account, on=state == "on", actor_uid=current_person().uid)
    flash(
        gettext("%(name)s is switched on.", name=account.name)
        if state == "on"
        else gettext("%(name)s is switched off.", name=account.name),
        "good",
    )
    return redirect(url_for("sync.show", uid=uid))


def _plugin(identifier: str) -> type[LmsConnector]:
    try:
        return registry.plugin_class(LmsConnector, identifier)
    except ConfigurationError:
        raise NotFound() from None


def _typed(cls: type[LmsConnector], kept: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and the settings of the form.

    :raises BadInputs: something is missing or wrong.
    """
    name, problems = request.form.get("name", "").strip(), list[BridgeError]()
    if not 0 < len(name) <= LONGEST_NAME:
        problems.append(
            InputError(
                N_("It is needed, and has at most %(n)s characters."), n=LONGEST_NAME, place=Place(column="name")
            )
        )
    settings: dict[str, Any] = {}
    try:
        settings = plugin_forms.read(cls, request.form, kept)
    except BadInputs as error:
        problems += error.problems
    if problems:
        raise BadInputs(problems)
    return name, settings


def _duties() -> dict[str, bool]:
    return {name: bool(request.form.get(name)) for name in ("makes_people", "makes_courses")}


def _form(cls: type[LmsConnector], account: LmsAccount | None = None, error: BridgeError | None = None) -> str:
    typed = request.form if error is not None else None
    stored = account.settings if account is not None else {}
    problems = error.problems if isinstance(error, BadInputs) else [error] if error is not None else []
    by_field = {str(one.place.column): one.text() for one in problems if one.place is not None}
    found = plugin_forms.controls(cls, stored, typed)
    own: dict[str, Any] = {"name": cls.verbose_name}
    if typed is not None:
        own = {name: typed.get(name, "") for name in ("name", "organisation", "makes_people", "makes_courses")}
    elif account is not None:
        own = {name: getattr(account, name) for name in ("name", "makes_people", "makes_courses")}
    return render_template(
        "sync/settings.html",
        plugin=cls.identifier,
        plugin_name=cls.verbose_name,
        account=account,
        own=own,
        needed=[one for one in found if one.required],
        further=[one for one in found if not one.required],
        errors=by_field,
        summary=[plugin_forms.in_summary(one, {control.name: control.label for control in found}) for one in problems],
        organisations=[(one.uid, one.label(get_locale())) for one in administered.organisations()],
    )
