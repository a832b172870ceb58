"""What a person is told when a document cannot be read at all: what it is, and how to mend it."""

from __future__ import annotations

from typing import Any

from lms_bridge.core.errors import InputError, Place
from lms_bridge.core.i18n import N_

_SAVE_DOCX = N_("Open it in Word or WPS, choose “Save as”, take the type .docx, and upload that file.")
_SAVE_XLSX = N_("Open it in Excel or WPS, choose “Save as”, take the type .xlsx, and upload that file.")
_SAVE_AGAIN = N_("Open it in the program it was made with, save it again, and upload the new file.")
ORIGINAL = N_("Upload the plan as .docx, .xlsx or .csv, with the units in a table.")
_ONLY_PLAN = N_("Keep only the plan's own table in the document and upload it again.")

# code -> (what is wrong, what to do)
REFUSALS: dict[str, tuple[str, str]] = {
    "empty": (N_("The file is empty."), N_("Check that it was saved completely, and upload it again.")),
    "too_large": (
        N_("The file is larger than the %(limit)s MB that are accepted."),
        N_("Remove pictures from the document, save it and upload it again."),
    ),
    "doc": (N_("This is a Word document in the old .doc form, which cannot be read."), _SAVE_DOCX),
    "wps": (N_("This is a WPS Writer document (.wps), which cannot be read."), _SAVE_DOCX),
    "xls": (N_("This is an Excel workbook in the old .xls form, which cannot be read."), _SAVE_XLSX),
    "et": (N_("This is a WPS Spreadsheets workbook (.et), which cannot be read."), _SAVE_XLSX),
    "xlsb": (N_("This is a binary Excel workbook (.xlsb), which cannot be read."), _SAVE_XLSX),
    "strict_xlsx": (N_("This workbook is saved as “Strict Open XML”, which cannot be read."), _SAVE_XLSX),
    "ppt": (N_("This is a PowerPoint presentation, not a plan with a table of units."), ORIGINAL),
    "slides": (N_("This is a PowerPoint presentation, not a plan with a table of units."), ORIGINAL),
    "ole": (N_("This is a document in an old Office form that cannot be read."), _SAVE_DOCX),
    "encrypted": (
        N_("The document is protected by a password."),
        N_("Open it, remove the password (File, Info, Protect), save it and upload it again."),
    ),
    "macros": (
        N_("The document contains macros. Documents with programs in them are not accepted."),
        N_("Save it as an ordinary .docx or .xlsx without macros and upload that file."),
    ),
    "pdf": (
        N_("This is a PDF, from which a table cannot be read reliably."),
        N_("Upload the Word or Excel file from which the PDF was made."),
    ),
    "image": (
        N_("This is a picture (%(kind)s). A photographed or scanned plan cannot be read."),
        N_("Upload the Word or Excel file of the plan, or type the units into a table."),
    ),
    "rtf": (N_("This is a Rich Text document (.rtf), which cannot be read."), _SAVE_DOCX),
    "html": (N_("This is a web page (HTML), which cannot be read."), _SAVE_DOCX),
    "xml": (N_("This is an XML file, which cannot be read."), _SAVE_DOCX),
    "odt": (N_("This is an OpenDocument text (.odt), which cannot be read."), _SAVE_DOCX),
    "ods": (N_("This is an OpenDocument spreadsheet (.ods), which cannot be read."), _SAVE_XLSX),
    "archive": (
        N_("This is a packed archive, not a document."),
        N_("Unpack it and upload the documents in it one by one."),
    ),
    "not_text": (
        N_("This is neither a Word nor an Excel file, nor a text table in a known encoding."),
        ORIGINAL,
    ),
    "damaged": (N_("The file is damaged and cannot be opened."), _SAVE_AGAIN),
    "dtd": (
        N_("The document contains a document type declaration (in %(part)s), as attacks do and Office never does."),
        _SAVE_AGAIN,
    ),
    "too_many_entries": (N_("The document has more than %(limit)s parts inside."), _ONLY_PLAN),
    "unpacks_too_large": (
        N_("Unpacked, the document would take %(size)s MB; at most %(limit)s MB are accepted for one of this size."),
        _ONLY_PLAN,
    ),
    "too_many_tables": (N_("The document has more than %(limit)s tables or sheets."), _ONLY_PLAN),
    "too_many_rows": (N_("A table has more than %(limit)s rows; no plan has so many."), _ONLY_PLAN),
    "too_many_paragraphs": (N_("The document has more than %(limit)s paragraphs; no plan has so many."), _ONLY_PLAN),
    "too_many_units": (
        N_("The table has %(count)s units; a plan for a term has at most %(limit)s."),
        N_("If the table holds plans of several classes or subjects, upload each as a file of its own."),
    ),
    "too_many_columns": (N_("A table has more than %(limit)s columns."), _ONLY_PLAN),
    "long_cell": (N_("A cell holds more than %(limit)s characters."), _ONLY_PLAN),
    "too_much_text": (N_("The tables hold more than %(limit)s characters in all."), _ONLY_PLAN),
    "memory": (N_("Reading the document took more memory than is allowed; nothing was stored."), _ONLY_PLAN),
    "time": (N_("Reading the document took longer than %(limit)s seconds; nothing was stored."), _ONLY_PLAN),
    "died": (N_("The document made the reading program stop; nothing was stored."), _SAVE_AGAIN),
    "no_table": (N_("There is no table in the document."), ORIGINAL),
}


def refusal(code: str, name: str, **params: Any) -> InputError:
    """The error for ``code``, naming the file; ``params`` fill the message's placeholders."""
    message, remedy = REFUSALS[code]
    return InputError(message, place=Place(file=name), remedy=remedy, **params)
