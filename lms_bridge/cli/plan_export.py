"""``plan export``: a plan, or its review sheet, as a document."""

from __future__ import annotations

from pathlib import Path

import click

from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import LOCALES, N_, gettext


def write_document(path: Path, content: bytes) -> None:
    """Write the whole document or, where that fails, leave what was there."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


language_option = click.option("--language", type=click.Choice(LOCALES), help="Language of headings and labels.")


@click.command("export")
@click.argument("plan")
@click.option(
    "--to", "path", required=True, type=click.Path(dir_okay=False, path_type=Path), help="FILE.docx or FILE.xlsx."
)
@click.option("--version", "number", type=click.IntRange(1), help="Version of the plan (default: the newest).")
@click.option("--review-sheet", is_flag=True, help="The review sheet instead of the plan (.docx).")
@language_option
@json_option
def export(plan: str, path: Path, number: int | None, review_sheet: bool, language: str | None, as_json: bool) -> None:
    """Write PLAN as a Word or Excel document that can be imported again, or its review sheet.

    The language is that of the plan, unless --language names one.
    """
    from lms_bridge.plans import lookup
    from lms_bridge.plans.export.plan_excel import plan_xlsx
    from lms_bridge.plans.export.plan_word import plan_docx
    from lms_bridge.plans.export.review_sheet import review_sheet_docx

    writers = {".docx": review_sheet_docx} if review_sheet else {".docx": plan_docx, ".xlsx": plan_xlsx}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise InputError(
            N_("Documents of the kind %(suffix)s are not written."),
            remedy=N_("Choose a file name that ends in %(suffixes)s."),
            suffix=path.suffix or path.name,
            suffixes=", ".join(writers),
        )
    with application():
        found = lookup.plan_by_uid(plan)
        version = found.versions[-1]
        if number is not None:
            chosen = next((v for v in found.versions if v.number == number), None)
            if chosen is None:
                raise InputError(
                    N_("The plan has no version %(n)s."),
                    remedy=N_("Its newest version is %(newest)s."),
                    n=number,
                    newest=version.number,
                )
            version = chosen
        write_document(path, writer(version, language))
        answer = {"plan": plan, "version": version.number, "file": str(path), "units": len(version.units)}
    if as_json:
        print_json(answer)
        return
    click.echo(gettext("Plan %(plan)s, version %(version)s: written to %(file)s.", **answer))
