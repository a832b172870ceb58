"""Problems and notes that are kept: stored as message ids with their parameters, told in the language of the reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from lms_bridge.core.errors import Place
from lms_bridge.core.i18n import gettext

PLACE = ("file", "table", "row", "column", "value", "paragraph")
LONGEST = 1000
"""So much of a value is kept: an answer of another system may be a whole page."""
_PLAIN = (str, int, float, bool, type(None))


class Problem(Protocol):
    """What can be kept: a refusal (:class:`lms_bridge.core.errors.BridgeError`) or a note of a reader."""

    @property
    def message(self) -> str:
        """The message id."""

    @property
    def params(self) -> dict[str, Any]:
        """What fills its placeholders."""

    @property
    def place(self) -> Place | None:
        """Where it is."""


def kept(problem: Problem, *more: Problem) -> dict[str, Any]:
    """``problem`` as plain JSON in no language: message ids, what fills them, the place, and a refusal's code; with it
    ``more`` that go together with it."""
    found: dict[str, Any] = {
        "message": problem.message,
        "params": {name: _plain(value) for name, value in problem.params.items()},
        "place": _place(problem.place),
    }
    for name in ("code", "remedy"):
        if hasattr(problem, name):
            found[name] = getattr(problem, name)
    if more:
        found["more"] = [kept(one) for one in more]
    return found


def told(problem: Mapping[str, Any]) -> dict[str, Any]:
    """A problem that was kept, as plain JSON in the language in force; one that was stored as a finished sentence (it
    has no ``params``) stays as it is."""
    if "params" not in problem:
        return dict(problem)
    found = {name: value for name, value in problem.items() if name != "params"}
    for name in ("message", "remedy"):
        if name in problem:
            found[name] = gettext(problem[name], **problem["params"]) if problem[name] else ""
    return found


def said(problem: Mapping[str, Any] | None) -> str:
    """A problem that was kept, as one text in the language in force: its place, what is wrong, what helps; then those
    that go together with it. Empty for none."""
    if problem is None:
        return ""
    found = told(problem)
    place = str(Place(**found["place"])) if found.get("place") else ""
    text = f"{place}: {found['message']}" if place else found["message"]
    words = [text, found.get("remedy") or "", *(said(one) for one in problem.get("more", []))]
    # A full stop of Chinese is as wide as one with its blank.
    return " ".join(word for word in words if word).replace("。 ", "。")


def _plain(value: Any) -> Any:
    if not isinstance(value, _PLAIN):
        value = str(value)
    return value[:LONGEST] if isinstance(value, str) else value


def _place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {name: value for name in PLACE if (value := getattr(place, name)) is not None}
