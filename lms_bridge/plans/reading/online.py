"""What a plan says of a unit's teaching online: that it cannot be as it is, and what takes its place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_YES = re.compile(r"(?:是|可以?|能|可行|适合|有|√|✓|yes|y|ok|possible|online)[。.!！]?", re.IGNORECASE)
_NO = re.compile(
    r"(?:否|不|不可以?|不能|不可行|不适合|不宜|不宜线上|不可线上|不能线上|线下"
    r"|×|✗|x|no|n|not possible|impossible|offline)[。.!！]?",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"[-—–/\\.\s]*|无|none|n/?a", re.IGNORECASE)


def read_online(text: str) -> tuple[bool, str]:
    """Whether the unit can be taught online as it is, and the alternative; an alternative says that it cannot."""
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if _NOTHING.fullmatch(plain) or _YES.fullmatch(plain):
        return True, ""
    return False, "" if _NO.fullmatch(plain) else text.strip()


def fields(texts: Mapping[str, str]) -> dict[str, Any]:
    """The descriptive fields of a unit, with what its column about online teaching means."""
    possible, alternative = read_online(texts.get("online_alternative", ""))
    return {**texts, "online_possible": possible, "online_alternative": alternative}
