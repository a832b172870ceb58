"""What the settings are called on the page where an administrator connects Teams: name and hint."""

from __future__ import annotations

from lms_bridge.core.plugins import N_

LABELS = {
    "tenant_id": (N_("Directory (tenant) ID"), N_("Microsoft Entra admin centre: App registrations, Overview.")),
    "client_id": (N_("Application (client) ID"), N_("Microsoft Entra admin centre: App registrations, Overview.")),
    "client_secret": (
        N_("Client secret"),
        N_("The value that is shown once when the secret is made, not its ID. It expires: note the day."),
    ),
    "organiser": (
        N_("Object ID of the organiser"),
        N_("Microsoft Entra admin centre: Users. All lessons are held in this user's name."),
    ),
    "strangers_wait": (
        N_("People without an account of the organisation wait in the lobby"),
        N_("Switch it off only if students have no accounts."),
    ),
    "everyone_presents": (
        N_("Everybody may present, mute and admit"),
        N_("Otherwise only teachers, known by the e-mail address of their Microsoft account."),
    ),
    "login_address": (N_("Address for signing in"), N_("Another one only in Microsoft's national clouds.")),
    "graph_address": (N_("Address of Microsoft Graph"), N_("Another one only in Microsoft's national clouds.")),
}
