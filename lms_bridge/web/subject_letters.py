"""Subjects in a few letters, for a sheet on which a whole week must find room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lms_bridge.core.i18n import get_locale
from lms_bridge.roster.models import Subject

LONGEST = 12


def letters_of(subjects: Iterable[Subject]) -> dict[int, str]:
    """By id, the shortest letters in the language in force that no other of these subjects has: two characters of a
    Chinese name, the first letters of an English one (of several words their initials)."""
    names = {subject.id: subject.label(get_locale()) for subject in subjects}
    found: dict[int, str] = {}
    for key, name in sorted(names.items()):
        taken = set(found.values())
        found[key] = next((short for short in _candidates(name) if short not in taken), name)
    return found


def _candidates(name: str) -> Iterator[str]:
    words = name.split()
    if len(words) > 1:
        yield "".join(word[0] for word in words if word[0].isalnum()).upper()
    start = 4 if name.isascii() else 2
    for length in range(start, LONGEST):
        yield name[:length]
