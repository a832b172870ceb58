"""Tencent Meeting by its REST API, with an application of the enterprise."""

from lms_bridge_tencent_meeting.provider import TencentMeetingProvider

__all__ = ["TencentMeetingProvider"]
