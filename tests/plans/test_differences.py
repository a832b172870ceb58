"""What differs between two versions of a plan, by unit and by word."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms_bridge.plans.differences import UnitText, compare
from lms_bridge.plans.wording_changes import COMPARED, changes, tokens

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def marked(before: str, after: str) -> str:
    """The differences as text: ``[-removed-]`` and ``[+added+]``."""
    signs = {"removed": "[-{}-]", "added": "[+{}+]", "same": "{}"}
    return "".join(signs[piece.kind].format(piece.text) for piece in changes(before, after))


def units(*titles: str, **fields: str) -> list[UnitText]:
    """Units keyed by their titles, all with the same further fields."""
    return [UnitText(title, place, {"title": title} | fields) for place, title in enumerate(titles, start=1)]


def told(before: list[UnitText], after: list[UnitText]) -> list[str]:
    """What became of each unit that changed, in one word."""
    return [
        f"{unit.key} {'moved' if unit.moved and not unit.fields else 'changed' if unit.state == 'kept' else unit.state}"
        for unit in compare(before, after).units
        if unit.changed
    ]


def test_chinese_is_compared_by_the_character_and_english_by_the_word() -> None:
    assert (
        marked("理解有理数的概念，会比较大小", "掌握有理数的意义，会比较大小")
        == "[-理解-][+掌握+]有理数的[-概念-][+意义+]，会比较大小"
    )
    assert marked("Ask for the price", "Ask for a price") == "Ask for [-the -][+a +]price"
    assert marked("read pages 8–12", "read page 8–12") == "read [-pages -][+page +]8–12"


def test_a_number_is_one_word() -> None:
    assert marked("习题1.1", "习题1.12") == "习题[-1.1-][+1.12+]"


def test_a_chance_likeness_within_a_rewritten_passage_is_not_shown_as_kept() -> None:
    assert (
        marked("完全不同的一段话在这里", "另外写了一些别的内容") == "[-完全不同的一段话在这里-][+另外写了一些别的内容+]"
    )


def test_other_spaces_are_no_difference() -> None:
    assert [piece.kind for piece in changes("a  b\nc", "a b c")] == ["same"]
    assert compare(units("甲", content="a  b"), units("甲", content="a b")).counts["same"] == 1


WORDS = st.lists(st.sampled_from(["甲", "乙", "丙", "数学", "unit", "the", "1.5", "，", " ", "\n"]), max_size=40).map(
    "".join
)


@PATIENT
@given(WORDS, WORDS)
def test_the_pieces_make_both_texts_again(before: str, after: str) -> None:
    pieces = changes(before, after)
    assert "".join("".join(p.text for p in pieces if p.kind != "added").split()) == "".join(before.split())
    assert "".join(p.text for p in pieces if p.kind != "removed").split() == after.split()


def test_long_texts_are_compared_by_the_sentence() -> None:
    before = "".join(f"第{n}句话说的是一件事。" for n in range(1, 400))
    after = before.replace("第200句话说的是一件事。", "第200句话说的是另一件事。")
    assert len(tokens(before)) ** 2 > COMPARED
    assert [p.text for p in changes(before + "末", "始" + after) if p.kind == "removed"][-1].startswith("末")


def test_added_removed_and_moved_units_are_told_apart() -> None:
    before = units("有理数", "整式", "方程", "几何")
    assert told(before, units("有理数", "方程", "整式", "几何")) in (["方程 moved"], ["整式 moved"])
    assert told(before, units("有理数", "整式", "几何")) == ["方程 removed"]
    assert told(before, units("有理数", "整式", "函数", "方程", "几何")) == ["函数 added"]
    assert told(before, before) == []


def test_a_unit_that_others_were_put_before_has_not_moved() -> None:
    assert told(units("甲", "乙"), units("新", "甲", "乙")) == ["新 added"]


def test_a_removed_unit_stands_where_it_was() -> None:
    found = compare(units("甲", "乙", "丙", "丁"), units("甲", "丁"))
    assert [unit.key for unit in found.units] == ["甲", "乙", "丙", "丁"]
    assert [unit.key for unit in compare(units("甲", "乙"), units("乙")).units] == ["甲", "乙"]


def test_only_the_fields_that_changed_are_named_and_numbers_are_shown_whole() -> None:
    (unit,) = compare(units("甲", periods="4", homework="习题1"), units("甲", periods="14", homework="习题1")).units
    (field,) = unit.fields
    assert field.name == "periods"
    assert [(p.kind, p.text) for p in field.pieces] == [("removed", "4"), ("added", "14")]


KEYS = st.lists(st.sampled_from("甲乙丙丁戊己庚辛"), unique=True)


@PATIENT
@given(KEYS, KEYS)
def test_every_unit_is_accounted_for_and_those_that_did_not_move_are_in_order(
    before: list[str], after: list[str]
) -> None:
    found = compare(units(*before), units(*after))
    assert sorted(u.key for u in found.units) == sorted({*before, *after})
    assert [u.key for u in found.units if u.state != "removed"] == after
    assert {u.key for u in found.units if u.state == "added"} == set(after) - set(before)
    steady = [u.before for u in found.units if u.state == "kept" and not u.moved]
    assert steady == sorted(steady)  # type: ignore[type-var]
    assert sum(found.counts[k] for k in ("added", "removed", "moved", "same")) == len(found.units)


@pytest.mark.parametrize("size", [300])
def test_a_long_plan_turned_around_moves_all_units_but_one(size: int) -> None:
    names = [str(n) for n in range(size)]
    assert compare(units(*names), units(*reversed(names))).counts["moved"] == size - 1
