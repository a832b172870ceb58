"""A form made of a plugin's settings, and what was typed into it made settings again.

Secrets are never shown: an empty field keeps the one that is stored, unless an address or another setting that is
needed changed, for then the old secret would be sent to somebody else. Paths on the server are not for a page: they
stay as they are, and are set by whoever runs the server.
"""

from __future__ import annotations

import enum
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lms_bridge.core.errors import BadInputs, BridgeError, InputError, Place
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.partners import names_partner
from lms_bridge.core.plugins import Plugin

PREFIX = "setting_"
"""Before the name of a setting, as the name of its control."""

PROBLEMS = {
    "missing": N_("Please fill this in."),
    "string_too_short": N_("This is too short: it has at least %(min_length)s characters."),
    "too_short": N_("This is too short: it has at least %(min_length)s characters."),
    "string_too_long": N_("This is too long: it has at most %(max_length)s characters."),
    "float_parsing": N_("Enter a number."),
    "int_parsing": N_("Enter a whole number."),
    "int_from_float": N_("Enter a whole number."),
    "greater_than": N_("Enter a number above %(gt)s."),
    "greater_than_equal": N_("Enter a number of at least %(ge)s."),
    "less_than": N_("Enter a number below %(lt)s."),
    "less_than_equal": N_("Enter a number of at most %(le)s."),
    "enum": N_("Choose one of the list."),
}
"""What pydantic complains of, in words for people; whatever else it is has the wrong form."""

WRONG_FORM = N_("This has not the form that is needed.")
ADDRESSES = {
    "^https?": N_("Enter a web address that begins with https://, or with http:// inside your own network."),
    "^(https://": N_("Enter a web address that begins with https://."),
}
"""By the beginning of a setting's pattern what is said of an address that does not fit it."""
NAMES_SOMEBODY = N_("Enter the address without a name or password before the @: addresses are shown on pages.")
AGAIN = N_("Enter it again: it would else be sent to another address.")


class Kind(enum.StrEnum):
    """How a setting is asked for."""

    TEXT = "text"
    MASKED = "masked"
    NUMBER = "number"
    CHOICE = "choice"
    LIST = "list"
    CHECK = "check"


@dataclass(frozen=True)
class Control:
    """One setting as the form shows it. ``value`` is empty for secrets; ``stored`` says that there is one."""

    name: str
    label: str
    hint: str
    kind: Kind
    value: str
    required: bool
    stored: bool
    options: tuple[tuple[str, str], ...] = ()


def controls(cls: type[Plugin], values: Mapping[str, Any], typed: Mapping[str, str] | None = None) -> list[Control]:
    """The form of the plugin's settings with the stored ``values``, or what was ``typed`` and came back."""
    return [_control(cls, name, field, values, typed) for name, field in _asked(cls)]


def _control(
    cls: type[Plugin], name: str, field: FieldInfo, values: Mapping[str, Any], typed: Mapping[str, str] | None
) -> Control:
    kind, hint = _kind(field), field.description or ""
    label, hint = cls.setting_labels.get(name, (name.replace("_", " ").capitalize(), " ".join(hint.split())))
    if kind is Kind.MASKED:
        value = ""
    elif typed is not None:
        value = typed.get(PREFIX + name, "")
    else:
        value = _shown(values.get(name, field.get_default(call_default_factory=True)))
    return Control(
        name=PREFIX + name, label=gettext(label), hint=gettext(hint) if hint else "", kind=kind, value=value,
        required=field.is_required(), stored=bool(values.get(name)),
        options=tuple((member.value, gettext(cls.setting_choices.get(member.value, member.value)))
                      for member in _choices(field)),
    )  # fmt: skip


