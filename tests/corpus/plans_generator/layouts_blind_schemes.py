"""Schemes of work, curriculum maps and pacing guides in Word, as British, American and East African schools publish
them: written without knowing the importer.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.corpus.plans_generator.curricula import Topic
from tests.corpus.plans_generator.grid import Cell, Grid, Row, plain
from tests.corpus.plans_generator.layouts_blind_word import CONTINUED
from tests.corpus.plans_generator.made import Draft, Layout, Made
from tests.corpus.plans_generator.paper_dress import landscape, shade, widths
from tests.corpus.plans_generator.paper_word import draw, new_document, saved
from tests.corpus.plans_generator.spellings import LONG_MONTHS, MONTHS
from tests.corpus.plans_generator.weekly import Timeline, lessons


def _day(draft: Draft, week: int) -> str:
    """The Monday of a week as ``7 Sep``."""
    monday = draft.term.monday(week)
    return f"{monday.day} {MONTHS[monday.month - 1]}"


def half_term_tables(rng: random.Random) -> Made:
    """A table for each half term with the Monday of each week; the weeks may be counted anew in each."""
    draft = Draft(rng, "en")
    timeline = Timeline(draft, draft.topics(7, 12), rng.randint(3, 5), whole=True)
    weeks = timeline.weeks()
    breaks = [week.number for week in weeks if week.pause]
    middle = breaks[-1] if breaks else len(weeks) // 2 + 1
    anew, counted = rng.random() < 0.5, rng.random() < 0.6
    mark = rng.choice(CONTINUED["en"])
    names = ["Week", rng.choice(("W/B", "w/b", "Week beginning")), rng.choice(("Topic", "Unit"))]
    names += [rng.choice(("Lessons", "No. of lessons"))] if counted else []
    names += ["Learning outcomes", rng.choice(("Assessment", "Home learning"))]
    parts = ("Autumn 1", "Autumn 2") if draft.term.first.month == 8 else ("Spring 2", "Summer 1")
    document = landscape(new_document(draft.title()))
    printed = {week.number: week.number for week in weeks}
    for half, title in enumerate(parts):
        own = [week for week in weeks if not week.pause and (week.number < middle) == (half == 0)]
        if not own:
            continue
        document.add_heading(f"{title} ({len(own)} weeks)", 2)
        rows = [plain(names, bold=True)]
        for count, week in enumerate(own, 1):
            number = str(count if anew else week.number)
            printed[week.number] = int(number)
            for index, part in enumerate(week.parts):
                begin = part.number == 1
                cells = [part.topic.title + ("" if begin else mark)]
                cells += [str(part.periods)] if counted else []
                cells += [part.topic.objectives if begin else "", "Quiz" if part.number == part.of else ""]
                high = len(week.parts)
                head = [Cell(number, down=high), Cell(_day(draft, week.number), down=high)] if index == 0 else []
                rows.append([*head, *plain(cells)])
        table = draw(document, Grid(rows))
        shade(table, 0, "BDD7EE")
        widths(table, *((1.6, 2.6, 7, 2.2, 9, 3) if counted else (1.6, 2.6, 8, 10, 3.2)))
    for topic in timeline.topics:
        first, last = timeline.span(topic)
        sure = not anew or last < middle
        said = (printed[first], printed[last]) if sure else None
        draft.expectation.unit(topic.title, topic.periods if counted else None, weeks=said,
                               days=(draft.term.monday(first), None), objectives=topic.objectives)  # fmt: skip
    draft.expectation.never(*parts)
    return draft.made(saved(document), ".docx", "half_term_tables")


def learning_intentions(rng: random.Random) -> Made:
    """One row a week with bulleted intentions and success criteria; the topic may stand below the week's number."""
    draft = Draft(rng, "en")
    steps = draft.steps(draft.topics(6, 10), ways=("weekly",))
    together = rng.random() < 0.5
    names = ["Week"] if together else ["Week", rng.choice(("Focus", "Topic"))]
    names += [rng.choice(("Learning intentions", "We are learning to...")), "Success criteria",
              rng.choice(("Activities", "Teaching and learning activities")), "Resources", "Assessment"]  # fmt: skip
    rows = [plain(names, bold=True)]
    for step in steps:
        week = f"Week {step.week_from}"
        head = plain([f"{week}\n{step.title}"] if together else [week, step.title])
        if step.kind == "unit":
            goals = [goal.strip() for goal in step.topic.objectives.split(";")]
            texts = ["\n".join(f"• {goal}" for goal in goals),
                     "\n".join(f"• I can {goal[0].lower()}{goal[1:]}" for goal in goals),
                     f"• Starter: recall\n• Main: {step.topic.key_points}\n• Plenary: exit ticket",
                     rng.choice(("Slides", "Mini-whiteboards", "Worksheet, slides")),
                     rng.choice(("Exit ticket", "Low-stakes quiz", "Self-assessment"))]  # fmt: skip
        else:
            texts = [""] * 5
        rows.append([*head, *plain(texts)])
        draft.expectation.step(step, {"week"}, periods=None)
    document = landscape(new_document(draft.title(), f"Textbook: {draft.curriculum.book}"))
    table = draw(document, Grid(rows))
    shade(table, 0, "E2EFDA")
    widths(table, *((4.2, 5, 6, 5.6, 3, 3) if together else (1.8, 3.6, 4.6, 5.4, 5.2, 3, 3)))
    return draft.made(saved(document), ".docx", "learning_intentions")


