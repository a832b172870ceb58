"""What plugins know of LMS Bridge: three kinds of plugin, each a small interface, and nothing else.

A plugin is one importable package that registers its class as an entry point of its kind's group. It imports only
from here. ``docs/lms-connectors.md`` has a worked smallest example of one that connects an LMS.
"""

from lms_bridge.core.clock import now
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.plugins.base import Check, CheckState, Plugin, PluginContext
from lms_bridge.core.plugins.channel import (
    Attachment,
    ChannelCapabilities,
    ChannelSession,
    DeliveryReport,
    MessageChannel,
    OutgoingMessage,
    SendResult,
    SendState,
)
from lms_bridge.core.plugins.lms import (
    Assignment,
    AttendanceMark,
    AttendanceSession,
    CalendarEvent,
    CohortRecord,
    ConnectorCapabilities,
    CourseMember,
    CourseRecord,
    EnrolmentRecord,
    GroupRecord,
    LmsConnector,
    PersonRecord,
    RemoteEvent,
    Submission,
)
from lms_bridge.core.plugins.mail import compose_mail, is_mail_address, unwritable
from lms_bridge.core.plugins.marking import described, marked
from lms_bridge.core.plugins.meeting import (
    Attendee,
    Capacity,
    EvidenceKind,
    FoundRoom,
    Gap,
    MeetingProvider,
    MeetingSpec,
    Observer,
    PresenceEvent,
    PresenceReport,
    ProviderCapabilities,
    Recording,
    Room,
    RoomRole,
    WebhookAnswer,
)
from lms_bridge.core.plugins.outgoing import InternalAddress, Network, Outgoing
from lms_bridge.core.plugins.replies import Reply, json_of, retry_after, usable, xml_of
from lms_bridge.core.plugins.unreachable import unreachable

__all__ = [
    "N_",
    "AccessRefused",
    "Assignment",
    "Attachment",
    "AttendanceMark",
    "AttendanceSession",
    "Attendee",
    "CalendarEvent",
    "Capacity",
    "ChannelCapabilities",
    "ChannelSession",
    "Check",
    "CheckState",
    "CohortRecord",
    "ConnectorCapabilities",
    "CourseMember",
    "CourseRecord",
    "DeliveryReport",
    "EnrolmentRecord",
    "EvidenceKind",
    "FoundRoom",
    "Gap",
    "GroupRecord",
    "InternalAddress",
    "LmsConnector",
    "MeetingProvider",
    "MeetingSpec",
    "MessageChannel",
    "Network",
    "NotThere",
    "Observer",
    "Outgoing",
    "OutgoingMessage",
    "PersonRecord",
    "Plugin",
    "PluginContext",
    "PluginError",
    "PresenceEvent",
    "PresenceReport",
    "ProviderCapabilities",
    "Recording",
    "RemoteEvent",
    "Reply",
    "Room",
    "RoomRole",
    "SendResult",
    "SendState",
    "Submission",
    "TemporaryFailure",
    "WebhookAnswer",
    "WebhookRefused",
    "compose_mail",
    "described",
    "gettext",
    "is_mail_address",
    "json_of",
    "marked",
    "now",
    "retry_after",
    "unreachable",
    "unwritable",
    "usable",
    "xml_of",
]

from lms_bridge.core.plugins.base import AccessRefused, NotThere, PluginError, TemporaryFailure, WebhookRefused
