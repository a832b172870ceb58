"""Findings as sentences for people, in the language in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from lms_bridge.core.i18n import get_locale, gettext, ngettext
from lms_bridge.notices.dates import say_day
from lms_bridge.plans.findings import FindingDraft, FindingKind
from lms_bridge.plans.units import UnitDraft

SHOWN = 60
MOST = 4
"""How much of a list is shown in a sentence: characters of an entry, entries."""


def finding_text(finding: FindingDraft, plan: Sequence[UnitDraft] = (), benchmark: Sequence[UnitDraft] = ()) -> str:
    """The finding as a sentence in the language in force.

    Titles are those of the units given, where they are, else those that stood in the plans when they were compared.
    """
    params = dict(finding.params)
    own = {unit.sequence: unit.title for unit in plan}
    if finding.unit_sequence in own:
        params["title"] = own[finding.unit_sequence]
    titles = {unit.sequence: unit.title for unit in benchmark}
    if finding.benchmark_sequence in titles:
        params["benchmark_title"] = titles[finding.benchmark_sequence]
    if params.get("after_sequence") in titles:
        params["after"] = titles[params["after_sequence"]]
    return _SENTENCES[finding.kind](params)


def _missing_text(p: dict[str, Any]) -> str:
    return ngettext(
        "“%(benchmark_title)s” (%(n)s period in the benchmark) is missing from the plan.",
        "“%(benchmark_title)s” (%(n)s periods in the benchmark) is missing from the plan.",
        p["benchmark_periods"],
        benchmark_title=p["benchmark_title"],
    )


def _extra_text(p: dict[str, Any]) -> str:
    return ngettext(
        "“%(title)s” (%(n)s period) is in the plan but not in the benchmark.",
        "“%(title)s” (%(n)s periods) is in the plan but not in the benchmark.",
        p["periods"],
        title=p["title"],
    )


def _reordered_text(p: dict[str, Any]) -> str:
    title, after = p["title"], p.get("after")
    if after is None:
        return gettext("“%(title)s” comes later in the plan; in the benchmark it comes first.", title=title)
    if p["earlier"]:
        return gettext(
            "“%(title)s” comes earlier in the plan than in the benchmark, where it follows “%(after)s”.",
            title=title,
            after=after,
        )
    return gettext(
        "“%(title)s” comes later in the plan than in the benchmark, where it follows “%(after)s”.",
        title=title,
        after=after,
    )


def _shortened_text(p: dict[str, Any]) -> str:
    return gettext(
        "“%(title)s” has %(periods)s periods; the benchmark gives it %(benchmark_periods)s (%(difference)s fewer).",
        title=p["title"],
        periods=p["periods"],
        benchmark_periods=p["benchmark_periods"],
        difference=p["benchmark_periods"] - p["periods"],
    )


def _lengthened_text(p: dict[str, Any]) -> str:
    return gettext(
        "“%(title)s” has %(periods)s periods; the benchmark gives it %(benchmark_periods)s (%(difference)s more).",
        title=p["title"],
        periods=p["periods"],
        benchmark_periods=p["benchmark_periods"],
        difference=p["periods"] - p["benchmark_periods"],
    )


def _merged_text(p: dict[str, Any]) -> str:
    return gettext(
        "“%(title)s” takes %(n)s units of the benchmark together: %(list)s.",
        title=p["title"],
        n=len(p["benchmark_titles"]),
        list=_listed(p["benchmark_titles"]),
    )


def _split_text(p: dict[str, Any]) -> str:
    return gettext(
        "“%(benchmark_title)s” of the benchmark is %(n)s units in the plan: %(list)s.",
        benchmark_title=p["benchmark_title"],
        n=len(p["titles"]),
        list=_listed(p["titles"]),
    )


def _objective_text(p: dict[str, Any]) -> str:
    if p.get("none"):
        return gettext("The plan names no objectives; those of the benchmark cannot be compared.")
    return ngettext(
        "“%(title)s” does not name %(n)s objective of the benchmark: %(list)s.",
        "“%(title)s” does not name %(n)s objectives of the benchmark: %(list)s.",
        len(p["objectives"]),
        title=p["title"],
        list=_listed(p["objectives"]),
    )


def _pace_text(p: dict[str, Any]) -> str:
    place = {"week": p["week"], "day": say_day(date.fromisoformat(p["day"]), get_locale())}
    if p["ahead"]:
        return ngettext(
            "At the end of week %(week)s (%(day)s) the plan is %(n)s period ahead of the benchmark.",
            "At the end of week %(week)s (%(day)s) the plan is %(n)s periods ahead of the benchmark.",
            p["periods"],
            **place,
        )
    return ngettext(
        "At the end of week %(week)s (%(day)s) the plan is %(n)s period behind the benchmark.",
        "At the end of week %(week)s (%(day)s) the plan is %(n)s periods behind the benchmark.",
        p["periods"],
        **place,
    )


def _total_text(p: dict[str, Any]) -> str:
    if p["periods"] > p["available"]:
        return gettext(
            "The plan needs %(periods)s periods; the term's %(days)s school days leave %(available)s.", **_numbers(p)
        )
    return gettext(
        "The plan has %(periods)s periods; the term's %(days)s school days leave %(available)s: time is left over.",
        **_numbers(p),
    )


def _numbers(p: dict[str, Any]) -> dict[str, Any]:
    return {name: p[name] for name in ("periods", "available", "days")}


def _week_text(p: dict[str, Any]) -> str:
    values = {"week": p["week"], "day": say_day(date.fromisoformat(p["day"]), get_locale()), "periods": p["periods"]}
    if not p["days"]:
        return gettext(
            "Week %(week)s (from %(day)s) has no school, but the plan has %(periods)s periods in it.", **values
        )
    return gettext(
        "Week %(week)s (from %(day)s) has only %(days)s school days, but the plan has %(periods)s periods in it.",
        days=p["days"],
        **values,
    )


def _homework_text(p: dict[str, Any]) -> str:
    values = {"title": p["title"], "grade": p["grade"]}
    if not p["limit"]:
        return gettext("“%(title)s” has written homework; grade %(grade)s has none.", **values)
    return gettext(
        "“%(title)s” has %(minutes)s minutes of homework; grade %(grade)s may have %(limit)s a day in all subjects.",
        minutes=p["minutes"],
        limit=p["limit"],
        **values,
    )


def _screen_text(p: dict[str, Any]) -> str:
    return gettext(
        "“%(title)s” has %(minutes)s minutes before a screen at a stretch; grade %(grade)s may have %(limit)s.",
        title=p["title"],
        minutes=p["minutes"],
        grade=p["grade"],
        limit=p["limit"],
    )


def _offline_text(p: dict[str, Any]) -> str:
    if p.get("word") and p["word"].casefold() in p["title"].casefold():
        return gettext("“%(title)s” is practical work and cannot be taught online as it is.", title=p["title"])
    if p.get("word"):
        return gettext(
            "“%(title)s” cannot be taught online as it is: it has %(word)s.", title=p["title"], word=p["word"]
        )
    return gettext("“%(title)s” cannot be taught online as it is, says the benchmark.", title=p["title"])


def _listed(texts: list[str]) -> str:
    """A few texts in quotation marks, long ones shortened."""
    shown = [f"“{text if len(text) <= SHOWN else text[: SHOWN - 1] + '…'}”" for text in texts[:MOST]]
    more = ["…"] if len(texts) > MOST else []
    return gettext(", ").join([*shown, *more])


_SENTENCES = {
    FindingKind.MISSING: _missing_text,
    FindingKind.EXTRA: _extra_text,
    FindingKind.MERGED: _merged_text,
    FindingKind.SPLIT: _split_text,
    FindingKind.REORDERED: _reordered_text,
    FindingKind.SHORTENED: _shortened_text,
    FindingKind.LENGTHENED: _lengthened_text,
    FindingKind.OBJECTIVE: _objective_text,
    FindingKind.PACE: _pace_text,
    FindingKind.TOTAL: _total_text,
    FindingKind.WEEK: _week_text,
    FindingKind.HOMEWORK: _homework_text,
    FindingKind.SCREEN: _screen_text,
    FindingKind.OFFLINE: _offline_text,
}