def weeks_as_columns(rng: random.Random) -> Made:
    """The weeks are columns, in tables of a few weeks each; a long topic goes over two columns."""
    draft = Draft(rng)
    zh = draft.zh
    term = draft.term
    topics = draft.topics(6, 10)
    by_week: dict[int, Topic] = {}
    week = 1
    for topic in topics:
        for _ in range(2 if topic.periods >= 5 else 1):
            while week in term.pauses:
                week += 1
            by_week[week] = topic
            week += 1
    dated, counted = rng.random() < 0.6, rng.random() < 0.6
    wide = rng.randint(5, 6)
    names = {"title": "教学内容", "lessons": "课时", "goals": "教学目标", "key": "重点难点"} if zh else {
        "title": rng.choice(("Topic", "Unit")), "lessons": "Lessons", "goals": "Learning outcomes",
        "key": "Key vocabulary"}  # fmt: skip
    kinds = [kind for kind in names if counted or kind != "lessons"]
    document = landscape(new_document(draft.title()))
    for begin in range(1, week, wide):
        numbers = list(range(begin, min(begin + wide, week)))
        heads = [f"第{n}周" if zh else f"Week {n}" for n in numbers]
        if dated:
            days = [draft.dates(*term.days(n, n)) if zh else f"w/b {_day(draft, n)}" for n in numbers]
            heads = [f"{head}\n{day}" for head, day in zip(heads, days, strict=True)]
        rows: list[Row] = [plain(["周次" if zh else "", *heads], bold=True)]
        rows += [[Cell(names[kind], bold=True), *_columns(draft, kind, numbers, by_week)] for kind in kinds]
        table = draw(document, Grid(rows))
        shade(table, 0, "FCE4D6")
        widths(table, 3, *[22 / len(numbers)] * len(numbers))
        document.add_paragraph("")
    for topic in topics:
        own = [number for number, found in by_week.items() if found == topic]
        first, last = term.days(min(own), max(own))
        draft.expectation.unit(topic.title, topic.periods if counted else None, weeks=(min(own), max(own)),
                               days=(first, last if zh else None) if dated else None)  # fmt: skip
    draft.expectation.never(*(term.pauses[n].title for n in range(1, week) if n in term.pauses))
    return draft.made(saved(document), ".docx", "weeks_as_columns")


