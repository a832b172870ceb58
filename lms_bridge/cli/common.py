"""What all commands share: the language, refusals as exit code 1, JSON on standard output alone, the application."""

from __future__ import annotations

import json
import locale
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from flask import Flask

from lms_bridge.core import i18n
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, ConfigurationError, Place
from lms_bridge.core.i18n import N_, gettext

DEMONSTRATION = "demo"
"""The folder in the data folder in which the demonstration has its own."""

F = TypeVar("F", bound=Callable[..., Any])


class BridgeGroup(click.Group):
    """Turns every refusal into a message on standard error (or JSON with ``--json``) and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        if ctx.parent is not None:
            return super().invoke(ctx)
        i18n.set_locale(terminal_locale())
        try:
            return super().invoke(ctx)
        except BridgeError as error:
            refuse(error)
        except BrokenPipeError:
            # The reader went away (`| head`): nothing is wrong.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            if error.filename is None:
                raise
            reason = error.strerror or type(error).__name__
            refuse(
                ConfigurationError(
                    N_("The file cannot be used: %(reason)s."), place=Place(file=str(error.filename)), reason=reason
                )
            )
        return None


def terminal_locale() -> str:
    """The language of the terminal, from the usual variables; English where they name none of ours."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "zh-CN" if value.lower().startswith("zh") else "en"
    return "zh-CN" if (locale.getlocale()[0] or "").lower().startswith("zh") else "en"


def refuse(error: BridgeError) -> None:
    """Print a refusal and end with exit code 1."""
    if "--json" in sys.argv:
        print_json({"error": error.as_dict()})
    else:
        click.echo(str(error), err=True)
        for problem in error.problems if isinstance(error, BadInputs) else ():
            click.echo(f"  {problem}", err=True)
    sys.exit(1)


def json_option(function: F) -> F:
    """Adds ``--json``: one JSON document on standard output and nothing else there."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(function)


def print_json(data: Any) -> None:
    """Print ``data`` as one JSON document."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


@contextmanager
def application(*, ready: bool = True) -> Iterator[Flask]:
    """The application with its context; with ``ready`` the database must be at this version's revision.

    :raises ConfigurationError: it is not.
    """
    from lms_bridge.web.app import create_app

    app = create_app()
    with app.app_context():
        try:
            if ready:
                require_tables()
            yield app
        finally:
            # A web server forks afterwards: no connection may be open then.
            db.session.remove()
            db.engine.dispose()


def require_tables() -> None:
    """Refuse to work on a database of another version.

    :raises ConfigurationError: names the command that mends it.
    """
    from lms_bridge.core import health
    from lms_bridge.core.application import current_settings
    from lms_bridge.core.plugins import CheckState

    for check in (health.check_database(), health.check_migrations()):
        if check.state is CheckState.FAILED:
            remedy, demonstration = check.remedy, current_settings().data_dir / DEMONSTRATION / "settings.toml"
            if demonstration.exists():
                prefix = f"LMS_BRIDGE_CONFIG={demonstration.absolute()}"
                remedy += " " + gettext("For the demonstration put this before the command: %(prefix)s", prefix=prefix)
            raise ConfigurationError(
                N_("%(title)s: %(detail)s."), remedy=remedy or None, title=check.title, detail=check.detail
            )
