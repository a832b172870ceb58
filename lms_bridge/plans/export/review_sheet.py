"""The review sheet of a plan's version as a Word document: what was found and answered, who decided what, what was
said, and the lines to sign on. It goes into the school's files beside the plan."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bridge.core.i18n import get_locale, gettext, use_locale
from lms_bridge.plans import comparing, history, threads
from lms_bridge.plans.export.about import About, about, made_on, say_moment
from lms_bridge.plans.export.columns import Unit, dates, weeks
from lms_bridge.plans.export.pieces import Cell, Head, Paper, TableColumn
from lms_bridge.plans.findings import FindingKind, Severity
from lms_bridge.plans.models import Finding, PlanKind, PlanVersion
from lms_bridge.plans.proposals import action_for, proposal_text
from lms_bridge.plans.review import STATE_NAMES
from lms_bridge.plans.threads import Comment, Thread

FILLS = {Severity.MAJOR: "F9DEDC", Severity.MINOR: "FBF0D3", Severity.INFO: "E4EEF7"}
"""Light backgrounds of the severities; their word stands in the cell, so that nothing hangs on the colour."""


def review_sheet_docx(version: PlanVersion, locale: str | None = None) -> bytes:
    """The review sheet of ``version`` as .docx in ``locale`` (default: the plan's own language)."""
    with use_locale(locale or version.plan.language):
        facts = about(version)
        paper = Paper(
            Head(
                title=gettext("Review sheet: %(title)s", title=facts.title),
                school=facts.school,
                term=facts.term,
                locale=get_locale(),
                foot=gettext("Review sheet · %(title)s · version %(n)s", title=facts.title, n=facts.version),
                landscape=True,
            )
        )
        paper.title(gettext("Review sheet of a teaching plan"), facts.title)
        found = comparing.findings_of(version)
        benchmark = comparing.benchmark_of(found[0]) if found else None
        paper.facts([*facts.lines(), *_figures(version, found, benchmark)], columns=4)
        _findings(paper, version, found, benchmark)
        _steps(paper, version, facts)
        _comments(paper, version, facts)
        paper.signatures([gettext("Author"), gettext("Reviewing researcher"), gettext("School leader")])
        paper.paragraph(made_on(facts.zone), "Remark")
        return paper.save()


def _figures(version: PlanVersion, found: Sequence[Finding], benchmark: PlanVersion | None) -> list[tuple[str, str]]:
    """Coverage, the benchmark it was measured with, and how many findings there are of each severity."""
    figures = []
    if version.coverage is not None:
        figures.append((gettext("Coverage of the benchmark"), f"{version.coverage:.0%}"))
    elif version.plan.kind is PlanKind.TEACHING:
        figures.append((gettext("Coverage of the benchmark"), gettext("no benchmark yet")))
    if benchmark is not None:
        named = gettext("%(title)s · version %(n)s", title=benchmark.plan.title, n=benchmark.number)
        figures.append((gettext("Benchmark"), named))
    counts = [(severity, sum(f.severity == severity.value for f in found)) for severity in reversed(Severity)]
    said = gettext(", ").join(f"{severity.label()} {count}" for severity, count in counts if count)
    figures.append((gettext("Findings"), said or gettext("none")))
    answered = {given: sum(f.answer == given for f in found) for given in (comparing.ACCEPTED, comparing.REFUSED)}
    if any(answered.values()):
        figures.append(
            (
                gettext("Answers of the author"),
                gettext(
                    "%(accepted)s accepted, %(refused)s refused",
                    accepted=answered[comparing.ACCEPTED],
                    refused=answered[comparing.REFUSED],
                ),
            )
        )
    return figures


def place(units: Sequence[Unit], key: str | None, locale: str) -> str:
    """Where a unit stands: ``No. 3 “Fractions”``, below it its weeks or days and its periods; empty for none."""
    unit = next((u for u in units if u.key == key), None) if key else None
    if unit is None:
        return ""
    lines = [gettext("No. %(n)s “%(title)s”", n=unit.sequence, title=unit.title)]
    if unit.week_from is not None and unit.week_to not in (None, unit.week_from):
        lines.append(gettext("weeks %(a)s–%(b)s", a=unit.week_from, b=unit.week_to))
    elif unit.week_from is not None:
        lines.append(gettext("week %(a)s", a=weeks(unit)))
    elif unit.date_from is not None:
        lines.append(dates(unit, locale))
    return "\n".join(lines)


def _findings(paper: Paper, version: PlanVersion, found: Sequence[Finding], benchmark: PlanVersion | None) -> None:
    paper.heading(gettext("Where it departs from the benchmark") if benchmark else gettext("What stands out"))
    if not found:
        paper.paragraph(
            gettext("Nothing was found.") if version.coverage is not None else gettext("It was not compared.")
        )
        return
    columns = [
        TableColumn(gettext("No."), 1.1, centre=True, fixed=True),
        TableColumn(gettext("Severity"), 1.9, centre=True, fixed=True),
        TableColumn(gettext("Kind"), 2.6),
        TableColumn(gettext("What was found"), 7.2),
        TableColumn(gettext("In the plan"), 4.0),
        TableColumn(gettext("In the benchmark"), 4.0),
        TableColumn(gettext("Answer of the author"), 5.2),
    ]
    theirs = benchmark.units if benchmark is not None else []
    locale = get_locale()
    rows: list[list[Cell | str]] = []
    for finding, sentence in zip(found, comparing.sentences(version, found), strict=True):
        severity = Severity(finding.severity)
        rows.append(
            [
                Cell(str(finding.position)),
                Cell(severity.label(), centre=True, fill=FILLS[severity]),
                Cell(FindingKind(finding.kind).label()),
                Cell(sentence),
                Cell(place(version.units, finding.unit_key, locale) or "–"),
                Cell(place(theirs, finding.benchmark_unit_key, locale) or "–"),
                Cell(_answer(version, finding)),
            ]
        )
    paper.table(columns, rows)


def _answer(version: PlanVersion, finding: Finding) -> str:
    """What the author answered to the proposal, and their words; where they did not, that it is open."""
    draft = comparing.as_draft(version, finding)
    if finding.answer is None:
        return gettext("no answer") if action_for(draft) is not None else "–"
    given = gettext("accepted") if finding.answer == comparing.ACCEPTED else gettext("refused by the author")
    lines = [given]
    if finding.answer == comparing.ACCEPTED and not finding.answer_words:
        lines.append(proposal_text(draft))
    lines.append(finding.answer_words)
    return "\n".join(line for line in lines if line)


def _steps(paper: Paper, version: PlanVersion, facts: About) -> None:
    """Versions and steps up to this version, the earliest first; those of threads stand with the comments."""
    paper.heading(gettext("Steps of the review"))
    columns = [
        TableColumn(gettext("When"), 3.9, fixed=True),
        TableColumn(gettext("Version"), 1.5, centre=True, fixed=True),
        TableColumn(gettext("Step"), 3.5),
        TableColumn(gettext("Who"), 3.5),
        TableColumn(gettext("Words with it"), 10),
    ]
    rows: list[list[Cell | str]] = []
    for entry in history.history(version.plan):
        if entry.version is None or entry.version > version.number:
            continue
        if entry.kind == "step" and entry.state is not None:
            step, text = gettext(STATE_NAMES[entry.state]), entry.text
        else:
            step = gettext("adjusted by proposals") if entry.accepted else gettext("new version")
            text = "" if entry.accepted else entry.text
        rows.append(
            [
                say_moment(entry.at, facts.zone), str(entry.version), Cell(step, bold=entry.kind == "step"),
                entry.who or gettext("the system"), text or "–",
            ]
        )  # fmt: skip
    paper.table(columns, rows)


def _comments(paper: Paper, version: PlanVersion, facts: About) -> None:
    paper.heading(gettext("Comments"))
    said = threads.discussion(version.plan, version).threads
    if not said:
        paper.paragraph(gettext("Nobody wrote a comment."))
        return
    columns = [
        TableColumn(gettext("What it is about"), 4.5),
        TableColumn(gettext("When"), 3.9, fixed=True),
        TableColumn(gettext("Who"), 3.0),
        TableColumn(gettext("What was said"), 9.5),
        TableColumn(gettext("How it stands"), 3.6),
    ]
    rows: list[list[Cell | str]] = []
    for thread in sorted(said, key=lambda t: not t.open):
        for number, comment in enumerate(thread.comments):
            first = number == 0
            rows.append(
                [
                    Cell(_subject(thread) if first else "", bold=True),
                    say_moment(comment.at, facts.zone),
                    comment.author or gettext("somebody who has left"),
                    _words(comment),
                    Cell(_standing(thread, facts) if first else "", bold=first and thread.open),
                ]
            )
    paper.table(columns, rows)


def _subject(thread: Thread) -> str:
    if thread.unit_key is None:
        return gettext("The whole plan")
    if thread.place is None:
        return gettext("“%(title)s” (no longer in the plan)", title=thread.unit)
    return gettext("No. %(n)s “%(title)s”", n=thread.place, title=thread.unit)


def _words(comment: Comment) -> str:
    text = "".join(piece for piece, _ in comment.pieces)
    return "\n".join([text, *(f"@{name}" for name in comment.told)])


def _standing(thread: Thread, facts: About) -> str:
    if thread.resolved_at is None:
        return gettext("open")
    by = f"{thread.resolved_by}\n" if thread.resolved_by else ""
    return f"{gettext('settled')}\n{by}{say_moment(thread.resolved_at, facts.zone)}"
