"""Dynamic registration: the LMS opens this page in its own window or frame, with the address of its configuration."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import g, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.lti import key_sets, platforms, registration
from lms_bridge.lti.models import LtiPlatform
from lms_bridge.roster.models import Organisation
from lms_bridge.web import lti_frames
from lms_bridge.web.security import limiter

blueprint = APIBlueprint("lti_registration", __name__, url_prefix="/lti/register", enable_openapi=False)
lti_frames.protect(blueprint)


@blueprint.get("/<token>")
@limiter.limit("30 per minute")
def register(token: str) -> BaseResponse:
    """Register the LMS that comes with an administrator's invitation, and tell it that we are done."""
    registration.accepted(token, once=False)
    configuration = request.args.get("openid_configuration", "")
    if not configuration:
        # Opened by hand: say what the address is for, and use nothing up.
        return _private(make_response(render_template("lti/invitation.html", address=request.base_url)))
    g.frame_origins = platforms.web_origins([configuration])
    found = registration.register(
        configuration, request.args.get("registration_token", ""), base_url=current_settings().base_url
    )
    with transaction():
        platform = carry_out(token, found)
    key_sets.refresh(platform)
    return _private(make_response(render_template("lti/registered.html", platform=platform)))


def carry_out(token: str, found: platforms.Registered) -> LtiPlatform:
    """Write what was registered, for the organisation that the invitation names, and use the invitation up."""
    invited = registration.accepted(token, once=True)
    organisation = db.session.scalar(sa.select(Organisation).filter_by(uid=invited.organisation_uid))
    if organisation is None:
        raise NotFound()
    return platforms.add(found, organisation.id, actor_uid=invited.actor_uid)


def _private(response: BaseResponse) -> BaseResponse:
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
