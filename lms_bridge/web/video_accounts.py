"""Accounts at video systems for administrators: adding one, changing it, its place in the order, switching it off and
on, and the live check of what it may do there."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core import jobs, registry
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, ConfigurationError, Conflict, InputError, NotFound, Place
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.core.plugins import CheckState, MeetingProvider
from lms_bridge.lessons import accounts, following, leaving, providers
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.notices.dates import say_date
from lms_bridge.roster.models import Organisation, OrganisationKind
from lms_bridge.web import administered, plugin_forms
from lms_bridge.web.plugin_checks import check_account, in_words
from lms_bridge.web.session import current_person, require, signed_in_required
from lms_bridge.web.video_words import NOT_INSTALLED, name_of, plugin_of, sends_messages, stand_of

blueprint = APIBlueprint("video_accounts", __name__, url_prefix="/system/video", enable_openapi=False)


def installed() -> list[type[MeetingProvider]]:
    """The video systems that can be chosen."""
    found = [one.cls for one in registry.find() if one.cls is not None and issubclass(one.cls, MeetingProvider)]
    return sorted(found, key=lambda cls: cls.verbose_name)


@blueprint.get("/")
@signed_in_required
def overview() -> str:
    """Every account that the person administers, in the order in which its organisation takes them; and what that
    comes to at each campus."""
    require(Permission.SYSTEM)
    organisations = administered.organisations()
    groups = [(one, accounts.listed(one)) for one in _with_accounts(organisations)]
    campuses = [one for one in organisations if one.kind is OrganisationKind.CAMPUS]
    orders, elsewhere = providers.orders_of(campuses), following.elsewhere(campuses)
    return render_template(
        "video/accounts.html",
        groups=[
            {"organisation": one, "rows": [_row(account, one.zone, place, len(rows))
                                           for place, account in enumerate(rows)]}
            for one, rows in groups
        ],
        orders=[
            {"campus": one, "names": [name_of(account) for account in orders[one.id]],
             "elsewhere": elsewhere.get(one.id, 0)}
            for one in campuses
        ],
    )  # fmt: skip


@blueprint.post("/campuses/<uid>/follow")
@signed_in_required
def follow(uid: str) -> Response:
    """Have the lessons to come of a campus take place in the first of its video systems."""
    require(Permission.SYSTEM)
    campus = administered.organisation(uid)
    with transaction():
        following.ask(campus, actor=current_person())
    flash(
        gettext("The lessons to come of %(campus)s go over one after the other.", campus=campus.label(get_locale())),
        "good",
    )
    return redirect(url_for(".overview", _anchor=f"campus-{uid}"))


@blueprint.get("/new")
@signed_in_required
def new() -> str:
    """Which video system; where one was chosen, its form."""
    require(Permission.SYSTEM)
    chosen = request.args.get("plugin", "")
    if chosen:
        return _form(_plugin(chosen))
    plugins = [(cls.identifier, gettext(cls.verbose_name)) for cls in installed()]
    return render_template("video/choose.html", plugins=plugins)


@blueprint.post("/new")
@signed_in_required
def add() -> Response | tuple[str, int]:
    """Store a new account, and show what it may do."""
    require(Permission.SYSTEM)
    organisation = administered.organisation(request.form.get("organisation", ""))
    cls = _plugin(request.form.get("plugin", ""))
    try:
        name, rooms, settings = _typed(cls, {})
        with transaction():
            account = accounts.add(
                organisation, cls.identifier, name=name, settings=settings, rooms=rooms, enabled=False,
                actor=current_person(),
            )  # fmt: skip
    except BridgeError as error:
        return _form(cls, error=error), error.status
    flash(gettext("%(name)s is saved; what it allows stands below.", name=account.name), "good")
    return redirect(url_for(".check", uid=account.uid))


@blueprint.get("/<uid>")
@signed_in_required
def show(uid: str) -> str:
    """One account: how it stands, the address at which its messages arrive, how many rooms it holds."""
    account = administered_account(uid)
    cls, place = plugin_of(account), _place(account)
    zone = current_person().zone or place.zone
    return render_template(
        "video/account.html",
        account=account,
        name=name_of(account),
        place=place,
        zone=zone,
        stand=stand_of(account, zone),
        plugin_name=gettext(cls.verbose_name) if cls is not None else account.plugin,
        missing=gettext(NOT_INSTALLED) if cls is None else "",
        webhook=providers.webhook_url(account) if sends_messages(account) else "",
        staying=0 if account.enabled else leaving.staying(account),
        leaving=jobs.is_coming(leaving.LEAVE, str(account.id)),
        served=[one.label(get_locale()) for one in _served(account)],
        removable=not accounts.was_used(account),
        checked=_checked_words(account, zone),
    )


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
        name, rooms, settings = _typed(cls, account.settings)
        with transaction():
            accounts.change(account, name=name, settings=settings, rooms=rooms, actor=current_person())
    except BridgeError as error:
        return _form(cls, account, error), error.status
    flash(gettext("Saved."), "good")
    return redirect(url_for(".check", uid=uid))


@blueprint.get("/<uid>/check")
@signed_in_required
def check(uid: str) -> str:
    """Ask the video system now what the account may do: each point in words, what is missing first. A new account is
    used from then on, if nothing that is needed is missing."""
    account = administered_account(uid)
    rows, worst = in_words(check_account(account))
    with transaction():
        accounts.note_check(account, failed=worst == CheckState.FAILED, actor=current_person())
    return render_template(
        "video/check.html",
        account=account,
        name=name_of(account),
        place=_place(account),
        rows=rows,
        worst=worst,
    )


@blueprint.post("/<uid>/<any(on, off):state>")
@signed_in_required
def switch(uid: str, state: str) -> Response:
    """Take no new rooms from an account, or take them again."""
    account = administered_account(uid)
    with transaction():
        accounts.switch(account, on=state == "on", actor=current_person())
    flash(
        gettext("%(name)s is switched on.", name=name_of(account))
        if state == "on"
        else gettext("%(name)s is switched off.", name=name_of(account)),
        "good",
    )
    return redirect(url_for(".show", uid=uid))


@blueprint.post("/<uid>/remove")
@signed_in_required
def remove(uid: str) -> Response:
    """Take away an account that no lesson has ever used."""
    account = administered_account(uid)
    name = name_of(account)
    try:
        with transaction():
            accounts.remove(account, actor=current_person())
    except Conflict as error:
        flash(f"{error.text()} {error.remedy_text()}", "bad")
        return redirect(url_for(".show", uid=uid))
    flash(gettext("%(name)s is removed.", name=name), "good")
    return redirect(url_for(".overview"))


@blueprint.post("/<uid>/<any(up, down):way>")
@signed_in_required
def move(uid: str, way: str) -> Response:
    """Take an account before, or after, its neighbour in the order; at the end it stays where it is."""
    account = administered_account(uid)
    place = _place(account)
    with transaction():
        uids = [one.uid for one in accounts.listed(place)]
        at = uids.index(uid)
        to = at - 1 if way == "up" else at + 1
        if 0 <= to < len(uids):
            uids[at], uids[to] = uids[to], uids[at]
            accounts.order(place, uids, actor=current_person())
    return redirect(url_for(".overview", _anchor=f"account-{uid}"))


def administered_account(uid: str) -> ProviderAccount:
    """The account, if the person administers its organisation.

    :raises NotFound: there is none, or not for them.
    """
    require(Permission.SYSTEM)
    account = accounts.account_named(uid)
    require(Permission.SYSTEM, Target(_place(account).path))
    return account


def _checked_words(account: ProviderAccount, zone: str) -> str:
    if account.checked_at is None:
        return gettext("never")
    when = say_date(account.checked_at, zone, get_locale(), with_time=True)
    if account.check_failed:
        return gettext("%(when)s: something that is needed was not possible", when=when)
    return gettext("%(when)s: lessons can take place there", when=when)


def _place(account: ProviderAccount) -> Organisation:
    return db.session.get_one(Organisation, account.organisation_id)


def _with_accounts(organisations: list[Organisation]) -> list[Organisation]:
    known = accounts.organisations_with([one.id for one in organisations])
    return [one for one in organisations if one.id in known]


def _served(account: ProviderAccount) -> list[Organisation]:
    path = _place(account).path
    campuses = [one for one in administered.organisations() if one.kind is OrganisationKind.CAMPUS]
    return [one for one in campuses if one.path.startswith(path)]


def _row(account: ProviderAccount, zone: str, place: int, count: int) -> dict[str, Any]:
    return {
        "account": account,
        "name": name_of(account),
        "stand": stand_of(account, current_person().zone or zone),
        "place": place + 1,
        "up": place > 0,
        "down": place + 1 < count,
    }


def _plugin(identifier: str) -> type[MeetingProvider]:
    try:
        return registry.plugin_class(MeetingProvider, identifier)
    except ConfigurationError:
        raise NotFound() from None


def _typed(cls: type[MeetingProvider], kept: dict[str, Any]) -> tuple[str, int | None, dict[str, Any]]:
    """The name, the rooms at once and the settings of the form.

    :raises BadInputs: something is missing or wrong.
    """
    name, problems = request.form.get("name", "").strip(), list[BridgeError]()
    if not 0 < len(name) <= accounts.NAME_LENGTH:
        problems.append(
            InputError(
                N_("It is needed, and has at most %(n)s characters."),
                n=accounts.NAME_LENGTH,
                place=Place(column="name"),
            )
        )
    typed = request.form.get("rooms", "").strip()
    if typed and not (typed.isdecimal() and len(typed) < 9):
        problems.append(InputError(N_("Enter a whole number."), place=Place(column="rooms")))
    settings: dict[str, Any] = {}
    try:
        settings = plugin_forms.read(cls, request.form, kept)
    except BadInputs as error:
        problems += error.problems
    if problems:
        raise BadInputs(problems)
    return name, int(typed) if typed else None, settings


def _form(cls: type[MeetingProvider], account: ProviderAccount | None = None, error: BridgeError | None = None) -> str:
    typed = request.form if error is not None else None
    stored = account.settings if account is not None else {}
    problems = error.problems if isinstance(error, BadInputs) else [error] if error is not None else []
    found = plugin_forms.controls(cls, stored, typed)
    own: dict[str, Any] = {"name": gettext(cls.verbose_name), "rooms": ""}
    if typed is not None:
        own = {name: typed.get(name, "") for name in ("name", "rooms", "organisation")}
    elif account is not None:
        own = {"name": account.name, "rooms": "" if account.concurrent_rooms is None else account.concurrent_rooms}
    labels = {one.name: one.label for one in found} | {"rooms": gettext("Rooms at once")}
    return render_template(
        "video/settings.html",
        plugin=cls.identifier,
        plugin_name=gettext(cls.verbose_name),
        account=account,
        name=name_of(account) if account is not None else "",
        place=_place(account) if account is not None else None,
        own=own,
        hosts=cls.capabilities.host_licences,
        needed=[one for one in found if one.required],
        further=[one for one in found if not one.required],
        errors={str(one.place.column): one.text() for one in problems if one.place is not None},
        summary=[plugin_forms.in_summary(one, labels) for one in problems],
        organisations=[(one.uid, one.label(get_locale())) for one in administered.organisations()],
    )
