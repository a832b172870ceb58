"""The rigs of all meeting providers."""

from __future__ import annotations

from tests.contracts.classroom_rig import ClassroomRig
from tests.contracts.meetings import Rig

RIGS: tuple[type[Rig], ...] = (ClassroomRig,)
