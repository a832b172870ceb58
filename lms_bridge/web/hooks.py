"""Where providers send what happens in their rooms: an address for each account, and one for each meeting.

The token in the address says which account or meeting is meant; the plugin decides from headers and body whether the
sender is genuine. No session, no form token, no page: machines call here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from apiflask import APIBlueprint
from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import WebhookAnswer, WebhookRefused
from lms_bridge.lessons import webhooks
from lms_bridge.web.security import csrf

blueprint = APIBlueprint("hooks", __name__, url_prefix="/hooks", enable_openapi=False)
csrf.exempt(blueprint)

Receive = Callable[[str, Mapping[str, str], Mapping[str, str], bytes], WebhookAnswer]


@blueprint.route("/providers/<token>", methods=["GET", "POST"])
@blueprint.route("/providers/<token>/<path:rest>", methods=["GET", "POST"])
def account(token: str, rest: str = "") -> Response:
    """A provider tells something of one of its rooms, or checks that this address is ours. Some put the kind of what
    they tell behind the address; it stands in the body as well."""
    return _answer(webhooks.by_account, token)


@blueprint.route("/meetings/<token>", methods=["GET", "POST"])
def meeting(token: str) -> Response:
    """A provider tells something of the meeting with this secret address."""
    return _answer(webhooks.by_meeting, token)


def _answer(receive: Receive, token: str) -> Response:
    # One more than may come: a body of no said length (chunked) is read as far as this, without an error.
    request.max_content_length = webhooks.MOST_BYTES + 1
    if (request.content_length or 0) > webhooks.MOST_BYTES:
        return Response(status=413)
    try:
        body = request.get_data(cache=False)
        if len(body) > webhooks.MOST_BYTES:
            return Response(status=413)
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = receive(token, headers, request.args.to_dict(), body)
    except RequestEntityTooLarge:
        return Response(status=413)
    except WebhookRefused as refused:
        return Response(status=refused.answer_status)
    except BridgeError as error:
        # The sender learns no more than that: not found, or try again.
        return Response(status=error.status if error.status in (404, 503) else 503)
    return Response(answer.body, status=answer.status, content_type=answer.media_type)
