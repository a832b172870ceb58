"""What the settings are called on the page where an administrator connects Tencent Meeting: name and hint."""

from __future__ import annotations

from lms_bridge.core.plugins import N_

LABELS = {
    "app_id": (N_("AppId of the enterprise"), N_("Tencent Meeting's administration: Advanced, REST API.")),
    "sdk_id": (N_("SdkId of the application"), N_("Only if the application was given one.")),
    "secret_id": (N_("SecretId of the application"), ""),
    "secret_key": (N_("SecretKey of the application"), ""),
    "event_token": (
        N_("Token of the event subscription"),
        N_("Without it people are seen once a minute, when Tencent Meeting is asked."),
    ),
    "event_key": (
        N_("EncodingAESKey of the event subscription"),
        N_("43 characters; empty if events are not encrypted."),
    ),
    "hosts": (
        N_("Users who hold lessons (userid)"),
        N_("With spaces between them; each holds one lesson at a time."),
    ),
    "teachers_by_mail": (
        N_("The userid of teachers is their e-mail address"),
        N_("Then they become hosts when they enter, signed in to Tencent Meeting."),
    ),
    "address": (N_("Address of Tencent Meeting's API"), ""),
}
