"""What the plan routes answer, as the OpenAPI document shows it. Times are UTC (ISO 8601), dates the campus's."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, Raw, String


def _null(about: str = "") -> dict[str, Any]:
    return {"allow_none": True, "metadata": {"description": about} if about else {}}


class Problem(Schema):
    """Something to know about what was read: code, words, what to do, and the place (file, table, row, ...)."""

    code = String()
    message = String()
    remedy = String(allow_none=True)
    place = Dict(allow_none=True)


class About(Schema):
    """Whose plan for what."""

    uid = String()
    kind = String()
    title = String()
    subject = String(metadata={"description": "Code of the subject."})
    grade = String()
    organisation = String(metadata={"description": "Code of the organisation that the plan belongs to."})
    organisation_name = String()
    classes = List(String(), metadata={"description": "Codes of the classes that the plan serves."})
    author = String(**_null())


class PlanInList(About):
    """A plan as a list shows it, with its newest version."""

    version = Integer()
    state = String()
    state_at = String()
    coverage = Float(**_null("Share of the benchmark's units that the plan teaches, 0 to 1; null without a benchmark."))
    findings = Integer()
    major_findings = Integer()


class PlanList(Schema):
    """One page of plans."""

    items = List(Nested(PlanInList))
    page = Integer()
    pages = Integer()
    total = Integer()


class Version(Schema):
    """A version of a plan."""

    version = Integer()
    state = String()
    state_at = String()
    created_at = String()
    coverage = Float(**_null())
    units = Integer(metadata={"description": "How many units it has."})
    periods = Integer()
    warnings = List(Nested(Problem))


class Plan(About):
    """A plan with all its versions, the newest last."""

    term = String()
    language = String()
    versions = List(Nested(Version))


class Unit(Schema):
    """A unit. ``assumed`` names what was concluded and not read, ``provenance`` where it stood in the document."""

    key = String(metadata={"description": "Stays the same across versions."})
    sequence = Integer()
    title = String()
    periods = Integer()
    content = String(allow_none=True)
    objectives = String(allow_none=True)
    key_points = String(allow_none=True)
    methods = String(allow_none=True)
    homework = String(allow_none=True)
    materials = String(allow_none=True)
    remarks = String(allow_none=True)
    week_from = Integer(**_null("Teaching week of the term, from 1."))
    week_to = Integer(allow_none=True)
    date_from = String(allow_none=True)
    date_to = String(allow_none=True)
    online_possible = Boolean(allow_none=True)
    online_alternative = String(allow_none=True)
    assumed = List(String(), allow_none=True)
    provenance = Dict(allow_none=True)


class Units(Schema):
    """The units of a version."""

    version = Integer()
    units = List(Nested(Unit))


class FoundDeparture(Schema):
    """One difference between a version and the benchmark, with the proposal and what the author answered."""

    position = Integer()
    kind = String()
    severity = String()
    text = String(metadata={"description": "The sentence for people, in the caller's language."})
    unit = String(**_null("Key of the plan's unit."))
    benchmark_unit = String(**_null("Key of the benchmark's unit."))
    params = Dict()
    proposal = String(allow_none=True)
    needs_words = Boolean(metadata={"description": "Whether accepting needs words of the author."})
    answer = String(**_null("accepted, refused, or null while it is open."))
    answer_words = String(allow_none=True)


class Answered(Schema):
    """The findings of a version after an answer."""

    version = Integer()
    findings = List(Nested(FoundDeparture))


class Findings(Answered):
    """Where a version departs from the benchmark."""

    coverage = Float(allow_none=True)


class HistoryEntry(Schema):
    """Who did what when."""

    at = String()
    kind = String()
    who = String(allow_none=True)
    version = Integer(allow_none=True)
    state = String(allow_none=True)
    text = String(allow_none=True)
    unit = String(allow_none=True)


class History(Schema):
    """The history of a plan, the earliest first."""

    history = List(Nested(HistoryEntry))


class Comment(Schema):
    """A comment in a thread."""

    id = Integer()
    author = String(allow_none=True)
    at = String()
    text = String()
    version = Integer(allow_none=True)


class ThreadOfComments(Schema):
    """A thread about a plan or one of its units."""

    thread = Integer()
    unit = String(allow_none=True)
    unit_title = String(allow_none=True)
    resolved_at = String(allow_none=True)
    resolved_by = String(allow_none=True)
    comments = List(Nested(Comment))


class Discussion(Schema):
    """The threads of a plan."""

    threads = List(Nested(ThreadOfComments))


class ThreadNumber(Schema):
    """The thread that was begun, answered or settled."""

    thread = Integer()


class ReadUnit(Schema):
    """A unit as it was read."""

    sequence = Integer()
    title = String()
    periods = Integer()
    week_from = Integer(allow_none=True)
    week_to = Integer(allow_none=True)
    provenance = Dict(allow_none=True)
    assumed = List(String())


class Imported(Schema):
    """What was read of a document, and the plan that it became (null at a dry run)."""

    plan = String(allow_none=True)
    version = Integer(allow_none=True)
    dry_run = Boolean()
    unchanged = Boolean(metadata={"description": "It is the newest version's own document: no version was made."})
    title = String(allow_none=True)
    source = String()
    units = List(Nested(ReadUnit))
    periods = Integer()
    warnings = List(Nested(Problem))
    findings = Integer(allow_none=True)


class Piece(Schema):
    """Words of a field."""

    kind = String(metadata={"description": "What became of the words: kept, removed or added."})
    text = String()


class ChangedUnit(Schema):
    """A unit that differs; ``before`` and ``after`` are its places."""

    key = String()
    state = String()
    title = String()
    before = Raw(allow_none=True)
    after = Raw(allow_none=True)
    moved = Boolean()
    fields_ = Dict(keys=String(), values=List(Nested(Piece)), data_key="fields", attribute="fields")


class Differences(Schema):
    """What changed between two versions."""

    earlier = Integer()
    later = Integer()
    counts = Dict(keys=String(), values=Integer())
    units = List(Nested(ChangedUnit))


class OverviewCell(Schema):
    """How the plans of a campus, subject and grade stand."""

    campus = String()
    subject = String()
    grade = String()
    needed = Integer()
    approved = Integer()
    missing = Integer()
    overdue = Integer()
    coverage = Float(allow_none=True)


class OverduePlan(Schema):
    """A plan that is late, or missing (``plan`` null)."""

    campus = String()
    class_ = String(data_key="class", attribute="class")
    subject = String()
    teachers = List(String())
    plan = String(allow_none=True)


class Departure(Schema):
    """How many plans depart from the benchmark in one way."""

    kind = String()
    severity = String()
    subject = String()
    grade = String()
    plans = Integer()


class OverviewUnit(Schema):
    """A unit of the benchmark, and how many plans lack it or give it less time."""

    key = String()
    title = String()
    subject = String()
    grade = String()
    missing = Integer()
    shorter = Integer()


class DeadlineClass(Schema):
    """A class and subject whose plan is missing or late."""

    class_ = String(data_key="class", attribute="class")
    subject = String()


class Deadline(Schema):
    """How plans stand before a deadline (on the campus's clock)."""

    campus = String()
    term = String()
    due_at = String()
    plans = Integer()
    missing = List(Nested(DeadlineClass))
    late = List(Nested(DeadlineClass))


class Deadlines(Schema):
    """The deadlines within reach."""

    deadlines = List(Nested(Deadline))


class Overview(Schema):
    """How plans stand by campus, subject and grade."""

    cells = List(Nested(OverviewCell))
    overdue = List(Nested(OverduePlan))
    departures = List(Nested(Departure))
    units = List(Nested(OverviewUnit))


class Outcome(Schema):
    """What became of one plan: approved, or refused with the reason."""

    plan = String()
    title = String()
    version = Integer()
    approved = Boolean()
    reason = String()


class Outcomes(Schema):
    """What became of each plan."""

    outcomes = List(Nested(Outcome))


class BatchFile(Schema):
    """What became of one file."""

    file = String()
    position = Integer()
    state = String()
    class_ = String(data_key="class", attribute="class", allow_none=True)
    subject = String(allow_none=True)
    plan = String(allow_none=True)
    version = Integer(allow_none=True)
    units = Integer(allow_none=True)
    findings = Integer(allow_none=True)
    problems = List(Nested(Problem))


class Batch(Schema):
    """A batch and each of its files."""

    batch = String()
    name = String()
    state = String()
    dry_run = Boolean()
    counts = Dict(keys=String(), values=Integer())
    files = List(Nested(BatchFile))
