"""Forms with one unit each: headings and values side by side (课题 | 春 | 课时 | 2), texts below or beside them."""

from __future__ import annotations

from lms_bridge.plans.reading.columns import Header, header_at
from lms_bridge.plans.reading.grid import Cell, Grid, Row
from lms_bridge.plans.reading.headings import NAME_FIELDS, recognise

_LONGEST_LABEL = 30

_Pair = tuple[str, Cell, int]


def is_form(grid: Grid, header: Header | None) -> bool:
    """Whether what looks like a header is the first row of a form: values stand among the headings, and further
    headings below them."""
    if header is None:
        return False
    unknown = sum(column.heading is None for column in header.columns)
    below = [row.cell(0) for row in grid.rows[header.index + 1 :] if row.cell(0).text and not row.cell(0).merged]
    labels = sum(recognise(cell.text) is not None for cell in below)
    return unknown > 0 and labels > 0 and labels * 2 >= len(below)


def read_forms(grid: Grid) -> list[tuple[Grid, Header]]:
    """Each unit of a form as a table of its own with a header and one row; none where ``grid`` is no form."""
    found: list[tuple[Grid, Header]] = []
    pairs = _pairs(grid)
    texts_in_all = sum(cell.merged == "" and bool(cell.text) for row in grid.rows for cell in row.cells)
    # In a form each value stands beside its heading: where most texts belong to none, it is a table of another kind.
    if texts_in_all > 3 * len(pairs):
        return []
    for block in _blocks(pairs):
        texts = [label for label, _, _ in block]
        header_row = Row(block[0][2], tuple(Cell(text) for text in texts))
        unit = Row(block[0][2], tuple(value for _, value, _ in block))
        form = Grid(grid.label, (header_row, unit), grid.hidden_rows, grid.hidden_columns)
        header = header_at(form, 0)
        # One value under each heading: what stands there twice is a table, and a form names its unit.
        if header.complete() and len(header.of("periods")) == 1:
            found.append((form, header))
    return found


def split_label(text: str) -> tuple[str, str] | None:
    """``课题：春`` as heading and value; None where the words before the colon are no heading."""
    label, colon, value = text.replace("：", ":", 1).partition(":")
    if not colon or len(label) > _LONGEST_LABEL or recognise(label) is None:
        return None
    return label.strip(), value.strip()


def _pairs(grid: Grid) -> list[_Pair]:
    pairs: list[_Pair] = []
    waiting: str | None = None  # a heading right across, whose text stands in the row below
    for row in grid.rows:
        own = [cell for cell in row.cells if cell.text and cell.merged != "left"]
        if waiting is not None and len(own) == 1 and recognise(own[0].text) is None:
            pairs.append((waiting, own[0], row.number))
            waiting = None
            continue
        waiting = own[0].text if len(own) == 1 and recognise(own[0].text) is not None else None
        label: str | None = None
        for cell in own:
            if recognise(cell.text) is not None:
                label = cell.text
            elif both := split_label(cell.text):
                pairs.append((both[0], Cell(both[1]), row.number))
                label = None
            elif label is not None and cell.merged != "above":
                pairs.append((label, Cell(cell.text, cell.kind), row.number))
                label = None
    return pairs


def _blocks(pairs: list[_Pair]) -> list[list[_Pair]]:
    """The pairs of each unit: each block has the first name's heading once, and what always stands before it."""
    labels = [label for label, _, _ in pairs]
    name = next((label for label in labels if (found := recognise(label)) and found.field in NAME_FIELDS), None)
    if name is None:
        return []
    at = [i for i, label in enumerate(labels) if label == name]
    before = 0
    while len(at) > 1 and before < at[0] and len({labels[i - before - 1] for i in at}) == 1:
        before += 1
    starts = [i - before for i in at] if len(at) > 1 else [0]
    return [pairs[start:end] for start, end in zip(starts, [*starts[1:], len(pairs)], strict=True)]
