"""Files that are not what they seem: each refused with what it is and how to mend it, and nothing hangs or dies."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path

import pytest

from lms_bridge.core.errors import BridgeError, InputError
from lms_bridge.core.i18n import use_locale
from lms_bridge.plans.reading import ReadLimits, read_plan
from tests.plans.making import CHINESE, ENGLISH, excel, part, repacked, word

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def refused(path: Path, name: str | None = None, limits: ReadLimits | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        read_plan(path, name=name or path.name, limits=limits or ReadLimits())
    error = caught.value
    assert error.place is not None
    assert error.place.file == (name or path.name)
    assert error.remedy_text()
    with use_locale("zh-CN"):
        assert any("一" <= c <= "鿿" for c in error.text())
        assert any("一" <= c <= "鿿" for c in error.remedy_text())
    return error


def compound(*streams: str) -> bytes:
    """The first sectors of an OLE compound file (MS-CFB): header, then a directory naming ``streams``."""
    directory = b""
    for stream in ("Root Entry", *streams):
        encoded = stream.encode("utf-16-le") + b"\0\0"
        directory += encoded.ljust(64, b"\0") + struct.pack("<H", len(encoded)) + b"\0" * 62
    return (OLE + b"\0" * 504) + directory.ljust(1024, b"\0")


@pytest.mark.parametrize(
    ("file", "data", "says", "remedy"),
    [
        ("plan.doc", compound("WordDocument", "1Table"), "old .doc form", ".docx"),
        ("plan.docx", compound("WordDocument"), "old .doc form", ".docx"),
        ("plan.wps", compound("WpsContent", "WordDocument"), "WPS Writer", ".docx"),
        ("plan.xls", compound("Workbook"), "old .xls form", ".xlsx"),
        ("plan.et", compound("EtContent"), "WPS Spreadsheets", ".xlsx"),
        ("plan.docx", compound("EncryptionInfo", "EncryptedPackage"), "protected by a password", "remove the password"),
        ("plan.ppt", compound("PowerPoint Document"), "PowerPoint", "table"),
        ("plan.docx", compound("Something"), "old Office form", ".docx"),
        ("plan.docx", b"%PDF-1.7\n%\xe2\xe3", "PDF", "Word or Excel"),
        ("plan.docx", b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "picture (PNG)", "table"),
        ("plan.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF", "picture (JPEG)", "table"),
        ("plan.docx", b"\0\0\0\x18ftypheic\0\0\0\0", "picture (HEIC)", "table"),
        ("plan.doc", b"{\\rtf1\\ansi plan}", "Rich Text", ".docx"),
        ("plan.xls", b"<html><body><table></table></body></html>", "web page", ".docx"),
        ("plan.doc", b'<?xml version="1.0"?><w:wordDocument/>', "XML", ".docx"),
        ("plan.rar", b"Rar!\x1a\x07\x00", "packed archive", "Unpack"),
        ("plan.docx", b"", "empty", "saved completely"),
        ("plan.csv", b"\xef\xbb\xbf\r\n", "empty", "saved completely"),
        ("plan.docx", b"\x00\x01\x02\x03\xff\xfe\xfd" * 20, "neither a Word nor an Excel", ".docx"),
        ("plan.docx", b"PK\x03\x04 torn off", "damaged", "save it again"),
    ],
)
def test_other_kinds_of_file_are_called_by_their_name(
    tmp_path: Path, file: str, data: bytes, says: str, remedy: str
) -> None:
    path = tmp_path / file
    path.write_bytes(data)
    error = refused(path)
    assert says in error.text()
    assert remedy in error.remedy_text()


def archive(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"mimetype": b"application/vnd.oasis.opendocument.text"}, "(.odt)"),
        ({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}, "(.ods)"),
        ({"plan1.docx": b"x", "plan2.docx": b"y"}, "packed archive"),
        ({"word/document.xml": b"<a/>"}, "damaged"),
    ],
)
def test_other_zip_files_are_told_apart(tmp_path: Path, parts: dict[str, bytes], says: str) -> None:
    assert says in refused(archive(tmp_path / "a.docx", parts)).text()


def test_a_document_with_macros_is_refused_whatever_its_name(tmp_path: Path) -> None:
    path = word(tmp_path / "a.docx", CHINESE)
    with_project = repacked(path, tmp_path / "b.docx", {"word/vbaProject.bin": b"code"})
    assert "macros" in refused(with_project).text()
    types = part(path, "[Content_Types].xml").replace(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
        "application/vnd.ms-word.document.macroEnabled.main+xml",
    )
    assert "macros" in refused(repacked(path, tmp_path / "c.docm", {"[Content_Types].xml": types.encode()})).text()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE w [<!ENTITY secret SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE w SYSTEM "http://127.0.0.1:9/evil.dtd">',
        '<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
    ],
)
def test_entities_and_document_types_are_refused_before_parsing(
    tmp_path: Path, declaration: str, encoding: str
) -> None:
    for source, name in (
        (word(tmp_path / "a.docx", CHINESE), "word/document.xml"),
        (excel(tmp_path / "a.xlsx", CHINESE), "xl/worksheets/sheet1.xml"),
    ):
        body = part(source, name).partition("?>")[2] if "?>" in part(source, name) else part(source, name)
        text = f'<?xml version="1.0" encoding="{encoding}"?>\n<!-- plan -->{declaration}{body}'
        changed = repacked(source, tmp_path / f"evil-{source.name}", {name: text.encode(encoding)})
        assert "document type declaration" in refused(changed).text()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    plan = word(tmp_path / "a.docx", CHINESE)
    bomb = repacked(plan, tmp_path / "bomb.docx", {"word/media/image1.bmp": b"\0" * 150_000_000})
    assert bomb.stat().st_size < 250_000
    assert "Unpacked, the document would take 150 MB" in refused(bomb).text()


def test_a_bomb_made_of_xml_is_refused(tmp_path: Path) -> None:
    plan = word(tmp_path / "a.docx", CHINESE)
    xml = part(plan, "word/document.xml").replace("<w:body>", "<w:body>" + "<w:p/>" * 4_000_000)
    bomb = repacked(plan, tmp_path / "bomb.docx", {"word/document.xml": xml.encode()})
    assert "Unpacked" in refused(bomb).text()


def test_a_directory_that_lies_about_sizes_is_found_damaged(tmp_path: Path) -> None:
    plan = word(tmp_path / "a.docx", CHINESE)
    bomb = repacked(plan, tmp_path / "bomb.docx", {"customXml/item1.xml": b"<a>" + b" " * 50_000_000 + b"</a>"})
    data = bomb.read_bytes()
    size = struct.pack("<I", len(b"<a></a>") + 50_000_000)
    bomb.write_bytes(data.replace(size, struct.pack("<I", 900)))
    with pytest.raises(BridgeError):
        read_plan(bomb, name="bomb.docx", limits=ReadLimits(cpu_seconds=5))


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.docx", {f"part{i}": b"" for i in range(2_500)})
    assert "more than 2000 parts" in refused(path).text()


def test_an_encrypted_zip_is_called_protected(tmp_path: Path) -> None:
    data = bytearray(word(tmp_path / "a.docx", CHINESE).read_bytes())
    position = data.find(b"PK\x01\x02")
    while position >= 0:
        data[position + 8] |= 1
        position = data.find(b"PK\x01\x02", position + 4)
    (tmp_path / "b.docx").write_bytes(bytes(data))
    assert "password" in refused(tmp_path / "b.docx").text()


def test_a_large_file_is_refused_by_its_size_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with path.open("wb") as file:
        file.truncate(30 * 1024 * 1024)
    assert "larger than the 20 MB" in refused(path).text()


def test_a_document_that_eats_memory_ends_only_its_own_process(tmp_path: Path) -> None:
    plan = word(tmp_path / "a.docx", CHINESE)
    xml = part(plan, "word/document.xml").replace("<w:body>", "<w:body>" + "<w:p/>" * 1_200_000)
    path = repacked(plan, tmp_path / "b.docx", {"word/document.xml": xml.encode()})
    assert "more memory than is allowed" in refused(path, limits=ReadLimits(memory_bytes=100_000_000)).text()


def test_a_document_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = word(tmp_path / "a.docx", CHINESE)
    assert "longer than" in refused(path, limits=ReadLimits(wall_seconds=0.001)).text()


def test_a_workbook_that_burns_processor_time_is_given_up(tmp_path: Path) -> None:
    plan = excel(tmp_path / "a.xlsx", ENGLISH)
    rows = "".join(f'<row r="{i}"><c r="A{i}"><v>{i}</v></c></row>' for i in range(9, 300_000))
    xml = part(plan, "xl/worksheets/sheet1.xml").replace("</sheetData>", rows + "</sheetData>")
    path = repacked(plan, tmp_path / "b.xlsx", {"xl/worksheets/sheet1.xml": xml.encode()})
    assert "longer than 1 seconds" in refused(path, limits=ReadLimits(cpu_seconds=1)).text()


def test_documents_without_a_table_or_without_anything(tmp_path: Path) -> None:
    assert "no table" in refused(word(tmp_path / "a.docx", title="教学计划")).text()
    assert "empty" in refused(word(tmp_path / "b.docx")).text()
    assert "empty" in refused(excel(tmp_path / "c.xlsx", [("",)])).text()


def test_a_span_that_covers_a_million_columns_is_refused(tmp_path: Path) -> None:
    path = word(tmp_path / "a.docx", CHINESE)
    xml = part(path, "word/document.xml").replace("<w:tcPr>", '<w:tcPr><w:gridSpan w:val="99999999"/>', 1)
    assert "columns" in refused(repacked(path, tmp_path / "b.docx", {"word/document.xml": xml.encode()})).text()


def test_a_merge_over_the_whole_sheet_is_refused(tmp_path: Path) -> None:
    path = excel(tmp_path / "a.xlsx", ENGLISH)
    xml = part(path, "xl/worksheets/sheet1.xml").replace(
        "</sheetData>", '</sheetData><mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    )
    changed = repacked(path, tmp_path / "b.xlsx", {"xl/worksheets/sheet1.xml": xml.encode()})
    refused(changed, limits=ReadLimits(cpu_seconds=1))


def test_flipped_and_torn_documents_are_read_or_refused_but_never_crash(tmp_path: Path) -> None:
    """Through the same code as the child process, without starting two hundred of them."""
    from lms_bridge.plans.reading.child import answer

    rng = random.Random(7)
    sources = [word(tmp_path / "a.docx", CHINESE).read_bytes(), excel(tmp_path / "a.xlsx", CHINESE).read_bytes()]
    for round_ in range(200):
        data = bytearray(rng.choice(sources))
        if round_ % 3 == 0:
            del data[rng.randrange(len(data)) :]
        for _ in range(rng.randrange(1, 20)):
            if data:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        result = answer(io.BytesIO(bytes(data)), ReadLimits())
        assert "refused" in result or "document" in result


def test_the_child_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lms_bridge.plans.reading.process import _environment

    monkeypatch.setenv("LMS_BRIDGE_SECRET_KEY", "secret")
    assert not any("LMS_BRIDGE" in name for name in _environment())
