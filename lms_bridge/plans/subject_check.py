"""Whether a document is the plan of another subject than the one it is uploaded for, by what stands above its units."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_
from lms_bridge.plans.units import PlanDocument, Warning_
from lms_bridge.roster.models import Subject

# The subjects of the national curriculum (义务教育课程方案 2022, 普通高中课程方案 2017) and what else they are called;
# a roster need not have them all. Words of one line mean the same subject.
_FAMILIES = (
    ("语文", "chinese"),
    ("数学", "mathematics", "maths", "math"),
    ("英语", "外语", "english"),
    ("物理", "physics"),
    ("化学", "chemistry"),
    ("生物", "生物学", "biology"),
    ("地理", "geography"),
    ("历史", "history"),
    ("道德与法治", "思想政治", "政治", "思想品德", "morality and law", "politics", "civics"),
    ("科学", "science"),
    ("音乐", "music"),
    ("美术", "fine arts"),
    ("体育与健康", "体育", "physical education"),
    ("信息科技", "信息技术", "computing", "information technology", "ict"),
)


def with_subject_warning(document: PlanDocument, subject: Subject) -> PlanDocument:
    """``document`` with a warning, where what stands above its units names other subjects and not ``subject``."""
    others = db.session.scalars(sa.select(Subject).where(Subject.id != subject.id)).all()
    warning = subject_warning(document, words_of(subject), [words_of(other) for other in others])
    return document if warning is None else replace(document, warnings=(warning, *document.warnings))


def subject_warning(document: PlanDocument, own: set[str], others: Iterable[set[str]]) -> Warning_ | None:
    """The warning, if one is due; ``own`` and ``others`` are the names of the chosen subject and of the others."""
    # 科学 is part of 信息科学: words of the chosen subject are taken out before others are looked for.
    foreign = {word for family in (*others, *map(set, _FAMILIES)) if not family & own for word in family} - own
    texts = [(_plain(headline.text), headline.place) for headline in document.headlines]
    if any(_named(text, word) for text, _ in texts for word in own):
        return None
    for text, place in texts:
        for word in sorted(foreign, key=len, reverse=True):
            if _named(text, word):
                message = N_("This names another subject (%(other)s) than the one that was chosen.")
                return Warning_(message, replace(place, value=place.value or text), {"other": word})
    return None


def words_of(subject: Subject) -> set[str]:
    """What a subject is called, in Chinese and English."""
    named = {_plain(name) for name in (subject.name, subject.name_en) if name}
    for family in _FAMILIES:
        if named & set(family):
            named |= set(family)
    return named


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _named(text: str, word: str) -> bool:
    if word.isascii():
        return re.search(rf"\b{re.escape(word)}\b", text) is not None
    return word in text
