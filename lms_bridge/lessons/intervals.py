"""From observations to the times in which a person was there: a pure rule, told nothing of tables.

Two kinds of sources tell differently. Our own pages send a sign of life every few seconds: each is a point, and
points nearer to one another than the beat timeout are one stay. A provider tells only "joined" and "left": the stay
lasts from one to the other, or as long as the room did. Stays of all sources, devices and reconnections are merged,
and a break shorter than the beat timeout is none, because a weak line is not an absence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lms_bridge.core.plugins import EvidenceKind

_ORDER = {EvidenceKind.JOINED: 0, EvidenceKind.SEEN: 1, EvidenceKind.LEFT: 2}


@dataclass(frozen=True)
class Observation:
    """One observation of one person, in aware UTC.

    ``stream`` names where it comes from: what is joined there is left there. ``lasting``: a join there means presence
    until a leave (providers), otherwise each observation is a point (our own pages). ``until`` is when the room of
    that stream next ended after this observation, if it did.
    """

    kind: EvidenceKind
    at: datetime
    stream: str = ""
    lasting: bool = False
    until: datetime | None = None


@dataclass(frozen=True, order=True)
class Interval:
    """A time in which a person was there, in aware UTC; a single sign of life has no length."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it lasted."""
        return self.end - self.start


def intervals(evidence: Iterable[Observation], *, beat_timeout: timedelta, end: datetime) -> list[Interval]:
    """When the person was there: in order, apart by more than ``beat_timeout``, none reaching beyond ``end``.

    ``end`` is the end of the lesson, or now while it runs. The order of ``evidence`` does not matter; what was seen
    after ``end`` is left out. Times are never guessed forward: a stay of signs of life ends with the last one.
    """
    streams: defaultdict[str, list[Observation]] = defaultdict(list)
    stays: list[Interval] = []
    for one in evidence:
        if one.at > end:
            continue
        if one.lasting:
            streams[one.stream].append(one)
        else:
            stays.append(Interval(one.at, one.at))
    for observations in streams.values():
        stays += _lasting(observations, end)
    return _merged(sorted(stays), beat_timeout)


def _lasting(observations: Sequence[Observation], end: datetime) -> list[Interval]:
    """Stays of one stream of joins and leaves. Several devices may be in at once, so joins are counted: the stay ends
    when all have left, or with the room. A leave without a join says only that the person was there at that moment."""
    stays: list[Interval] = []
    inside, since, last = 0, end, end
    for one in sorted(observations, key=lambda o: (o.at, _ORDER[o.kind])):
        if inside and one.at > last:
            stays.append(Interval(since, last))
            inside = 0
        if one.kind is EvidenceKind.JOINED:
            if inside == 0:
                since, last = one.at, end
            inside += 1
            last = min(last, one.until or end)
        elif inside == 0:
            stays.append(Interval(one.at, one.at))
        elif one.kind is EvidenceKind.LEFT:
            inside -= 1
            if inside == 0:
                stays.append(Interval(since, one.at))
    if inside:
        stays.append(Interval(since, max(since, last)))
    return stays


def _merged(stays: Sequence[Interval], beat_timeout: timedelta) -> list[Interval]:
    merged: list[Interval] = []
    for stay in stays:
        if merged and stay.start - merged[-1].end <= beat_timeout:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, stay.end))
        else:
            merged.append(stay)
    return merged
