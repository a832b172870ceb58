"""Everything that a person reads is there in both languages; English is in the code, zh-CN in the catalogues."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages import Catalog, pofile
from babel.messages.extract import extract

from lms_bridge.core.i18n import LOCALES

ROOT = Path(__file__).parents[2]
CATALOGUES = sorted((ROOT / "lms_bridge" / "translations" / "zh_CN").glob("*.po"))
KEYWORDS = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2), "NN_": (1, 2)}
PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]")
CJK = re.compile(r"[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]")

MessageId = str | tuple[str, ...]


@cache
def used() -> dict[MessageId, list[str]]:
    """Every message of the code and the templates, with the places where it stands."""
    found: dict[MessageId, list[str]] = {}
    for top, method, endings in (
        ("lms_bridge", "python", {".py"}),
        ("plugins", "python", {".py"}),
        ("templates", "jinja2", {".html", ".txt", ".xml"}),
    ):
        for file in sorted((ROOT / top).rglob("*")):
            if file.suffix not in endings:
                continue
            options = {"silent": "false"} if method == "jinja2" else {"encoding": "utf-8"}
            with file.open("rb") as stream:
                for line, message, _, _ in extract(method, stream, KEYWORDS, (), options):
                    found.setdefault(message, []).append(f"{file.relative_to(ROOT)}:{line}")
    return found


@cache
def translated() -> dict[MessageId, tuple[str, tuple[str, ...]]]:
    """Every message of the catalogues with the file it stands in and its translation's forms."""
    merged: dict[MessageId, tuple[str, tuple[str, ...]]] = {}
    for file in CATALOGUES:
        for message in catalogue(file):
            if message.id:
                forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
                key = tuple(message.id) if isinstance(message.id, tuple | list) else message.id
                merged[key] = (file.name, tuple(form or "" for form in forms))
    return merged


def catalogue(file: Path) -> Catalog:
    """One area's catalogue."""
    return pofile.read_po(io.BytesIO(file.read_bytes()), locale="zh_CN", abort_invalid=True)


def variants(message: MessageId) -> tuple[str, ...]:
    """The singular and plural of a message, or its one text."""
    return message if isinstance(message, tuple) else (message,)


def pairs() -> Iterator[tuple[str, MessageId, str]]:
    """Each translated form with its file and message."""
    for message, (file, forms) in translated().items():
        for form in forms:
            yield file, message, form


def test_there_are_two_languages() -> None:
    assert LOCALES == ("zh-CN", "en")
    assert CATALOGUES


def test_every_message_is_translated() -> None:
    known = {message for message, (_, forms) in translated().items() if all(forms)}
    missing = [f"{message!r}  ({', '.join(places[:2])})" for message, places in used().items() if message not in known]
    assert not missing, f"{len(missing)} messages have no zh-CN translation:\n" + "\n".join(missing)


def test_no_translation_is_left_over() -> None:
    leftover = [f"{file}: {message!r}" for message, (file, _) in translated().items() if message not in used()]
    assert not leftover, f"{len(leftover)} translations belong to no message:\n" + "\n".join(leftover)


def test_translations_have_the_placeholders_of_their_messages() -> None:
    wrong = [
        f"{file}: {message!r} -> {form!r}"
        for file, message, form in pairs()
        if form and set(PLACEHOLDER.findall(form)) != set(PLACEHOLDER.findall(variants(message)[-1]))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_text_with_placeholders_can_be_filled() -> None:
    from_templates = {m for m, places in used().items() if any(place.startswith("templates") for place in places)}
    texts = [(m, t) for m in used() for t in variants(m)] + [(m, form) for _, m, form in pairs() if m in used()]
    for message, text in texts:
        if PLACEHOLDER.search(text) or message in from_templates:
            values = dict.fromkeys(PLACEHOLDER.findall(text), 1)
            try:
                text % values
            except (ValueError, TypeError) as error:
                pytest.fail(f"{text!r}: {error} (a percent sign is written %%)")


def test_a_message_that_two_areas_translate_says_the_same_in_both() -> None:
    said: dict[object, tuple[str, object]] = {}
    for file in CATALOGUES:
        for message in catalogue(file):
            if message.id:
                area, string = said.setdefault(message.id, (file.name, message.string))
                assert string == message.string, f"{message.id!r} differs in {area} and {file.name}"


def test_no_translation_is_marked_as_doubtful_or_out_of_use() -> None:
    for file in CATALOGUES:
        content = catalogue(file)
        assert [message.id for message in content if message.id and message.fuzzy] == [], file.name
        assert not content.obsolete, file.name


def test_translations_are_chinese() -> None:
    # A sentence that stayed English is a translation that was forgotten; single words may be names.
    english = [
        f"{file}: {form!r}"
        for file, _, form in pairs()
        if not CJK.search(form) and len(re.findall(r"[A-Za-z]{2,}", PLACEHOLDER.sub("", form))) > 2
    ]
    assert not english, "\n".join(english)
