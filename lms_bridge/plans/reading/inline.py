"""Periods, weeks and dates behind (or before) a unit's name: ``1.1 声音（2课时）``, ``Unit 1 (6 periods)``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lms_bridge.plans.reading.amounts import PERIOD_WORDS
from lms_bridge.plans.reading.numerals import NUMBER, normalise

_CLOCK = r"分钟|个?小时|minutes?|mins?|hours?|hrs?|h"
_FIGURES = rf"(?:(?:\d+(?:\.\d+)?|{NUMBER})\s*(?:{PERIOD_WORDS}|{_CLOCK})(?:\s*\+\s*\d+\s*(?:{PERIOD_WORDS}))*)"
_AMOUNT = re.compile(
    rf"(?:(?:课时|学时|periods?|lessons?|class hours?)\s*[:：]\s*\d+|(?:共|计|约|total)?\s*{_FIGURES}"
    rf"(?:\s*[x×*]\s*\d+)?|\d+\s*[x×]\s*\d+\s*(?:{_CLOCK}))",
    re.IGNORECASE,
)
_WEEK = re.compile(
    rf"第?\s*{NUMBER}\s*(?:[-—~至、,]\s*第?\s*{NUMBER}\s*)?(?:教学)?周|(?:weeks?|wks?)\.?\s*\d+(?:\s*(?:-|to|–)\s*\d+)?",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{1,2}[./月]\d{1,2}[日号]?(?:\s*-\s*\d{1,2}(?:[./月]\d{1,2})?[日号]?)?")
_BRACKET = re.compile(r"[(（\[【〔]([^()（）\[\]【】〔〕]*)[)）\]】〕]\s*(?P<after>[:：]\s*.*)?\Z", re.DOTALL)
# Without brackets only behind a mark that separates it, or a Chinese word that can mean nothing else.
_BARE = re.compile(
    rf"(?P<title>.*\S)(?:\s*[-—–:：,，;；…·]+\s*|\s{{2,}}|\t)(?P<a>(?:共|计)?\s*{_FIGURES})[.。]?\Z"
    rf"|(?P<title2>.*(?:[^第\d.\s]|[^\d\s]\.(?=\s)))\s*(?P<b>(?:共|计)?\s*(?:\d+|{NUMBER})\s*个?(?:课时|学时))[.。]?\Z",
    re.IGNORECASE | re.DOTALL,
)
# What _BARE can only end with: asked first, because looking for a separator in a long line takes long.
_ENDING = re.compile(rf"(?:{PERIOD_WORDS}|{_CLOCK}|课时|学时)[.。]?\Z", re.IGNORECASE)
_LEADING_WEEK = re.compile(
    rf"(?P<w>第\s*{NUMBER}\s*(?:[-—~至]\s*第?\s*{NUMBER}\s*)?周|weeks?\s*\d+(?:\s*[-–]\s*\d+)?)\s*[:：、.\-—]?\s*(?P<rest>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Tail:
    """A name and what stood behind it: the words for its periods and for its weeks or dates; ``after`` a colon."""

    title: str
    amount: str = ""
    when: str = ""
    after: str = ""


def read_tail(line: str) -> Tail:
    """Take periods, weeks and dates off a unit's name. What is not wholly understood stays in the name."""
    if len(line) > _LONGEST:
        return Tail(line)
    title, amount, when, after = line.strip(), "", "", ""
    while found := _BRACKET.search(title):
        inner = _understood(found[1])
        if inner is None or (found["after"] and not inner[0]):
            break
        amount, when = amount or inner[0], when or inner[1]
        after = (found["after"] or "").lstrip(":： ") or after
        title = title[: found.start()].strip()
    if not amount and _ENDING.search(title[-24:]) and (bare := _BARE.fullmatch(title)):
        rest = re.sub(r"(?<=[\s,，:：—-])[共计]\Z", "", bare["title"] or bare["title2"]).strip(" -—–:：,，;；…·")
        if rest:
            title, amount = rest, (bare["a"] or bare["b"]).strip()
            more = read_tail(title)
            title, when = more.title, when or more.when
    return Tail(title.strip(), amount, when, after)


def take_week(line: str) -> tuple[str, str]:
    """A week that stands before the name, and the rest; an empty week where there is none."""
    found = _LEADING_WEEK.match(line.strip()) if len(line) <= _LONGEST else None
    return (found["w"], found["rest"].strip()) if found else ("", line)


def amount_in(line: str) -> str:
    """The words for the periods that stand behind a name; empty where there are none."""
    return read_tail(line).amount


def is_amount(text: str) -> bool:
    """Whether ``text`` is a number of periods or a time by the clock, and says so."""
    return bool(_AMOUNT.fullmatch(normalise(text)))


def _understood(inner: str) -> tuple[str, str] | None:
    """The periods and the time named in brackets; None where they hold anything else."""
    amount = when = ""
    for piece in filter(None, (part.strip() for part in re.split(r"[,，;；、/]|\s{2,}", inner))):
        plain = normalise(piece)
        if _AMOUNT.fullmatch(plain) and not amount:
            amount = re.sub(r"^\D*[:：]\s*", "", piece)
        elif _WEEK.fullmatch(plain) or _DATE.fullmatch(plain):
            when = f"{when} {piece}".strip()
        elif pair := re.fullmatch(rf"(?P<w>{_WEEK.pattern})\s+(?P<a>{_AMOUNT.pattern})", plain, re.IGNORECASE):
            when, amount = f"{when} {pair['w']}".strip(), pair["a"]
        else:
            return None
    return (amount, when) if amount or when else None
