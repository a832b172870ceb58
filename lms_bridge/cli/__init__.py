"""The command line ``lms-bridge``: exit code 0 done, 1 refused with a clear message, 2 wrong usage."""

from __future__ import annotations

import click

from lms_bridge import __version__
from lms_bridge.cli.common import BridgeGroup
from lms_bridge.cli.database import db_group
from lms_bridge.cli.demonstration import demo
from lms_bridge.cli.lessons import lessons_group
from lms_bridge.cli.operations import doctor, plugins
from lms_bridge.cli.plans import plan_group
from lms_bridge.cli.roster import roster_group
from lms_bridge.cli.serving import run, web, worker
from lms_bridge.cli.sync import sync_group
from lms_bridge.cli.timetable import timetable_group
from lms_bridge.cli.timetable_cases import board as _board  # noqa: F401 - adds its commands to the group
from lms_bridge.cli.tokens import token_group


@click.group(cls=BridgeGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lms-bridge")
def main() -> None:
    """LMS Bridge keeps a school system teaching when its schools must close.

    Settings come from LMS_BRIDGE_* variables and the file named by LMS_BRIDGE_CONFIG; see docs/settings.md.
    """


for command in (
    demo, run, web, worker, db_group, doctor, plugins, roster_group, plan_group, timetable_group, lessons_group,
    token_group, sync_group,
):  # fmt: skip
    main.add_command(command)
