"""The errors that people see: a stable code, a message in their language, the place, and the remedy.

Every refusal of LMS Bridge is a :class:`BridgeError`. Messages are English message ids marked with
:func:`lms_bridge.core.i18n.N_`; they are translated when shown, so that one error can be shown to two people
in two languages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from lms_bridge.core.i18n import N_, gettext, ngettext


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an input something is wrong. All parts optional; rows and columns count from 1 as people do.

    ``file`` is the name as the person gave it; ``table`` counts the tables of a document or names a sheet;
    ``row`` is the line of a CSV or the row of a table; ``column`` is a header or a number; ``value`` is what
    stood there, shortened; ``paragraph`` counts those of a text without a table.
    """

    file: str | None = None
    table: str | int | None = None
    row: int | None = None
    column: str | int | None = None
    value: str | None = None
    paragraph: int | None = None

    def __str__(self) -> str:
        parts = []
        if self.file is not None:
            parts.append(str(self.file))
        if self.table is not None:
            parts.append(gettext("table %(table)s", table=self.table))
        if self.row is not None:
            parts.append(gettext("row %(row)s", row=self.row))
        if self.column is not None:
            parts.append(gettext("column %(column)s", column=self.column))
        if self.paragraph is not None:
            parts.append(gettext("paragraph %(paragraph)s", paragraph=self.paragraph))
        return ", ".join(parts)


class BridgeError(Exception):
    """A refusal with a stable ``code``, a translatable ``message``, an optional ``place`` and ``remedy``.

    ``message`` and ``remedy`` are message ids with ``%(name)s`` placeholders filled from ``params``.
    ``status`` is the HTTP status that the ways in answer with.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 422

    def __init__(self, message: str, *, place: Place | None = None, remedy: str | None = None, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.remedy = remedy
        self.params = params

    def text(self) -> str:
        """The message in the language in force, without place and remedy."""
        return gettext(self.message, **self.params)

    def remedy_text(self) -> str:
        """What the person can do about it, in the language in force; empty where nothing is known."""
        return gettext(self.remedy, **self.params) if self.remedy else ""

    def __str__(self) -> str:
        text = self.text()
        if self.place is not None and str(self.place):
            text = f"{self.place}: {text}"
            if self.place.value is not None:
                text += f" ({self.place.value!r})"
        remedy = self.remedy_text()
        return f"{text} {remedy}" if remedy else text

    def as_dict(self) -> dict[str, Any]:
        """The error as plain JSON: code, message, remedy, place."""
        place = None
        if self.place is not None:
            place = {
                name: getattr(self.place, name)
                for name in ("file", "table", "row", "column", "value", "paragraph")
                if getattr(self.place, name) is not None
            }
        return {"code": self.code, "message": self.text(), "remedy": self.remedy_text(), "place": place}


class InputError(BridgeError):
    """Something in what a person handed over is wrong."""

    code = "bad_input"


class CountedInput(InputError):
    """An :class:`InputError` about ``n`` things, with a message for one and one for several."""

    def __init__(self, messages: tuple[str, str], n: int, **more: Any) -> None:
        super().__init__(messages[1], n=n, **more)
        self.singular, self.n = messages[0], n

    def text(self) -> str:
        return ngettext(self.singular, self.message, self.n, **{k: v for k, v in self.params.items() if k != "n"})


class NotFound(BridgeError):
    """No such thing, or none that this person may know of (the two are never told apart)."""

    code = "not_found"
    status = 404

    def __init__(self, message: str = N_("There is nothing here, or it is not for you."), **kw: Any) -> None:
        super().__init__(message, **kw)


class Forbidden(BridgeError):
    """The person may see the thing but may not do this to it."""

    code = "forbidden"
    status = 403

    def __init__(self, message: str = N_("Your role does not allow this."), **kw: Any) -> None:
        super().__init__(message, **kw)


class Conflict(BridgeError):
    """The thing has changed meanwhile, or exists already; nothing was overwritten."""

    code = "conflict"
    status = 409


class ConfigurationError(BridgeError):
    """The installation's settings do not allow this; the administrator must act."""

    code = "configuration"
    status = 500


COUNTED = N_("%(count)s problems were found; nothing was stored.")


class BadInputs(BridgeError):
    """Many problems found in one input, all listed at once; nothing of the input was stored."""

    code = "bad_inputs"

    def __init__(self, problems: Iterable[BridgeError], *, file: str | None = None) -> None:
        self.problems = list(problems)
        super().__init__(
            COUNTED,
            place=Place(file=file) if file else None,
            count=len(self.problems),
        )

    def text(self) -> str:
        if self.message != COUNTED:
            return super().text()
        count = len(self.problems)
        return ngettext(
            "%(count)s problem was found; nothing was stored.",
            "%(count)s problems were found; nothing was stored.",
            count,
            count=count,
        )

    def as_dict(self) -> dict[str, Any]:
        return super().as_dict() | {"problems": [p.as_dict() for p in self.problems]}
