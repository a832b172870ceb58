"""Courses and people of Canvas. Our key of a course is its SIS id, the school's number of a person theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from lms_bridge.core.plugins import N_, CourseMember, CourseRecord, EnrolmentRecord, NotThere, PersonRecord, PluginError
from lms_bridge_canvas.client import CanvasClient
from lms_bridge_canvas.settings import CanvasSettings

GONE = "deleted"
MADE_TYPES = {"student": "StudentEnrollment", "teacher": "TeacherEnrollment"}


class Roster:
    """Reads and makes courses and members."""

    def __init__(self, client: CanvasClient, settings: CanvasSettings) -> None:
        self._client, self._settings = client, settings
        self._just_read: dict[str, PersonRecord] = {}

    def courses(self) -> Iterator[CourseRecord]:
        """All courses of the account and the accounts below it."""
        for row in self._client.pages(f"accounts/{self._settings.account_id}/courses"):
            if row.get("workflow_state") != GONE:
                yield _course(row)

    def find(self, keys: Sequence[str]) -> dict[str, CourseRecord]:
        """Courses by SIS id; found also where the token may not read SIS ids of lists."""
        found = {}
        for key in dict.fromkeys(keys):
            try:
                row = self._client.read(f"courses/{sis('course', key)}")
            except NotThere:
                continue
            if row.get("workflow_state") != GONE:
                found[key] = _course(row, key)
        return found

    def members(self, course: str) -> Iterator[CourseMember]:
        """Who is active in the course, page by page."""
        self._just_read = {}
        asked = {"include[]": ["enrollments", "email", "locale"], "enrollment_state[]": ["active", "invited"]}
        for row in self._client.pages(f"courses/{course}/users", asked):
            person = _person(row)
            if person.number:
                self._just_read[person.number] = person
            yield CourseMember(person, self._role(row))

    def _role(self, row: dict[str, Any]) -> str:
        if not isinstance(row.get("enrollments"), list):
            raise PluginError(
                N_("Canvas hides the enrolments of a course's people."),
                remedy=N_("Allow the role of the service user to see the list of users (docs/canvas.md)."),
            )
        types = {one.get("type") for one in row["enrollments"]}
        if types & set(self._settings.teacher_types):
            return "teacher"
        return "student" if types & set(self._settings.student_types) else ""

    def find_people(self, numbers: Sequence[str]) -> dict[str, PersonRecord]:
        """People by SIS id, which Canvas keeps unique: whoever was among the members read last need not be asked for
        again."""
        found = {}
        for number in dict.fromkeys(number for number in numbers if number):
            known = self._just_read.get(number)
            if known is None:
                try:
                    known = _person(self._client.read(f"users/{sis('user', number)}"), number)
                except NotThere:
                    continue
            found[number] = known
        return found

    def ensure_courses(self, courses: Sequence[CourseRecord]) -> dict[str, str]:
        """Make the courses that no course with their key exists for; the remote ids of all."""
        wanted = {course.key: course for course in courses if course.key}
        known = {key: found.remote_id for key, found in self.find(list(wanted)).items()}
        for key, course in wanted.items():
            if key not in known:
                known[key] = self._make(key, course)
        return known

    def _make(self, key: str, course: CourseRecord) -> str:
        asked = {
            "name": course.title[:255],
            "course_code": (course.short_title or course.title)[:255],
            "sis_course_id": key,
            "start_at": course.starts_at.isoformat() if course.starts_at else None,
            "end_at": course.ends_at.isoformat() if course.ends_at else None,
        }
        sent = {"course": {name: value for name, value in asked.items() if value}, "offer": course.visible}
        return str(self._client.write("POST", f"accounts/{self._settings.account_id}/courses", sent)["id"])

    def ensure_enrolments(self, enrolments: Sequence[EnrolmentRecord]) -> None:
        """Enrol at once and without a mail; who is enrolled already stays so."""
        for one in enrolments:
            sent = {
                "user_id": one.person_remote_id, "type": MADE_TYPES[one.role], "enrollment_state": "active",
                "notify": False,
            }  # fmt: skip
            self._client.write("POST", f"courses/{one.course_remote_id}/enrollments", {"enrollment": sent})


def sis(kind: str, key: str) -> str:
    """How a path names something by its SIS id; in hexadecimal, since our keys hold slashes."""
    return f"hex:sis_{kind}_id:{key.encode().hex()}"


def _course(row: dict[str, Any], key: str | None = None) -> CourseRecord:
    return CourseRecord(
        remote_id=str(row["id"]),
        key=key or row.get("sis_course_id") or None,
        title=str(row.get("name") or ""),
        short_title=str(row.get("course_code") or ""),
        starts_at=_moment(row.get("start_at")),
        ends_at=_moment(row.get("end_at")),
        visible=row.get("workflow_state") == "available",
    )


def _person(row: dict[str, Any], number: str | None = None) -> PersonRecord:
    family, comma, given = str(row.get("sortable_name") or row.get("name") or "").partition(",")
    return PersonRecord(
        remote_id=str(row["id"]),
        number=number or (str(row.get("sis_user_id") or "").strip() or None),
        username=row.get("login_id") or None,
        family_name=family.strip(),
        given_name=given.strip() if comma else "",
        email=row.get("email") or None,
        locale=row.get("effective_locale") or row.get("locale") or None,
    )


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None
