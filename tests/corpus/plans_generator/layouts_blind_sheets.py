"""Workbooks as schools keep them: coloured, frozen, commented, with hidden columns, or with the weeks as columns.
Written without knowing the importer.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

from openpyxl.comments import Comment
from openpyxl.styles import Alignment, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from tests.corpus.plans_generator.curricula import Topic
from tests.corpus.plans_generator.grid import Cell, Grid, Row, plain
from tests.corpus.plans_generator.made import Draft, Layout, Made
from tests.corpus.plans_generator.numerals import chinese
from tests.corpus.plans_generator.paper_dress import column_widths, dressed, fill, title_line
from tests.corpus.plans_generator.paper_excel import workbook
from tests.corpus.plans_generator.spellings import LONG_MONTHS, MONTHS
from tests.corpus.plans_generator.weekly import Timeline, lessons

YELLOW, GREEN, BLUE = "FFF2CC", "E2EFDA", "DDEBF7"


def _month(draft: Draft, month: int, *, long: bool = True) -> str:
    if draft.zh:
        return f"{month}月" if long else f"{chinese(month)}月"
    return (LONG_MONTHS if long else MONTHS)[month - 1]


def coloured_calendar(rng: random.Random) -> Made:
    """A frozen title, merged months, holiday weeks in colour, comments on cells and a legend below the table."""
    draft = Draft(rng)
    zh = draft.zh
    timeline = Timeline(draft, draft.topics(7, 12), rng.randint(3, 5), whole=True)
    weeks = timeline.weeks()
    names = ["月份", "周次", "日期", "教学内容", "课时", "备注"] if zh else [
        "Month", "Week", "Dates", "Topic", "Lessons", "Comments"]  # fmt: skip
    high = {week.number: max(1, len(week.parts)) for week in weeks}
    rows: list[Row] = [plain(names, bold=True)]
    off: list[int] = []
    long, month = rng.random() < 0.5, 0
    for week in weeks:
        row: Row = []
        if week.first.month != month:
            month = week.first.month
            row.append(Cell(_month(draft, month, long=long),
                            down=sum(high[w.number] for w in weeks if w.first.month == month)))  # fmt: skip
        row += [Cell(str(week.number), down=high[week.number]),
                Cell(draft.dates(week.first, week.last), down=high[week.number])]  # fmt: skip
        for part in week.parts:
            rows.append([*row, *plain([part.topic.title, draft.periods(part.periods), ""])])
            row = []
        if week.pause:
            rows.append([*row, *plain([week.pause, "", ""])])
            off.append(len(rows))
    timeline.expect("week", "dates", "periods")
    sums = sum(topic.periods for topic in timeline.topics)
    rows.append([Cell("合计" if zh else "Total", across=4, bold=True), Cell(str(sums)), Cell("")])
    legend = ("图例：", "放假/考试", "正常教学") if zh else ("Key:", "No lessons", "Teaching week")
    draft.expectation.never("合计", "Total", *legend)
    below = [f"任课教师：张敏    教材：{draft.curriculum.book}" if zh else f"Text: {draft.curriculum.book}"]
    top = 1 + len(below)
    said = "以学校通知为准" if zh else "Check the school calendar"

    def dress(sheet: Worksheet) -> None:
        title_line(sheet, 1)
        fill(sheet, top + 1, BLUE)
        sheet.freeze_panes = f"A{top + 2}"
        for row in off:
            for column in range(2, 7):
                sheet.cell(top + row, column).fill = PatternFill("solid", fgColor=YELLOW)
            sheet.cell(top + row, 4).comment = Comment(said, "school")
        column_widths(sheet, {"A": 9, "B": 9, "C": 20, "D": 36, "E": 12, "F": 18})
        last = top + len(rows) + 2
        for column, (text, colour) in enumerate(zip(legend, ("FFFFFF", YELLOW, "FFFFFF"), strict=True), 1):
            sheet.cell(last, column, text).fill = PatternFill("solid", fgColor=colour)

    name = "教学进度" if zh else "Plan"
    data = dressed(workbook({name: ([draft.title(), *below], Grid(rows))}), dress)
    return draft.made(data, ".xlsx", "coloured_calendar")


def hidden_columns(rng: random.Random) -> Made:
    """Columns that nobody sees: an identifier, and last year's numbers of lessons beside this year's."""
    draft = Draft(rng)
    zh = draft.zh
    steps = draft.steps(draft.topics(6, 12), ways=("spread", "packed"))
    before = rng.random() < 0.5
    names = ["编码", "周次", "教学内容", "去年课时", "课时", "教学目标"] if zh else [
        "ID", "Week", "Topic", "Lessons (last year)", "Lessons", "Objectives"]  # fmt: skip
    order = [0, 1, 2, 3, 4, 5] if before else [1, 2, 4, 3, 5, 0]
    rows = [plain([names[index] for index in order], bold=True)]
    for number, step in enumerate(steps, 1):
        unit = step.kind == "unit"
        old = max(1, step.topic.periods + rng.choice((-1, 1, 2)))
        cells = [f"{draft.curriculum.subject[:2].upper()}-{number:03d}", draft.weeks(step.week_from, step.week_to),
                 step.title, str(old) if unit else "", str(step.topic.periods) if unit else "",
                 step.topic.objectives]  # fmt: skip
        rows.append(plain([cells[index] for index in order]))
        draft.expectation.step(step, {"week", "objectives"})
    unseen = [order.index(0) + 1, order.index(3) + 1]

    def dress(sheet: Worksheet) -> None:
        title_line(sheet, 1)
        sheet.freeze_panes = "A3"
        for column in unseen:
            sheet.column_dimensions[get_column_letter(column)].hidden = True
        column_widths(sheet, {get_column_letter(order.index(2) + 1): 34, get_column_letter(order.index(5) + 1): 40})

    name = "Sheet1" if rng.random() < 0.5 else draft.curriculum.subject[:31]
    data = dressed(workbook({name: ([draft.title()], Grid(rows))}), dress)
    return draft.made(data, ".xlsx", "hidden_columns")


def lessons_across_weeks(rng: random.Random) -> Made:
    """Units in rows and weeks in columns: in each square the lessons of this week, or a mark; coloured like a chart."""
    draft = Draft(rng)
    zh = draft.zh
    timeline = Timeline(draft, draft.topics(6, 11), rng.randint(3, 5))
    weeks = timeline.weeks()
    mark = rng.choice(("", "", "■", "√", "x"))
    names = ("单元", "教学内容", "课时合计") if zh else ("Unit", "Topic", "Total lessons")
    heads = [f"第{w.number}周" if zh else f"W{w.number}" for w in weeks]
    months: Row = []
    for week in weeks:
        name = _month(draft, week.first.month, long=False)
        if months and months[-1].text == name:
            months[-1].across += 1
        else:
            months.append(Cell(name, bold=True))
    rows: list[Row] = [
        [Cell(names[0], down=2, bold=True), Cell(names[1], down=2, bold=True), *months,
         Cell(names[2], down=2, bold=True)],
        plain(heads, bold=True),
    ]  # fmt: skip
    for number, topic in enumerate(timeline.topics, 1):
        squares = []
        for week in weeks:
            part = next((part for part in week.parts if part.topic == topic), None)
            squares.append((mark or str(part.periods)) if part else "")
        rows.append(plain([str(number), topic.title, *squares, str(topic.periods)]))
    if not mark:
        sums = [str(sum(part.periods for part in week.parts) or "") for week in weeks]
        whole = str(sum(topic.periods for topic in timeline.topics))
        rows.append([Cell("合计" if zh else "Total", across=2, bold=True), *plain([*sums, whole])])
    timeline.expect("week", "periods")
    draft.expectation.never("合计", "Total")
    holidays = "、".join(f"第{w.number}周{w.pause}" for w in weeks if w.pause) if zh else "; ".join(
        f"W{w.number} {w.pause}" for w in weeks if w.pause)  # fmt: skip
    draft.expectation.never(holidays)

    def dress(sheet: Worksheet) -> None:
        title_line(sheet, 1)
        sheet.freeze_panes = "C4"
        column_widths(sheet, {"A": 7, "B": 34} | {get_column_letter(n): 6.5 for n in range(3, 3 + len(weeks))})
        for row in range(4, 4 + len(timeline.topics)):
            for column in range(3, 3 + len(weeks)):
                cell = sheet.cell(row, column)
                cell.alignment = Alignment(horizontal="center")
                if cell.value is not None:
                    cell.fill = PatternFill("solid", fgColor=GREEN)
        if holidays:
            sheet.cell(len(rows) + 3, 1, ("注：" if zh else "Note: ") + holidays)

    data = dressed(workbook({"进度" if zh else "Overview": ([draft.title()], Grid(rows, headers=2))}), dress)
    return draft.made(data, ".xlsx", "lessons_across_weeks")


def _by_month(draft: Draft, topics: Sequence[Topic]) -> list[tuple[str, list[Topic]]]:
    months = (9, 10, 11, 12, 1) if draft.term.first.month > 7 else (3, 4, 5, 6)
    each = -(-len(topics) // len(months))
    groups = [list(topics[index : index + each]) for index in range(0, len(topics), each)]
    return [(_month(draft, month), group) for month, group in zip(months, groups, strict=False)]


def months_across(rng: random.Random) -> Made:
    """A curriculum map: the months as columns, below each the topics, questions, skills and assessments."""
    draft = Draft(rng)
    zh = draft.zh
    groups = _by_month(draft, draft.topics(5, 9))
    counted = rng.random() < 0.5
    lesson = "（{}课时）" if zh else " ({} lessons)"

    def title(topic: Topic) -> str:
        return topic.title + (lesson.format(topic.periods) if counted else "")

    names = ("月份", "教学内容", "学习目标", "重点", "评价方式") if zh else (
        "Month", rng.choice(("Units", "Topics", "Content")), "Skills", "Key concepts", "Assessment")  # fmt: skip
    rows = [plain([names[0], *(month for month, _ in groups)], bold=True)]
    rows.append(plain([names[1], *("\n".join(map(title, group)) for _, group in groups)]))
    rows.append(plain([names[2], *("\n".join(f"- {t.objectives}" for t in group) for _, group in groups)]))
    rows.append(plain([names[3], *("\n".join(t.key_points for t in group) for _, group in groups)]))
    rows.append(plain([names[4], *((("单元测试" if zh else "Unit test"),) * len(groups))]))
    for _, group in groups:
        for topic in group:
            draft.expectation.unit(topic.title, topic.periods if counted else None)
    draft.expectation.never(*names)

    def dress(sheet: Worksheet) -> None:
        title_line(sheet, 1)
        fill(sheet, 2, BLUE)
        for index, row in enumerate(rows):
            sheet.row_dimensions[index + 2].height = 15 * max(2 * cell.text.count("\n") + 1 for cell in row)
        column_widths(sheet, {"A": 14} | {get_column_letter(n): 32 for n in range(2, 2 + len(groups))})

    data = dressed(workbook({"Map" if not zh else "课程地图": ([draft.title()], Grid(rows))}), dress)
    return draft.made(data, ".xlsx", "months_across")


def lesson_log(rng: random.Random) -> Made:
    """A teacher's calendar: a row for each lesson with its real date; a topic's lessons follow each other."""
    draft = Draft(rng)
    zh = draft.zh
    taught = lessons(draft, draft.topics(5, 9), sorted(rng.sample(range(5), rng.randint(2, 5))))
    said = rng.random() < 0.6
    names = ["课次", "授课日期", "周次", "课题", "课型"] if zh else ["Lesson", "Date", "Week", "Topic", "Type"]
    names += [("第几课时" if zh else "Part")] if said else []
    rows = [plain(names, bold=True)]
    for index, lesson in enumerate(taught, 1):
        kind = ("新授" if zh else "New") if lesson.number == 1 else ("练习" if zh else "Practice")
        row = [Cell(str(index)), Cell(value=lesson.day), *plain([str(lesson.week), lesson.topic.title, kind])]
        rows.append([*row, Cell(f"{lesson.number}/{lesson.topic.periods}")] if said else row)
    for topic in dict.fromkeys(lesson.topic for lesson in taught):
        own = [lesson for lesson in taught if lesson.topic == topic]
        draft.expectation.unit(topic.title, len(own), weeks=(own[0].week, own[-1].week),
                               days=(own[0].day, own[-1].day))  # fmt: skip
    form = rng.choice(("yyyy-mm-dd", "yyyy/m/d", 'm"月"d"日"') if zh else ("yyyy-mm-dd", "dd/mm/yyyy", "ddd d mmm"))

    def dress(sheet: Worksheet) -> None:
        title_line(sheet, 1)
        sheet.freeze_panes = "A3"
        column_widths(sheet, {"A": 8, "B": 15, "C": 8, "D": 38, "E": 10})
        for row in range(3, 3 + len(taught)):
            sheet.cell(row, 2).number_format = form

    data = dressed(workbook({"教学日历" if zh else "Lessons": ([draft.title()], Grid(rows))}), dress)
    return draft.made(data, ".xlsx", "lesson_log")


def begin_and_end(rng: random.Random) -> Made:
    """First and last day in columns of their own, real dates and typed ones mixed, with school days beside lessons."""
    draft = Draft(rng)
    zh = draft.zh
    steps = draft.steps(draft.topics(6, 12), ways=("packed", "weekly"))
    names = ["教学内容", "开始日期", "结束日期", "教学天数", "课时"] if zh else [
        "Unit", "Start", "End", "School days", "Lessons"]  # fmt: skip
    rows = [plain(names, bold=True)]
    typed = rng.choice((0.0, 0.3))

    def day(value: date) -> Cell:
        if rng.random() < typed:
            return Cell(f"{value.year}年{value.month}月{value.day}日" if zh else
                        f"{value.day} {MONTHS[value.month - 1]} {value.year}")  # fmt: skip
        return Cell(value=value)

    for step in steps:
        span = (step.date_to - step.date_from).days + 1
        school = sum(1 for n in range(span) if (step.date_from + timedelta(days=n)).weekday() < 5)
        unit = step.kind == "unit"
        rows.append([Cell(step.title), day(step.date_from), day(step.date_to), Cell(str(school) if unit else ""),
                     Cell(str(step.topic.periods) if unit else "")])  # fmt: skip
        draft.expectation.step(step, {"dates"})
    form = rng.choice(("yyyy-mm-dd", 'yyyy"年"m"月"d"日"', "m/d") if zh else ("yyyy-mm-dd", "d mmm yyyy", "d-mmm"))

    def dress(sheet: Worksheet) -> None:
        title_line(sheet, 1)
        sheet.freeze_panes = "B3"
        column_widths(sheet, {"A": 40, "B": 16, "C": 16, "D": 12, "E": 10})
        for row in range(3, 3 + len(steps)):
            for column in (2, 3):
                sheet.cell(row, column).number_format = form

    data = dressed(workbook({"Sheet1": ([draft.title()], Grid(rows))}), dress)
    return draft.made(data, ".xlsx", "begin_and_end")


def unit_over_weeks(rng: random.Random) -> Made:
    """A row for each week; the unit stands in a cell over all its weeks, with each week's lessons beside it."""
    draft = Draft(rng)
    zh = draft.zh
    weekly = rng.randint(2, 4)
    plan: list[tuple[Topic, list[int]]] = []
    week = 1
    for topic in draft.curriculum.chapters():
        while week in draft.term.pauses:
            week += 1
        own = [week]
        while len(own) * weekly < topic.periods and len(own) < 3 and own[-1] + 1 not in draft.term.pauses:
            own.append(own[-1] + 1)
        plan.append((topic, own))
        week = own[-1] + 1
    names = ["单元", "周次", "日期", "本周安排", "周课时"] if zh else [
        "Unit", "Week", "Dates", "This week", "Lessons this week"]  # fmt: skip
    acts = ("新授", "练习与巩固", "小结与检测") if zh else ("Introduction", "Practice", "Review and quiz")
    rows = [plain(names, bold=True)]
    number = 1
    for topic, own in plan:
        while number < own[0]:
            pause = draft.term.pauses[number].title
            dates = draft.dates(*draft.term.days(number, number))
            rows.append(plain([pause, str(number), dates, "", ""]))
            draft.expectation.never(pause)
            number += 1
        for index, each in enumerate(own):
            head = [Cell(topic.title, down=len(own))] if index == 0 else []
            dates = draft.dates(*draft.term.days(each, each))
            rows.append([*head, *plain([str(each), dates, acts[index], str(weekly)])])
        number = own[-1] + 1
        draft.expectation.unit(topic.title, weekly * len(own), also=(topic.title.partition(" ")[2],),
                               weeks=(own[0], own[-1]), days=draft.term.days(own[0], own[-1]))  # fmt: skip
    draft.expectation.never(*acts)

    def dress(sheet: Worksheet) -> None:
        title_line(sheet, 1)
        fill(sheet, 2, BLUE)
        column_widths(sheet, {"A": 36, "B": 8, "C": 24, "D": 20, "E": 12})

    data = dressed(workbook({draft.curriculum.grade: ([draft.title()], Grid(rows))}), dress)
    return draft.made(data, ".xlsx", "unit_over_weeks")


LAYOUTS: tuple[Layout, ...] = (
    coloured_calendar,
    hidden_columns,
    lessons_across_weeks,
    months_across,
    lesson_log,
    begin_and_end,
    unit_over_weeks,
)
