"""The home page of each role."""

from __future__ import annotations

from apiflask import APIBlueprint

blueprint = APIBlueprint("home", __name__, enable_openapi=False)


@blueprint.get("/")
def home() -> str:
    """Being written."""
    return ""
