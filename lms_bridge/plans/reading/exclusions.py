"""Rows that stand among the units without being one: holidays, examinations, totals.

The whole text must say so: 北京的春节 is a lesson, 春节放假 is not; 期中复习 takes lessons, 期中考试 does not.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Exclusion = Literal["no_school", "holiday", "exam", "total"]

# A row that says more than this is no mere holiday or examination.
_LONGEST = 60
_DAYS = r"(?:\(?\d{1,2}[.月/]\d{1,2}日?(?:[-—~至]\d{1,2}(?:[.月/]\d{1,2})?日?)?\)?)?"
_ZH_HOLIDAY = (
    r"(?:国庆节?|中秋节?|十一|春节|元旦节?|清明节?|劳动节|五一|端午节?|寒假|暑假|法定节?假日?|节假日|秋假|春假)"
)
_EN_FEAST = (
    r"(?:national day|mid-?autumn(?: festival)?|spring festival|(?:chinese )?new year(?:'s| s)?(?: day)?|labou?r day"
    r"|may day|qingming(?: festival)?|tomb-?sweeping day|dragon boat(?: festival)?|christmas|easter|thanksgiving)"
)
_EN_SEASON = r"(?:winter|summer|autumn|fall|spring|half-?term|public|bank|school|golden week)"

_PATTERNS: tuple[tuple[Exclusion, re.Pattern[str]], ...] = (
    ("total", re.compile(r"(?:合计|总计|共计|小计|总课时|课时合计|合计课时|total|sum|totalperiods|subtotal)")),
    (
        "no_school",
        re.compile(
            rf"(?:{_ZH_HOLIDAY})*(?:小?长假|假期|放假|休假|调休|停课)+(?:安排|一?周|[\d一二三四五六七八]+[天日])?"
        ),
    ),
    ("no_school", re.compile(r"no (?:class|classes|school|lessons)")),
    (
        "holiday",
        re.compile(rf"(?:(?:{_EN_FEAST}|{_EN_SEASON})(?: and |[ ,/&])*)*(?:holidays?|break|vacation)(?: week)?"),
    ),
    ("holiday", re.compile(rf"{_ZH_HOLIDAY}+|{_EN_FEAST}")),
    (
        "exam",
        re.compile(
            r"(?:学校|全县|全区|全市|全省)?(?:期中|期末|学期|段考|学段|阶段性?|学业水平|模拟|统一|高考|中考|会考)+"
            r"(?:考试|考查|测试|检测|测验|测评|调研|质检|考)(?:周|及?讲评|及?评讲|及?试卷(?:讲评|评讲|分析))?"
        ),
    ),
    ("exam", re.compile(r"期中|期末")),
    ("exam", re.compile(r"(?:第[一二三四1-4]次)?(?:月考|考试|段考)(?:周|及?讲评|及?评讲|及?试卷(?:讲评|评讲|分析))?")),
    (
        "exam",
        re.compile(
            r"(?:(?:mid-?\s?term|end(?:-| )of(?:-| )(?:term|year)|finals?|term|monthly|mid-?\s?year|year-?\s?end"
            r"|semester|school)\s*(?:exams?|examinations?|tests?|assessments?)|exams?|examinations?|mid-?\s?terms?"
            r"|finals)(?: week)?"
        ),
    ),
)


def exclusion(text: str) -> Exclusion | None:
    """What kind of row ``text`` names, when it names nothing else.

    ``no_school`` says outright that there are no lessons; ``holiday`` may also be the title of a lesson about one
    (Spring Festival, My summer holiday), so the row's periods decide.
    """
    if len(text) > _LONGEST:
        return None
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(_DAYS + r"\Z", "", plain.strip())
    plain = re.sub(r"\s+", " ", re.sub(r"[。!.,:;、\"“”《》]+", " ", plain)).strip()
    squeezed = plain.replace(" ", "")
    bare = re.sub(r"[()\[\]]", "", squeezed)
    for kind, pattern in _PATTERNS:
        if pattern.fullmatch(plain) or pattern.fullmatch(squeezed) or pattern.fullmatch(bare):
            return kind
    return None