def read(cls: type[Plugin], typed: Mapping[str, str], kept: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a form says, with what is ``kept`` where it does not ask or a secret's field is empty.

    :raises BadInputs: some are missing or wrong; each problem's place is the name of its control.
    """
    values, problems = dict(kept), list[BridgeError]()
    for name, field in _asked(cls):
        text = typed.get(PREFIX + name, "").strip()
        match _kind(field):
            case Kind.MASKED if not text:
                if name in kept and _moved(cls, typed, kept):
                    problems.append(InputError(AGAIN, place=Place(column=PREFIX + name)))
            case Kind.CHECK:
                values[name] = bool(text)
            case kind if text:
                if any(names_somebody(word) for word in text.split()):
                    problems.append(InputError(NAMES_SOMEBODY, place=Place(column=PREFIX + name)))
                values[name] = text.split() if kind is Kind.LIST else text
            case _:
                values.pop(name, None)
    try:
        cls.Settings(**values)
    except ValidationError as error:
        problems += complaints(error, PREFIX)
    if problems:
        raise BadInputs(problems)
    return values


def complaints(error: ValidationError, prefix: str = "") -> list[BridgeError]:
    """What pydantic complains of, in words for people; each problem's place is the name of its control, that of the
    setting behind ``prefix``. What a model's own validator says is a message id of its plugin."""
    found: list[BridgeError] = []
    for one in error.errors(include_input=False, include_url=False):
        bounds = {
            key: f"{value:g}" if isinstance(value, int | float) else str(value)
            for key, value in one.get("ctx", {}).items()
        }
        if one["type"] == "value_error":
            words = bounds.pop("error", WRONG_FORM)
        else:
            words = next(
                (text for begin, text in ADDRESSES.items() if bounds.get("pattern", "").startswith(begin)),
                PROBLEMS.get(one["type"], WRONG_FORM),
            )
        place = Place(column=prefix + str(one["loc"][0])) if one["loc"] else None  # none: several settings together
        found.append(InputError(words, place=place, **bounds))
    return found


def in_summary(problem: BridgeError, labels: Mapping[str, str]) -> tuple[str, str] | str:
    """A problem as the head of a form lists it: with the field that it leads to, by its label."""
    if problem.place is None:
        return str(problem)
    name = str(problem.place.column)
    label = labels.get(name) or gettext("Name of the account")
    return name, gettext("%(what)s: %(problem)s", what=label, problem=problem.text())


def _moved(cls: type[Plugin], typed: Mapping[str, str], kept: Mapping[str, Any]) -> bool:
    """Whether one of the settings that say with whom we speak is another than before."""
    return any(
        " ".join(typed.get(PREFIX + name, "").split()) != _shown(kept.get(name, field.get_default()))
        for name, field in _asked(cls)
        if names_partner(field)
    )


def names_somebody(word: str) -> bool:
    """Whether it is a web address with a name or a password in it, which would be shown and logged."""
    scheme, found, rest = word.partition("://")
    return bool(found) and scheme.lower() in ("http", "https") and "@" in re.split(r"[/?#\\]", rest, maxsplit=1)[0]


def _asked(cls: type[Plugin]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in cls.Settings.model_fields.items():
        if Path not in _types(field):
            yield name, field


def _types(field: FieldInfo) -> tuple[Any, ...]:
    """The type of a setting, or those that it may have."""
    annotation = field.annotation
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _choices(field: FieldInfo) -> list[enum.Enum]:
    found = next((one for one in _types(field) if isinstance(one, type) and issubclass(one, enum.Enum)), None)
    return list(found) if found is not None else []


def _kind(field: FieldInfo) -> Kind:
    kinds = _types(field)
    if SecretStr in kinds:
        return Kind.MASKED
    if _choices(field):
        return Kind.CHOICE
    if any(get_origin(one) is list for one in kinds):
        return Kind.LIST
    if bool in kinds:
        return Kind.CHECK
    return Kind.NUMBER if int in kinds or float in kinds else Kind.TEXT


def _shown(value: Any) -> str:
    match value:
        case None | False:
            return ""
        case _ if value is PydanticUndefined:
            return ""
        case True:
            return "1"
        case list():
            return " ".join(map(str, value))
        case float():
            return f"{value:g}"
        case enum.Enum():
            return str(value.value)
    return str(value)
