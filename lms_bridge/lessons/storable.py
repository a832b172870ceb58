"""What a plugin says that its provider told, looked at before it is stored: a plugin is written by somebody else, and
takes words and times from outside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from lms_bridge.core.plugins import EvidenceKind, Gap, PresenceEvent, PresenceReport

QUALITY_LENGTH = 16


def storable(report: PresenceReport) -> tuple[PresenceReport, int]:
    """What of ``report`` can be stored, and how much of it cannot: no time, a time without a zone, a name that is no
    text, ... One odd thing does not cost the rest."""
    kept = replace(
        report,
        events=[one for one in report.events if _event(one)],
        ended=[(key, at) for key, at in report.ended if _text(key) and _moment(at)],
        gaps=[one for one in report.gaps if _gap(one)],
    )
    odd = sum(len(getattr(report, name)) - len(getattr(kept, name)) for name in ("events", "ended", "gaps"))
    return kept, odd


def _event(event: PresenceEvent) -> bool:
    return (
        _text(event.event_key)
        and _text(event.external_id)
        and isinstance(event.kind, EvidenceKind)
        and _moment(event.at)
        and (event.attendee_uid is None or _text(event.attendee_uid, empty=True))
        and (event.identity is None or _text(event.identity, empty=True))
        and _text(event.quality)
        and len(event.quality) <= QUALITY_LENGTH
    )


def _gap(gap: Gap) -> bool:
    room = gap.external_id is None or _text(gap.external_id)
    return _moment(gap.starts_at) and _moment(gap.ends_at) and _text(gap.reason, empty=True) and room


def _text(value: object, *, empty: bool = False) -> bool:
    """Whether both databases store it: no number, no NUL, no half of a pair (a lone surrogate)."""
    if not isinstance(value, str) or "\x00" in value or not (value or empty):
        return False
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _moment(value: object) -> bool:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        return False
    try:
        value.astimezone(UTC)
    except OverflowError:
        return False
    return True
