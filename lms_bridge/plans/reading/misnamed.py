"""A file whose name says that it is something else than it is: read as what it is, and said so."""

from __future__ import annotations

from lms_bridge.core.errors import Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.units import Source, Warning_

_ENDINGS: dict[Source, tuple[str, ...]] = {"docx": ("docx",), "xlsx": ("xlsx",), "csv": ("csv", "tsv", "tab", "txt")}
_DOCUMENTS = {
    "doc", "docx", "docm", "dot", "dotx", "wps", "rtf", "odt", "pdf", "xls", "xlsx", "xlsm", "xlsb", "et", "ods", "ppt",
    "pptx", "csv", "tsv", "tab", "txt", "html", "htm", "xml", "zip", "png", "jpg", "jpeg",
}  # fmt: skip
_MESSAGES: dict[Source, str] = {
    "docx": N_("The file is named .%(ending)s, but it is a Word document (.docx); it was read as that."),
    "xlsx": N_("The file is named .%(ending)s, but it is an Excel workbook (.xlsx); it was read as that."),
    "csv": N_("The file is named .%(ending)s, but it is plain text (.csv); it was read as that."),
}


def misnamed(name: str, source: Source) -> tuple[Warning_, ...]:
    """A note where the ending of ``name`` is that of another kind of document than ``source``; else none."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending not in _DOCUMENTS or ending in _ENDINGS[source]:
        return ()
    return (Warning_(_MESSAGES[source], Place(file=name), {"ending": ending}),)
