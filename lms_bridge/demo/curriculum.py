"""What the demonstration's schools teach: for each subject and stage the units of a term, in Chinese and English.

Titles follow the usual order of Chinese primary and middle schools; objectives and homework are written from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

LAST_PRIMARY_GRADE = 6

WEEKLY_PERIODS: dict[bool, dict[str, int]] = {
    True: {"chinese": 5, "math": 5, "english": 4, "science": 3, "music": 2, "art": 2, "pe": 3},
    False: {"chinese": 5, "math": 5, "english": 5, "physics": 3, "history": 3, "art": 2, "pe": 3},
}
"""By stage (True: primary), the periods of each subject in a week."""

_UNITS: dict[tuple[str, bool], tuple[str, ...]] = {
    ("chinese", True): (
        "自然之美|The beauty of nature", "提问与阅读|Reading with questions", "连续观察|Patient observation",
        "神话故事|Myths and legends", "写一件事|Telling one event", "成长故事|Stories of growing up",
        "家国情怀|Home and country", "历史人物|Figures of history", "古诗三首|Three classical poems",
    ),
    ("math", True): (
        "大数的认识|Large numbers", "公顷和平方千米|Hectares and square kilometres", "角的度量|Measuring angles",
        "三位数乘两位数|Multiplying by two digits", "平行四边形和梯形|Parallelograms and trapezia",
        "除数是两位数的除法|Dividing by two digits", "条形统计图|Bar charts", "优化|Finding the best way",
        "小数的意义|What decimals mean",
    ),
    ("english", True): (
        "我的教室|My classroom", "我的书包|My schoolbag", "我的朋友|My friends", "我的家|My home",
        "晚餐吃什么|What's for dinner?", "认识家人|Meet my family", "天气|The weather", "在农场|At the farm",
        "购物|Going shopping",
    ),
    ("science", True): (
        "声音|Sound", "呼吸与消化|Breathing and digestion", "运动和力|Motion and force", "植物的生长|How plants grow",
        "电路|Electric circuits", "岩石与土壤|Rocks and soil", "光|Light", "地球的运动|The moving Earth",
    ),
    ("music", True): (
        "歌唱与呼吸|Singing and breathing", "节奏游戏|Games of rhythm", "民歌|Folk songs", "童声合唱|Children's choir",
        "管弦乐器|Instruments of the orchestra", "创编旋律|Making a melody",
    ),
    ("art", True): (
        "色彩的冷暖|Warm and cold colours", "线描写生|Drawing from life", "剪纸|Paper cutting",
        "水墨游戏|Playing with ink",
        "设计标志|Designing a sign", "泥塑|Clay figures",
    ),
    ("pe", True): (
        "居家体能|Fitness at home", "跳绳|Skipping rope", "柔韧练习|Stretching", "球性练习|Ball control",
        "武术操|Martial arts exercise", "健康常识|Knowing about health",
    ),
    ("chinese", False): (
        "写人记事|People and events", "亲情散文|Essays of family", "学习生活|School days", "人生之舟|The boat of life",
        "动物与人|Animals and people", "想象之翼|Wings of imagination", "古代诗歌|Classical poetry",
        "文言文阅读|Reading classical Chinese", "名著导读|Reading a great book",
    ),
    ("math", False): (
        "有理数|Rational numbers", "有理数的运算|Computing with rational numbers", "代数式|Algebraic expressions",
        "整式的加减|Adding and subtracting polynomials", "一元一次方程|Linear equations", "方程的应用|Using equations",
        "几何图形初步|First geometry", "角|Angles", "数据的收集与整理|Collecting data", "实践与综合|Project work",
    ),
    ("english", False): (
        "新朋友|New friends", "我的家庭|My family", "校园生活|Life at school", "爱好与社团|Hobbies and clubs",
        "健康饮食|Eating well", "一天的生活|A day in my life", "旅行|Travel", "节日|Festivals", "未来的计划|Plans",
    ),
    ("physics", False): (
        "机械运动|Motion", "声现象|Sound", "物态变化|Changes of state", "光现象|Light", "透镜|Lenses",
        "质量与密度|Mass and density", "力|Force", "压强|Pressure",
    ),
    ("history", False): (
        "史前时期|Before history", "夏商周|The first dynasties", "秦汉统一|A united empire", "三国两晋|Divided times",
        "隋唐盛世|The Tang", "宋元|Song and Yuan", "明清|Ming and Qing", "近代的开端|The modern age begins",
    ),
    ("art", False): (
        "构图|Composition", "人物速写|Sketching people", "版画|Printmaking", "书法|Calligraphy",
        "建筑之美|The beauty of buildings", "海报设计|Designing a poster",
    ),
    ("pe", False): (
        "居家体能训练|Training at home", "核心力量|Core strength", "健身操|Aerobics", "排球技术|Volleyball technique",
        "田径基础|Basics of athletics", "运动与健康|Sport and health",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class PlannedUnit:
    """One row of a plan: a title, so many periods, in the teaching weeks ``first`` to ``last`` (from 1)."""

    title: str
    periods: int
    first: int
    last: int
    objectives: str
    homework: str


def is_primary(grade: int) -> bool:
    """Whether the grade belongs to a primary school."""
    return grade <= LAST_PRIMARY_GRADE


def units_of_term(subject: str, grade: int, weeks: int, language: str) -> list[PlannedUnit]:
    """The benchmark's units for a term of so many teaching weeks; between them they fill every week."""
    titles = _UNITS[subject, is_primary(grade)]
    weekly = WEEKLY_PERIODS[is_primary(grade)][subject]
    count = min(len(titles), weeks)
    bounds = [round(n * weeks / count) for n in range(count + 1)]
    units = []
    for n in range(count):
        # Each grade begins elsewhere in the list, so that no two grades teach the same in the same week.
        zh, _, en = titles[(n + grade) % len(titles)].partition("|")
        units.append(_unit(zh, en, (bounds[n + 1] - bounds[n]) * weekly, bounds[n] + 1, bounds[n + 1], language))
    return units


