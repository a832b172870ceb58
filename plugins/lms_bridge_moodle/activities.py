"""The "Online lessons" activity: copied from a hidden template course, once, because Moodle offers no other way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lms_bridge.core.plugins import N_, NotThere, PluginError
from lms_bridge_moodle.client import MoodleClient, rows
from lms_bridge_moodle.settings import MoodleSettings
from lms_bridge_moodle.texts import plain

IMPORT = {"activities": 1, "blocks": 0, "filters": 0}


@dataclass(frozen=True)
class Module:
    """An activity in a course."""

    remote_id: str
    kind: str
    name: str
    instance: str


def modules(client: MoodleClient, course: str) -> list[Module]:
    """The activities of a course that the token may see."""
    sections = rows(client.read("core_course_get_contents", courseid=course))
    return [_module(row) for section in sections for row in section.get("modules") or ()]


def _module(row: dict[str, Any]) -> Module:
    return Module(str(row["id"]), str(row.get("modname")), plain(row.get("name")), str(row.get("instance")))


class Activities:
    """Puts the template's activity into courses."""

    def __init__(self, client: MoodleClient, settings: MoodleSettings) -> None:
        self._client, self._settings = client, settings
        self._template: tuple[str, Module] | None = None

    def template(self) -> tuple[str, Module]:
        """The number of the template course, and its one activity.

        :raises NotThere: there is no such course.
        :raises PluginError: it holds, as far as the token may see, something else than one activity.
        """
        if self._template is None:
            self._template = self._look()
        return self._template

    def _look(self) -> tuple[str, Module]:
        short = self._settings.template_course
        found = rows(self._client.read("core_course_get_courses_by_field", field="shortname", value=short), "courses")
        if not found:
            raise NotThere(
                N_('Moodle has no course with the short name "%(name)s".'),
                remedy=N_("Make the template course with its one activity as docs/moodle.md says."),
                name=short,
            )
        course = str(found[0]["id"])
        seen = modules(self._client, course)
        if len(seen) != 1:
            # What the token cannot see here it cannot see in the courses either: every run would copy it once more.
            raise PluginError(
                N_('The template course "%(name)s" shows %(count)s activities instead of one.'),
                remedy=N_(
                    "Leave only the activity of LMS Bridge in it (delete Announcements), and allow the service user "
                    "mod/lti:view (for a link: mod/url:view), moodle/course:view and moodle/course:viewhiddencourses."
                ),
                name=short,
                count=len(seen),
            )
        return course, seen[0]

    def ensure(self, course: str, remote_id: str | None) -> str:
        """The activity's number in the course, copied there if it is not.

        :raises PluginError: it was copied and cannot be seen.
        """
        template, pattern = self.template()
        if (there := self._present(course, pattern, remote_id)) is not None:
            return there
        options = [{"name": key, "value": value} for key, value in IMPORT.items()]
        self._client.write(
            "core_course_import_course", importfrom=template, importto=course, deletecontent=0, options=options
        )
        there = self._present(course, pattern, None)
        if there is None:
            raise PluginError(
                N_("Moodle copied the activity, but it is not to be seen in the course."),
                remedy=N_("Look into the course, and at what the service user may see there (mod/lti:view)."),
            )
        return there

    def remove(self, course: str, remote_id: str) -> None:
        """Take the activity out of the course; one that is gone already, with or without its course, is no error."""
        try:
            there = any(module.remote_id == remote_id for module in modules(self._client, course))
        except NotThere:
            return
        if there:
            self._client.write("core_course_delete_modules", cmids=[remote_id])

    def _present(self, course: str, pattern: Module, remote_id: str | None) -> str | None:
        here = modules(self._client, course)
        if remote_id is not None and any(module.remote_id == remote_id for module in here):
            return remote_id  # also when a teacher gave it another name
        same = [module for module in here if (module.kind, module.name) == (pattern.kind, pattern.name)]
        return same[0].remote_id if same else None
