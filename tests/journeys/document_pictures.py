"""Pictures of the exported documents for ``docs/screens``, as LibreOffice lays them out.

Needs LibreOffice and poppler-utils. They show plans of the demonstration that ``make demo`` left in the data folder.

    python -m tests.journeys.document_pictures docs/screens
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.settings import load
from lms_bridge.plans.export.plan_word import plan_docx
from lms_bridge.plans.export.review_sheet import review_sheet_docx
from lms_bridge.plans.models import PlanKind, PlanVersion, TeachingPlan, VersionState
from lms_bridge.timetable.reports import implementation
from lms_bridge.timetable.reports.implementation_word import campus_docx, class_docx
from lms_bridge.web.app import create_app


def run(command: list[str]) -> None:
    """Run a program that must succeed."""
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def picture(document: bytes, path: Path) -> None:
    """The first page of ``document`` as a picture at ``path``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "document.docx").write_bytes(document)
        office = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", "pdf"]
        run([*office, "--outdir", str(folder), str(folder / "document.docx")])
        run(["pdftoppm", "-png", "-r", "72", "-singlefile", str(folder / "document.pdf"), str(folder / "document")])
        shutil.copyfile(folder / "document.png", path)


def main(folder: Path) -> None:
    """All pictures."""
    app = create_app(load(data_dir=load().data_dir / "demo", message_channel="mailbox", log_level="ERROR"))
    with app.app_context():
        version = db.session.scalars(
            sa.select(PlanVersion)
            .join(TeachingPlan)
            .where(PlanVersion.state == VersionState.APPROVED, TeachingPlan.kind == PlanKind.TEACHING)
            .order_by(PlanVersion.coverage, PlanVersion.id)
        ).first()
        assert version is not None, "make demo first"
        for language in ("zh-CN", "en"):
            picture(plan_docx(version, language), folder / f"documents-plan-{language}.png")
            picture(review_sheet_docx(version, language), folder / f"documents-review-sheet-{language}.png")
            group = version.plan.classes[0].class_group
            of_class = class_docx(implementation.of_class(group), language)
            picture(of_class, folder / f"documents-class-plan-{language}.png")
            of_campus = campus_docx(implementation.of_campus(group.campus), language)
            picture(of_campus, folder / f"documents-campus-plan-{language}.png")
        db.session.remove()
        db.engine.dispose()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
