"""All layouts by name, and fresh documents by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from tests.corpus.plans_generator import (
    layouts_blind_exports,
    layouts_blind_forms,
    layouts_blind_schemes,
    layouts_blind_sheets,
    layouts_blind_word,
    layouts_forms,
    layouts_sheets,
    layouts_tables,
)
from tests.corpus.plans_generator.made import Layout, Made

KNOWING: dict[str, Layout] = {
    layout.__name__: layout for module in (layouts_tables, layouts_forms, layouts_sheets) for layout in module.LAYOUTS
}
"""The layouts by people who know the importer."""

BLIND: dict[str, Layout] = {
    layout.__name__: layout
    for module in (layouts_blind_word, layouts_blind_schemes, layouts_blind_forms, layouts_blind_sheets,
                   layouts_blind_exports)
    for layout in module.LAYOUTS
}  # fmt: skip
"""The layouts made from how schools lay out such documents, without knowledge of the importer."""

LAYOUTS: dict[str, Layout] = KNOWING | BLIND
assert len(LAYOUTS) == len(KNOWING) + len(BLIND), "two layouts have the same name"


def fresh(count: int, seed: int, layouts: Mapping[str, Layout] = LAYOUTS) -> Iterator[tuple[str, Made]]:
    """``count`` documents with their names: the layouts in turn, each with a seed of its own."""
    names = list(layouts)
    for number in range(count):
        name = names[number % len(names)]
        yield f"{name}-{seed}-{number}", layouts[name](random.Random(f"{seed}/{number}/{name}"))
