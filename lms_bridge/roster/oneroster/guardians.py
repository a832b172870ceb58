"""Who answers for whom, from ``agentSourcedIds`` in both directions.

On a student's row the agents who are guardians, parents or relatives answer for the student; on the row of such a
person the agents who are students are their children. ``metadata.restricted`` names those of the agents between whom
and this person everything is withheld (court orders). An import sets this mark and never lifts it: a file without
the column must not undo what a court said and the school entered here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from lms_bridge.core.access import Role
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Guardianship, RoleAssignment
from lms_bridge.roster.oneroster.known import FETCH, Counts
from lms_bridge.roster.oneroster.plan import Plan, in_chunks
from lms_bridge.roster.oneroster.tables import ANY_GUARDIAN, GUARDIAN, PARENT, STUDENT, USERS_1_2
from lms_bridge.roster.oneroster.values import words

RESTRICTED = 16
KEEP_RELATION = 32
POSITION = 64
"""A tie is packed into one number: bits of the relation, the two marks above, and the position times this."""


@dataclass
class GuardianChanges:
    """What changes among the guardianships that are there: new ones are in the spool."""

    counts: Counts = field(default_factory=Counts)
    changed: list[tuple[int, str, bool]] = field(default_factory=list)
    """Row id, relation, restricted."""
    gone: list[int] = field(default_factory=list)
    before: int = 0
    """How many of this source were in force before."""


def relation_of(packed: int) -> str:
    """The word for a tie's relation."""
    if packed & PARENT:
        return "parent"
    return "guardian" if packed & (GUARDIAN | KEEP_RELATION) else "relative"


def read_guardians(plan: Plan) -> GuardianChanges:
    """Resolve all ties now that people and roles are known, and compare them with those in force."""
    changes = GuardianChanges()
    mode = plan.archive.mode("users")
    if mode == "absent":
        return changes
    _load_bits(plan)
    ties, students, guardians = _ties(plan)
    ended = plan.ids_of("person", plan.gone["person"])
    query = sa.select(
        Guardianship.id,
        Guardianship.student_id,
        Guardianship.guardian_id,
        Guardianship.relation,
        Guardianship.restricted,
        Guardianship.source,
    ).where(sa.or_(Guardianship.valid_to.is_(None), Guardianship.valid_to > plan.day))
    for row in plan.connection.execute(query, execution_options={"yield_per": FETCH}):
        row_id, student, guardian, relation, restricted, source = row
        own = source == plan.system
        changes.before += own
        said = ties.pop((student, guardian), None)
        if student in ended or guardian in ended:
            changes.gone.append(row_id)
        elif said is None:
            if own and (mode == "bulk" or student in students or guardian in guardians):
                changes.gone.append(row_id)
        else:
            _compare(changes, row_id, relation, restricted, said, own)
    changes.counts.removed = len(changes.gone)
    changes.counts.new = len(ties)
    add = plan.spools["guardianship"].add
    for (student, guardian), said in ties.items():
        add((student, guardian, relation_of(said), said // POSITION, bool(said & RESTRICTED)))
    return changes


def _compare(changes: GuardianChanges, row_id: int, relation: str, restricted: bool, said: int, own: bool) -> None:
    keep = not own or said & KEEP_RELATION
    wanted = (relation if keep else relation_of(said), bool(restricted or said & RESTRICTED))
    if wanted == (relation, restricted):
        changes.counts.unchanged += 1
    else:
        changes.counts.changed += 1
        changes.changed.append((row_id, *wanted))


def _ties(plan: Plan) -> tuple[dict[tuple[int, int], int], set[int], set[int]]:
    """All ties as (student, guardian) -> packed number; the students and the guardians whose own rows name any."""
    ties: dict[tuple[int, int], int] = {}
    students: set[int] = set()
    guardians: set[int] = set()
    bits, others = plan.bits, 0
    for chunk in plan.spools["agents"].chunks():
        for number, line, agents, restricted in chunk:
            own = bits.get(number, 0)
            withheld = _withheld(plan, line, agents, restricted) if restricted else ()
            for position, key in enumerate(words(agents), 1):
                other = plan.known["person"].active.get(key)
                if other is None:
                    plan.unknown(N_("There is no such user."), USERS_1_2, line, "agentSourcedIds", key, "users")
                    continue
                theirs = bits.get(other, 0)
                mark = RESTRICTED if key in withheld else 0
                if own & STUDENT and theirs & ANY_GUARDIAN:
                    students.add(number)
                    _tie(ties, number, other, theirs | mark, position)
                elif own & ANY_GUARDIAN and theirs & STUDENT:
                    guardians.add(number)
                    _tie(ties, other, number, own | mark, 0)
                else:
                    others += 1
    if others:
        plan.note(
            N_("%(count)s entries of agentSourcedIds tie no guardian to a student; they were left out."),
            count=str(others),
        )
    return ties, students, guardians


def _tie(ties: dict[tuple[int, int], int], student: int, guardian: int, bits: int, position: int) -> None:
    """Note a tie; when both rows name it, a mark on either counts, and the student's row gives the position."""
    bits &= ANY_GUARDIAN | RESTRICTED | KEEP_RELATION
    before = ties.get((student, guardian), 0)
    place = position or before // POSITION or 1
    ties[student, guardian] = bits | (before & RESTRICTED) | place * POSITION


def _withheld(plan: Plan, line: int, agents: str, restricted: str) -> set[str]:
    known, withheld = set(words(agents)), set(words(restricted))
    for key in sorted(withheld - known):
        plan.problems.add(
            N_("This user is not among the agentSourcedIds of the row."),
            file=USERS_1_2.file,
            row=line,
            column="metadata.restricted",
            value=key,
            remedy=N_("Name the user in agentSourcedIds as well, or correct this cell."),
        )
    return withheld


def _load_bits(plan: Plan) -> None:
    """What the people are whose roles are not in this file (a delta): from the roles in force."""
    if plan.known["role_assignment"].bulk:
        return
    wanted: set[int] = set()
    for chunk in plan.spools["agents"].chunks():
        for number, _, agents, _ in chunk:
            wanted.update(plan.known["person"].active.get(key, 0) for key in words(agents))
            wanted.add(number)
    query = sa.select(RoleAssignment.person_id, RoleAssignment.role).where(
        RoleAssignment.role.in_((Role.STUDENT, Role.GUARDIAN)),
        sa.or_(RoleAssignment.valid_to.is_(None), RoleAssignment.valid_to > plan.day),
    )
    missing = {n for n in wanted if n > 0 and n not in plan.bits}
    for person, role in in_chunks(plan.connection, query, RoleAssignment.person_id, missing):
        bit = STUDENT if role is Role.STUDENT else GUARDIAN | KEEP_RELATION
        plan.bits[person] = plan.bits.get(person, 0) | bit
