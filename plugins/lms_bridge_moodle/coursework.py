"""Messages within Moodle, and homework: assignments and what was handed in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from lms_bridge.core.plugins import N_, Assignment, PluginError, Submission
from lms_bridge_moodle.answers import NotAllowed
from lms_bridge_moodle.client import MoodleClient, chunks, rows
from lms_bridge_moodle.texts import plain

AT_ONCE = 25
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
STATES = {"new": "new", "draft": "draft", "submitted": "submitted", "reopened": "returned"}


def send_message(client: MoodleClient, person: str, text: str) -> str:
    """Send a message to one person; its number.

    :raises NotAllowed: the person's settings, or a missing capability, do not allow it.
    """
    lines = "<br>".join(_LINK.sub(r'<a href="\g<0>">\g<0></a>', html.escape(line)) for line in text.splitlines())
    message = {"touserid": person, "text": f"<p>{lines}</p>", "textformat": 1}
    answer = rows(client.write("core_message_send_instant_messages", messages=[message]))
    if not answer:
        raise PluginError(N_("Moodle did not say whether it sent the message."))
    if int(answer[0].get("msgid", -1)) < 0:
        raise NotAllowed(
            N_("Moodle did not send the message: %(text)s"),
            remedy=N_("Allow the service user moodle/site:sendmessage and moodle/site:messageanyuser."),
            text=str(answer[0].get("errormessage", ""))[:200],
        )
    return str(answer[0]["msgid"])


def assignments(client: MoodleClient, courses: Sequence[str], site: str) -> Iterator[Assignment]:
    """The homework of these courses; ``site`` is Moodle's address.

    :raises NotAllowed: a course's homework may not be seen; Moodle would show an empty list.
    """
    for some in chunks(courses, AT_ONCE):
        answer = client.read("mod_assign_get_assignments", courseids=some, includenotenrolledcourses=1)
        for warning in rows(answer, "warnings"):
            if warning.get("item") == "course":
                raise NotAllowed(
                    N_("Moodle does not show the homework of course %(course)s."),
                    remedy=N_("Allow the service user mod/assign:view."),
                    course=warning.get("itemid"),
                )
        for course in rows(answer, "courses"):
            for row in course.get("assignments") or ():
                yield Assignment(
                    remote_id=str(row["id"]),
                    course_remote_id=str(course["id"]),
                    title=plain(row.get("name")),
                    due_at=moment(row.get("duedate")),
                    opens_at=moment(row.get("allowsubmissionsfromdate")),
                    changed_at=moment(row.get("timemodified")),
                    url=f"{site}/mod/assign/view.php?id={row['cmid']}" if row.get("cmid") else "",
                )


def submissions(
    client: MoodleClient, assignment_ids: Sequence[str], since: datetime | None = None
) -> Iterator[Submission]:
    """What was handed in (``since`` then), the latest attempt of each person.

    :raises NotAllowed: the token may not see it.
    """
    changed_since = int(since.timestamp()) if since else 0
    for some in chunks(assignment_ids, AT_ONCE):
        answer = client.read("mod_assign_get_submissions", assignmentids=some, since=changed_since)
        for warning in rows(answer, "warnings"):
            if str(warning.get("warningcode")) == "1":
                raise NotAllowed(
                    N_("Moodle does not show what was handed in for assignment %(assignment)s."),
                    remedy=N_("Allow the service user mod/assign:view and mod/assign:grade."),
                    assignment=warning.get("itemid"),
                )
        for row in rows(answer, "assignments"):
            latest: dict[str, Any] = {}
            for one in row.get("submissions") or ():
                before = latest.get(str(one["userid"]))
                if before is None or int(one.get("attemptnumber", 0)) >= int(before.get("attemptnumber", 0)):
                    latest[str(one["userid"])] = one
            for person, one in latest.items():
                state = STATES.get(str(one.get("status")), "new")
                yield Submission(str(row["assignmentid"]), person, state, moment(one.get("timemodified")))


def moment(seconds: Any) -> datetime | None:
    """A time of Moodle; 0 is none."""
    return datetime.fromtimestamp(int(seconds), UTC) if seconds else None
