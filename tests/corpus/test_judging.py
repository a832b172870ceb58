"""The judge of the corpus tells what is right, what was flagged, and what is silently wrong."""

from __future__ import annotations

from typing import Any

from tests.corpus.judging import judge, refused


def expected(*titles: str, **more: Any) -> dict[str, Any]:
    """What a document with these units says: three periods each, in week 1."""
    unit = {"title_also": [], "periods": 3, "week_from": 1, "week_to": 1, "date_from": None, "date_to": None} | more
    return {"units": [{"title": title} | unit for title in titles], "not_units": []}


def read(title: str, *, assumed: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """A unit as a reader found it."""
    unit = {"periods": 3, "week_from": 1, "week_to": 1, "date_from": None, "date_to": None}
    return {"title": title, "assumed": assumed} | unit | more


def test_what_came_out_as_it_stands_is_right() -> None:
    verdict = judge(expected("1.1 声音", "光"), [read("１.１ 声音"), read("光")], [])
    assert (verdict.right, verdict.flagged, verdict.wrong) == (2, 0, [])


def test_a_lost_unit_is_wrong_unless_a_warning_names_it() -> None:
    assert judge(expected("声音", "光"), [read("声音")], []).wrong == ["lost: 光"]
    assert judge(expected("声音", "光"), [read("声音")], ["row 3: 光 was left out"]).flagged == 1


def test_a_wrong_value_is_wrong_unless_it_is_marked() -> None:
    assert len(judge(expected("声音"), [read("声音", periods=2)], []).wrong) == 1
    assert judge(expected("声音"), [read("声音", periods=2, assumed=("periods",))], []).flagged == 1
    assert len(judge(expected("声音"), [read("声音", week_from=None)], []).wrong) == 1


def test_a_value_that_the_document_does_not_say_is_not_judged() -> None:
    assert judge(expected("声音", week_from=None, week_to=None), [read("声音", week_from=4, week_to=5)], []).right == 1


def test_what_was_made_of_a_holiday_is_wrong() -> None:
    assert judge(expected("声音"), [read("声音"), read("国庆节放假")], []).wrong == ["made up: 国庆节放假"]


def test_a_refused_document_is_flagged_as_a_whole() -> None:
    assert refused(expected("声音", "光")).flagged == 2
