"""Sessions and marks in mod_attendance. It believes everything it is told, so everything is looked at here first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lms_bridge.core.plugins import (
    N_,
    AttendanceMark,
    AttendanceSession,
    NotThere,
    PluginError,
    described,
    marked,
)
from lms_bridge_moodle.activities import modules
from lms_bridge_moodle.client import MoodleClient, rows
from lms_bridge_moodle.settings import MoodleSettings
from lms_bridge_moodle.texts import name


class Attendance:
    """The attendance activity of each course that carries our name."""

    def __init__(self, client: MoodleClient, settings: MoodleSettings, base_url: str) -> None:
        self._client, self._settings, self._base_url = client, settings, base_url
        self._registers: dict[str, str] = {}
        self._sessions: dict[str, dict[str, str]] = {}
        self._taken_by: str | None = None

    def register(self, course: str) -> str:
        """The number of the course's attendance activity; made where it is missing."""
        if course not in self._registers:
            self._registers[course] = self._find(course) or self._make(course)
        return self._registers[course]

    def _find(self, course: str) -> str | None:
        wanted = ("attendance", name(self._settings.attendance_name))
        found = [m.instance for m in modules(self._client, course) if (m.kind, m.name) == wanted]
        return found[0] if found else None

    def _make(self, course: str) -> str:
        title = name(self._settings.attendance_name)
        answer = self._client.write("mod_attendance_add_attendance", courseid=course, name=title, groupmode=0)
        if self._find(course) is None:
            raise PluginError(
                N_("Moodle made the attendance activity, but it is not to be seen in the course."),
                remedy=N_("Allow the service user mod/attendance:view; else each run would make one more."),
            )
        return str(answer["attendanceid"])

    def ensure(self, session: AttendanceSession) -> AttendanceSession:
        """The session, found by its marker or made: adding one twice would make two."""
        register = self.register(session.course_remote_id)
        known = self._known(register)
        if session.key in known:
            return replace(session, remote_id=known[session.key])
        url = f"{self._base_url}/l/{session.key}"
        answer = self._client.write(
            "mod_attendance_add_session",
            attendanceid=register,
            description=described(session.title, url, session.key, session.link_text),
            sessiontime=int(session.starts_at.timestamp()),
            duration=int((session.ends_at - session.starts_at).total_seconds()),
            groupid=0,
            addcalendarevent=0,
        )
        known[session.key] = str(answer["sessionid"])
        return replace(session, remote_id=known[session.key])

    def _known(self, register: str) -> dict[str, str]:
        """The numbers of our sessions by key. Moodle lists them with all their students and marks: read once only."""
        if register not in self._sessions:
            found: dict[str, str] = {}
            for row in rows(self._client.read("mod_attendance_get_sessions", attendanceid=register)):
                mark = marked(row.get("description"))
                if mark is not None:
                    found.setdefault(mark[0], str(row["id"]))
            self._sessions[register] = found
        return self._sessions[register]

    def write(self, session: AttendanceSession, marks: Sequence[AttendanceMark]) -> list[str]:
        """Write marks of people who are in the session, with a status that it has; read them back. Those that are
        refused, by the people's numbers.

        :raises NotThere: the session was deleted.
        :raises PluginError: the session lacks a status that is needed.
        """
        if session.remote_id is None:
            raise ValueError("the session has no number yet")
        row = self._session(session.remote_id)
        statuses = self._statuses(row, {mark.verdict for mark in marks})
        members = {str(user["id"]) for user in row.get("users") or ()}
        standing = _log(row)
        in_set = [s for s in row.get("statuses") or () if s.get("setnumber") == row.get("statusset")]
        statusset = ",".join(str(status["id"]) for status in in_set)
        wanted = {mark.person_remote_id: statuses[mark.verdict] for mark in marks if mark.person_remote_id in members}
        changed = {person: status for person, status in wanted.items() if standing.get(person) != status}
        for person, status in changed.items():
            self._client.write(
                "mod_attendance_update_user_status",
                sessionid=session.remote_id,
                studentid=person,
                takenbyid=self._me(),
                statusid=status,
                statusset=statusset,
            )
        standing = _log(self._session(session.remote_id)) if changed else standing
        people = [mark.person_remote_id for mark in marks]
        return [person for person in people if person not in wanted or standing.get(person) != wanted[person]]

    def _session(self, number: str) -> dict[str, Any]:
        answer = self._client.read("mod_attendance_get_session", sessionid=number)
        if not isinstance(answer, dict) or str(answer.get("id")) != number:
            self._sessions.clear()
            raise NotThere(N_("The session is no longer in Moodle's attendance register."))
        return answer

    def _statuses(self, row: dict[str, Any], verdicts: set[str]) -> dict[str, str]:
        usable = {
            str(s["acronym"]): str(s["id"])
            for s in row.get("statuses") or ()
            if s.get("setnumber") == row.get("statusset") and s.get("visible", 1) and not s.get("deleted")
        }
        found = {}
        for verdict in sorted(verdicts):
            acronym = getattr(self._settings, verdict)
            if acronym not in usable:
                raise PluginError(
                    N_('The attendance register in Moodle has no status "%(acronym)s" (%(verdict)s).'),
                    remedy=N_("Add it to the status set, or name another acronym in the settings of the connector."),
                    acronym=acronym,
                    verdict=verdict,
                )
            found[verdict] = usable[acronym]
        return found

    def _me(self) -> str:
        if self._taken_by is None:
            self._taken_by = str(self._client.read("core_webservice_get_site_info")["userid"])
        return self._taken_by


def _log(row: dict[str, Any]) -> dict[str, str]:
    return {str(entry["studentid"]): str(entry["statusid"]) for entry in row.get("attendance_log") or ()}
