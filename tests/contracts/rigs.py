"""The rigs of all meeting providers."""

from __future__ import annotations

from tests.contracts.bigbluebutton_rig import BigBlueButtonRig
from tests.contracts.classroom_rig import ClassroomRig
from tests.contracts.galene_rig import GaleneRig
from tests.contracts.jitsi_rig import JitsiRig
from tests.contracts.meetings import Rig
from tests.contracts.teams_rig import TeamsRig
from tests.contracts.tencent_meeting_rig import TencentMeetingRig
from tests.contracts.zoom_rig import ZoomRig

RIGS: tuple[type[Rig], ...] = (
    ClassroomRig,
    BigBlueButtonRig,
    GaleneRig,
    JitsiRig,
    TeamsRig,
    TencentMeetingRig,
    ZoomRig,
)
