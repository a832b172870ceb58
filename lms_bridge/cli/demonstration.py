"""``demo``: the main job, end to end, on a school system made up for it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from lms_bridge.cli.common import DEMONSTRATION, application
from lms_bridge.core.errors import ConfigurationError, Place
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.settings import load

FINISHED = "demonstration-ready"
"""File in the demonstration's folder that says that its walk was completed, and when."""


@click.command()
@click.option("--reset", is_flag=True, help="Throw an earlier demonstration away and begin anew.")
@click.option("--no-serve", is_flag=True, help="Stop after the walk instead of serving the result.")
def demo(reset: bool, no_serve: bool) -> None:
    """Make a school system, take it online before your eyes, then serve it.

    It has a folder of its own in the data folder, with SQLite and a mailbox folder, and touches nothing else.
    """
    console = Console(highlight=False, soft_wrap=True)
    folder = load().data_dir / DEMONSTRATION
    _use(folder)
    finished = folder / FINISHED
    if reset or not finished.exists():
        _clear(folder)
        _walk(console)
        _write_settings(folder)
        finished.write_text(datetime.now().astimezone().isoformat(timespec="seconds"), encoding="ascii")
    else:
        when = finished.read_text(encoding="ascii").replace("T", " ")
        console.print(escape(gettext("This is the demonstration of %(when)s.", when=when)))
        console.print(escape(gettext("Its lessons were at that time; begin anew with: lms-bridge demo --reset")))
    prefix = f"LMS_BRIDGE_CONFIG={shlex.quote(os.environ['LMS_BRIDGE_CONFIG'])}"
    console.print(
        escape(gettext("Other commands see it like this: %(command)s", command=f"{prefix} {sys.argv[0]} lessons list"))
    )
    if no_serve:
        console.print(escape(gettext("Serve it with: lms-bridge demo")))
        return
    _show_cards(console)
    _serve(console)


def _use(folder: Path) -> None:
    """Settings of the demonstration, for this process and those that it starts, whatever an installation has."""
    for name in [name for name in os.environ if name.startswith("LMS_BRIDGE_")]:
        if name not in ("LMS_BRIDGE_HOST", "LMS_BRIDGE_PORT", "LMS_BRIDGE_BASE_URL"):
            del os.environ[name]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ |= {
        "LMS_BRIDGE_CONFIG": str(folder.absolute() / "settings.toml"),
        "LMS_BRIDGE_ENVIRONMENT": "development",
        "LMS_BRIDGE_DATA_DIR": str(folder.absolute()),
        "LMS_BRIDGE_MESSAGE_CHANNEL": "mailbox",
        "LMS_BRIDGE_LOG_LEVEL": "WARNING",
    }
    if "LMS_BRIDGE_BASE_URL" not in os.environ:
        settings = load()
        os.environ["LMS_BRIDGE_BASE_URL"] = f"http://{settings.host}:{settings.port}"


def _write_settings(folder: Path) -> None:
    """The settings above as the file that LMS_BRIDGE_CONFIG names, for commands in another terminal."""
    names = ("ENVIRONMENT", "DATA_DIR", "MESSAGE_CHANNEL", "LOG_LEVEL", "BASE_URL")
    # A JSON string is a TOML string.
    lines = [f"{name.lower()} = {json.dumps(os.environ[f'LMS_BRIDGE_{name}'])}\n" for name in names]
    (folder / "settings.toml").write_text("".join(lines), encoding="utf-8")


def _clear(folder: Path) -> None:
    """Throw an earlier demonstration away.

    :raises ConfigurationError: the folder holds something else.
    """
    known = (FINISHED, "lms-bridge.sqlite", "secret-key", "documents")
    if any(folder.iterdir()) and not any((folder / name).exists() for name in known):
        raise ConfigurationError(
            N_("The folder is not a demonstration's."),
            place=Place(file=str(folder)),
            remedy=N_("Move it away, or choose another data folder."),
        )
    shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700)


def _walk(console: Console) -> None:
    from lms_bridge.cli.database import upgrade_database
    from lms_bridge.demo.walk import Walk

    begun = time.monotonic()
    title = gettext("a school system goes online")
    console.print(f"[bold]LMS Bridge[/] · {escape(title)}")
    with application(ready=False):
        upgrade_database()
        Walk(console).run()
    seconds = round(time.monotonic() - begun)
    console.print(escape(gettext("Done in %(seconds)s seconds.", seconds=seconds)))


def _show_cards(console: Console) -> None:
    from lms_bridge.demo.cards import ROLES, give_cards

    with application():
        cards, password = give_cards()
    console.print()
    for card in cards:
        console.print(f"[bold]{escape(gettext(ROLES[card.role]))}[/] {escape(card.name)}")
        console.print(f"  {card.url}")
    console.print(
        escape(
            gettext(
                "Each link signs in once, within 30 minutes. Or sign in as student, guardian, teacher, researcher or "
                "administrator with the password %(password)s",
                password=password,
            )
        )
    )
    console.print()


def _serve(console: Console) -> None:
    from lms_bridge.cli.serving import supervise

    console.print(escape(gettext("LMS Bridge serves at %(url)s (end with Ctrl+C)", url=load().base_url)))
    sys.exit(supervise([["web"], ["worker"]]))
