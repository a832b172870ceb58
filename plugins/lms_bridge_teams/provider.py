"""Rooms at Teams: one online meeting of the organiser for each lesson, entered by one address for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote

from lms_bridge.core.plugins import (
    N_,
    Attendee,
    Check,
    Gap,
    MeetingProvider,
    MeetingSpec,
    NotThere,
    Outgoing,
    PluginContext,
    PluginError,
    PresenceEvent,
    PresenceReport,
    ProviderCapabilities,
    Room,
    RoomRole,
    TemporaryFailure,
    now,
)
from lms_bridge_teams import probe, report
from lms_bridge_teams.client import GraphClient
from lms_bridge_teams.setting_labels import LABELS
from lms_bridge_teams.settings import TeamsSettings

TITLE_LENGTH = 200


class TeamsProvider(MeetingProvider):
    """Microsoft Teams by Graph's online meetings. Nothing is known of who is there until everybody has left."""

    identifier = "teams"
    verbose_name = "Microsoft Teams"
    Settings: ClassVar[type[TeamsSettings]] = TeamsSettings
    setting_labels = LABELS
    capabilities = ProviderCapabilities(local_join_url=False, report_afterwards=True, per_person_link=False)

    def __init__(self, settings: TeamsSettings, context: PluginContext) -> None:
        super().__init__(settings, context)
        self._teams = settings
        seconds = context.timeout.total_seconds()
        self._client = GraphClient(settings, Outgoing("Microsoft", seconds=seconds, networks=context.networks))

    def check(self) -> Sequence[Check]:
        """The app, its permissions, the policy that lets it act for the organiser."""
        return probe.probe(self._client, self._teams)

    def probe(self) -> None:
        """Graph answers, and lets the app act for the organiser."""
        probe.look_at_meetings(self._client, self._teams.organiser)

    def ensure(self, meeting: MeetingSpec, room: Room | None) -> Room:
        """Graph itself finds the meeting again by the key that we give it."""
        if room is not None:
            return self.update(meeting, room)
        wish = self._times(meeting) | {"externalId": f"{self.context.installation}-{meeting.key}"}
        answer = self._client.call("POST", f"users/{self._teams.organiser}/onlineMeetings/createOrGet", json=wish)
        found, url = answer.get("id"), answer.get("joinWebUrl")
        if not isinstance(found, str) or not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise PluginError(N_("Microsoft did not say where the meeting is entered."))
        room = Room((found,), {"id": found, "organiser": self._teams.organiser}, {"join_url": url})
        self._client.call(
            "PATCH",
            self._path(room),
            json={
                "lobbyBypassSettings": {"scope": "organization" if self._teams.strangers_wait else "everyone"},
                "allowedPresenters": "everyone" if self._teams.everyone_presents else "organizer",
                "isEntryExitAnnounced": False,
                "recordAutomatically": False,
            },
        )
        return room

    def update(self, meeting: MeetingSpec, room: Room) -> Room:
        """Teams is told of the new time and title. One that somebody deleted at Teams is made anew, with another
        address."""
        try:
            self._client.call("PATCH", self._path(room), json=self._times(meeting))
        except NotThere:
            return self.ensure(meeting, None)
        return room

    def end(self, meeting: MeetingSpec, room: Room) -> None:
        """A meeting that was to begin later is taken back. One that began stays: Teams has no way to end it from
        outside, and its reports hang on it."""
        if now() >= meeting.starts_at:
            return
        try:
            self._client.call("DELETE", self._path(room))
        except NotThere:
            return

    def join_url(self, meeting: MeetingSpec, room: Room, attendee: Attendee) -> str:
        """One address for all. Leaders are made presenters first, by the mail address of their Microsoft account."""
        if attendee.role is RoomRole.LEADER and attendee.email and not self._teams.everyone_presents:
            self._make_presenter(room, attendee.email)
        return str(room.secrets["join_url"])

    def join_urls(self, meeting: MeetingSpec, room: Room, attendees: Sequence[Attendee]) -> Mapping[str, str]:
        """The same for all but leaders, who get theirs at the click."""
        return {one.uid: str(room.secrets["join_url"]) for one in attendees if one.role is not RoomRole.LEADER}

    def presence(self, meetings: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]) -> PresenceReport:
        """The reports of meetings that are over. Told in pieces where Graph stops answering in between: ``cursor``
        holds which are done, until all are."""
        done: list[str] = [str(one) for one in cursor.get("done", ())]
        events: list[PresenceEvent] = []
        gaps: list[Gap] = []
        for meeting, room in meetings:
            meeting_id = str(room.state["id"])
            if meeting.ended_at is None or meeting_id in done:
                continue
            try:
                for found in report.attendance(self._client, meeting, self._path(room), meeting_id):
                    if isinstance(found, Gap):
                        gaps.append(found)
                    else:
                        events.append(found)
            except NotThere:
                pass  # somebody deleted the meeting in Teams; there is no report any more
            except TemporaryFailure:
                if not events and not done:
                    raise
                return PresenceReport(events=events, gaps=gaps, cursor={"done": done})
            done.append(meeting_id)
        return PresenceReport(events=events, gaps=gaps)

    def _make_presenter(self, room: Room, mail: str) -> None:
        """Graph wants the whole list each time."""
        answer = self._client.call("GET", self._path(room))
        participants = answer.get("participants")
        found = participants.get("attendees") if isinstance(participants, dict) else None
        names = {
            str(one["upn"]).lower()
            for one in (found if isinstance(found, list) else ())
            if isinstance(one, dict) and one.get("role") == "presenter" and one.get("upn")
        }
        if mail.lower() in names and answer.get("allowedPresenters") == "roleIsPresenter":
            return
        presenters = [{"upn": name, "role": "presenter"} for name in sorted(names | {mail.lower()})]
        wish = {"allowedPresenters": "roleIsPresenter", "participants": {"attendees": presenters}}
        self._client.call("PATCH", self._path(room), json=wish)

    def _path(self, room: Room) -> str:
        return f"users/{room.state['organiser']}/onlineMeetings/{quote(str(room.state['id']), safe='')}"

    def _times(self, meeting: MeetingSpec) -> dict[str, Any]:
        return {
            "subject": meeting.title[:TITLE_LENGTH],
            "startDateTime": _stamp(meeting.starts_at),
            "endDateTime": _stamp(meeting.ends_at),
        }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
