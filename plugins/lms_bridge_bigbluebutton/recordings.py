"""Recordings that the servers keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lms_bridge.core.plugins import Recording
from lms_bridge_bigbluebutton.client import Client
from lms_bridge_bigbluebutton.rooms import moment, number, text

AT_ONCE = 50
"""So many meeting ids go into one address."""


def recordings(client: Client, names: Sequence[str]) -> Iterator[Recording]:
    """The published recordings of the rooms ``names``; each with its first format that people can watch."""
    for start in range(0, len(names), AT_ONCE):
        root = client.call("getRecordings", {"meetingID": ",".join(names[start : start + AT_ONCE])})
        for element in root.iterfind("recordings/recording"):
            addresses = [text(one, "url") for one in element.iterfind("playback/format")]
            watched = [url for url in addresses if url.startswith(("https://", "http://"))]
            if text(element, "published").lower() != "true" or not watched:
                continue
            try:
                starts_at, ends_at = moment(number(element, "startTime")), moment(number(element, "endTime"))
            except ValueError:
                continue
            yield Recording(
                external_id=text(element, "meetingID"),
                recording_id=text(element, "recordID"),
                title=text(element, "name"),
                starts_at=starts_at,
                ends_at=ends_at,
                url=watched[0],
            )
