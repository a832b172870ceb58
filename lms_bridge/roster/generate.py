"""Writes OneRoster zips of made-up school systems: for the demonstration and for measuring the import.

Deterministic: the same shape, term and seed give the same bytes. Everything is streamed, and each person is worked
out from their number alone, so that a city fits into little memory.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, TextIO

from lms_bridge.roster.names import given_name, surname

MEMBER_DATE = (2026, 9, 1, 0, 0, 0)
"""Time stamp of the files in the zip; fixed, so that the same roster is the same file."""

SUBJECTS: dict[str, tuple[str, str, int]] = {
    "chinese": ("语文", "Chinese", 3),
    "math": ("数学", "Mathematics", 3),
    "english": ("英语", "English", 3),
    "science": ("科学", "Science", 2),
    "physics": ("物理", "Physics", 2),
    "history": ("历史", "History", 2),
    "music": ("音乐", "Music", 1),
    "art": ("美术", "Art", 1),
    "pe": ("体育", "Physical education", 1),
}
"""Code -> Chinese name, English name, weight when teachers are shared out."""

PRIMARY = ("chinese", "math", "english", "science", "music", "art", "pe")
MIDDLE = ("chinese", "math", "english", "physics", "history", "art", "pe")


@dataclass(frozen=True)
class CampusShape:
    """A campus to be made. ``language`` decides the names of its people (``zh-CN`` or ``en``) and its locale."""

    key: str
    name: str
    name_en: str
    language: str
    classes: int
    students: int
    teachers: int
    grades: tuple[int, ...] = (4, 5, 6, 7, 8, 9)
    zone: str = "Asia/Shanghai"
    domain: str = "school.example"


@dataclass(frozen=True)
class SchoolSystemShape:
    """A school system to be made: one bureau, one education group, campuses, researchers."""

    name: str
    name_en: str
    group_name: str
    group_name_en: str
    campuses: tuple[CampusShape, ...]
    researchers: int = 3

    @property
    def students(self) -> int:
        """Students of all campuses."""
        return sum(campus.students for campus in self.campuses)

    @property
    def teachers(self) -> int:
        """Teachers of all campuses."""
        return sum(campus.teachers for campus in self.campuses)

    @property
    def administrators(self) -> int:
        """One for the bureau, one for the group, one for each campus."""
        return 2 + len(self.campuses)

    def users(self) -> int:
        """All people, guardians included."""
        guardians = sum(_guardians_in(n) for n in range(self.students) if _family(self, n) == n)
        return self.students + self.teachers + self.researchers + self.administrators + guardians


@dataclass(frozen=True)
class TermShape:
    """The term to be made; ``last_day`` belongs to it. ``school_year`` is the year in which the school year ends."""

    key: str
    title: str
    first_day: date
    last_day: date
    school_year: int


DEMO_SHAPE = SchoolSystemShape(
    name="江城市教育局",
    name_en="Jiangcheng Education Bureau",
    group_name="梧桐教育集团",
    group_name_en="Wutong Education Group",
    campuses=(
        CampusShape(
            "campus-wutong", "梧桐实验学校", "Wutong Experimental School", "zh-CN", 12, 460, 30, domain="wutong.example"
        ),
        CampusShape(
            "campus-riverside", "江畔国际学校", "Riverside International School", "en", 12, 440, 30,
            domain="riverside.example",
        ),
    ),
)  # fmt: skip
"""The demonstration: 2 campuses, 24 classes, 900 students, 60 teachers, 3 researchers, 4 administrators."""


def city_shape(users: int, students_per_class: int = 40, campus_students: int = 1500) -> SchoolSystemShape:
    """A school system of at least ``users`` people on as many campuses as it takes."""

    def shape(campuses: int) -> SchoolSystemShape:
        return SchoolSystemShape(
            "某市教育局", "City Education Bureau", "城区教育集团", "City Education Group",
            tuple(
                CampusShape(
                    f"campus-{n}", f"第{n}学校", f"School No. {n}", "en" if n % 8 == 0 else "zh-CN",
                    campus_students // students_per_class, campus_students, campus_students // 15,
                    domain=f"school{n}.example",
                )
                for n in range(1, campuses + 1)
            ),
        )  # fmt: skip

    campuses = 1
    while (made := shape(campuses)).users() < users:
        campuses += max(1, int((users - made.users()) / (made.users() / campuses)))
    return made


def term_of(day: date) -> TermShape:
    """The term that ``day`` falls into: 1 September to 31 January, or 1 February to 31 August (with the summer)."""
    if day.month >= 9 or day.month == 1:
        year = day.year if day.month >= 9 else day.year - 1
        first, last = date(year, 9, 1), date(year + 1, 1, 31)
        return TermShape(f"term-{year}-autumn", f"{year}–{year + 1}学年第一学期", first, last, year + 1)
    year = day.year
    first, last = date(year, 2, 1), date(year, 8, 31)
    return TermShape(f"term-{year}-spring", f"{year - 1}–{year}学年第二学期", first, last, year)


def write_roster(path: Path, shape: SchoolSystemShape, seed: int, term: TermShape, version: str = "1.2") -> None:
    """Write the zip of ``shape`` to ``path`` as OneRoster ``version`` ("1.1" or "1.2").

    sourcedIds tell what they are: ``bureau``, ``group``, the campuses' keys; classes ``<campus>-c<n>``; people
    ``s<n>``, ``g<family>-<1 or 2>``, ``t-<campus>-<n>``, ``researcher-<n>``, ``admin-bureau``, ``admin-group``,
    ``admin-<campus>``.
    """
    if version not in ("1.1", "1.2"):
        raise ValueError(version)
    writer = _Roster(shape, seed, term, version)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, rows in writer.tables():
            with _member(archive, f"{name}.csv") as stream:
                csv.writer(stream, lineterminator="\r\n").writerows(rows)


@contextmanager
def _member(archive: zipfile.ZipFile, name: str) -> Iterator[TextIO]:
    info = zipfile.ZipInfo(name, MEMBER_DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
        yield text


Row = Iterable[Any]


class _Roster:
    """The tables of one roster, each as an iterator of rows with the header first."""

    def __init__(self, shape: SchoolSystemShape, seed: int, term: TermShape, version: str) -> None:
        self.shape = shape
        self.seed = seed
        self.term = term
        self.version = version
        self.firsts: list[int] = []
        total = 0
        for campus in shape.campuses:
            self.firsts.append(total)
            total += campus.students

    def tables(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """Name and rows of each file, the manifest first."""
        yield "manifest", self.manifest()
        yield "orgs", self.orgs()
        yield "academicSessions", self.sessions()
        yield "courses", self.courses()
        yield "classes", self.classes()
        yield "users", self.users()
        if self.version == "1.2":
            yield "roles", self.roles()
        yield "enrollments", self.enrolments()

    def rng(self, kind: str, number: int | str) -> Random:
        """Chance for one person, the same whenever asked."""
        return Random(f"{self.seed}:{kind}:{number}")

    def manifest(self) -> Iterator[Row]:
        yield "propertyName", "value"
        yield "manifest.version", "1.0"
        yield "oneroster.version", self.version
        used = {"orgs", "academicSessions", "courses", "classes", "users", "enrollments"}
        used |= {"roles"} if self.version == "1.2" else set()
        others = {
            "categories",
            "classResources",
            "courseResources",
            "demographics",
            "lineItems",
            "resources",
            "results",
        }
        others |= {"userProfiles", "userResources"} if self.version == "1.2" else set()
        for name in sorted(used | others):
            yield f"file.{name}", "bulk" if name in used else "absent"
        yield "source.systemName", "LMS Bridge generator"
        yield "source.systemCode", "lms-bridge-generator"

    def orgs(self) -> Iterator[Row]:
        yield (
            "sourcedId", "status", "dateLastModified", "name", "type", "identifier", "parentSourcedId",
            "metadata.nameEn", "metadata.zone", "metadata.locale",
        )  # fmt: skip
        shape = self.shape
        yield "bureau", "", "", shape.name, "district", "bureau", "", shape.name_en, "Asia/Shanghai", "zh-CN"
        yield "group", "", "", shape.group_name, "local", "group", "bureau", shape.group_name_en, "", ""
        for c in shape.campuses:
            code = c.key.removeprefix("campus-")
            yield c.key, "", "", c.name, "school", code, "group", c.name_en, c.zone, c.language

    def sessions(self) -> Iterator[Row]:
        yield (
            "sourcedId", "status", "dateLastModified", "title", "type", "startDate", "endDate", "parentSourcedId",
            "schoolYear",
        )  # fmt: skip
        term = self.term
        end = term.last_day + timedelta(days=1)
        yield term.key, "", "", term.title, "term", term.first_day, end, "", term.school_year

    def courses(self) -> Iterator[Row]:
        yield (
            "sourcedId", "status", "dateLastModified", "schoolYearSourcedId", "title", "courseCode", "grades",
            "orgSourcedId", "subjects", "subjectCodes", "metadata.subjectsEn",
        )  # fmt: skip
        for code, (name, name_en, _) in SUBJECTS.items():
            yield f"course-{code}", "", "", "", name, code, "", "bureau", name, code, name_en
        yield "course-homeroom", "", "", "", "行政班", "homeroom", "", "bureau", "", "", ""

    def classes(self) -> Iterator[Row]:
        yield (
            "sourcedId", "status", "dateLastModified", "title", "grades", "courseSourcedId", "classCode", "classType",
            "location", "schoolSourcedId", "termSourcedIds", "subjects", "subjectCodes", "periods",
        )  # fmt: skip
        for campus in self.shape.campuses:
            for n in range(campus.classes):
                grade, number = _grade(campus, n)
                title = f"Class {grade}.{number}" if campus.language == "en" else f"{grade}年级{number}班"
                yield (
                    f"{campus.key}-c{n + 1}", "", "", title, f"{grade:02}", "course-homeroom", f"{grade}.{number}",
                    "homeroom", f"{100 + n}", campus.key, self.term.key, "", "", "",
                )  # fmt: skip

    def users(self) -> Iterator[Row]:
        header = [
            "sourcedId", "status", "dateLastModified", "enabledUser", "orgSourcedIds", "role", "username", "userIds",
            "givenName", "familyName", "middleName", "identifier", "email", "sms", "phone", "agentSourcedIds", "grades",
            "password",
        ]  # fmt: skip
        if self.version == "1.1":
            yield header
            for key, name, roles, identifier, email, phone, agents, grade in self.people():
                orgs = ",".join(org for _, org in roles)
                yield (
                    key, "", "", "true", orgs, roles[0][0], key, "", name[1], name[0], "", identifier, email, "", phone,
                    agents, grade, "",
                )  # fmt: skip
            return
        yield [
            *(column for column in header if column not in ("orgSourcedIds", "role")), "userMasterIdentifier",
            "resourceSourcedIds", "preferredGivenName", "preferredMiddleName", "preferredFamilyName",
            "primaryOrgSourcedId", "pronouns",
        ]  # fmt: skip
        for key, name, roles, identifier, email, phone, agents, grade in self.people():
            yield (
                key, "", "", "true", key, "", name[1], name[0], "", identifier, email, "", phone, agents, grade, "",
                "", "", "", "", "", roles[0][1], "",
            )  # fmt: skip

    def roles(self) -> Iterator[Row]:
        yield (
            "sourcedId", "status", "dateLastModified", "userSourcedId", "roleType", "role", "beginDate", "endDate",
            "orgSourcedId", "userProfileSourcedId",
        )  # fmt: skip
        for key, _, roles, *_ in self.people():
            for n, (role, org) in enumerate(roles):
                yield f"{key}-r{n + 1}", "", "", key, "secondary" if n else "primary", role, "", "", org, ""

    def people(self) -> Iterator[tuple[str, tuple[str, str], list[tuple[str, str]], str, str, str, str, str]]:
        """sourcedId, (family, given) name, roles with organisations, number, e-mail, phone, agents, grade."""
        yield from self._staff()
        for c, campus in enumerate(self.shape.campuses):
            for n in range(campus.teachers):
                key = f"t-{campus.key}-{n + 1}"
                rng = self.rng("teacher", key)
                name = (surname(rng, campus.language), given_name(rng, campus.language))
                email = f"teacher{n + 1}@{campus.domain}"
                yield key, name, [("teacher", campus.key)], f"T{c + 1}{n + 1:04}", email, "", "", ""
        for number in range(self.shape.students):
            yield self._student(number)
            if _family(self.shape, number) == number:
                yield from self._guardians(number)

    def _staff(self) -> Iterator[tuple[str, tuple[str, str], list[tuple[str, str]], str, str, str, str, str]]:
        new = self.version == "1.2"
        places = [("admin-bureau", "bureau", "districtAdministrator" if new else "administrator", "bureau.example")]
        places.append(("admin-group", "group", "siteAdministrator" if new else "administrator", "group.example"))
        for campus in self.shape.campuses:
            places.append((f"admin-{campus.key}", campus.key, "principal" if new else "administrator", campus.domain))
        for n in range(self.shape.researchers):
            places.append((f"researcher-{n + 1}", "bureau", "ext:researcher", "bureau.example"))
        languages = {campus.key: campus.language for campus in self.shape.campuses}
        for key, org, role, domain in places:
            rng = self.rng("staff", key)
            language = languages.get(org, "zh-CN")
            name = (surname(rng, language), given_name(rng, language))
            yield key, name, [(role, org)], "", f"{key}@{domain}", "", "", ""

    def _campus_of(self, number: int) -> tuple[CampusShape, int]:
        """The campus of a student and the student's number on it."""
        for campus, first in zip(reversed(self.shape.campuses), reversed(self.firsts), strict=True):
            if number >= first:
                return campus, number - first
        raise ValueError(number)

    def _student(self, number: int) -> tuple[str, tuple[str, str], list[tuple[str, str]], str, str, str, str, str]:
        campus, place = self._campus_of(number)
        family = _family(self.shape, number)
        language = self._campus_of(family)[0].language
        given = given_name(self.rng("student", number), language)
        agents = ",".join(f"g{family}-{n}" for n in range(1, _guardians_in(family) + 1))
        grade, _ = _grade(campus, place % campus.classes)
        name = (self._family_name(family), given)
        return (
            f"s{number}", name, [("student", campus.key)], f"{self.term.school_year}{number:06}", "", "", agents,
            f"{grade:02}",
        )  # fmt: skip

    def _family_name(self, family: int) -> str:
        return surname(self.rng("family", family), self._campus_of(family)[0].language)

    def _guardians(
        self, family: int
    ) -> Iterator[tuple[str, tuple[str, str], list[tuple[str, str]], str, str, str, str, str]]:
        children = [family, *_younger(self.shape, family)]
        orgs = list(dict.fromkeys(self._campus_of(child)[0].key for child in children))
        language = self._campus_of(family)[0].language
        for n in range(1, _guardians_in(family) + 1):
            rng = self.rng("guardian", f"{family}-{n}")
            own = self._family_name(family) if n == 1 or language == "en" else surname(rng, language)
            name = (own, given_name(rng, language))
            key = f"g{family}-{n}"
            yield (
                key, name, [("parent", org) for org in orgs], "", f"{key}@family.example",
                f"+86 139 {family // 10000:04} {family % 10000:04}", ",".join(f"s{c}" for c in children), "",
            )  # fmt: skip

    def enrolments(self) -> Iterator[Row]:
        yield (
            "sourcedId", "status", "dateLastModified", "classSourcedId", "schoolSourcedId", "userSourcedId", "role",
            "primary", "beginDate", "endDate", "metadata.subjectCode",
        )  # fmt: skip
        for campus in self.shape.campuses:
            for group, teacher, subject in _teaching(campus):
                person, of = f"t-{campus.key}-{teacher + 1}", f"{campus.key}-c{group + 1}"
                key = f"e-{of}-{subject or 'homeroom'}"
                primary = "" if subject else "true"
                yield key, "", "", of, campus.key, person, "teacher", primary, "", "", subject
        for number in range(self.shape.students):
            campus, place = self._campus_of(number)
            of = f"{campus.key}-c{place % campus.classes + 1}"
            yield f"e-s{number}", "", "", of, campus.key, f"s{number}", "student", "", "", "", ""


