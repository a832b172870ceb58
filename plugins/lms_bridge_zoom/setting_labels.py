"""What the settings are called on the page where an administrator connects Zoom: name and hint."""

from __future__ import annotations

from lms_bridge.core.plugins import N_

LABELS = {
    "account_id": (N_("Account ID"), N_("Zoom App Marketplace: your server-to-server OAuth app, App Credentials.")),
    "client_id": (N_("Client ID"), ""),
    "client_secret": (N_("Client secret"), ""),
    "webhook_secret": (
        N_("Secret token of the event subscription"),
        N_("The app's page Feature, Event Subscriptions. Without it people are seen only after the lesson."),
    ),
    "hosts": (
        N_("Zoom users who hold lessons"),
        N_("E-mail addresses of licensed users, with spaces between them; each holds one lesson at a time."),
    ),
    "registration": (
        N_("Register every person, so that each has an address of their own"),
        N_("Needs licensed users. Without it people are told apart by the names they show."),
    ),
    "registrant_domain": (
        N_("Domain of the addresses under which people are registered"),
        N_("Nobody gets mail there. Empty: the name of this server."),
    ),
    "address": (N_("Address of Zoom"), N_("Another one only for Zoom for Government.")),
}
