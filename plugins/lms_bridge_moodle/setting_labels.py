"""What the settings are called on the page where an administrator connects a Moodle: name and hint."""

from __future__ import annotations

from lms_bridge.core.plugins import N_

LABELS = {
    "url": (N_("Address of the Moodle site"), N_("As people open it: https://moodle.example.org")),
    "token": (
        N_("Token of the service user"),
        N_("32 letters and digits; Moodle: Site administration, Server, Web services, Manage tokens."),
    ),
    "timeout": (N_("Seconds that Moodle has for one answer"), ""),
    "connections": (N_("Connections at the same time"), ""),
    "template_course": (
        N_("Short name of the template course"),
        N_("The hidden course whose one activity is copied into each course."),
    ),
    "student_roles": (
        N_("Short names of the roles of students"),
        N_("Several with spaces between them."),
    ),
    "teacher_roles": (
        N_("Short names of the roles of teachers"),
        N_("Several with spaces between them."),
    ),
    "student_role_id": (
        N_("Number of the role that students get"),
        N_("Only used where people are enrolled from here."),
    ),
    "teacher_role_id": (
        N_("Number of the role that teachers get"),
        N_("Only used where people are enrolled from here."),
    ),
    "category_id": (
        N_("Number of the category for new courses"),
        N_("Only used where courses are made from here."),
    ),
    "cancelled_events": (N_("Calendar events of cancelled lessons"), ""),
    "attendance_name": (
        N_("Name of the attendance activity"),
        N_("Marks are written to it; it is made where it is missing."),
    ),
    "present": (N_("Short sign for “present”"), N_("As the attendance activity in Moodle has it.")),
    "late": (N_("Short sign for “late”"), N_("As the attendance activity in Moodle has it.")),
    "left_early": (N_("Short sign for “left early”"), N_("As the attendance activity in Moodle has it.")),
    "absent": (N_("Short sign for “absent”"), N_("As the attendance activity in Moodle has it.")),
    "excused": (N_("Short sign for “excused”"), N_("As the attendance activity in Moodle has it.")),
}

CHOICES = {
    "rename": N_("stay, named “Cancelled: …”"),
    "hide": N_("are hidden"),
}
