"""Word tables with a row for each week or day, as subject groups hand them in: written without knowing the importer.

The forms are those of published plans: two halves of the term side by side, the number of lessons in brackets behind
each text, several texts in one cell, a merged column of months, ditto marks, a lesson in each weekday's cell.
"""

from __future__ import annotations

import dataclasses
import random
from datetime import date

from tests.corpus.plans_generator.curricula import Topic
from tests.corpus.plans_generator.grid import Cell, Grid, Row, plain
from tests.corpus.plans_generator.made import Draft, Layout, Made
from tests.corpus.plans_generator.numerals import chinese
from tests.corpus.plans_generator.paper_dress import landscape, shade, widths
from tests.corpus.plans_generator.paper_word import draw, new_document, saved
from tests.corpus.plans_generator.spellings import LONG_MONTHS, MONTHS
from tests.corpus.plans_generator.weekly import SchoolWeek, Timeline, lessons

CONTINUED = {"zh": ("（续）", "(续)", "（接上周）"), "en": (" (continued)", " (cont.)", " (cont'd)")}


def weeks_side_by_side(rng: random.Random) -> Made:
    """The first half of the term's weeks on the left, the second on the right, without numbers of lessons."""
    draft = Draft(rng)
    zh = draft.zh
    timeline = Timeline(draft, draft.topics(8, 14), rng.randint(3, 5), whole=True)
    between = rng.choice(("\n", "；" if zh else "; "))
    texts = [between.join(part.topic.title for part in week.parts) or week.pause for week in timeline.weeks()]
    texts.append(draft.term.last_exam)
    dated = rng.random() < 0.5
    names = [rng.choice(("周次", "周 次") if zh else ("Week", "Wk"))]
    names += [rng.choice(("日期", "起止日期") if zh else ("Dates", "Date"))] if dated else []
    names += [rng.choice(("教学内容", "内 容") if zh else ("Topic", "Content"))]
    half = (len(texts) + 1) // 2

    def side(number: int) -> list[str]:
        if number > len(texts):
            return [str(number), *[""] * (len(names) - 1)]
        dates = [draft.dates(*draft.term.days(number, number))] if dated else []
        return [draft.weeks(number, number), *dates, texts[number - 1]]

    rows = [plain(names + names, bold=True), *(plain(side(n) + side(n + half)) for n in range(1, half + 1))]
    timeline.expect("week", *(["dates"] if dated else []))
    draft.expectation.never(draft.term.last_exam)
    document = new_document(draft.title())
    widths(draw(document, Grid(rows)), *((2, 3.2, 3.6) if dated else (2.4, 6)) * 2)
    document.add_paragraph("注：各备课组可根据实际情况适当调整进度。" if zh else "Pace may be adapted to each class.")
    return draft.made(saved(document), ".docx", "weeks_side_by_side")


def lessons_in_brackets(rng: random.Random) -> Made:
    """A row a week; behind each text the number of its lessons in this week in brackets."""
    draft = Draft(rng)
    zh = draft.zh
    timeline = Timeline(draft, draft.topics(7, 13), rng.randint(4, 6))
    bracket = rng.choice(("（{}）", "({})", "（{}课时）") if zh else (" ({})", " [{}]", " ({}L)"))
    between = rng.choice(("\n", "  ", "；" if zh else "; "))
    names = ["周次", "日期", "教学内容及课时安排", "备注"] if zh else ["Week", "Dates", "Content (lessons)", "Notes"]
    in_remarks = rng.random() < 0.5
    rows = [plain(names, bold=True)]
    for week in timeline.weeks():
        text = between.join(part.topic.title + bracket.format(part.periods) for part in week.parts)
        row = [str(week.number), draft.dates(week.first, week.last), text, ""]
        if week.pause:
            row[3 if in_remarks else 2] = week.pause
        rows.append(plain(row))
    timeline.expect("week", "dates", "periods")
    book, weekly = draft.curriculum.book, timeline.weekly
    below = f"教材：{book}    周课时：{weekly}节" if zh else f"Textbook: {book}    Lessons per week: {weekly}"
    document = new_document(draft.title(), below)
    widths(draw(document, Grid(rows)), 1.8, 3.7, 8, 2.5)
    document.add_paragraph("说明：括号内的数字为课时数。" if zh else "Numbers in brackets: lessons in that week.")
    draft.expectation.never(below)
    return draft.made(saved(document), ".docx", "lessons_in_brackets")


