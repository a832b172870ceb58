"""Plans as schools lay them out: no unit of any of them is read wrong without saying so."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from lms_bridge.core.i18n import use_locale
from lms_bridge.plans.reading import installed_converter
from tests.corpus.plans_generator.collection import LAYOUTS, fresh
from tests.corpus.reading import verdict_on

FOLDER = Path(__file__).parent / "plans"
DOCUMENTS = sorted(path for path in FOLDER.iterdir() if path.suffix != ".json")
CONVERTED = {".xls", ".odt", ".ods"}


def test_the_corpus_is_as_broad_as_it_says() -> None:
    expected = [json.loads(path.with_suffix(".json").read_text("utf-8")) for path in DOCUMENTS]
    assert len(DOCUMENTS) >= 60
    assert len({about["layout"] for about in expected}) >= 15
    assert {about["language"] for about in expected} == {"zh", "en"}
    assert sum("libreoffice" in path.name for path in DOCUMENTS) >= 8


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_unit_is_right_or_flagged(path: Path) -> None:
    if path.suffix in CONVERTED and installed_converter() is None:
        pytest.skip("LibreOffice, which converts old forms, is not installed")
    with use_locale("en"):
        verdict, refusal = verdict_on(path, json.loads(path.with_suffix(".json").read_text("utf-8")))
    assert verdict.wrong == []
    assert refusal == ""


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_same_seed_makes_the_same_document(name: str) -> None:
    assert LAYOUTS[name](random.Random(5)) == LAYOUTS[name](random.Random(5))


def test_fresh_documents_are_read_without_silent_mistakes(tmp_path: Path) -> None:
    with use_locale("en"):
        for name, made in fresh(len(LAYOUTS), 11):
            path = tmp_path / f"{name}{made.suffix}"
            path.write_bytes(made.data)
            verdict, _ = verdict_on(path, made.expected)
            assert verdict.wrong == [], name
