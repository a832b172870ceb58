"""Whole Word forms around the plan: what is filled in above it, signed below it, or told in paragraphs. Written
without knowing the importer.
"""

from __future__ import annotations

import random
from datetime import date, timedelta

from docx.document import Document

from tests.corpus.plans_generator.curricula import Topic
from tests.corpus.plans_generator.grid import Cell, Grid, Row, plain
from tests.corpus.plans_generator.made import Draft, Layout, Made
from tests.corpus.plans_generator.numerals import chinese, full_width
from tests.corpus.plans_generator.paper_dress import landscape, shade, widths
from tests.corpus.plans_generator.paper_word import draw, new_document, saved
from tests.corpus.plans_generator.schedule import Step, Term
from tests.corpus.plans_generator.weekly import Timeline

TEACHERS = {"zh": ("张敏", "王建国", "李秀英", "陈晓东"), "en": ("Ms A. Chen", "Mr J. Brown", "Dr L. Okafor")}


def _with_revision(draft: Draft, steps: list[Step]) -> list[Step]:
    """The steps and, in the two weeks after them, revision with its lessons."""
    week = max(step.week_to for step in steps) + 1
    steps = [step for step in steps if step.week_to < week - 1 or step.kind == "unit"]
    name = draft.rng.choice(("期末复习", "总复习") if draft.zh else ("Revision", "Revision and consolidation"))
    week = max(step.week_to for step in steps) + 1
    while week in draft.term.pauses or week + 1 in draft.term.pauses:
        week += 1
    return [*steps, draft.term.step("unit", Topic("", name, draft.rng.randint(4, 8), "", ""), week, week + 1)]


def approval_form(rng: random.Random) -> Made:
    """One table for all: subject and teacher, analysis and goals, the plan itself, and who approved it."""
    draft = Draft(rng)
    zh, book = draft.zh, draft.curriculum
    steps = draft.steps(draft.topics(6, 11), ways=("spread", "packed"))
    if rng.random() < 0.4:
        steps = _with_revision(draft, steps)
    total = sum(step.topic.periods for step in steps if step.kind == "unit")
    about = [book.subject, book.grade, book.book, rng.choice(TEACHERS[draft.language]), f"{rng.randint(4, 5)}",
             f"{total}"]  # fmt: skip
    labels = ("学科", "年级", "教材版本", "任课教师", "周课时", "总课时") if zh else (
        "Subject", "Class", "Textbook", "Teacher", "Periods per week", "Total periods")  # fmt: skip
    rows: list[Row] = [
        [Cell(labels[n], bold=True), Cell(about[n], across=2), Cell(labels[n + 1], bold=True), Cell(about[n + 1])]
        for n in (0, 2, 4)
    ]
    prose = (("学情分析", "本班学生基础较好，学习态度端正，但部分学生粗心，书写不够规范，需加强习惯培养。"),
             ("教学目标", "1．掌握本册教材的基础知识；\n2．培养自主学习的能力；\n3．养成良好的学习习惯。"),
             ("教学措施", "认真备课，分层布置作业，做好培优补差工作。")) if zh else (
            ("Class profile", "26 students, mixed ability; three students receive learning support."),
            ("Aims", "1. Secure the core content of the course.\n2. Work independently and in groups.\n3. Enjoy the "
             "subject."))  # fmt: skip
    rows += [[Cell(name, bold=True), Cell(text, across=4)] for name, text in prose]
    names = ("周次", "起止日期", "教学内容", "课时", "备注") if zh else ("Week", "Dates", "Topic", "Periods", "Remarks")
    if rng.random() < 0.5:
        rows.append([Cell("教学进度安排" if zh else "Schedule", across=5, bold=True)])
    rows.append(plain(names, bold=True))
    for step in steps:
        unit = step.kind == "unit"
        rows.append(plain([draft.weeks(step.week_from, step.week_to), draft.dates(step.date_from, step.date_to),
                           step.title, draft.periods(step.topic.periods) if unit else "", ""]))  # fmt: skip
        draft.expectation.step(step, {"week", "dates"})
    if zh and rng.random() < 0.5:
        rows.append(plain(["", "", "机动", draft.periods(2), ""]))
    signed = ("教研组长意见", "教务处审核意见") if zh else ("Head of department", "Academic office")
    line = "\n        签字：            年    月    日" if zh else "\nSigned:                    Date:"
    rows += [[Cell(name, bold=True), Cell(("同意按此计划执行。" if zh else "Approved.") + line, across=4)]
             for name in signed]  # fmt: skip
    draft.expectation.never("机动", *labels, *(name for name, _ in prose), *signed)
    document = new_document(draft.title())
    widths(draw(document, Grid(rows)), 2.8, 3.8, 4.8, 2.8, 2.8)
    return draft.made(saved(document), ".docx", "approval_form")