def several_in_a_cell(rng: random.Random) -> Made:
    """A row a week with all texts of the week in one cell, each on a line of its own, and nothing on lessons."""
    draft = Draft(rng)
    zh = draft.zh
    timeline = Timeline(draft, draft.topics(8, 15), rng.randint(3, 6), whole=True)
    mark = rng.choice(("", "", "• ", "- "))
    remark = rng.choice(("备注", "执行情况") if zh else ("Remarks", "Notes"))
    names = [rng.choice(("周次", "周") if zh else ("Week", "Wk")), "日期" if zh else "Date",
             rng.choice(("教学内容", "教学进度") if zh else ("Topics", "Content")), remark]  # fmt: skip
    rows = [plain(names, bold=True)]
    for week in timeline.weeks():
        text = "\n".join(mark + part.topic.title for part in week.parts)
        remark = week.pause if week.pause and rng.random() < 0.5 else ""
        rows.append(plain([draft.weeks(week.number, week.number), draft.dates(week.first, week.last),
                           text or ("" if remark else week.pause), remark]))  # fmt: skip
    rows.append(plain([str(timeline.last_week + 1), "", "", draft.term.last_exam]))
    timeline.expect("week", "dates")
    draft.expectation.never(draft.term.last_exam)
    document = new_document(draft.title())
    widths(draw(document, Grid(rows)), 2.2, 4, 7.5, 3)
    return draft.made(saved(document), ".docx", "several_in_a_cell")


def continued_topics(rng: random.Random) -> Made:
    """A row for each part of a topic: what goes on in the next week is said to be continued."""
    draft = Draft(rng)
    zh = draft.zh
    timeline = Timeline(draft, draft.topics(6, 11), rng.randint(3, 4))
    mark = rng.choice(CONTINUED[draft.language])
    names = ["周次", rng.choice(("课题", "教学内容")), rng.choice(("课时", "课时数")), "教学目标"] if zh else [
        "Week", rng.choice(("Topic", "Lesson topic")), rng.choice(("Lessons", "Periods")), "Objectives"]  # fmt: skip
    rows = [plain(names, bold=True)]
    for week in timeline.weeks():
        label = draft.weeks(week.number, week.number)
        if week.pause:
            rows.append([Cell(label), Cell(week.pause, across=3)])
        for index, part in enumerate(week.parts):
            title = part.topic.title + (mark if part.number > 1 else "")
            goals = part.topic.objectives if part.number == 1 else ""
            cells = plain([title, draft.periods(part.periods), goals])
            rows.append([Cell(label, down=len(week.parts)), *cells] if index == 0 else cells)
    timeline.expect("week", "periods", objectives=True)
    document = new_document(draft.title())
    widths(draw(document, Grid(rows)), 2.5, 5.5, 2.5, 6)
    return draft.made(saved(document), ".docx", "continued_topics")


def _day_numbers(language: str, first: date, last: date, dash: str) -> str:
    """The days of a week beside the column that says its month: ``7—11``, and ``28—10.2`` where a month ends."""
    if first.month == last.month:
        return f"{first.day}{dash}{last.day}"
    if language == "zh":
        return f"{first.day}{dash}{last.month}.{last.day}"
    return f"{first.day}{dash}{last.day} {MONTHS[last.month - 1]}"


