"""Which column of a plan holds what: the words that schools write above their columns, in Chinese and English.

A heading is recognised when it is in this table word for word (brackets, spaces, punctuation and a leading 教学 or
授课 apart), or when all its parts (``周次/日期``, ``Key points and difficult points``) are. Nothing is guessed from
similarity: what is not recognised is named to the person.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Field = Literal[
    "number", "key", "week", "dates", "when", "unit", "topic", "content", "periods", "objectives", "key_points",
    "methods", "homework", "materials", "remarks",
]  # fmt: skip

# Columns that can give a unit its title, the most general first.
NAME_FIELDS: tuple[Field, ...] = ("unit", "topic", "content")
TEXT_FIELDS: tuple[Field, ...] = ("objectives", "key_points", "methods", "homework", "materials", "remarks")

_SYNONYMS: dict[Field, str] = {
    "number": ("序号 序 行号 | no | number | nr | # | s/n | serial no"),
    "key": ("单元标识 单元编码 | unit key | unit id | unit code"),
    "week": (
        "周次 周 周数 周别 周序 起止周 起止周次 周次安排 第几周"
        " | week | weeks | week no | week number | wk | school week | teaching week"
    ),
    "dates": ("日期 起止日期 起讫日期 起讫时间 起止时间 月日 日期范围 上课日期 | date | dates | date range | from to"),
    "when": ("时间 时间安排 | time | timing | when"),
    "unit": (
        "单元 章节 章 单元名称 单元主题 单元标题 章节名称 模块 单元章节 项目 教材单元 单元课题"
        " | unit | units | unit title | unit name | chapter | module | unit no"
    ),
    "topic": (
        "课题 课题名称 主题 标题 课文 题目 课名 课文题目 课时内容 章节课题 篇目 课文篇目 课目"
        " | topic | topics | title | lesson title | lesson | theme | subject matter"
    ),
    "content": (
        "内容 主要内容 教材内容 课程内容 学习内容 内容安排 内容要点 内容及要求 内容与要求 具体内容"
        " | content | contents | teaching content | teaching contents | learning content | lesson content"
        " | course content"
    ),
    "periods": (
        "课时 课时数 学时 学时数 节数 课时安排 计划课时 所需课时 课时分配 课时计划 时数 预计课时 建议课时 "
        "拟用课时"
        " | periods | period | no of periods | number of periods | class hours | class hour | lessons"
        " | no of lessons | number of lessons | class periods | teaching periods | hours | no of hours"
        " | number of hours | teaching hours"
    ),
    "objectives": (
        "目标 学习目标 目的 目的要求 目的与要求 目的和要求 要求 单元目标 目标要求 素养目标 核心素养 "
        "核心素养目标 课时目标"
        " | objective | objectives | aim | aims | goal | goals | learning objectives | learning outcomes"
        " | outcomes | teaching objectives | teaching aims | learning goals | teaching goals"
        " | unit objectives"
    ),
    "key_points": (
        "重点 难点 重难点 重点难点 重点与难点 关键"
        " | key points | key point | difficult points | difficulties | key and difficult points | focus"
        " | key points difficulties | teaching focus | key vocabulary | important points"
        " | important and difficult points | teaching key points | teaching difficulties"
    ),
    "methods": (
        "方法 教法 学法 方式 教法学法 措施 手段 策略 活动 方法与手段 主要措施"
        " | method | methods | teaching method | teaching methods | activities | strategies | approach"
        " | learning activities | teaching activities | methodology"
    ),
    "homework": (
        "作业 课后作业 作业布置 作业安排 作业设计 课外作业 家庭作业 布置作业 练习"
        " | homework | assignment | assignments | exercises"
    ),
    "materials": (
        "教具 资源 材料 教材 用具 课件 学具 准备 教具准备 媒体 参考资料 教具学具 教具和学具 材料准备 器材 "
        "教学用品"
        " | materials | material | resources | resource | teaching aids | teaching materials"
        " | learning materials | textbook | equipment | tools | teaching resources"
    ),
    "remarks": ("备注 说明 附注 注 备考 其他 | remark | remarks | note | notes | comment | comments"),
}

# No heading is longer; the bound keeps the patterns below from working on whole paragraphs.
_LONGEST = 80
_PARTS = re.compile(r"[/／、,，;；&＆+＋\n|]|及其|及|与|和|(?<=\w)\s+(?:and|or)\s+(?=\w)")
_BRACKETS = re.compile(r"[(\[【〔{].*?[)\]】〕}]", re.DOTALL)
_TEACHING = re.compile("^(教学|授课)")
# Read as periods only because a school's hour usually is one: such a column is marked as assumed.
_HOURS = ("hours", "noofhours", "numberofhours")


@dataclass(frozen=True, slots=True)
class Heading:
    """A recognised heading. ``also`` are further fields that the same column holds; ``assumed`` as in a unit."""

    field: Field
    also: tuple[Field, ...] = ()
    assumed: bool = False


def recognise(text: str) -> Heading | None:
    """What the column under the heading ``text`` holds; None where the heading is not known."""
    if len(text) > _LONGEST:
        return None
    key = _key(text)
    if not key:
        return None
    if field := _lookup(key):
        return Heading(field, assumed=key in _HOURS)
    parts = [_lookup(_key(part)) for part in _PARTS.split(_plain(text)) if _key(part)]
    fields = list(dict.fromkeys(field for field in parts if field is not None))
    if len(parts) < 2 or None in parts:
        return None
    if len(fields) == 1:
        return Heading(fields[0])
    if set(fields) <= {"week", "dates", "when"}:
        return Heading("when")
    if set(fields) <= set(NAME_FIELDS):
        return Heading(min(fields, key=NAME_FIELDS.index))
    if set(fields) <= set(TEXT_FIELDS):
        return Heading(fields[0], also=tuple(fields[1:]))
    return None


def understood(locale: str) -> dict[Field, str]:
    """The usual heading of each field in a language, to tell people what would be recognised."""
    position = 0 if locale.startswith("zh") else 1
    fields: tuple[Field, ...] = ("week", "dates", "unit", "content", "periods", *TEXT_FIELDS)
    words: dict[Field, str] = {}
    for field in fields:
        group = _SYNONYMS[field].split("|")[position]
        first = group.split()[0] if position == 0 else group.strip().capitalize()
        words[field] = first
    return words


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).strip()
    return _BRACKETS.sub(" ", text).strip() or text.strip("()[]【】〔〕{}")


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", _plain(text)).casefold() or ("#" if text.strip() == "#" else "")


def _lookup(key: str) -> Field | None:
    return _TABLE.get(key) or _TABLE.get(_TEACHING.sub("", key))


def _build() -> dict[str, Field]:
    table: dict[str, Field] = {}
    for field, words in _SYNONYMS.items():
        chinese, *english = words.split("|")
        for word in [*chinese.split(), *english]:
            key = _key(word)
            if table.setdefault(key, field) != field:
                raise ValueError(f"{word!r} stands for two fields")
    return table


_TABLE = _build()
