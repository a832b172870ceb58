"""What is kept of a problem is told to each person in their own language."""

from __future__ import annotations

import datetime

from lms_bridge.core.errors import InputError, Place
from lms_bridge.core.i18n import use_locale
from lms_bridge.core.kept_problems import kept, told
from lms_bridge.plans.units import Warning_

PROBLEM = InputError(
    "There are more than %(limit)s files in it.", place=Place(file="a.zip", row=3), remedy="Divide it into several.",
    limit=1000,
)  # fmt: skip


def test_a_problem_is_told_in_the_language_of_whoever_reads_it() -> None:
    with use_locale("zh-CN"):
        row = kept(PROBLEM)
    with use_locale("en"):
        assert told(row) == PROBLEM.as_dict()
    with use_locale("zh-CN"):
        assert told(row) == PROBLEM.as_dict()
        assert told(row)["message"] != PROBLEM.message


def test_a_readers_note_keeps_what_is_not_plain_json_as_text() -> None:
    note = Warning_("day %(day)s", Place(file="a"), {"day": datetime.date(2026, 9, 1)})
    assert kept(note)["params"] == {"day": "2026-09-01"}
    assert told(kept(note)) == {"message": "day 2026-09-01", "place": {"file": "a"}}


def test_a_sentence_that_was_stored_whole_is_shown_as_it_is() -> None:
    old = {"message": "100% 已读", "place": None}
    assert told(old) == old
