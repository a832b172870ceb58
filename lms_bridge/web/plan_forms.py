"""Pages of the forms whose columns somebody explained: who said what of them, to correct or to forget."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import BadInputs, BridgeError, NotFound
from lms_bridge.core.i18n import gettext
from lms_bridge.plans import mapping
from lms_bridge.plans.mapping import Form
from lms_bridge.plans.reading.headings import Field
from lms_bridge.web.plan_field_names import FIELD_NAMES
from lms_bridge.web.session import current_person, current_scope, signed_in_required

blueprint = APIBlueprint("forms", __name__, url_prefix="/forms", enable_openapi=False)


def _scope() -> Scope:
    scope = current_scope()
    if not scope.may(Permission.PLAN_WRITE) and not scope.may(Permission.BENCHMARK_WRITE):
        raise NotFound()
    return scope


@blueprint.get("")
@signed_in_required
def page() -> str:
    """The remembered forms of the person's campuses."""
    return render_template("plans/forms.html", forms=mapping.forms(_scope()))


@blueprint.get("/<int:number>")
@signed_in_required
def form(number: int) -> str:
    """One form: a choice for each of its columns."""
    found = mapping.form_of(_scope(), number)
    return _form(found, found.fields, found.bare)


@blueprint.post("/<int:number>")
@signed_in_required
def change(number: int) -> Response | tuple[str, int]:
    """Say anew what the columns hold."""
    found = mapping.form_of(_scope(), number)
    fields, bare = _chosen("field-", len(found.headings)), _chosen("bare-", 10_000)
    try:
        with transaction():
            mapping.change(found, fields, bare, person=current_person())
    except BridgeError as error:
        problems = error.problems if isinstance(error, BadInputs) else [error]
        return _form(found, fields, bare, problems), error.status
    flash(gettext("Remembered. The next document in this form is read like this."), "good")
    return redirect(url_for(".page"))


@blueprint.post("/<int:number>/forget")
@signed_in_required
def forget(number: int) -> Response:
    """Remember it no longer."""
    found = mapping.form_of(_scope(), number)
    with transaction():
        mapping.forget(found, person=current_person())
    flash(gettext("Forgotten. The next document in this form is read like any other."), "good")
    return redirect(url_for(".page"))


def _chosen(prefix: str, below: int) -> dict[int, Field]:
    known: dict[str, Field] = {field: field for field in FIELD_NAMES}
    chosen: dict[int, Field] = {}
    for name, value in request.form.items():
        position = name.removeprefix(prefix)
        asked = position != name and position.isascii() and position.isdigit() and value in known
        if asked and int(position[:6]) < below:
            chosen[int(position[:6])] = known[value]
    return chosen


def _form(
    found: Form, fields: dict[int, Field], bare: dict[int, Field], problems: list[BridgeError] | None = None
) -> str:
    return render_template(
        "plans/form.html",
        form_=found,
        fields=fields,
        bare={position: bare.get(position) for position in found.bare},
        options=[(field, gettext(name)) for field, name in FIELD_NAMES.items()],
        problems=problems or [],
    )
