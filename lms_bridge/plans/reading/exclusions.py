"""Rows that stand among the units without being one: holidays, examinations, totals, signatures, notes.

The whole text must say so: 北京的春节 is a lesson, 春节放假 is not; 期中复习 takes lessons, 期中考试 does not.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Exclusion = Literal["no_school", "holiday", "exam", "spare", "total", "subtotal", "signature", "note"]

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
_EN_SEASON = (
    r"(?:winter|summer|autumn|fall|spring|half-?term|public|bank|school|golden week|january|february|march|april|may"
    r"|june|july|august|september|october|november|december)"
)
_EN_CLOSED = r"(?:no (?:class|classes|school|lessons)|(?:school|schools)(?: is| are)? closed|closed)"

_UNIT = r"(?:个?(?:课时|学时|节课|节)|periods?|lessons?|classhours?)?"
# The end of a form: who made it, who approved it, when. A row of them is no unit, whatever column they stand in.
_SIGNER = (
    r"(?:教研组长?|备课组长?|教研员|年级组长?|教导处|教务处|教务主任|教导主任|教学处|校长|分管领导|主管领导|学校|任课教师"
    r"|授课教师|执教教师|教师|制表人?|填表人?|制定人|审核人?|审批人?|审阅人?|审查人?|批准人?|负责人|编制人?|编写人?)"
)
_SIGNATURE = re.compile(
    rf"(?:{_SIGNER}(?:签字|签名|签章|意见|审核|审批|审阅|盖章|\(签字\)|\(签名\)|\(盖章\))|签字|签名|盖章"
    rf"|{_SIGNER}(?=[:：_]))[:：]?[\s_一-鿿\w()、年月日:：/.]*"
    r"|(?:制表|填表|编制|制定|审核|审批|签字|填写)(?:日期|时间)[:：]?[\s_\d年月日./-]*|日期[:：][\s_\d年月日./-]*"
    r"|[_\s]*\d*年[_\s]*\d*月[_\s]*\d*日"
    r"|(?:signature|signed|approved|checked|reviewed|prepared|submitted|verified)(?: by)?(?: \(.{0,30}\))?\s*[:_].*"
    r"|(?:(?:class |subject )?teacher|head ?(?:teacher|of department|master|mistress)?|principal|hod|dean|director"
    r"|coordinator)(?:'s)?(?: signature)?\s*[:_].*|date\s*[:_][\s_\d./-]*",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"(?:备注|说明|注|附注|附|注意事项|填表说明|notes?|remarks?|n\.?b\.?)\s*[:：].*", re.IGNORECASE | re.DOTALL
)

_PATTERNS: tuple[tuple[Exclusion, re.Pattern[str]], ...] = (
    (
        "total",
        re.compile(
            r"(?:合计|总计|共计|总课时数?|课时合计|合计课时|总节数|课时总计|课时总数|本学期(?:总|共)计?课时|全学期合计|总共"
            r"|(?:grand )?totals?|sum|total ?(?:no|number)? ?(?:of )?(?:periods|lessons|(?:\w+ )?(?:hours|days)))"
            rf"(?:约?\d{{1,3}}{_UNIT})?|共\d{{1,3}}{_UNIT}"
        ),
    ),
    ("subtotal", re.compile(rf"(?:本?月|本?单元|本?章)?小计(?:\d{{1,3}}{_UNIT})?|sub-?total(?:\d{{1,3}}{_UNIT})?")),
    (
        "no_school",
        re.compile(
            rf"(?:{_ZH_HOLIDAY})*(?:小?长假|假期|放假|休假|调休|停课)+(?:安排|一?周|[\d一二三四五六七八]+[天日])?"
        ),
    ),
    ("no_school", re.compile(rf"(?:放假|停课|休假|调休)(?:{_ZH_HOLIDAY})+")),
    ("no_school", re.compile(_EN_CLOSED)),
    (
        "no_school",
        re.compile(
            rf"(?:{_EN_FEAST}|{_EN_SEASON}|golden week)(?:[ ,/&-]*(?:{_EN_FEAST}|{_EN_SEASON}))*"
            rf"(?: ?(?:holidays?|break|vacation))?(?: week)?[ (\[,-]+{_EN_CLOSED}\W*"
        ),
    ),
    (
        "holiday",
        re.compile(rf"(?:(?:{_EN_FEAST}|{_EN_SEASON})(?: and |[ ,/&])*)*(?:holidays?|break|vacation)(?: week)?"),
    ),
    ("holiday", re.compile(rf"{_ZH_HOLIDAY}+|{_EN_FEAST}")),
    (
        "exam",
        re.compile(
            r"(?:学校|全县|全区|全市|全省)?(?:期中|期末|学期|段考|学段|阶段性?|学业水平|学业质量|模拟|统一|高考|中考|会考)+"
            r"(?:考试|考查|测试|检测|监测|测验|测评|调研|质检|考)(?:周|及?讲评|及?评讲|及?试卷(?:讲评|评讲|分析))?"
        ),
    ),
    (
        "spare",
        re.compile(
            r"机动(?:时间|课时|周|复习)?"
            r"|(?:flex(?:ible)?|buffer|catch ?-?up|spare|contingency) ?(?:days?|time|weeks?|lessons?)"
        ),
    ),
    ("note", re.compile(r"共\d+条(?:记录|数据)?|\d+ (?:records?|rows|entries)|共\d+(?:行|项)")),
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
    squeezed = " ".join(text.split())
    if _NOTE.fullmatch(squeezed):
        return "note"
    if len(text) > _LONGEST:
        return None
    if _SIGNATURE.fullmatch(unicodedata.normalize("NFKC", squeezed)):
        return "signature"
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(_DAYS + r"\Z", "", plain.strip())
    plain = re.sub(r"\s+", " ", re.sub(r"[。!.,:;、\"“”《》]+", " ", plain)).strip()
    squeezed = plain.replace(" ", "")
    bare = re.sub(r"[()\[\]]", "", squeezed)
    for kind, pattern in _PATTERNS:
        if pattern.fullmatch(plain) or pattern.fullmatch(squeezed) or pattern.fullmatch(bare):
            return kind
    return None
