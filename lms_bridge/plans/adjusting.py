"""The teacher's answers to proposals, one by one, and the new version that the accepted ones make."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bridge.core import audit
from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.ids import new_uid
from lms_bridge.plans.benchmark import compare
from lms_bridge.plans.comparing import (
    ACCEPTED,
    as_draft,
    benchmark_of,
    circumstances_of,
    compare_version,
    drafts,
    findings_of,
)
from lms_bridge.plans.errors import WrongState
from lms_bridge.plans.lookup import plan_access
from lms_bridge.plans.models import Finding, PlanUnit, PlanVersion, TeachingPlan, VersionState
from lms_bridge.plans.proposals import Accepted, action_for, adjust, needs_words
from lms_bridge.plans.review import newest_seen
from lms_bridge.plans.units import UNIT_FIELDS, UnitDraft
from lms_bridge.roster.models import Person

WORDS_LIMIT = 2000


def answer(
    plan: TeachingPlan,
    position: int,
    given: str | None,
    *,
    seen: int,
    scope: Scope | None,
    person: Person | None,
    words: str = "",
) -> Finding:
    """Accept, refuse, or (``given`` None) leave open again the proposal of the finding at ``position`` of version
    ``seen``. ``words`` are the alternative in the teacher's own words, or why they refuse.

    :raises WrongState: a newer version has come, or the plan is being reviewed.
    :raises InputError: there is no proposal, or it needs words. :raises NotFound: there is no such finding.
    """
    version = _open_version(plan, seen, scope)
    found = next((f for f in findings_of(version) if f.position == position), None)
    if found is None:
        raise NotFound()
    draft = as_draft(version, found)
    if given == ACCEPTED and action_for(draft) is None:
        raise InputError(N_("There is no proposal for this finding."), remedy=N_("Change the document and upload it."))
    if given == ACCEPTED and needs_words(draft) and not words.strip():
        raise InputError(
            N_("Nobody wrote an alternative yet."), remedy=N_("Write what is done online instead, then accept.")
        )
    found.answer = given
    found.answer_words = words.strip()[:WORDS_LIMIT] if given is not None else ""
    found.answered_by_id = person.id if person is not None and given is not None else None
    found.answered_at = now() if given is not None else None
    db.session.flush()
    return found


def accepted_of(version: PlanVersion) -> list[Finding]:
    """The findings of a version whose proposals were accepted."""
    return [found for found in findings_of(version) if found.answer == ACCEPTED]


def make_version(plan: TeachingPlan, *, seen: int, scope: Scope | None, person: Person | None) -> PlanVersion:
    """Make the next version, a draft, from version ``seen`` and its accepted proposals; what was refused stays refused
    where the comparison finds it again.

    :raises WrongState: as :func:`answer`. :raises InputError: nothing was accepted.
    """
    version = _open_version(plan, seen, scope)
    findings = findings_of(version)
    chosen = [found for found in findings if found.answer == ACCEPTED]
    if not chosen:
        raise InputError(N_("No proposal is accepted."), remedy=N_("Accept at least one first."))
    benchmark = benchmark_of(chosen[0])
    mine, theirs = drafts(version.units), drafts(benchmark.units) if benchmark is not None else []
    units = adjust(
        mine,
        theirs,
        compare(mine, theirs).matches,
        [Accepted(as_draft(version, found), found.answer_words) for found in chosen],
        circumstances_of(plan),
    )
    if version.state in (VersionState.DRAFT, VersionState.RETURNED):
        version.state, version.state_at = VersionState.SUPERSEDED, now()
    made = PlanVersion(
        number=1 + version.number,
        file_id=version.file_id,
        created_by_id=person.id if person is not None else None,
        warnings=[],
        units=_rows(units),
    )
    plan.versions.append(made)
    db.session.flush()
    compare_version(made, earlier=findings)
    audit.record(
        "plan.adjusted", "plan", plan.uid, actor_uid=person.uid if person is not None else None,
        organisation_id=plan.organisation_id, version=made.number, accepted=len(chosen),
    )  # fmt: skip
    return made


def _open_version(plan: TeachingPlan, seen: int, scope: Scope | None) -> PlanVersion:
    if scope is not None:
        scope.require(Permission.PLAN_WRITE, plan_access(plan).write)
    version = newest_seen(plan, seen)
    if version.state is VersionState.SUBMITTED:
        raise WrongState(
            N_("The plan is being reviewed."), remedy=N_("Wait for the answer, or ask the researcher to return it.")
        )
    return version


def _rows(units: Sequence[UnitDraft]) -> list[PlanUnit]:
    return [
        PlanUnit(
            **{name: getattr(unit, name) for name in UNIT_FIELDS},
            online_possible=unit.online_possible,
            online_alternative=unit.online_alternative,
            assumed=list(unit.assumed),
            key=unit.key or new_uid(),
        )
        for unit in units
    ]
