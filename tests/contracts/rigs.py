"""The rigs of all meeting providers."""

from __future__ import annotations

from tests.contracts.bigbluebutton_rig import BigBlueButtonRig
from tests.contracts.classroom_rig import ClassroomRig
from tests.contracts.galene_rig import GaleneRig
from tests.contracts.jitsi_rig import JitsiRig
from tests.contracts.meetings import Rig

RIGS: tuple[type[Rig], ...] = (ClassroomRig, BigBlueButtonRig, GaleneRig, JitsiRig)
