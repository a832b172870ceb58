"""OneRoster 1.1 and 1.2 CSV: reading a school system's roster from a zip (https://www.imsglobal.org/activity/onerosterlis)."""

from __future__ import annotations

from lms_bridge.roster.oneroster.importer import RemovalsRefused, RosterResult, import_roster

__all__ = ["RemovalsRefused", "RosterResult", "import_roster"]
