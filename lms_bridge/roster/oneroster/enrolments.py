"""Reading enrollments.csv: who is in which class as a student or a teacher, and what a teacher teaches there."""

from __future__ import annotations

from lms_bridge.core.i18n import N_
from lms_bridge.roster.oneroster.people import NO_SUCH_ORGANISATION, NO_SUCH_PERSON, check_dates
from lms_bridge.roster.oneroster.plan import Plan
from lms_bridge.roster.oneroster.rows import Rows
from lms_bridge.roster.oneroster.subjects import Subjects
from lms_bridge.roster.oneroster.tables import ENROLMENT_ROLES, ENROLMENTS
from lms_bridge.roster.oneroster.values import digest

BOOLEANS = ("", "true", "false")


def read_enrolments(plan: Plan, subjects: Subjects) -> None:
    """Spool the enrolments that change."""
    known = plan.known["enrolment"]
    if plan.archive.mode("enrollments") != "absent":
        people, classes = plan.known["person"].active, plan.known["class_group"].active
        add = plan.spools["enrolment"].add
        undated: set[tuple[int, int, str, str]] = set()
        for line, cells in Rows(plan.archive, ENROLMENTS, plan.problems, plan.tick(ENROLMENTS)):
            key, status, class_key, school_key, person_key, word, primary, begin, end, subject = cells
            if not plan.is_active(known, ENROLMENTS, line, key, status):
                continue
            class_number, person = classes.get(class_key), people.get(person_key)
            role = ENROLMENT_ROLES.get(word, "")
            if class_number is None or person is None or school_key not in plan.orgs or not role:
                _name_references(plan, line, cells, class_number, person)
                if role is None:
                    plan.note(N_("Enrolments with the role %(role)s mean nothing here; they were left out."), role=word)
                    continue
            if not _is_good(plan, line, cells, subjects) or class_number is None or person is None or not role:
                continue
            if not begin and not end:
                place = (class_number, person, role, subject)
                if place in undated:
                    _name_twice(plan, line, person_key)
                    continue
                undated.add(place)
            row_hash = digest(cells[2:])
            number, changed = known.keep(key, row_hash)
            if changed:
                add((number, key, row_hash, class_number, person, role, subject, primary == "true", begin, end))
    plan.gone["enrolment"] = known.close()


def _name_references(plan: Plan, line: int, cells: list[str], class_number: int | None, person: int | None) -> None:
    if class_number is None:
        plan.unknown(N_("There is no such class."), ENROLMENTS, line, "classSourcedId", cells[2], "classes")
    if person is None:
        plan.unknown(NO_SUCH_PERSON, ENROLMENTS, line, "userSourcedId", cells[4], "users")
    if cells[3] not in plan.orgs:
        plan.unknown(NO_SUCH_ORGANISATION, ENROLMENTS, line, "schoolSourcedId", cells[3], "orgs")
    if cells[5] not in ENROLMENT_ROLES:
        plan.problems.add(
            N_("This is no role in a class."), file=ENROLMENTS.file, row=line, column="role", value=cells[5],
            remedy=N_("student or teacher would be right."),
        )  # fmt: skip


def _is_good(plan: Plan, line: int, cells: list[str], subjects: Subjects) -> bool:
    primary, begin, end, subject = cells[6:]
    good = not (begin or end) or check_dates(plan, ENROLMENTS, line, begin, end)
    if primary not in BOOLEANS and primary.lower() not in BOOLEANS:
        good = False
        plan.problems.add(
            N_("This is neither true nor false."), file=ENROLMENTS.file, row=line, column="primary", value=primary,
            remedy=N_("true or false would be right."),
        )  # fmt: skip
    if subject and subject not in subjects:
        good = False
        plan.problems.add(
            N_("There is no such subject."), file=ENROLMENTS.file, row=line, column="metadata.subjectCode",
            value=subject, remedy=N_("Name it in subjectCodes of courses.csv, or correct this cell."),
        )  # fmt: skip
    return good


def _name_twice(plan: Plan, line: int, person_key: str) -> None:
    plan.problems.add(
        N_("This user is in this class already, in the same role and without dates."),
        file=ENROLMENTS.file,
        row=line,
        column="userSourcedId",
        value=person_key,
        remedy=N_("Leave one of the rows, or give both their beginDate and endDate."),
    )