def month_column(rng: random.Random) -> Made:
    """Months in merged cells on the left, then the week and only the days' numbers."""
    draft = Draft(rng)
    zh = draft.zh
    timeline = Timeline(draft, draft.topics(6, 12), rng.randint(3, 5), whole=True)
    dash = rng.choice(("—", "-", "～") if zh else ("–", "-", " - "))
    numbers = range(1, 13)
    spelled = rng.choice(([f"{n}月" for n in numbers], [f"{chinese(n)}月" for n in numbers]) if zh else
                         (list(LONG_MONTHS), list(MONTHS)))  # fmt: skip
    names = ["月份", "周次", "日期", "教学内容", "课时", "备注"] if zh else [
        "Month", "Week", "Days", "Topic", "Lessons", "Notes"]  # fmt: skip
    rows = [plain(names, bold=True)]
    weeks = timeline.weeks()
    heights = {week.number: max(1, len(week.parts)) for week in weeks}
    month = 0
    for week in weeks:
        head: Row = []
        if week.first.month != month:
            month = week.first.month
            head.append(Cell(spelled[month - 1], down=sum(heights[w.number] for w in weeks if w.first.month == month)))
        high = heights[week.number]
        head += [Cell(str(week.number), down=high), Cell(_day_numbers(draft.language, week.first, week.last, dash),
                                                         down=high)]  # fmt: skip
        for part in week.parts:
            rows.append([*head, *plain([part.topic.title, draft.periods(part.periods), ""])])
            head = []
        if not week.parts:
            rows.append([*head, *plain([week.pause, "", ""])])
    timeline.expect("week", "dates", "periods")
    document = new_document(draft.title())
    widths(draw(document, Grid(rows)), 2.4, 1.6, 2.4, 6.2, 2.4, 1.6)
    return draft.made(saved(document), ".docx", "month_column")


def week_over_dates(rng: random.Random) -> Made:
    """Week and dates on two lines of the same cell."""
    draft = Draft(rng)
    zh = draft.zh
    steps = draft.steps(draft.topics(6, 12), ways=("packed", "weekly"))
    wrap = rng.choice(("{}\n{}", "{}\n({})", "{}（{}）" if zh else "{} ({})"))
    names = [rng.choice(("时间", "周次及日期", "周次") if zh else ("Week / dates", "Week"))]
    names += [rng.choice(("教学内容", "课题") if zh else ("Topic", "Unit of work"))]
    names += ["课时", "重点难点"] if zh else ["Lessons", "Key points"]
    one, several = ("第{}周", "第{}—{}周") if zh else ("Week {}", "Weeks {}–{}")
    number = chinese if zh and rng.random() < 0.5 else str
    dates = draft.dates
    if zh and "（" in dates(draft.term.first, draft.term.last):
        dates = lambda a, b: f"{a.month}.{a.day}-{b.month}.{b.day}"  # noqa: E731
    rows = [plain(names, bold=True)]
    for step in steps:
        weeks = one if step.week_from == step.week_to else several
        when = wrap.format(weeks.format(number(step.week_from), number(step.week_to)),
                           dates(step.date_from, step.date_to))  # fmt: skip
        unit = step.kind == "unit"
        rows.append(plain([when, step.title, draft.periods(step.topic.periods) if unit else "",
                           step.topic.key_points]))  # fmt: skip
        draft.expectation.step(step, {"week", "dates"})
    document = new_document(draft.title())
    widths(draw(document, Grid(rows)), 4.5, 6, 2.2, 4)
    return draft.made(saved(document), ".docx", "week_over_dates")