def _columns(draft: Draft, kind: str, numbers: Sequence[int], by_week: dict[int, Topic]) -> Row:
    """A row of a table with the weeks as columns; a topic's neighbouring weeks are one merged cell."""
    row: Row = []
    before: Topic | None = None
    for number in numbers:
        topic = by_week.get(number)
        if topic and topic == before:
            row[-1].across += 1
            continue
        before = topic
        if topic is None:
            row.append(Cell(draft.term.pauses[number].title if kind == "title" else ""))
            continue
        whole = [n for n in by_week if by_week[n] == topic]
        cut = not set(whole) <= set(numbers) or whole[-1] - whole[0] >= len(whole)
        periods = topic.periods
        if cut:  # the topic's weeks do not stand side by side: each says its own share
            periods = topic.periods // 2 if number == whole[0] else topic.periods - topic.periods // 2
        texts = {"title": topic.title, "lessons": str(periods), "goals": topic.objectives, "key": topic.key_points}
        row.append(Cell(texts[kind]))
    return row


def lesson_numbers(rng: random.Random) -> Made:
    """WK, LSN, TOPIC and SUB-TOPIC: the numbers of the lessons in the week instead of how many they are."""
    draft = Draft(rng, "en")
    timeline = Timeline(draft, draft.topics(7, 12), rng.randint(4, 5))
    join = rng.choice((", ", "-", " - "))
    names = ["WK", "LSN", "TOPIC", "SUB-TOPIC", "OBJECTIVES", "L/T ACTIVITIES", "L/T RESOURCES", "REF.", "REMARKS"]
    if rng.random() < 0.4:
        names[:2] = ["WEEK", "LESSON"]
    rows = [plain(names, bold=True)]
    chapter: Cell | None = None
    page = rng.randint(3, 9)
    for week in timeline.weeks():
        if week.pause:
            rows.append([Cell(str(week.number)), Cell(week.pause.upper(), across=8, bold=True)])
            draft.expectation.never(week.pause.upper())
            chapter = None
        lesson = 1
        for index, part in enumerate(week.parts):
            row: Row = [Cell(str(week.number), down=len(week.parts))] if index == 0 else []
            numbers = range(lesson, lesson + part.periods)
            listed = join.join(map(str, numbers)) if join == ", " else f"{numbers[0]}{join}{numbers[-1]}"
            row.append(Cell(listed if part.periods > 1 else str(lesson)))
            if chapter is not None and chapter.text == part.topic.chapter.upper():
                chapter.down += 1
            else:
                chapter = Cell(part.topic.chapter.upper())
                row.append(chapter)
            row += plain([part.topic.title, f"By the end of the lesson, the learner should be able to: "
                          f"{part.topic.objectives.lower()}", "Q/A, discussion", "Charts, textbook",
                          f"Bk pg {page}-{page + 2}", ""])  # fmt: skip
            rows.append(row)
            lesson, page = lesson + part.periods, page + 3
    timeline.expect("week", "periods")
    book = draft.curriculum
    term = 1 if draft.term.first.month == 8 else 2
    below = f"{book.grade.upper()}    TERM {term}    {draft.term.first.year}"
    document = landscape(new_document(f"{book.subject.upper()} SCHEMES OF WORK", below))
    table = draw(document, Grid(rows))
    widths(table, 1.5, 1.9, 3.2, 4, 5.6, 3, 3, 2.4, 2.4)
    return draft.made(saved(document), ".docx", "lesson_numbers")


