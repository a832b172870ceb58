"""The columns of a plan's table, under the names that schools really give them."""

from __future__ import annotations

import random
from dataclasses import dataclass

NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "zh": {
        "number": ("序号", "序", "编号"),
        "week": ("周次", "周 次", "周", "教学周次", "教学周", "起止周次", "周次（周）", "授课周次"),
        "dates": ("日期", "起止日期", "起止时间", "时间", "教学时间", "日期（月.日）", "起讫日期", "月日", "授课日期"),
        "chapter": ("单元", "章节", "章", "单元主题", "模块", "单元（章）"),
        "title": ("教学内容", "课题", "教学课题", "授课内容", "教学内容（章节）", "章节内容", "内容", "授课章节及内容",
                  "教学进度", "教学主要内容", "教材内容", "课 题", "教学内容及课题"),
        "periods": ("课时", "课时数", "学时", "节数", "课时安排", "所需课时", "课时分配", "授课时数", "计划课时",
                    "课 时"),
        "objectives": ("教学目标", "学习目标", "教学要求", "教学目的", "目标要求", "教学目的要求", "教学目标及要求"),
        "key_points": ("重点难点", "教学重难点", "重点、难点", "教学重点", "重难点", "教学重点与难点"),
        "methods": ("教学方法", "教法", "教学方式", "教学手段", "主要教学措施", "教学方法与手段"),
        "homework": ("作业", "作业布置", "课后作业", "作业设计", "练习与作业", "课外作业"),
        "materials": ("教具", "教学资源", "教学准备", "教具学具", "课件及教具"),
        "remarks": ("备注", "说明", "执行情况", "落实情况", "备 注"),
        "teacher": ("主备人", "授课教师", "主讲人"),
    },
    "en": {
        "number": ("No.", "#", "S/N"),
        "week": ("Week", "Wk", "Week No.", "Teaching week", "Week(s)", "Week #", "WEEK"),
        "dates": ("Date", "Dates", "Date(s)", "Start - End", "Date range", "When"),
        "chapter": ("Unit", "Module", "Chapter", "Strand", "Unit of work", "Theme"),
        "title": ("Topic", "Topics", "Content", "Unit / Topic", "Lesson topic", "Topic title", "Subject content",
                  "Topics covered", "TOPIC", "Topic / Content", "Unit title"),
        "periods": ("Periods", "Lessons", "No. of lessons", "Number of periods", "No. of periods", "Class periods",
                    "Lesson count", "PERIODS", "# of lessons"),
        "objectives": ("Learning objectives", "Objectives", "Learning outcomes", "Learning intentions",
                       "Students will be able to...", "Aims"),
        "key_points": ("Key points", "Key concepts", "Key and difficult points", "Focus / difficulties"),
        "methods": ("Teaching methods", "Activities", "Learning activities", "Teaching strategies", "Methodology"),
        "homework": ("Homework", "HW", "Assignments", "Home learning", "Homework / Assignment"),
        "materials": ("Resources", "Materials", "Resources & materials", "Teaching materials"),
        "remarks": ("Remarks", "Notes", "Comments"),
        "teacher": ("Teacher", "Prepared by", "Lead teacher"),
    },
}  # fmt: skip

HOURS = {"zh": ("学时", "课时", "时长", "教学时间", "授课时长"), "en": ("Hours", "Time", "Duration", "Teaching time")}
"""What the column is called that says lessons as hours or minutes."""

ORDERS: tuple[tuple[str, ...], ...] = (
    ("week", "dates", "title", "periods", "remarks"),
    ("week", "title", "periods", "objectives", "key_points", "remarks"),
    ("number", "title", "periods", "week", "homework"),
    ("dates", "week", "title", "objectives", "homework", "periods"),
    ("week", "title", "periods"),
    ("title", "periods", "week", "dates"),
    ("week", "dates", "title", "objectives", "key_points", "methods", "periods", "homework", "materials", "remarks"),
    ("number", "week", "title", "objectives", "methods", "periods", "teacher", "remarks"),
    ("dates", "title", "periods", "remarks"),
    ("week", "periods", "title", "key_points", "homework"),
    ("title", "objectives", "periods", "dates", "materials"),
    ("week", "dates", "teacher", "title", "periods", "homework"),
)
"""Which columns stand in which order; ``chapter`` comes before ``title`` where a layout shows chapters."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it holds, and the name above it."""

    kind: str
    name: str


def choose(
    language: str, rng: random.Random, *, need: tuple[str, ...] = (), without: tuple[str, ...] = (), most: int = 12
) -> tuple[Column, ...]:
    """Columns in one of the orders, with those that a layout needs, without those that it does not show."""
    fitting = [
        order for order in ORDERS if set(need) - {"chapter"} <= set(order) and len(set(order) - set(without)) <= most
    ]
    order = [kind for kind in rng.choice(fitting) if kind not in without]
    if "chapter" in need:
        order.insert(order.index("title"), "chapter")
    names = NAMES[language]
    taken: set[str] = set()
    columns = []
    for kind in order:
        free = [name for name in names[kind] if name not in taken and not _confusing(kind, name, order)]
        name = rng.choice(free)
        taken.add(name)
        columns.append(Column(kind, name))
    return tuple(columns)


def _confusing(kind: str, name: str, order: list[str]) -> bool:
    """Whether no one could tell the column from another one of the same table by its name."""
    if kind == "title" and "chapter" in order:
        return name in {"教学内容（章节）", "章节内容", "授课章节及内容", "Unit / Topic", "Unit title", "教学进度"}
    if kind == "chapter":
        return name in {"章节"}
    if kind == "dates" and name in {"教学时间", "时间"}:
        return "week" in order
    return False
