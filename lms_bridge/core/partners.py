"""Which settings of a plugin say with whom it speaks. Where one of them changes, what was agreed with the other side
before (a secret, the rooms that it keeps) is no longer good; where they are the same, the same one is spoken with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo


def names_partner(field: FieldInfo) -> bool:
    """Whether the setting is a web address or a list of them (its pattern says so), or text that is needed and no
    secret: an account, a tenant, an organiser."""
    parts = [field, *get_args(field.annotation)]
    rules = [rule for part in parts for rule in getattr(part, "metadata", getattr(part, "__metadata__", ()))]
    is_address = any("http" in (getattr(rule, "pattern", None) or "") for rule in rules)
    return is_address or (field.is_required() and field.annotation is str)


def holds_secret(field: FieldInfo) -> bool:
    """Whether the setting is a secret, or may hold one."""
    return _holds_secret(field.annotation)


def _holds_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, SecretStr | BaseModel):
        return True
    return any(_holds_secret(part) for part in get_args(annotation))


def speaks_for(model: type[BaseModel], hears: Mapping[str, Any], owns: Mapping[str, Any]) -> bool:
    """Whether what an account is told by its partner may be believed of another account's matters, too: by their
    settings, as they are stored, both speak with the same one, and the first knows every secret of the second. False
    where no setting says with whom they speak."""
    fields = model.model_fields.items()
    partners = [name for name, field in fields if names_partner(field)]
    secrets = [name for name, field in fields if holds_secret(field)]
    known = [name for name in secrets if owns.get(name)]
    return (
        bool(partners)
        and all(_plain(hears.get(name)) == _plain(owns.get(name)) for name in partners)
        and (bool(known) or not secrets)
        and all(hears.get(name) == owns[name] for name in known)
    )


def _plain(value: Any) -> Any:
    """A setting as it is compared: nothing may be said in several ways, and an address may end with ``/``."""
    if isinstance(value, list):
        value = [_plain(one) for one in value]
    return value.strip().rstrip("/") if isinstance(value, str) else value or ""