def pacing_guide(rng: random.Random) -> Made:
    """Units with standards, instructional days and dates under the names of the quarters, with flex days between."""
    draft = Draft(rng, "en")
    topics = draft.topics(6, 9)
    taught = lessons(draft, topics, range(5))
    topics = tuple(dict.fromkeys(lesson.topic for lesson in taught))
    said = rng.random() < 0.5
    below = ["One 45-minute class period per day." if said else "Pacing is a suggestion; adjust to student needs."]
    names = [rng.choice(("Unit", "Unit / Module")), "Standards", rng.choice(("Days", "Instructional days")),
             rng.choice(("Dates", "Suggested dates")), "Assessment"]  # fmt: skip
    labelled = rng.random() < 0.5
    spell = rng.choice(("{} days", "{}"))
    rows = [plain(names, bold=True)]
    quarters = rng.choice((("QUARTER 1", "QUARTER 2"), ("Instructional Block 1", "Instructional Block 2")))
    for index, topic in enumerate(topics):
        own = [lesson.day for lesson in taught if lesson.topic == topic]
        if index in (0, (len(topics) + 1) // 2):
            rows.append([Cell(quarters[index > 0], across=5, bold=True)])
        code = f"{draft.curriculum.subject[:2].upper()}.{rng.randint(3, 9)}.{rng.randint(1, 6)}"
        name = f"Unit {index + 1}: {topic.title}" if labelled else topic.title
        rows.append(plain([name, code, spell.format(topic.periods) if topic.periods > 1 else spell.format(1).rstrip(
            "s"), draft.dates(own[0], own[-1]), rng.choice(("Unit test", "Quiz", "Project"))]))  # fmt: skip
        if rng.random() < 0.2:
            rows.append(plain(["Flex days", "", "", "", "Reteach / enrich"]))
        also = (f"Unit {index + 1}: {topic.title}",)
        periods = topic.periods if said else None
        draft.expectation.unit(topic.title, periods, days=(own[0], own[-1]), also=also)
    rows.append(plain(["Total instructional days", "", str(len(taught)), "", ""]))
    draft.expectation.never("Flex days", "Total instructional days", *quarters)
    year = draft.term.first.year
    title = f"{draft.curriculum.grade} {draft.curriculum.subject} Pacing Guide {year}-{year + 1}"
    if draft.term.first.month != 8:
        title = f"{draft.curriculum.grade} {draft.curriculum.subject} Pacing Guide, Spring {year}"
    document = landscape(new_document(title, *below))
    table = draw(document, Grid(rows))
    shade(table, 0, "D9D9D9")
    widths(table, 9, 3, 3.5, 6.5, 4)
    return draft.made(saved(document), ".docx", "pacing_guide")


def week_beginning(rng: random.Random) -> Made:
    """``Wk 1 (w/b 31 Aug)`` in the first column and ``2 lessons`` in another."""
    draft = Draft(rng, "en")
    steps = draft.steps(draft.topics(6, 12), ways=("packed", "weekly"))
    form = rng.choice(("Wk {} (w/b {})", "Week {} - wb {}", "Week {}: w/c {}", "Wk {}\nW/B {}"))
    long = rng.random() < 0.4
    names = [rng.choice(("Week", "Week / date")), rng.choice(("Topic", "Unit of work")), "Time", "Homework"]
    rows = [plain(names, bold=True)]
    for step in steps:
        weeks = str(step.week_from) if step.week_from == step.week_to else f"{step.week_from}-{step.week_to}"
        monday = draft.term.monday(step.week_from)
        day = f"{monday.day} {(LONG_MONTHS if long else MONTHS)[monday.month - 1]}"
        unit, count = step.kind == "unit", step.topic.periods
        rows.append(plain([form.format(weeks, day), step.title,
                           f"{count} lesson{'s' * (count > 1)}" if unit else "",
                           draft.homework(step) if unit else ""]))  # fmt: skip
        draft.expectation.step(step, {"week"}, days=(monday, None))
    document = new_document(draft.title(), f"Head of department: A. Chen    Exam board / text: {draft.curriculum.book}")
    table = draw(document, Grid(rows))
    widths(table, 4.4, 6, 2.6, 4)
    return draft.made(saved(document), ".docx", "week_beginning")


LAYOUTS: tuple[Layout, ...] = (
    half_term_tables,
    learning_intentions,
    weeks_as_columns,
    lesson_numbers,
    pacing_guide,
    week_beginning,
)
