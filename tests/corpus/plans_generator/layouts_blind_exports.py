"""Exports of school systems as text with separators, and a plan that was simply typed. Written without knowing the
importer.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence

from tests.corpus.plans_generator.made import Draft, Layout, Made
from tests.corpus.plans_generator.weekly import Timeline, lessons


def _separated(rng: random.Random, rows: Sequence[Sequence[str]], *, zh: bool, marks: str = ",,;") -> bytes:
    """The rows as such systems write them; lines within a field are quoted."""
    stream = io.StringIO()
    mark = rng.choice(marks)
    if rng.random() < 0.5:
        csv.writer(stream, delimiter=mark, quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        csv.writer(stream, delimiter=mark).writerows(rows)
    return stream.getvalue().encode(rng.choice(("utf-8", "utf-8-sig", *(("gb18030",) if zh else ()))))


def system_export(rng: random.Random) -> Made:
    """A report with lines before its header, fields of several lines, and totals behind its last row."""
    draft = Draft(rng)
    zh, book = draft.zh, draft.curriculum
    steps = draft.steps(draft.topics(6, 12), ways=("spread", "packed"))
    head = ["起始周", "结束周", "开始日期", "结束日期", "单元编码", "课题", "课时数", "教学目标", "状态"] if zh else [
        "Start week", "End week", "Start date", "End date", "Unit code", "Unit title", "Periods", "Objectives",
        "Status"]  # fmt: skip
    if zh:
        rows = [["教学计划导出"], ["学校：", "实验学校"], ["科目：", book.subject, "年级：", book.grade],
                ["导出时间：", "2026-08-25 10:31"], []]  # fmt: skip
    else:
        rows = [["Report: Teaching plan"], ["School:", "Example School"],
                ["Course:", f"{book.subject} ({book.grade})"], ["Exported:", "25/08/2026 10:31"], []]  # fmt: skip
    rows.append(head)
    stop = "；" if zh else "; "
    for number, step in enumerate(steps, 1):
        unit = step.kind == "unit"
        goals = "\n".join(f"{n}. {goal}" for n, goal in enumerate(step.topic.objectives.split(stop), 1)) if unit else ""
        rows.append([str(step.week_from), str(step.week_to), step.date_from.isoformat(), step.date_to.isoformat(),
                     f"U{number:02d}" if unit else "", step.title, str(step.topic.periods) if unit else "", goals,
                     ("已审核" if zh else "Approved") if unit else ""])  # fmt: skip
        draft.expectation.step(step, {"week", "dates"})
    total = sum(step.topic.periods for step in steps if step.kind == "unit")
    rows.append(["合计" if zh else "Total", "", "", "", "", "", str(total), "", ""])
    rows += [[], [f"共 {len(steps)} 条记录" if zh else f"{len(steps)} records"]]
    draft.expectation.never("合计", "Total", f"共 {len(steps)} 条记录", f"{len(steps)} records")
    return draft.made(_separated(rng, rows, zh=zh), ".csv", "system_export")


def lessons_export(rng: random.Random) -> Made:
    """A row for each lesson as a system's lesson book gives it, with the class, the room and the topic."""
    draft = Draft(rng)
    zh, book = draft.zh, draft.curriculum
    taught = lessons(draft, draft.topics(5, 9), sorted(rng.sample(range(5), rng.randint(3, 5))))
    days = ("周一", "周二", "周三", "周四", "周五") if zh else ("Mon", "Tue", "Wed", "Thu", "Fri")
    head = ["日期", "星期", "节次", "班级", "学科", "课题", "教室"] if zh else [
        "Date", "Day", "Period", "Class", "Subject", "Topic", "Room"]  # fmt: skip
    slot = {weekday: str(rng.randint(1, 7)) for weekday in range(5)}
    rows = [head]
    for lesson in taught:
        day = lesson.day.weekday()
        rows.append([lesson.day.isoformat(), days[day], slot[day], f"{book.grade}1班" if zh else f"{book.grade} A",
                     book.subject, lesson.topic.title, "A301"])  # fmt: skip
    for topic in dict.fromkeys(lesson.topic for lesson in taught):
        own = [lesson for lesson in taught if lesson.topic == topic]
        draft.expectation.unit(topic.title, len(own), days=(own[0].day, own[-1].day))
    tabs = rng.random() < 0.3
    data = _separated(rng, rows, zh=zh, marks="\t" if tabs else ",;")
    return draft.made(data, ".tsv" if tabs else ".csv", "lessons_export")


def typed_outline(rng: random.Random) -> Made:
    """A typed plan: a line for each week, below it the week's topics with their lessons, and the homework."""
    draft = Draft(rng)
    zh = draft.zh
    timeline = Timeline(draft, draft.topics(6, 11), rng.randint(3, 5), whole=True)
    mark = rng.choice(("  - ", "    * ", "  "))
    count = rng.choice(("（{}课时）", " {}课时") if zh else (" ({} lessons)", " - {} lessons"))
    lines = [draft.title(), "=" * 40 if rng.random() < 0.5 else ""]
    for week in timeline.weeks():
        when = draft.dates(week.first, week.last).strip("（）")
        lines.append(f"第{week.number}周（{when}）" if zh else f"Week {week.number} ({when})")
        for part in week.parts:
            periods = count.format(part.periods)
            lines.append(mark + part.topic.title + (periods.replace("lessons", "lesson") if part.periods == 1 else
                                                    periods))  # fmt: skip
        if week.parts and rng.random() < 0.5:
            page = week.number * 4
            lines.append(mark + (f"作业：练习册第{page}页" if zh else f"HW: workbook p. {page}"))
            draft.expectation.never(lines[-1].strip(" -*"))
        if week.pause:
            lines.append(mark + week.pause)
        lines.append("")
    timeline.expect("week", "dates", "periods")
    data = "\n".join(lines).encode(rng.choice(("utf-8", "utf-8-sig", *(("gb18030",) if zh else ()))))
    return draft.made(data, ".txt", "typed_outline")


LAYOUTS: tuple[Layout, ...] = (
    system_export,
    lessons_export,
    typed_outline,
)