def chapters_across(rng: random.Random) -> Made:
    """Chapters in rows over the whole table with the sum of their lessons, their sections numbered below."""
    draft = Draft(rng)
    zh = draft.zh
    steps = draft.steps(draft.topics(7, 13), ways=("spread", "packed"))
    summed = rng.random() < 0.6
    names = ["序号", "教学内容", "课时", "周次", "备注"] if zh else ["No.", "Topic", "Lessons", "Week", "Notes"]
    rows = [plain(names, bold=True)]
    chapter, number = "", 0
    for step in steps:
        unit = step.kind == "unit"
        if unit and step.topic.chapter != chapter:
            chapter = step.topic.chapter
            total = sum(s.topic.periods for s in steps if s.topic.chapter == chapter)
            more = (f"（共{total}课时）" if zh else f" ({total} lessons)") if summed else ""
            rows.append([Cell(chapter + more, across=5, bold=True)])
            draft.expectation.never(chapter, chapter + more)
        number += unit
        weeks = draft.weeks(step.week_from, step.week_to)
        if unit:
            rows.append(plain([str(number), step.title, draft.periods(step.topic.periods), weeks, ""]))
        else:
            rows.append([*plain(["", step.title, "", weeks, ""])])
        draft.expectation.step(step, {"week"})
    whole = sum(step.topic.periods for step in steps if step.kind == "unit")
    rows.append([Cell("合计" if zh else "Total", across=2), Cell(str(whole)), Cell(""), Cell("")])
    note = "备注：国庆、期中考试等占用的课时不计入。" if zh else "Notes: lessons lost to events are made up later."
    rows.append([Cell(note, across=5)])
    draft.expectation.never("合计", "Total")
    document = new_document(draft.title())
    widths(draw(document, Grid(rows)), 1.6, 7.4, 2.6, 3, 2.2)
    return draft.made(saved(document), ".docx", "chapters_across")


def periods_by_kind(rng: random.Random) -> Made:
    """Two rows of headings: lessons for new content, practice and revision in columns of their own, and their sum."""
    draft = Draft(rng)
    zh = draft.zh
    steps = draft.steps(draft.topics(6, 11), ways=("spread", "packed"))
    kinds = rng.choice((("新授", "练习", "复习"), ("讲授", "实验"), ("新授课", "复习课")) if zh else
                       (("Theory", "Practical"), ("New", "Practice", "Review")))  # fmt: skip
    summed = rng.random() < 0.7
    shown = [*kinds, *([rng.choice(("合计", "小计") if zh else ("Total", "Sum"))] if summed else [])]
    group = rng.choice(("课时", "课时分配") if zh else ("Lessons", "Number of lessons"))
    rows: list[Row] = [
        [Cell("周次" if zh else "Week", down=2, bold=True), Cell("教学内容" if zh else "Topic", down=2, bold=True),
         Cell(group, across=len(shown), bold=True), Cell("作业" if zh else "Homework", down=2, bold=True)],
        plain(shown, bold=True),
    ]  # fmt: skip
    for step in steps:
        unit = step.kind == "unit"
        left = step.topic.periods
        shares = []
        for index in range(len(kinds)):
            share = left if index == len(kinds) - 1 else rng.randint(min(1, left) if index == 0 else 0, left)
            shares.append(share)
            left -= share
        counts = [str(share) if share else "" for share in shares] + ([str(step.topic.periods)] if summed else [])
        filled = [*counts, draft.homework(step)] if unit else [""] * (len(shown) + 1)
        rows.append(plain([draft.weeks(step.week_from, step.week_to), step.title, *filled]))
        draft.expectation.step(step, {"week"})
    draft.expectation.never(*shown)
    document = new_document(draft.title())
    each = 5.4 / len(shown)
    widths(draw(document, Grid(rows, headers=2)), 2.8, 5.6, *[each] * len(shown), 3.4)
    return draft.made(saved(document), ".docx", "periods_by_kind")


