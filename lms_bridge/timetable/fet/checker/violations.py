"""What a check finds: one sentence for each broken rule, and what could not be checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from lms_bridge.core.i18n import gettext
from lms_bridge.timetable.fet.model import HARD

Broken = tuple[str, dict[str, object]]
"""A message id with what fills it."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: the constraint's ``kind``, ``weight`` and ``row`` in its list of the file, and the sentence.

    ``row`` is 0 where no constraint of the file is meant (an activity that was not placed).
    """

    kind: str
    weight: float
    space: bool
    row: int
    message: str
    params: Mapping[str, object]

    @property
    def hard(self) -> bool:
        """Whether a timetable that breaks it is no timetable."""
        return self.weight >= HARD

    def text(self) -> str:
        """The sentence in the language in force: who, when, how much."""
        return gettext(self.message, **self.params)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The broken hard rules, the broken wishes, and the kinds that cannot be checked with how often they occur."""

    hard: tuple[Violation, ...]
    soft: tuple[Violation, ...]
    unsupported: Mapping[str, int] = field(default_factory=dict)
    unsupported_hard: Mapping[str, int] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """Whether every hard constraint was checked and none is broken."""
        return not self.hard and not self.unsupported_hard

    def counts(self, *, hard: bool) -> Mapping[str, int]:
        """How often each kind is broken, the most frequent first."""
        return dict(Counter(found.kind for found in (self.hard if hard else self.soft)).most_common())

    @property
    def soft_constraints(self) -> int:
        """How many constraints below 100 percent are broken, each counted once."""
        return len({(found.space, found.row) for found in self.soft})
