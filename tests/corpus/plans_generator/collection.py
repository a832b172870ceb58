"""All layouts by name, and fresh documents by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.corpus.plans_generator import layouts_forms, layouts_sheets, layouts_tables
from tests.corpus.plans_generator.made import Layout, Made

LAYOUTS: dict[str, Layout] = {
    layout.__name__: layout for module in (layouts_tables, layouts_forms, layouts_sheets) for layout in module.LAYOUTS
}


def fresh(count: int, seed: int) -> Iterator[tuple[str, Made]]:
    """``count`` documents with their names: the layouts in turn, each with a seed of its own."""
    names = list(LAYOUTS)
    for number in range(count):
        name = names[number % len(names)]
        yield f"{name}-{seed}-{number}", LAYOUTS[name](random.Random(f"{seed}/{number}/{name}"))
