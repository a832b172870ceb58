"""``demo``: the main job, end to end, on a school system made up for it."""

from __future__ import annotations

import click


@click.command()
@click.option("--reset", is_flag=True, help="Throw an earlier demonstration away and begin anew.")
@click.option("--no-serve", is_flag=True, help="Stop after the walk instead of serving the result.")
def demo(reset: bool, no_serve: bool) -> None:
    """Make a school system, take it online before your eyes, then serve it."""
    from lms_bridge.demo.walk import run_demo

    run_demo(reset=reset, serve=not no_serve)
