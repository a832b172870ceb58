"""The message centre of administrators: what went out, to whom, how it stands; reading one, sending one again."""

from __future__ import annotations

from io import BytesIO

from apiflask import APIBlueprint
from flask import Response, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import BridgeError, NotFound
from lms_bridge.core.i18n import gettext, ngettext
from lms_bridge.notices import centre, kinds
from lms_bridge.notices.centre import Line
from lms_bridge.notices.models import DeliveryState
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required

blueprint = APIBlueprint("messages", __name__, url_prefix="/messages", enable_openapi=False)

STATE_KINDS = {
    DeliveryState.QUEUED: "info",
    DeliveryState.SENDING: "info",
    DeliveryState.SENT: "good",
    DeliveryState.DELIVERED: "good",
    DeliveryState.BOUNCED: "bad",
    DeliveryState.FAILED: "bad",
    DeliveryState.UNKNOWN: "warn",
    DeliveryState.WITHDRAWN: "plain",
    DeliveryState.NO_ADDRESS: "warn",
}


@blueprint.context_processor
def words() -> dict[str, object]:
    """Names and colours that the templates of this area share."""
    return {
        "state_names": {state: gettext(name) for state, name in centre.STATE_NAMES.items()},
        "state_kinds": STATE_KINDS,
        "titles": {name: gettext(kinds.get(name).title) for name in kinds.names()},
    }


def _paths() -> tuple[str, ...]:
    paths = current_scope().paths(Permission.MESSAGES_READ)
    if not paths:
        raise NotFound()
    return paths


def _line(uid: str) -> Line:
    line, organisation = centre.line(uid)
    require(Permission.MESSAGES_READ, Target(path=organisation.path))
    return line


@blueprint.get("")
@signed_in_required
def overview() -> str:
    """All messages of the organisation, newest first; one state of them if asked."""
    paths = _paths()
    try:
        state = DeliveryState(request.args["state"]) if request.args.get("state") else None
    except ValueError:
        raise NotFound() from None
    counts = centre.counts(paths)
    total = counts.get(state, 0) if state is not None else sum(counts.values())
    page = max(1, request.args.get("page", 1, type=int))
    return render_template(
        "messages/overview.html",
        lines=centre.lines(paths, state=state, page=page),
        counts=counts,
        total=sum(counts.values()),
        state=state,
        page=page,
        pages=max(1, -(-total // centre.PAGE)),
    )


@blueprint.get("/<uid>")
@signed_in_required
def message(uid: str) -> str:
    """One message: its state, the channel's own answer, and what it says. Looking is written into the audit log."""
    line = _line(uid)
    readable = centre.read(line.delivery)
    with transaction():
        centre.record_look(line.delivery, line.organisation, current_person())
    resendable = line.delivery.state in centre.RESENDABLE
    return render_template("messages/message.html", line=line, readable=readable, resendable=resendable)


@blueprint.get("/<uid>/html")
@signed_in_required
def html(uid: str) -> Response:
    """The HTML of a message for a frame that may do nothing: no scripts, no forms, nothing loaded from outside."""
    readable = centre.read(_line(uid).delivery)
    if readable is None:
        raise NotFound()
    response = Response(readable.html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
    )
    return response


@blueprint.get("/<uid>/attachments/<int:number>")
@signed_in_required
def attachment(uid: str, number: int) -> Response:
    """One attachment of a message, as a download."""
    readable = centre.read(_line(uid).delivery)
    if readable is None or number >= len(readable.attachments):
        raise NotFound()
    part = readable.attachments[number]
    return send_file(
        BytesIO(part.content), mimetype=part.media_type, as_attachment=True, download_name=part.name or "attachment"
    )


@blueprint.post("/<uid>/resend")
@signed_in_required
def resend(uid: str) -> BaseResponse:
    """Send one message again."""
    line = _line(uid)
    try:
        with transaction():
            centre.resend(line.delivery, line.organisation, current_person())
    except BridgeError as error:
        flash(str(error), "bad")
    else:
        flash(gettext("The message will be sent again."), "good")
    return redirect(url_for("messages.message", uid=uid))


@blueprint.post("/resend")
@signed_in_required
def resend_failed() -> BaseResponse:
    """Send all failed messages again."""
    paths = _paths()
    with transaction():
        done = centre.resend_failed(paths, current_person())
    flash(ngettext("%(n)s message will be sent again.", "%(n)s messages will be sent again.", done), "good")
    return redirect(url_for("messages.overview"))