def _unit(zh: str, en: str, periods: int, first: int, last: int, language: str) -> PlannedUnit:
    if language == "en":
        return PlannedUnit(
            en,
            periods,
            first,
            last,
            f"Understand and use: {en[0].lower()}{en[1:]}",
            f"Exercises on {en.lower()}, 20 min",
        )
    return PlannedUnit(zh, periods, first, last, f"理解并会运用“{zh}”的主要内容", f"“{zh}”练习，20分钟")


def departures(units: list[PlannedUnit], rng: Random, language: str, weekly: int) -> list[PlannedUnit]:
    """A teacher's plan made from the benchmark: most follow it, some leave out, shorten, exchange or add a unit. The
    weeks and periods of the term stay filled."""
    kind = rng.choice(("same", "same", "shorter", "exchanged", "missing"))
    if kind == "same" or len(units) < 4:
        return units
    place = rng.randrange(1, len(units) - 1)
    made = list(units)
    if kind == "exchanged":
        made[place], made[place + 1] = made[place + 1], made[place]
    elif kind == "missing":
        left = made.pop(place)
        before = made[place - 1]
        made[place - 1] = _longer(before, left.periods)
    else:
        moved = max(1, made[place].periods // 2)
        made[place] = _longer(made[place], -moved)
        made[place + 1] = _longer(made[place + 1], moved)
    return in_weeks(made, weekly)


def featured(units: list[PlannedUnit], language: str, weekly: int) -> list[PlannedUnit]:
    """The plan that the walk shows: one unit is missing, two are exchanged, one is short, one is the school's own."""
    made = list(units)
    made[-2], made[-3] = made[-3], made[-2]
    lost = made.pop(1)
    own = _unit("校园测量活动", "Measuring our school", lost.periods, 1, 1, language)
    made.insert(2, own)
    made[3], made[4] = _longer(made[3], -made[3].periods // 2), _longer(made[4], made[3].periods - made[3].periods // 2)
    return in_weeks(made, weekly)


def in_weeks(units: list[PlannedUnit], weekly: int) -> list[PlannedUnit]:
    """The same units one after the other, each in the weeks that its periods take at ``weekly`` periods a week."""
    made, done = [], 0
    for unit in units:
        first, last = done // weekly + 1, max(done, done + unit.periods - 1) // weekly + 1
        made.append(PlannedUnit(unit.title, unit.periods, first, last, unit.objectives, unit.homework))
        done += unit.periods
    return made


def _longer(unit: PlannedUnit, periods: int) -> PlannedUnit:
    return PlannedUnit(unit.title, unit.periods + periods, unit.first, unit.last, unit.objectives, unit.homework)
