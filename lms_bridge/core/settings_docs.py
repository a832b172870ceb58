"""Writes ``docs/settings.md`` from the docstrings of the settings: ``python -m lms_bridge.core.settings_docs``."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lms_bridge.core import registry
from lms_bridge.core.settings import IdentityProvider, Settings

HEAD = """\
# Settings

<!-- Made by "make settings-docs" from the docstrings in the code; a test fails when the two differ. -->

Settings come from environment variables, and from the TOML file named by `LMS_BRIDGE_CONFIG` (default `lms-bridge.toml`
in the working folder). The environment wins. In the file a setting has its name in lower case without `LMS_BRIDGE_`;
those of a plugin stand in a table of its own. Lists are written as JSON in the environment.

```toml
environment = "production"
base_url = "https://lessons.example.org"
secret_key = "..."
encryption_keys = ["..."]

[plugins.smtp]
host = "mail.example.org"
```

"""

PROVIDERS_HEAD = """\
## Identity providers

Each has a table `[identity_providers.NAME]` in the settings file with these settings; in the environment all of them
are one JSON object. [Signing in](sign-in.md) has an example.

"""

PLUGINS_HEAD = """\
## Plugins

A plugin of messages takes its settings from here. The settings of a meeting provider or an LMS belong to an account,
which an administrator adds; the same names are asked for there.

"""


def undocumented(model: type[BaseModel]) -> list[str]:
    """Names of the settings of ``model`` that have no words."""
    return [name for name, field in model.model_fields.items() if not (field.description or "").strip()]


def page() -> str:
    """The whole page."""
    return (
        HEAD
        + "## Core\n\n"
        + _section(Settings, "LMS_BRIDGE_")
        + PROVIDERS_HEAD
        + _section(IdentityProvider, "")
        + PLUGINS_HEAD
        + "".join(_plugins()).rstrip()
        + "\n"
    )


def _plugins() -> Iterator[str]:
    # Third-party plugins that happen to be installed are not part of this project's page; a plugin of two kinds has the
    # same settings for both.
    told = set[type[BaseModel]]()
    for found in sorted(registry.find(), key=lambda f: (f.group, f.identifier)):
        if found.cls is None or found.distribution != "lms-bridge" or found.cls.Settings in told:
            continue
        told.add(found.cls.Settings)
        yield f"### {found.cls.verbose_name} (`{found.identifier}`)\n\n"
        yield _section(found.cls.Settings, f"LMS_BRIDGE_{found.identifier.upper()}_") or "No settings.\n\n"


def _section(model: type[BaseModel], prefix: str) -> str:
    parts = []
    for name, field in model.model_fields.items():
        words = " ".join((field.description or "").replace("``", "`").split())
        parts.append(f"`{prefix + name.upper() if prefix else name}` ({_default(field)})  \n{words}\n\n")
    return "".join(parts)


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path | enum.Enum):
        value = str(value)
    if value in ("", None, [], (), {}):
        return "default: none"
    if isinstance(value, bool):
        value = str(value).lower()
    return f"default: `{value}`"


if __name__ == "__main__":
    sys.stdout.write(page())