def _grade(campus: CampusShape, group: int) -> tuple[int, int]:
    """Grade, and number within the grade, of a campus's class."""
    grade = campus.grades[group % len(campus.grades)]
    return grade, group // len(campus.grades) + 1


def _family(shape: SchoolSystemShape, number: int) -> int:
    """The oldest sibling of a student (often the student): every ninth has one on the same campus, and every fourth of
    the second campus has one on the first."""
    first = shape.campuses[0].students
    second = shape.campuses[1].students if len(shape.campuses) > 1 else 0
    if first <= number < first + second and (number - first) % 4 == 3 and number - first < first:
        return _family(shape, number - first)
    return number - 5 if number % 9 == 8 and number >= 9 and number < first else number


def _younger(shape: SchoolSystemShape, family: int) -> list[int]:
    """The other children of a family."""
    first = shape.campuses[0].students
    candidates = [family + 5, family + first, family + 5 + first]
    return [n for n in candidates if n < shape.students and n != family and _family(shape, n) == family]


def _guardians_in(family: int) -> int:
    """One guardian in every fourth family, else two."""
    return 1 if family % 4 == 1 else 2


def _teaching(campus: CampusShape) -> Iterator[tuple[int, int, str]]:
    """(class, teacher, subject code) of each campus; without a subject: the class teacher. Numbers from 0."""
    needed: dict[str, list[int]] = {}
    for group in range(campus.classes):
        for subject in PRIMARY if _grade(campus, group)[0] <= 6 else MIDDLE:
            needed.setdefault(subject, []).append(group)
    load = {subject: SUBJECTS[subject][2] * len(groups) for subject, groups in needed.items()}
    teams, total, next_teacher, spent = {}, sum(load.values()), 0, 0
    for n, subject in enumerate(needed):
        spent += load[subject]
        left = len(needed) - n - 1
        last = min(max(round(spent * campus.teachers / total), next_teacher + 1), campus.teachers - left)
        teams[subject] = list(range(next_teacher, max(last, next_teacher + 1)))
        next_teacher = teams[subject][-1] + 1
    class_teachers: dict[int, int] = {}
    for subject, groups in needed.items():
        for place, group in enumerate(groups):
            teacher = teams[subject][place % len(teams[subject])] % campus.teachers
            if group not in class_teachers and teacher not in class_teachers.values():
                class_teachers[group] = teacher
                yield group, teacher, ""
            yield group, teacher, subject
    for group in range(campus.classes):
        if group not in class_teachers:
            yield group, teams["math"][group % len(teams["math"])] % campus.teachers, ""
