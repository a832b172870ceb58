"""Courses, groups, cohorts and people of Moodle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lms_bridge.core.plugins import (
    N_,
    CohortRecord,
    CourseMember,
    CourseRecord,
    EnrolmentRecord,
    GroupRecord,
    PersonRecord,
    PluginError,
)
from lms_bridge_moodle.answers import NotAllowed
from lms_bridge_moodle.client import MoodleClient, chunks, rows
from lms_bridge_moodle.settings import MoodleSettings
from lms_bridge_moodle.texts import name, plain

PAGE = 500
BATCH = 50
FIELDS = "id,username,firstname,lastname,email,idnumber,lang,roles,groups,suspended"


class Roster:
    """Reads and makes courses and members."""

    def __init__(self, client: MoodleClient, settings: MoodleSettings) -> None:
        self._client, self._settings = client, settings
        self._without_right: set[str] = set()

    def courses(self) -> Iterator[CourseRecord]:
        """All courses that the token sees, but for the front page and the template."""
        for row in rows(self._client.read("core_course_get_courses")):
            if row.get("format") != "site" and row.get("shortname") != self._settings.template_course:
                yield course_of(row)

    def find(self, keys: Sequence[str]) -> dict[str, CourseRecord]:
        """Courses by idnumber; found also where the token may not see the idnumber."""
        found = {}
        for key in dict.fromkeys(keys):
            answer = self._client.read("core_course_get_courses_by_field", field="idnumber", value=key)
            for row in rows(answer, "courses")[:1]:
                found[key] = course_of(row, key=key)
        return found

    def groups(self, course: str) -> Iterator[GroupRecord]:
        """The groups of one course."""
        for row in rows(self._client.read("core_group_get_course_groups", courseid=course)):
            yield GroupRecord(str(row["id"]), course, row.get("idnumber") or None, plain(row.get("name")))

    def ensure_groups(self, course: str, keys: Sequence[str]) -> dict[str, str]:
        """Make the groups of the course that are missing, each called as its key; the remote ids of all."""
        known = {group.key: group.remote_id for group in self.groups(course) if group.key in keys}
        wanted = [
            {"courseid": course, "name": name(key, 250), "description": "", "idnumber": key}
            for key in dict.fromkeys(keys)
            if key not in known
        ]
        for some in chunks(wanted, BATCH):
            for row in rows(self._client.write("core_group_create_groups", groups=some)):
                known[str(row["idnumber"])] = str(row["id"])
        return {key: number for key, number in known.items() if key is not None}

    def ensure_group_members(self, group: str, people: Sequence[str]) -> None:
        """Put people into the group; who is in it stays so."""
        for some in chunks(people, BATCH):
            members = [{"groupid": group, "userid": number} for number in some]
            self._client.write("core_group_add_group_members", members=members)

    def members(self, course: str) -> Iterator[CourseMember]:
        """Who is enrolled in the course and not suspended there, page by page.

        :raises PluginError: the token may not see them all.
        """
        start = 0
        while True:
            page = self._page(course, start)
            for row in page:
                yield self._member(row)
            start += PAGE
            # Moodle leaves people out of a page whom the token may not see, so that a page that is not quite full need
            # not be the last one.
            if len(page) < PAGE // 2:
                return

    def _page(self, course: str, start: int) -> list[dict[str, Any]]:
        options = {"userfields": FIELDS, "limitfrom": start, "limitnumber": PAGE, "sortby": "id"}
        if course not in self._without_right:
            try:
                return self._enrolled(course, options | {"onlyactive": 1})
            except NotAllowed:
                # Without moodle/course:enrolreview those whose enrolment is suspended cannot be told from the others.
                self._without_right.add(course)
        return self._enrolled(course, options)

    def _enrolled(self, course: str, options: Mapping[str, object]) -> list[dict[str, Any]]:
        pairs = [{"name": key, "value": value} for key, value in options.items()]
        answer = self._client.read("core_enrol_get_enrolled_users", courseid=course, options=pairs)
        found = rows(answer)
        if found and not any(row.get("roles") or row.get("firstname") or row.get("lastname") for row in found):
            raise PluginError(
                N_("Moodle hides the names and roles of the members of course %(course)s."),
                remedy=N_("Allow the service user moodle/course:viewparticipants and moodle/user:viewdetails."),
                course=course,
            )
        return found

    def _member(self, row: dict[str, Any]) -> CourseMember:
        roles = {role.get("shortname") for role in row.get("roles") or ()}
        role = ""
        if roles & set(self._settings.teacher_roles):
            role = "teacher"
        elif roles & set(self._settings.student_roles):
            role = "student"
        return CourseMember(person_of(row), role, tuple(str(group["id"]) for group in row.get("groups") or ()))

    def cohorts(self) -> Iterator[CohortRecord]:
        """All cohorts of the site."""
        for row in rows(self._client.read("core_cohort_get_cohorts")):
            yield CohortRecord(str(row["id"]), row.get("idnumber") or None, plain(row.get("name")))

    def cohort_members(self, cohort: str) -> Iterator[PersonRecord]:
        """The people of one cohort."""
        answer = rows(self._client.read("core_cohort_get_cohort_members", cohortids=[cohort]))
        ids = [str(number) for row in answer for number in row.get("userids") or ()]
        for some in chunks(ids, BATCH):
            for row in rows(self._client.read("core_user_get_users_by_field", field="id", values=some)):
                yield person_of(row)

    def find_people(self, numbers: Sequence[str]) -> dict[str, PersonRecord]:
        """People by idnumber; one that several people have is left out, since it names nobody."""
        found: dict[str, PersonRecord] = {}
        for some in chunks(dict.fromkeys(number for number in numbers if number), BATCH):
            answer = rows(self._client.read("core_user_get_users_by_field", field="idnumber", values=some))
            people = [person_of(row) for row in answer]
            times = Counter(person.number for person in people)
            found |= {person.number: person for person in people if person.number and times[person.number] == 1}
        return found

    def ensure_courses(self, courses: Sequence[CourseRecord]) -> dict[str, str]:
        """Make the courses that no course with their key exists for; the remote ids of all."""
        keys = {course.key: course for course in courses if course.key}
        known = {key: found.remote_id for key, found in self.find(list(keys)).items()}
        for some in chunks([course for key, course in keys.items() if key not in known], BATCH):
            known |= self._make(some)
        return known

    def _make(self, courses: Sequence[CourseRecord]) -> dict[str, str]:
        wanted = [
            {
                "fullname": name(course.title, 250),
                # Unique in all of Moodle, as our key is; the title need not be.
                "shortname": name(course.key or course.short_title, 100),
                "categoryid": self._settings.category_id,
                "idnumber": course.key,
                "visible": course.visible,
                "startdate": int(course.starts_at.timestamp()) if course.starts_at else None,
                "enddate": int(course.ends_at.timestamp()) if course.ends_at else None,
            }
            for course in courses
        ]
        answer = rows(self._client.write("core_course_create_courses", courses=wanted))
        made = {row["shortname"]: str(row["id"]) for row in answer}
        named = {course.key: made.get(name(course.key or course.short_title, 100)) for course in courses if course.key}
        if None in named.values():
            raise PluginError(
                N_("Moodle made only %(made)s of %(wanted)s courses."), made=len(made), wanted=len(wanted)
            )
        return {key: number for key, number in named.items() if number is not None}

    def ensure_enrolments(self, enrolments: Sequence[EnrolmentRecord]) -> None:
        """Enrol by the manual method; who is enrolled already stays so."""
        roles = {"student": self._settings.student_role_id, "teacher": self._settings.teacher_role_id}
        for some in chunks(enrolments, BATCH):
            wanted = [
                {"roleid": roles[one.role], "userid": one.person_remote_id, "courseid": one.course_remote_id}
                for one in some
            ]
            self._client.write("enrol_manual_enrol_users", enrolments=wanted)


def course_of(row: dict[str, Any], key: str | None = None) -> CourseRecord:
    """A course as Moodle describes it."""
    return CourseRecord(
        remote_id=str(row["id"]),
        key=key or row.get("idnumber") or None,
        title=plain(row.get("fullname")),
        short_title=plain(row.get("shortname")),
        starts_at=_moment(row.get("startdate")),
        ends_at=_moment(row.get("enddate")),
        visible=bool(row.get("visible", 1)),
    )


def person_of(row: dict[str, Any]) -> PersonRecord:
    """A person as Moodle describes them."""
    return PersonRecord(
        remote_id=str(row["id"]),
        number=(row.get("idnumber") or "").strip() or None,
        username=row.get("username") or None,
        family_name=plain(row.get("lastname")),
        given_name=plain(row.get("firstname")),
        email=row.get("email") or None,
        locale=row.get("lang") or None,
        suspended=bool(row.get("suspended")),
    )


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC) if seconds else None
