"""A person's inbox: what they were told, read and acknowledged, and the address of their calendar."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.database import transaction
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.notices import inbox as box
from lms_bridge.notices import kinds
from lms_bridge.timetable import feed
from lms_bridge.web.session import current_person, signed_in_required

blueprint = APIBlueprint("inbox", __name__, url_prefix="/inbox", enable_openapi=False)


@blueprint.get("")
@signed_in_required
def inbox() -> str:
    """The person's messages, newest first, and their calendar."""
    person = current_person()
    page = max(1, request.args.get("page", 1, type=int))
    rows, pages = box.notifications(person, page)
    return render_template(
        "inbox/inbox.html",
        entries=[box.entry(person, row, get_locale()) for row in rows],
        titles={name: gettext(kinds.get(name).title) for name in kinds.names()},
        unread=box.unread(person),
        page=page,
        pages=pages,
        feed_url=feed.present_feed_url(person),
    )


@blueprint.get("/<uid>")
@signed_in_required
def message(uid: str) -> str:
    """One message as it reads now; opening it marks it as read."""
    person = current_person()
    notification = box.notification_of(person, uid)
    shown = box.entry(person, notification, get_locale())
    if notification.read_at is None:
        with transaction():
            box.mark_read(notification)
    return render_template("inbox/message.html", entry=shown)


@blueprint.post("/<uid>/acknowledge")
@signed_in_required
def acknowledge(uid: str) -> Response:
    """The person has taken note."""
    person = current_person()
    with transaction():
        box.acknowledge(person, box.notification_of(person, uid))
    flash(gettext("Thank you. The school sees that you have read this."), "good")
    return redirect(url_for("inbox.message", uid=uid))


@blueprint.post("/read")
@signed_in_required
def read_all() -> Response:
    """Everything counts as read."""
    with transaction():
        box.mark_all_read(current_person())
    return redirect(url_for("inbox.inbox"))


@blueprint.post("/calendar")
@signed_in_required
def calendar() -> Response:
    """Make the calendar's address, change it, or take it back."""
    person, wish = current_person(), request.form.get("wish", "make")
    with transaction():
        if wish == "renew":
            feed.renew_feed(person)
            flash(gettext("The old address no longer works. Subscribe to the new one."), "good")
        elif wish == "revoke":
            feed.revoke_feed(person)
            flash(gettext("The calendar address no longer works."), "good")
        else:
            feed.feed_url(person)
    return redirect(url_for("inbox.inbox") + "#calendar")
