"""A person's keys for programs: make one, see which there are, end one."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import BadInputs
from lms_bridge.core.i18n import gettext
from lms_bridge.roster import api_tokens
from lms_bridge.roster.models import ApiToken
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("tokens", __name__, url_prefix="/api-keys", enable_openapi=False)

DAYS = ("30", "90", "180", "365")


def _page(error: BadInputs | None = None, made: ApiToken | None = None, key: str = "") -> str:
    rows = api_tokens.tokens_of(current_person())
    return render_template(
        "tokens.html",
        rows=[(row, api_tokens.in_force(row)) for row in rows],
        days=[(days, gettext("%(n)s days", n=days)) for days in DAYS],
        problems=error.problems if error is not None else [],
        form_values=request.form if error is not None else {},
        made=made,
        key=key,
        example=f'curl -H "Authorization: Bearer {key}" {url_for("api_plans.plans", _external=True)}' if key else "",
    )


@blueprint.get("")
@signed_in_required
def overview() -> str:
    """The keys of the person who looks."""
    require(Permission.PLAN_READ)
    return _page()


@blueprint.post("")
@signed_in_required
def create() -> str | tuple[str, int]:
    """Make a key; it is shown in this answer and never again."""
    require(Permission.PLAN_READ)
    person = current_person()
    try:
        with transaction():
            token, key = api_tokens.create(
                person, request.form.get("name", ""), days=request.form.get("days", 0, type=int),
                may_write=bool(request.form.get("write")), actor=person,
            )  # fmt: skip
    except BadInputs as error:
        return _page(error), error.status
    return _page(made=token, key=key)


@blueprint.post("/<uid>/revoke")
@signed_in_required
def revoke(uid: str) -> Response:
    """End a key at once."""
    person = current_person()
    with transaction():
        api_tokens.revoke(uid, owner=person, actor=person)
    flash(gettext("The key opens nothing any more."), "good")
    return redirect(url_for("tokens.overview"))
