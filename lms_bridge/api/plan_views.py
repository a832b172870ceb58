"""Plans, units, findings, history and comments as plain JSON. Times are UTC (ISO 8601), dates the campus's."""

from __future__ import annotations

from typing import Any

from lms_bridge.core.i18n import get_locale
from lms_bridge.core.kept_problems import told
from lms_bridge.plans import comparing
from lms_bridge.plans.history import Entry
from lms_bridge.plans.listing import PlanRow
from lms_bridge.plans.models import PlanUnit, PlanVersion, TeachingPlan
from lms_bridge.plans.proposals import needs_words, proposal_text
from lms_bridge.plans.threads import Discussion
from lms_bridge.roster.models import Organisation

UNIT = (
    "key", "sequence", "title", "periods", "content", "objectives", "key_points", "methods", "homework", "materials",
    "remarks", "week_from", "week_to", "date_from", "date_to", "online_possible", "online_alternative", "assumed",
    "provenance",
)  # fmt: skip


def in_list(row: PlanRow) -> dict[str, Any]:
    """A plan as a list shows it, with its newest version."""
    return {
        **_about(row.plan, row.campus),
        "version": row.version.number,
        "state": row.version.state.value,
        "state_at": row.version.state_at.isoformat(),
        "coverage": row.version.coverage,
        "findings": row.findings,
        "major_findings": row.major,
    }


def whole(plan: TeachingPlan, campus: Organisation) -> dict[str, Any]:
    """A plan with all its versions, the newest last."""
    return {
        **_about(plan, campus),
        "term": plan.term.code,
        "language": plan.language,
        "versions": [
            {
                "version": version.number,
                "state": version.state.value,
                "state_at": version.state_at.isoformat(),
                "created_at": version.created_at.isoformat(),
                "coverage": version.coverage,
                "units": len(version.units),
                "periods": sum(unit.periods for unit in version.units),
                "warnings": [told(warning) for warning in version.warnings],
            }
            for version in plan.versions
        ],
    }


def _about(plan: TeachingPlan, campus: Organisation) -> dict[str, Any]:
    known = plan.author is not None and plan.author.erased_at is None
    return {
        "uid": plan.uid,
        "kind": plan.kind.value,
        "title": plan.title,
        "subject": plan.subject.code,
        "grade": plan.grade,
        "organisation": campus.code,
        "organisation_name": campus.label(get_locale()),
        "classes": sorted(link.class_group.code for link in plan.classes),
        "author": plan.author.display_name if known and plan.author is not None else None,
    }


def unit(row: PlanUnit) -> dict[str, Any]:
    """A unit; ``assumed`` names what was concluded and not read, ``provenance`` where it stood in the document."""
    found = {name: getattr(row, name) for name in UNIT}
    return found | {name: found[name].isoformat() if found[name] else None for name in ("date_from", "date_to")}


def findings(version: PlanVersion) -> list[dict[str, Any]]:
    """The findings of a version with their sentences, proposals and answers in the caller's language."""
    found = comparing.findings_of(version)
    rows = []
    for finding, text in zip(found, comparing.sentences(version, found), strict=True):
        draft = comparing.as_draft(version, finding)
        rows.append(
            {
                "position": finding.position,
                "kind": finding.kind,
                "severity": finding.severity,
                "text": text,
                "unit": finding.unit_key,
                "benchmark_unit": finding.benchmark_unit_key,
                "params": finding.params,
                "proposal": proposal_text(draft) or None,
                "needs_words": needs_words(draft),
                "answer": finding.answer,
                "answer_words": finding.answer_words,
            }
        )
    return rows


def entry(row: Entry) -> dict[str, Any]:
    """One line of the history."""
    return {
        "at": row.at.isoformat(),
        "kind": row.kind,
        "who": row.who,
        "version": row.version,
        "state": row.state.value if row.state is not None else None,
        "text": row.text,
        "unit": row.unit,
    }


def discussion(found: Discussion) -> list[dict[str, Any]]:
    """The threads of a plan with their comments."""
    return [
        {
            "thread": thread.id,
            "unit": thread.unit_key,
            "unit_title": thread.unit,
            "resolved_at": thread.resolved_at.isoformat() if thread.resolved_at else None,
            "resolved_by": thread.resolved_by,
            "comments": [
                {
                    "id": comment.id,
                    "author": comment.author,
                    "at": comment.at.isoformat(),
                    "text": "".join(text for text, _ in comment.pieces),
                    "version": comment.version,
                }
                for comment in thread.comments
            ],
        }
        for thread in found.threads
    ]
