"""Removing an account at an LMS: what would be forgotten and what stays, and the word that does it or takes it back."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.database import transaction
from lms_bridge.core.i18n import gettext
from lms_bridge.sync import accounts, removal
from lms_bridge.sync.models import Removal
from lms_bridge.web.session import current_person, signed_in_required
from lms_bridge.web.sync import administered_account

blueprint = APIBlueprint("sync_removal", __name__, url_prefix="/system/lms", enable_openapi=False)


@blueprint.get("/<uid>/remove")
@signed_in_required
def ask(uid: str) -> str | Response:
    """What removing the account means."""
    account = administered_account(uid)
    if account.removal is not None:
        return redirect(url_for("sync.show", uid=uid))
    return render_template(
        "sync/remove.html", account=account, known=removal.footprint(account), can=accounts.capabilities_of(account)
    )


@blueprint.post("/<uid>/remove")
@signed_in_required
def remove(uid: str) -> Response:
    """Have it removed; said again with another choice, in that way."""
    account = administered_account(uid)
    how = Removal.CLEAR if request.form.get("clear") else Removal.FORGET
    with transaction():
        removal.remove(account, how, actor_uid=current_person().uid)
    if how is Removal.CLEAR:
        return redirect(url_for("sync.show", uid=uid))
    flash(gettext("%(name)s is being removed.", name=account.name), "good")
    return redirect(url_for("sync.accounts_page"))


@blueprint.post("/<uid>/keep")
@signed_in_required
def keep(uid: str) -> Response:
    """Keep an account that is being removed."""
    account = administered_account(uid)
    with transaction():
        removal.keep(account, actor_uid=current_person().uid)
    flash(gettext("%(name)s is kept, and stays switched off.", name=account.name), "good")
    return redirect(url_for("sync.show", uid=uid))
