"""Which settings of a plugin say with whom it speaks. Where one of them changes, what was agreed with the other side
before (a secret, the rooms that it keeps) is no longer good."""

from __future__ import annotations

from typing import get_args

from pydantic.fields import FieldInfo


def names_partner(field: FieldInfo) -> bool:
    """Whether the setting is a web address or a list of them (its pattern says so), or text that is needed and no
    secret: an account, a tenant, an organiser."""
    parts = [field, *get_args(field.annotation)]
    rules = [rule for part in parts for rule in getattr(part, "metadata", getattr(part, "__metadata__", ()))]
    is_address = any("http" in (getattr(rule, "pattern", None) or "") for rule in rules)
    return is_address or (field.is_required() and field.annotation is str)
