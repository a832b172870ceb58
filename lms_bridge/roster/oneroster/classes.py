"""Reading courses.csv and classes.csv: what is taught, and the classes of each campus and term."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.core.i18n import LOCALES, N_
from lms_bridge.roster.models import ClassGroup, Course, OrganisationKind, Subject, Term
from lms_bridge.roster.oneroster.plan import CourseRead, Org, Plan, Session, in_chunks
from lms_bridge.roster.oneroster.rows import Rows
from lms_bridge.roster.oneroster.sessions import in_force
from lms_bridge.roster.oneroster.subjects import Subjects
from lms_bridge.roster.oneroster.tables import CLASS_TYPES, CLASSES, COURSES, SESSIONS
from lms_bridge.roster.oneroster.values import digest, grades, short_code, words

CODE_LENGTH = 60


def read_courses(plan: Plan, subjects: Subjects) -> None:
    """Fill ``plan.courses``, note the subjects, and spool the courses that change."""
    known = plan.known["course"]
    if not known.bulk:
        query = sa.select(Course.id, Course.grade, Subject.code).outerjoin(Subject, Subject.id == Course.subject_id)
        found = {row.id: row for row in in_chunks(plan.connection, query, Course.id, known.active.values())}
        for key, number in known.active.items():
            plan.courses[key] = CourseRead(number, found[number].code or "", found[number].grade or "")
    if plan.archive.mode("courses") != "absent":
        for line, cells in Rows(plan.archive, COURSES, plan.problems, plan.tick(COURSES)):
            if not plan.is_active(known, COURSES, line, cells[0], cells[1]):
                plan.courses.pop(cells[0], None)
                continue
            key, _, title, code, grade_list, org_key, names, codes, names_en = cells
            subject = (subjects.named(codes, names, names_en) or [""])[0]
            org = plan.orgs.get(org_key)
            if org is None:
                plan.unknown(N_("There is no such organisation."), COURSES, line, "orgSourcedId", org_key, "orgs")
                plan.problems.spoil(COURSES.file, key)
                continue
            row_hash = digest((*cells[2:6], subject))
            number, write = known.keep(key, row_hash)
            plan.courses[key] = CourseRead(number, subject, grades(grade_list))
            if write:
                plan.spools["course"].add(
                    (
                        number, key, row_hash, org.number, short_code(code or key, CODE_LENGTH), title,
                        subject, grades(grade_list),
                    )
                )  # fmt: skip
    plan.gone["course"] = known.close()


@dataclass(frozen=True)
class _Found:
    """What the references of a class row lead to."""

    campus: Org
    term: Session
    course: CourseRead | None


def read_classes(plan: Plan, subjects: Subjects) -> None:
    """Note the classes in force and the first day of each one's term, and spool those that change."""
    known = plan.known["class_group"]
    if not known.bulk:
        query = sa.select(ClassGroup.id, Term.starts_on).join(Term, Term.id == ClassGroup.term_id)
        for row in in_chunks(plan.connection, query, ClassGroup.id, known.active.values()):
            plan.class_starts[row.id] = max(row.starts_on, plan.day)
    if plan.archive.mode("classes") != "absent":
        codes: dict[tuple[int, int], dict[str, int]] = {}
        for line, cells in Rows(plan.archive, CLASSES, plan.problems, plan.tick(CLASSES)):
            if plan.is_active(known, CLASSES, line, cells[0], cells[1]):
                found = _references(plan, line, cells)
                if found is None:
                    plan.problems.spoil(CLASSES.file, cells[0])
                else:
                    _keep(plan, subjects, cells, found, codes)
    plan.gone["class_group"] = known.close()


def _references(plan: Plan, line: int, cells: list[str]) -> _Found | None:
    """The campus, term and course of a class row; None if one is missing (then named)."""
    course_key, kind, campus_key, term_keys, language = cells[4], cells[6], cells[7], words(cells[8]), cells[12]
    before = plan.problems.count
    campus = plan.orgs.get(campus_key)
    if campus is None:
        plan.unknown(N_("There is no such organisation."), CLASSES, line, "schoolSourcedId", campus_key, "orgs")
    elif campus.kind is not OrganisationKind.CAMPUS:
        _wrong(plan, line, "schoolSourcedId", campus_key, N_("This organisation is no school."), N_("Name a school."))
    for key in term_keys:
        if key not in plan.sessions:
            plan.unknown(N_("There is no such academic session."), CLASSES, line, "termSourcedIds", key, SESSIONS.name)
    course = plan.courses.get(course_key) if course_key else None
    if course_key and course is None:
        plan.unknown(N_("There is no such course."), CLASSES, line, "courseSourcedId", course_key, COURSES.name)
    if kind not in CLASS_TYPES:
        remedy = N_("homeroom or scheduled would be right.")
        _wrong(plan, line, "classType", kind, N_("This is no type of a class."), remedy)
    if language and language not in LOCALES:
        remedy = N_("zh-CN or en would be right.")
        _wrong(plan, line, "metadata.language", language, N_("This language is not spoken here."), remedy)
    term = in_force([plan.sessions[key] for key in term_keys if key in plan.sessions], plan.day)
    if plan.problems.count > before or campus is None or term is None:
        return None
    return _Found(campus, term, course)


def _wrong(plan: Plan, line: int, column: str, value: str, message: str, remedy: str) -> None:
    plan.problems.add(message, file=CLASSES.file, row=line, column=column, value=value, remedy=remedy)


def _keep(
    plan: Plan, subjects: Subjects, cells: list[str], found: _Found, codes: dict[tuple[int, int], dict[str, int]]
) -> None:
    key, _, title, grade_list, course_key, class_code, kind, campus_key, _, names, subject_codes, names_en, lang = cells
    course = found.course
    own = subjects.named(subject_codes, names, names_en)
    subject = "" if kind == "homeroom" else (own[0] if own else course.subject if course else "")
    grade = grades(grade_list) or (course.grade if course else "")
    language = lang or found.campus.locale
    # The term is part of the hash as it was chosen, since a class of a whole year passes from one to the next.
    term = f"{found.term.starts_on} {found.term.ends_on} {cells[8]}"
    known = plan.known["class_group"]
    row_hash = digest((title, grade, course_key, class_code, kind, campus_key, term, subject, language))
    number, write = known.keep(key, row_hash)
    code = short_code(class_code or key, CODE_LENGTH)
    taken = codes.setdefault((found.campus.number, found.term.number), {})
    if taken.setdefault(code, number) != number:
        plan.note(
            N_("The class code %(code)s is used twice at one school; the second class got its sourcedId as code."),
            code=code,
        )
        code = short_code(key, CODE_LENGTH)
    starts_on = found.term.starts_on
    plan.class_starts[number] = starts_on if number < 0 else max(starts_on, plan.day)
    if write:
        plan.spools["class_group"].add(
            (
                number, key, row_hash, found.campus.number, found.term.number, code, title, kind, grade,
                course.number if course else None, subject, language,
            )
        )  # fmt: skip
