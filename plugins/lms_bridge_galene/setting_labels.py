"""What the settings are called on the page where an administrator connects a Galene server: name and hint."""

from __future__ import annotations

from lms_bridge.core.plugins import N_

LABELS = {
    "url": (N_("Address of Galene"), N_("As people open it: https://galene.example.org:8443")),
    "username": (
        N_("Name of Galene's administrator"),
        N_("A user with the permission “admin” in data/config.json; empty if the secret is a token."),
    ),
    "secret": (N_("Password or token of Galene's administrator"), ""),
    "folder": (N_("Folder of the groups"), N_("One of its own for each installation of LMS Bridge.")),
    "observer_name": (
        N_("Name of the observer"),
        N_("Everybody in a group sees it in the list of people: it notes who is there."),
    ),
    "recording": (N_("Teachers may record"), N_("Recordings are kept on the Galene server.")),
    "invitations": (
        N_("Teachers may invite others"),
        N_("By links that Galene makes; whoever has one comes in without LMS Bridge."),
    ),
    "max_people": (N_("People at the same time"), N_("How many the server carries; empty: not known.")),
    "ca_file": (N_("File of the certificate authority"), N_("Only if the certificate is not a public one.")),
}
