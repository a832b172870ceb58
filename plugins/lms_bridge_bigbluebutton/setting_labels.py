"""What the settings are called on the page where an administrator connects BigBlueButton: name and hint."""

from __future__ import annotations

from lms_bridge.core.plugins import N_

LABELS = {
    "url": (N_("Address of the server"), N_('As "bbb-conf --secret" shows it.')),
    "secret": (N_("Shared secret"), N_('As "bbb-conf --secret" shows it.')),
    "algorithm": (N_("Hash of the checksum"), N_("One that the servers take; the check says which.")),
    "more_urls": (N_("Addresses of further servers"), N_("Several with spaces between them.")),
    "more_secrets": (
        N_("Shared secrets of the further servers"),
        N_("In the order of their addresses, with spaces between them; empty if all are the same."),
    ),
    "max_rooms": (N_("Rooms that one server carries"), N_("Empty: no limit is known.")),
    "max_people": (N_("People whom one server carries"), N_("Empty: no limit is known.")),
    "record": (
        N_("Teachers may record"),
        N_("Everybody inside is told, and nothing is recorded before a teacher starts it."),
    ),
}