def _whole_weeks(topics: tuple[Topic, ...], weekly: int, most: int) -> list[Topic]:
    """The topics with as many lessons as fill their weeks, so many that they need no more than ``most`` weeks."""
    result: list[Topic] = []
    used = 0
    for topic in topics:
        weeks = min(3, -(-topic.periods // weekly))
        used += weeks
        if used > most:
            break
        result.append(dataclasses.replace(topic, periods=weeks * weekly))
    return result


def ditto_marks(rng: random.Random) -> Made:
    """The school's printed form with twenty weeks: ditto marks where a topic goes on, blank rows without lessons."""
    draft = Draft(rng)
    zh = draft.zh
    weekly = rng.randint(1, 2)
    timeline = Timeline(draft, _whole_weeks(draft.topics(6, 10), weekly, 15), weekly)
    same = rng.choice(("同上", "〃", "″") if zh else ("ditto", '"', "''"))
    taught: dict[int, SchoolWeek] = {week.number: week for week in timeline.weeks()}
    names = ["周次", "起止日期", "教学内容", "课时", "备注"] if zh else [
        "Week", "Dates", "Topic", "Lessons", "Remarks"]  # fmt: skip
    rows = [plain(names, bold=True)]
    noted = rng.random() < 0.5
    for number in range(1, 21):
        week = taught.get(number)
        cells = [str(number), draft.dates(*draft.term.days(number, number)) if number < 19 else "", "", "", ""]
        if week and week.parts:
            (part,) = week.parts
            cells[2:4] = [part.topic.title if part.number == 1 else same, str(part.periods)]
        elif week and noted:
            cells[4] = week.pause
        rows.append(plain(cells))
    timeline.expect("week", "dates", "periods")
    draft.expectation.never(same)
    document = new_document(draft.title())
    widths(draw(document, Grid(rows)), 1.8, 4.5, 5.6, 2.2, 3)
    return draft.made(saved(document), ".docx", "ditto_marks")


def lesson_each_day(rng: random.Random) -> Made:
    """A calendar of the term: a row a week, in the cell of each weekday the lesson of this day."""
    draft = Draft(rng)
    zh = draft.zh
    weekdays = sorted(rng.sample(range(5), rng.randint(3, 5)))
    taught = lessons(draft, draft.topics(5, 9), weekdays)
    dated = rng.random() < 0.5
    order = rng.choice(("（{}）", "（第{}课时）", "({})") if zh else (", Day {}", " - lesson {}", " ({})"))
    days = ("星期一", "星期二", "星期三", "星期四", "星期五") if zh else ("Mon", "Tue", "Wed", "Thu", "Fri")
    rows = [plain(["周次" if zh else "Week", *days], bold=True)]
    by_day = {lesson.day: lesson for lesson in taught}
    for number in range(1, taught[-1].week + 1):
        cells = [Cell(draft.weeks(number, number))]
        if number in draft.term.pauses:
            rows.append([*cells, Cell(draft.term.pauses[number].title, across=5)])
            draft.expectation.never(draft.term.pauses[number].title)
            continue
        for weekday in range(5):
            day = date.fromordinal(draft.term.monday(number).toordinal() + weekday)
            lesson = by_day.get(day)
            text = ""
            if lesson:
                several = lesson.topic.periods > 1
                text = lesson.topic.title + (order.format(lesson.number) if several else "")
            stamp = (f"{day.month}.{day.day}" if zh else f"{MONTHS[day.month - 1]} {day.day}") + "\n" if dated else ""
            cells.append(Cell((stamp + text).strip()))
        rows.append(cells)
    for topic in dict.fromkeys(lesson.topic for lesson in taught):
        own = [lesson for lesson in taught if lesson.topic == topic]
        draft.expectation.unit(topic.title, topic.periods, weeks=(own[0].week, own[-1].week),
                               days=(own[0].day, own[-1].day) if dated else None)  # fmt: skip
    document = landscape(new_document(draft.title()))
    table = draw(document, Grid(rows))
    shade(table, 0, "D9E2F3")
    widths(table, 2.6, 4.6, 4.6, 4.6, 4.6, 4.6)
    return draft.made(saved(document), ".docx", "lesson_each_day")


LAYOUTS: tuple[Layout, ...] = (
    weeks_side_by_side,
    lessons_in_brackets,
    several_in_a_cell,
    continued_topics,
    month_column,
    week_over_dates,
    ditto_marks,
    lesson_each_day,
)
