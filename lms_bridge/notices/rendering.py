"""Messages from templates: Jinja in a sandbox over ``templates/mail``, text and HTML, in the reader's language.

The same HTML template makes the mail (own small styles, tables, since mail programs know little else) and the page of
the inbox (the design language): it draws with the macros of ``kit``, of which there are two.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from lms_bridge.core import i18n
from lms_bridge.core.plugins import Attachment
from lms_bridge.notices import dates
from lms_bridge.notices.ical import CalendarEntry, write_calendar
from lms_bridge.notices.kinds import Kind, MessageContext

SUBJECT_LENGTH = 150


@dataclass(frozen=True)
class Rendered:
    """A message ready to be read. ``html`` is a whole document for mail, ``content`` the same for a page."""

    subject: str
    text: str
    html: str
    content: Markup
    attachments: tuple[Attachment, ...] = ()


class _Templates(jinja2.FileSystemLoader):
    """The folder's files. Words that text and HTML share stand in ``*_words.txt``; HTML asks for them as
    ``*_words.html``, so that they are compiled to escape what is put into them: what a macro says counts as HTML
    wherever HTML calls it."""

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The source of a template, as the loader's contract says."""
        return super().get_source(environment, template.replace("_words.html", "_words.txt"))


@functools.cache
def environment() -> SandboxedEnvironment:
    """The templates' world: nothing but the message's data, translations, and the ways of saying dates. Unknown
    variables are errors."""
    folder = Path(str(resources.files("lms_bridge_templates"))) / "mail"
    env = SandboxedEnvironment(
        loader=_Templates(folder),
        autoescape=lambda name: name is None or name.endswith(".html"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: i18n.catalogue(i18n.get_locale()).gettext(text),
        lambda one, many, n: i18n.catalogue(i18n.get_locale()).ngettext(one, many, n),
        newstyle=True,
    )
    env.filters |= {
        "say_day": lambda day: dates.say_day(day, i18n.get_locale()),
        "say_time": dates.say_time,
        "say_date": lambda moment, zone: dates.say_date(moment, zone, i18n.get_locale()),
        "say_period": lambda period: dates.say_period(period, i18n.get_locale()),
    }
    env.globals["say_slot"] = _say_slot
    env.globals["say_span"] = lambda start, end, zone: dates.say_span(start, end, zone, i18n.get_locale())
    return env


def render(parts: Sequence[tuple[Kind, MessageContext]], data: Mapping[str, Any]) -> Rendered:
    """One message from one or several (bundled) parts, in the language in force. ``data`` is what every template may
    use beside its own: ``recipient``, ``organisation``, ``home_url``, ``inbox_url``.

    :raises jinja2.TemplateError: a template is wrong or asks for an unknown variable.
    """
    subjects, texts, mails, pages = [], [], [], []
    data = {**data, "locale": i18n.get_locale()}
    for kind, context in parts:
        variables = {**data, **context.data}
        text = environment().get_template(f"{kind.template}.txt")
        html = environment().get_template(f"{kind.template}.html")
        subjects.append(_one_line(_block(text, "subject", variables)))
        texts.append(re.sub(r"\n{3,}", "\n\n", _block(text, "text", variables)).strip())
        mails.append(_block(html, "content", variables | {"kit": _kit("mail")}))
        pages.append(_block(html, "content", variables | {"kit": _kit("page")}))
    subject = _shortened(subjects)
    frame = {**data, "subject": subject}
    return Rendered(
        subject=subject,
        text=environment().get_template("frame.txt").render(frame | {"content": "\n\n".join(texts)}),
        html=environment().get_template("frame.html").render(frame | {"content": Markup("").join(map(Markup, mails))}),
        content=Markup("").join(map(Markup, pages)),
        attachments=tuple(_calendars(parts)),
    )


def _block(template: jinja2.Template, name: str, variables: Mapping[str, Any]) -> str:
    return "".join(template.blocks[name](template.new_context(dict(variables))))


def _kit(name: str) -> Any:
    """The drawing macros for mails or pages."""
    return environment().get_template(f"kit_{name}.html").module


def _say_slot(start: datetime, zone: str, period: int | None) -> str:
    there = start.astimezone(ZoneInfo(zone))
    return dates.say_slot(there.date(), period, there.time(), i18n.get_locale())


def _one_line(text: str) -> str:
    """A header must not hold line breaks or other control characters."""
    return re.sub(r"[\x00-\x20\x7f]+", " ", text).strip()


def _shortened(subjects: Sequence[str]) -> str:
    first = subjects[0]
    if len(subjects) > 1:
        first = i18n.gettext("%(first)s, and %(n)s more", first=first, n=len(subjects) - 1)
    return first if len(first) <= SUBJECT_LENGTH else first[: SUBJECT_LENGTH - 1] + "…"


def _calendars(parts: Sequence[tuple[Kind, MessageContext]]) -> list[Attachment]:
    """All entries of all parts in one file; of one entry told twice the later state."""
    entries: dict[str, CalendarEntry] = {}
    for _, context in parts:
        for entry in context.entries:
            known = entries.get(entry.uid)
            if known is None or known.sequence <= entry.sequence:
                entries[entry.uid] = entry
    if not entries:
        return []
    name = next((context.calendar_name for _, context in parts if context.calendar_name), "")
    content = write_calendar(list(entries.values()), name=name, locale=i18n.get_locale(), method="PUBLISH")
    return [Attachment("calendar.ics", "text/calendar", content, calendar_method="PUBLISH")]
