"""Reading academicSessions.csv into terms.

``term`` and ``semester`` are terms. A school year is one only where it has no terms of its own, and a grading period
only where nothing stands above it; else the name of the year stands for that of its terms which is in force (or comes
next), and a grading period for the term above it. OneRoster's endDate is the first day after the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Term
from lms_bridge.roster.oneroster.plan import Plan, Session
from lms_bridge.roster.oneroster.rows import Rows
from lms_bridge.roster.oneroster.tables import SESSION_TYPES, SESSIONS
from lms_bridge.roster.oneroster.values import digest, iso_date

DEEPEST = 8
TERM_TYPES = ("term", "semester")


@dataclass
class SessionRow:
    """One row of academicSessions.csv; ``ends_on`` is the last day."""

    line: int
    key: str
    title: str
    type: str
    starts_on: date
    ends_on: date
    parent: str
    school_year: int
    digest: int


def read_sessions(plan: Plan) -> None:
    """Fill ``plan.sessions`` with the term of every academic session in force, and spool those that change."""
    known = plan.known["term"]
    _load(plan)
    rows: dict[str, SessionRow] = {}
    if plan.archive.mode("academicSessions") != "absent":
        for line, cells in Rows(plan.archive, SESSIONS, plan.problems, plan.tick(SESSIONS)):
            if plan.is_active(known, SESSIONS, line, cells[0], cells[1]):
                row = _row(plan, line, cells)
                if row is not None:
                    rows[row.key] = row
    for key in list(plan.sessions):
        if known.bulk or key in known.deleted:
            del plan.sessions[key]
    _place(plan, rows)
    current = [s for s in plan.sessions.values() if s.starts_on <= plan.day <= s.ends_on]
    plan.since = min((s.starts_on for s in current), default=plan.day)
    plan.gone["term"] = known.close()


def in_force(sessions: list[Session], day: date) -> Session | None:
    """Of several terms the one of ``day``, else the next to come, else the last."""
    if not sessions:
        return None
    ordered = sorted(sessions, key=lambda s: (s.starts_on, s.ends_on))
    return next((s for s in ordered if s.ends_on >= day), ordered[-1])


def _load(plan: Plan) -> None:
    known = plan.known["term"]
    rows = {row.id: row for row in plan.connection.execute(sa.select(Term.id, Term.starts_on, Term.ends_on))}
    for key in known.hashes:
        row = rows[known.ids[key]]
        plan.sessions[key] = Session(row.id, row.starts_on, row.ends_on)


def _row(plan: Plan, line: int, cells: list[str]) -> SessionRow | None:
    key, _, title, kind, start, end, parent, year = cells
    starts, ends = iso_date(start), iso_date(end)
    wrong: list[tuple[str, str, str, str]] = []
    if kind not in SESSION_TYPES:
        allowed = N_("gradingPeriod, semester, schoolYear or term would be right.")
        wrong.append((N_("This is no type of an academic session."), "type", kind, allowed))
    for column, text, day in (("startDate", start, starts), ("endDate", end, ends)):
        if day is None:
            wrong.append((N_("This is no date."), column, text, N_("The form YYYY-MM-DD would be right.")))
    if starts and ends and ends <= starts:
        remedy = N_("endDate is the day after the last day, and later than startDate.")
        wrong.append((N_("The session ends before it begins."), "endDate", end, remedy))
    if not (year.isascii() and year.isdigit() and len(year) == 4):
        wrong.append((N_("This is no year."), "schoolYear", year, N_("The year in which it ends, such as 2027.")))
    for message, column, value, remedy in wrong:
        plan.problems.add(message, file=SESSIONS.file, row=line, column=column, value=value, remedy=remedy)
    if wrong or starts is None or ends is None:
        plan.problems.spoil(SESSIONS.file, key)
        return None
    return SessionRow(
        line, key, title, kind, starts, ends - timedelta(days=1), parent, int(year), digest(cells[2:])
    )  # fmt: skip


def _place(plan: Plan, rows: dict[str, SessionRow]) -> None:
    """Put every session in force: terms with rows of their own first, then those that stand for one of them."""
    for row in rows.values():
        if row.parent and row.parent not in rows and row.parent not in plan.sessions:
            plan.unknown(
                N_("There is no such academic session."),
                SESSIONS,
                row.line,
                "parentSourcedId",
                row.parent,
                "academicSessions",
            )
    terms = {row.key: row for row in rows.values() if row.type in TERM_TYPES}
    later: list[SessionRow] = []
    for row in rows.values():
        if row.key in terms or not _stand_ins(plan, row, rows, terms):
            _own(plan, row)
        else:
            later.append(row)
    for row in later:
        sessions = [plan.sessions[key] for key in _stand_ins(plan, row, rows, terms) if key in plan.sessions]
        chosen = in_force(sessions, plan.day)
        if chosen is not None:
            _stand_for(plan, row, chosen)


def _stand_ins(
    plan: Plan, row: SessionRow, rows: dict[str, SessionRow], terms: dict[str, SessionRow]
) -> list[str]:  # fmt: skip
    """The terms (keys) that a school year or grading period stands for; none: it is a term itself."""
    if row.type == "gradingPeriod":
        above = _ancestors(row, rows)
        return [key for key in above if key in terms][:1] or [key for key in above if key in plan.sessions][:1]
    below = [term.key for term in terms.values() if row.key in _ancestors(term, rows)]
    return below or [term.key for term in terms.values() if term.school_year == row.school_year]


def _ancestors(row: SessionRow, rows: dict[str, SessionRow]) -> list[str]:
    found: list[str] = []
    parent = row.parent
    while parent and parent not in found and len(found) < DEEPEST:
        found.append(parent)
        parent = rows[parent].parent if parent in rows else ""
    return found


def _own(plan: Plan, row: SessionRow) -> None:
    number, write = plan.known["term"].keep(row.key, row.digest)
    plan.sessions[row.key] = Session(number, row.starts_on, row.ends_on)
    if write:
        plan.spools["term"].add(
            (
                number, row.key, row.digest, False, row.title, row.school_year,
                row.starts_on.isoformat(), row.ends_on.isoformat(),
            )
        )  # fmt: skip


def _stand_for(plan: Plan, row: SessionRow, session: Session) -> None:
    known = plan.known["term"]
    before = known.ids.get(row.key)
    _, write = known.keep(row.key, row.digest)
    known.ids[row.key] = known.active[row.key] = session.number
    plan.sessions[row.key] = session
    if write or before != session.number:
        plan.spools["term"].add((session.number, row.key, row.digest, True, "", 0, "", ""))
