"""What providers send by themselves: verified by the plugin, stored durably, and only then answered."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from datetime import timedelta

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, NotFound
from lms_bridge.core.plugins import MeetingProvider, MeetingSpec, WebhookAnswer, WebhookRefused
from lms_bridge.lessons import intake, meetings, providers
from lms_bridge.lessons.models import Meeting, ProviderAccount
from lms_bridge.lessons.storable import storable

log = logging.getLogger(__name__)

MOST_BYTES = 2 * 1024 * 1024
"""No provider sends so much at once; more is refused unread."""
NOTED_EVERY = timedelta(minutes=1)
LOGGED_EVERY = 60.0
"""So many seconds at least between two lines of the log about refused webhooks of one account."""

_logged: dict[int, tuple[float, int]] = {}
_lock = threading.Lock()


def by_account(token: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> WebhookAnswer:
    """A webhook at the account's address.

    :raises NotFound: no account has this token.
    :raises WebhookRefused: the plugin says it is not genuine, or not readable.
    """
    account = db.session.scalar(sa.select(ProviderAccount).filter_by(hook_token=token))
    if account is None:
        raise NotFound()
    return _receive(account, None, headers, query, body)


def by_meeting(token: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> WebhookAnswer:
    """A webhook at the address of one meeting, which only its provider was told.

    :raises NotFound: no meeting has this token.
    :raises WebhookRefused: the plugin says it is not genuine, or not readable.
    """
    meeting = db.session.scalar(sa.select(Meeting).filter_by(callback_token=token))
    if meeting is None:
        raise NotFound()
    return _receive(meeting.account, meeting, headers, query, body)


def _receive(
    account: ProviderAccount,
    meeting: Meeting | None,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
) -> WebhookAnswer:
    provider = providers.provider_for(account)
    spec = meetings.spec_of(meeting, meeting.lesson, count_people=False) if meeting is not None else None
    try:
        answer = _parsed(provider, headers, query, body, spec)
    except WebhookRefused as refused:
        _note_refusal(account, refused)
        raise
    if _worth_storing(answer) or account.hook_at is None or now() - account.hook_at > NOTED_EVERY:
        with transaction():
            intake.store(account, answer.report)
            _note_moment(account, ProviderAccount.hook_at)
            if answer.look:
                jobs.enqueue(meetings.WATCH, str(account.id))
    return answer


def _parsed(
    provider: MeetingProvider,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
    spec: MeetingSpec | None,
) -> WebhookAnswer:
    """What the plugin reads of it, refused where the plugin falls over it, or nothing of it can be stored."""
    try:
        answer = provider.parse_webhook(headers, query, body, meeting=spec)
    except BridgeError:
        raise
    except Exception as error:
        raise _unreadable(f"the plugin fell over it ({type(error).__name__})") from None
    report, odd = storable(answer.report)
    if odd and not (report.events or report.ended or report.gaps):
        raise _unreadable("nothing that it tells can be stored")
    return answer


def _unreadable(why: str) -> WebhookRefused:
    refused = WebhookRefused(why)
    refused.answer_status = 400
    return refused


def _worth_storing(answer: WebhookAnswer) -> bool:
    report = answer.report
    return bool(report.events or report.ended or report.gaps or answer.look)


def _note_moment(account: ProviderAccount, column: sa.orm.InstrumentedAttribute[object]) -> None:
    """Write the moment, at most once a minute: a flood of webhooks does not queue up for one row."""
    moment = now()
    last = getattr(account, column.key)
    if last is None or moment - last > NOTED_EVERY:
        db.session.execute(
            sa.update(ProviderAccount)
            .where(ProviderAccount.id == account.id, sa.or_(column.is_(None), column < moment - NOTED_EVERY))
            .values({column.key: moment})
            .execution_options(synchronize_session=False)
        )


def _note_refusal(account: ProviderAccount, refused: WebhookRefused) -> None:
    """For the administrator: that it happened, and the reason, which never quotes what was sent."""
    with transaction():
        _note_moment(account, ProviderAccount.hook_refused_at)
    with _lock:
        last, unsaid = _logged.get(account.id, (-LOGGED_EVERY, 0))
        if time.monotonic() - last < LOGGED_EVERY:
            _logged[account.id] = (last, unsaid + 1)
            return
        _logged[account.id] = (time.monotonic(), 0)
    more = f" ({unsaid} more since the last line)" if unsaid else ""
    log.warning("a webhook for provider account %s was refused: %s%s", account.uid, refused, more)