def plus_practice(rng: random.Random) -> Made:
    """``3+1``: so many lessons of teaching and of practice, which the heading may explain."""
    draft = Draft(rng)
    zh = draft.zh
    steps = draft.steps(draft.topics(6, 11), ways=("spread", "packed"))
    said = rng.random() < 0.7
    head = rng.choice(("课时（新授+练习）", "课时\n（新课+复习）") if zh else ("Lessons (teaching + practice)",))
    names = ["周次" if zh else "Week", "课题" if zh else "Topic", head if said else ("课时" if zh else "Lessons"),
             "教学目标" if zh else "Objectives"]  # fmt: skip
    form = rng.choice(("{}+{}", "{}+{}课时") if zh else ("{}+{}", "{} + {}"))
    rows = [plain(names, bold=True)]
    for step in steps:
        unit, count = step.kind == "unit", step.topic.periods
        text = form.format(count - 1, 1) if count > 1 else form.split("+")[-1].format(1).strip()
        rows.append(plain([draft.weeks(step.week_from, step.week_to), step.title, text if unit else "",
                           step.topic.objectives]))  # fmt: skip
        draft.expectation.step(step, {"week"}, periods=count if said or count == 1 else None)
    document = new_document(draft.title())
    widths(draw(document, Grid(rows)), 3, 5.5, 2.8, 6)
    return draft.made(saved(document), ".docx", "plus_practice")


def nested_lessons(rng: random.Random) -> Made:
    """In the last cell of each unit a small table of its single lessons."""
    draft = Draft(rng)
    zh = draft.zh
    steps = draft.steps(draft.topics(4, 7), ways=("packed", "weekly"))
    names = ["周次", "单元（课题）", "课时", "分课时安排"] if zh else ["Week", "Topic", "Lessons", "Lesson by lesson"]
    rows = [plain(names, bold=True)]
    rows += [plain([draft.weeks(step.week_from, step.week_to), step.title,
                    str(step.topic.periods) if step.kind == "unit" else "", ""]) for step in steps]  # fmt: skip
    document = new_document(draft.title())
    table = draw(document, Grid(rows))
    widths(table, 2.8, 4.2, 2.2, 8)
    acts = ("新授", "例题与练习", "合作探究", "小结与检测")
    acts = acts if zh else ("Introduction", "Guided practice", "Task", "Quiz")
    for index, step in enumerate(steps, 1):
        draft.expectation.step(step, {"week"})
        if step.kind != "unit":
            continue
        inner = [plain([f"第{n}课时" if zh else f"Lesson {n}", acts[(n - 1) % len(acts)] + (
            "：" if zh else ": ") + step.topic.key_points]) for n in range(1, step.topic.periods + 1)]  # fmt: skip
        small = draw(table.cell(index, 3), Grid(inner, headers=0))
        small.style = "Table Grid"
        widths(small, 2.2, 5.4)
    draft.expectation.never(*(f"第{n}课时" if zh else f"Lesson {n}" for n in range(1, 9)))
    return draft.made(saved(document), ".docx", "nested_lessons")


def _listed(document: Document, lines: tuple[str, ...], style: str | None) -> None:
    for number, line in enumerate(lines, 1):
        document.add_paragraph(line if style else f"{number}. {line}", style=style)


def plan_in_prose(rng: random.Random) -> Made:
    """A plan of paragraphs: aims and measures as lists, and between them a line for each unit."""
    draft = Draft(rng)
    zh = draft.zh
    steps = draft.steps(draft.topics(6, 11), ways=("packed", "weekly"))
    style = rng.choice((None, "List Number", "List Bullet"))
    count = rng.choice(("（{}课时）", "，{}课时", " {}课时") if zh else (" ({} lessons)", ", {} lessons"))
    number = chinese if zh and rng.random() < 0.4 else str
    document = new_document(draft.title())
    document.add_heading("一、指导思想" if zh else "1. Context", 2)
    prose = "This course builds on the work of last year and is taught in mixed-ability groups."
    document.add_paragraph("以课程标准为依据，面向全体学生，夯实基础，提高课堂教学质量。" if zh else prose)
    document.add_heading("二、教学目标" if zh else "2. Aims", 2)
    _listed(document, ("掌握本册教材的基础知识。", "提高分析和解决问题的能力。", "培养良好的学习习惯。") if zh else
            ("Secure the core content.", "Apply it to new problems.", "Develop good study habits."), None)  # fmt: skip
    document.add_heading("三、教学进度安排" if zh else "3. Schedule", 2)
    for index, step in enumerate(steps, 1):
        one, several = ("第{}周", "第{}—{}周") if zh else ("Week {}", "Weeks {}-{}")
        weeks = one if step.week_from == step.week_to else several
        text = weeks.format(number(step.week_from), number(step.week_to)) + ("：" if zh else ": ") + step.title
        if step.kind == "unit":
            periods = count.format(step.topic.periods)
            text += periods.replace("lessons", "lesson") if step.topic.periods == 1 else periods
        document.add_paragraph(text if style else f"{index}. {text}", style=style)
        draft.expectation.step(step, {"week"})
    document.add_heading("四、主要措施" if zh else "4. Assessment", 2)
    tests = ("A short quiz every two weeks.", "An end-of-term test of 60 minutes.", "Homework once a week.")
    measures = ("精心备课，向40分钟要质量。", "每周进行一次小测，及时反馈。", "做好培优补差工作。")
    _listed(document, measures if zh else tests, None)
    return draft.made(saved(document), ".docx", "plan_in_prose")


