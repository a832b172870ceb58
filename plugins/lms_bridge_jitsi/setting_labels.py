"""What the settings are called on the page where an administrator connects a Jitsi: name and hint."""

from __future__ import annotations

from lms_bridge.core.plugins import N_

LABELS = {
    "url": (N_("Address of Jitsi Meet"), N_("As people open it, without a room: https://meet.example.org")),
    "app_id": (N_("Name of the application"), N_("app_id in Prosody's configuration.")),
    "algorithm": (N_("Signature of the tokens"), N_("signature_algorithm in Prosody's configuration; HS256 if none.")),
    "secret": (
        N_("Secret or private key"),
        N_("app_secret in Prosody's configuration; with RS256 the private key that begins with -----BEGIN."),
    ),
    "key_id": (N_("Name of the key"), N_("Only with RS256.")),
    "audience": (N_("Audience"), N_("One of asap_accepted_audiences in Prosody's configuration.")),
    "xmpp_domain": (
        N_("Prosody's domain"),
        N_("Only if it is not the host of the address; meet.jitsi in Docker deployments."),
    ),
    "tenant": (N_("Tenant"), N_("Only if rooms lie in one: the part between the host and the room.")),
    "events_token": (
        N_("Token of event_sync"),
        N_("What Prosody sends with each event; without it LMS Bridge does not see who is in a room."),
    ),
    "prejoin": (N_("Show Jitsi's own page before the room"), ""),
    "muted": (N_("Students come in with the microphone off"), ""),
    "ca_file": (N_("File of the certificate authority"), N_("Only if the certificate is not a public one.")),
}

CHOICES = {
    "HS256": N_("HS256: a secret that Prosody has too"),
    "HS384": N_("HS384: a secret that Prosody has too"),
    "HS512": N_("HS512: a secret that Prosody has too"),
    "RS256": N_("RS256: a private key"),
}
