"""What the database knows of one entity of one roster source, and what a file says of it, side by side.

Kept compact, because a city has a million of them: sourcedId -> row id, sourcedId -> hash of what was last said.
New rows get negative numbers (-1, -2 ...) until they are written.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lms_bridge.core.models import ExternalId

FETCH = 5_000


@dataclass
class Counts:
    """How many rows of one table are new, changed, unchanged, and ended (removed)."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0

    def as_dict(self) -> dict[str, int]:
        """The four numbers by name."""
        return {"new": self.new, "changed": self.changed, "unchanged": self.unchanged, "removed": self.removed}


@dataclass
class Known:
    """One entity (``person``, ``enrolment`` ...) of one source.

    ``ids`` every sourcedId ever seen, with its row id or, if new, a negative number; ``hashes`` those in force before
    this import; ``active`` those in force after it, filled while the file is read; ``named`` all that a delta names;
    ``deleted`` those that it marks ``tobedeleted``; ``fresh`` how many have no row yet.
    """

    entity: str
    bulk: bool
    ids: dict[str, int] = field(default_factory=dict)
    hashes: dict[str, int] = field(default_factory=dict)
    active: dict[str, int] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    counts: Counts = field(default_factory=Counts)
    fresh: int = 0

    @classmethod
    def load(cls, connection: Connection, entity: str, system: str, mode: str) -> Known:
        """Read what is known; ``mode`` is the table's of the manifest."""
        known = cls(entity, bulk=mode == "bulk")
        found = connection.execute(
            sa.select(ExternalId.key, ExternalId.entity_id, ExternalId.row_hash).where(
                ExternalId.entity == entity, ExternalId.system == system
            ),
            execution_options={"yield_per": FETCH},
        )
        for key, row_id, row_hash in found:
            known.ids[key] = row_id
            if row_hash is not None:
                known.hashes[key] = row_hash
        if not known.bulk:
            known.active = {key: known.ids[key] for key in known.hashes}
        return known

    def first_time(self, key: str) -> bool:
        """Whether the file names ``key`` for the first time; remembers it (in bulk, ``active`` does)."""
        if (self.bulk and key in self.active) or key in self.named or key in self.deleted:
            return False
        if not self.bulk:
            self.named.add(key)
        return True

    def delete(self, key: str) -> None:
        """The file says that ``key`` is to be deleted; one that is not known changes nothing."""
        self.deleted.add(key)
        self.active.pop(key, None)

    def keep(self, key: str, digest: int) -> tuple[int, bool]:
        """The file says ``key`` is in force, with this hash: (its number, whether it must be written)."""
        number = self.ids.get(key)
        before = self.hashes.get(key)
        if number is None:
            self.fresh += 1
            number = self.ids[key] = -self.fresh
        self.active[key] = number
        if before is None:
            self.counts.new += 1
        elif before == digest:
            self.counts.unchanged += 1
            return number, False
        else:
            self.counts.changed += 1
        return number, True

    def close(self) -> set[str]:
        """All rows were read: the keys in force before and no more; counts them as removed."""
        if self.bulk:
            gone = {key for key in self.hashes if key not in self.active}
        else:
            gone = {key for key in self.deleted if key in self.hashes}
        self.counts.removed = len(gone)
        return gone

    def was_in_force(self) -> int:
        """How many were in force before this import."""
        return len(self.hashes)