def full_width_lines(rng: random.Random) -> Made:
    """No table at all: columns held apart by wide spaces or tabs, digits as wide as characters; typed text or Word."""
    draft = Draft(rng, "zh")
    steps = draft.steps(draft.topics(6, 12), ways=("spread", "packed"))
    gap = rng.choice(("　　", "\t", "　　　"))
    lines = [gap.join(("周次", "日期", "教学内容", "课时"))]
    for step in steps:
        one = step.week_from == step.week_to
        weeks = f"第{step.week_from}周" if one else f"第{step.week_from}-{step.week_to}周"
        first, last = step.date_from, step.date_to
        when = f"{first.month}月{first.day}日-{last.month}月{last.day}日"
        parts = [full_width(weeks), full_width(when), step.title]
        parts += [full_width(f"{step.topic.periods}课时")] if step.kind == "unit" else []
        lines.append(gap.join(parts))
        draft.expectation.step(step, {"week", "dates"})
    if rng.random() < 0.5:
        text = "\r\n".join([draft.title(), "", *lines, ""])
        return draft.made(text.encode(rng.choice(("utf-8", "gb18030"))), ".txt", "full_width_lines")
    document = new_document(draft.title())
    for line in lines:
        document.add_paragraph(line)
    return draft.made(saved(document), ".docx", "full_width_lines")


def year_in_two_terms(rng: random.Random) -> Made:
    """The whole school year: both terms beside each other in one table, or below each other with their dates."""
    draft = Draft(rng)
    zh, book = draft.zh, draft.curriculum
    while draft.term.first.month < 8:
        draft.term = Term(draft.language, rng)
    topics = draft.topics(8, 14)
    half = (len(topics) + 1) // 2
    timelines = [Timeline(draft, part, 3, whole=True) for part in (topics[:half], topics[half:])]
    names = ("第一学期", "第二学期") if zh else ("Semester 1", "Semester 2")
    months = ("（2026年9月—2027年1月）", "（2027年3月—7月）") if zh else (" (Aug 2026 - Jan 2027)", " (Mar - Jul 2027)")
    beside = rng.random() < 0.5
    later = date(2027, 3, 1) - draft.term.monday(1)  # the second term begins on a Monday, too
    heads = ("周次", *(() if beside else ("日期",)), "教学内容", "课时") if zh else (
        "Week", *(() if beside else ("Dates",)), "Topic", "Lessons")  # fmt: skip
    tables: list[list[list[str]]] = []
    for term, timeline in enumerate(timelines):
        table = []
        for topic in timeline.topics:
            weeks, days = timeline.span(topic), timeline.days(topic)
            if term:
                monday = draft.term.monday(weeks[0]) + later
                days = (monday, monday + timedelta(days=7 * (weeks[1] - weeks[0]) + 4))
            when = [] if beside else [draft.dates(*days)]
            table.append([draft.weeks(*weeks), *when, topic.title, draft.periods(topic.periods)])
            draft.expectation.unit(topic.title, topic.periods, weeks=None if term else weeks,
                                   days=None if beside else days)  # fmt: skip
        tables.append(table)
    year = "2026—2027学年" if zh else "2026-2027"
    title = f"{year}{book.grade}{book.subject}教学计划" if zh else f"{book.grade} {book.subject} Overview {year}"
    document = landscape(new_document(title))
    if beside:
        blank = [""] * len(heads)
        tables[1] += [blank] * (half - len(tables[1]))
        above = [Cell(name + said, across=len(heads), bold=True) for name, said in zip(names, months, strict=True)]
        rows: list[Row] = [above, plain([*heads, *heads], bold=True)]
        rows += [plain([*left, *right]) for left, right in zip(*tables, strict=True)]
        widths(draw(document, Grid(rows, headers=2)), *(3, 7.6, 2.6) * 2)
    else:
        for name, said, table in zip(names, months, tables, strict=True):
            document.add_heading(name + said, 2)
            drawn = draw(document, Grid([plain(heads, bold=True), *map(plain, table)]))
            shade(drawn, 0, "EDEDED")
            widths(drawn, 3, 6, 12, 3)
    draft.expectation.never(*names)
    return draft.made(saved(document), ".docx", "year_in_two_terms")


LAYOUTS: tuple[Layout, ...] = (
    approval_form,
    chapters_across,
    periods_by_kind,
    plus_practice,
    nested_lessons,
    plan_in_prose,
    full_width_lines,
    year_in_two_terms,
)
