"""``plan import``, ``plan benchmark``, ``plan submit``, ``plan approve``, ``plan return``; with those of the review."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lms_bridge.cli import plan_batches, plan_export, plan_review
from lms_bridge.cli.common import application, json_option, print_json
from lms_bridge.cli.plan_overview import plan_overview
from lms_bridge.core.database import transaction
from lms_bridge.core.i18n import gettext

if TYPE_CHECKING:
    from lms_bridge.plans.importer import ImportResult
    from lms_bridge.plans.units import PlanDocument


@click.group("plan")
def plan_group() -> None:
    """Teaching plans and benchmarks."""


plan_group.add_command(plan_review.approve_all)
plan_group.add_command(plan_overview)
plan_group.add_command(plan_review.deadline)
plan_group.add_command(plan_batches.import_all)
plan_group.add_command(plan_export.export)


@plan_group.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--class", "classes", multiple=True, metavar="CODE", help="Class that the plan is for; may be repeated.")
@click.option("--subject", required=True, metavar="CODE", help="Subject of the plan.")
@click.option("--benchmark", is_flag=True, help="FILE is the researchers' benchmark for a grade.")
@click.option("--grade", help="Grade of the benchmark.")
@click.option("--organisation", metavar="CODE", help="Owner of the benchmark (default: the bureau).")
@click.option("--language", type=click.Choice(["zh-CN", "en"]), default="zh-CN", show_default=True)
@click.option("--dry-run", is_flag=True, help="Only read the file and say what is in it.")
@json_option
def import_file(
    file: Path, classes: tuple[str, ...], subject: str, benchmark: bool, grade: str | None, organisation: str | None,
    language: str, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Import the plan FILE (.docx, .xlsx, .csv)."""
    from lms_bridge.plans import importer

    if benchmark and not grade:
        raise click.UsageError("--benchmark needs --grade")
    if not benchmark and not classes:
        raise click.UsageError("name the class with --class CODE")
    with application():
        document = importer.read(file, file.name, **_known(classes, organisation))
        with transaction():
            if benchmark:
                result = _benchmark(document, file, subject, grade or "", organisation, language, dry_run)
            else:
                result = importer.import_plan(
                    document, file, name=file.name, class_codes=classes, subject_code=subject, scope=None, author=None,
                    dry_run=dry_run,
                )  # fmt: skip
            answer = result.as_dict()
    if as_json:
        print_json(answer)
    else:
        _show(result, answer)


def _known(classes: tuple[str, ...], organisation: str | None) -> dict[str, Any]:
    """What is known of the document before it is read: its class, or the term of the benchmark's owner."""
    from lms_bridge.plans.lookup import class_by_code, current_term, organisation_by_code

    if classes:
        return {"group": class_by_code(classes[0])}
    return {"term": current_term(organisation_by_code(organisation))}


def _benchmark(
    document: PlanDocument, file: Path, subject: str, grade: str, code: str | None, language: str, dry_run: bool
) -> ImportResult:
    from lms_bridge.plans.importer import import_benchmark
    from lms_bridge.plans.lookup import current_term, organisation_by_code

    owner = organisation_by_code(code)
    return import_benchmark(
        document, file, name=file.name, organisation=owner, subject_code=subject, grade=grade,
        term=current_term(owner), language=language, scope=None, author=None, dry_run=dry_run,
    )  # fmt: skip


def _show(result: ImportResult, answer: dict[str, object]) -> None:
    click.echo(gettext("%(n)s units, %(periods)s periods.", n=len(result.document.units), periods=answer["periods"]))
    for warning in result.document.warnings:
        click.echo(f"  {warning}")
    if result.plan is not None and result.version is not None:
        click.echo(
            gettext(
                "Plan %(plan)s, version %(version)s: %(n)s findings.",
                plan=result.plan.uid,
                version=result.version.number,
                n=result.findings or 0,
            )
        )
    elif result.findings is not None:
        click.echo(gettext("Compared with the benchmark it would have %(n)s findings.", n=result.findings))


@plan_group.command("benchmark")
@click.argument("plan")
@json_option
def benchmark_plan(plan: str, as_json: bool) -> None:
    """Compare PLAN's newest version with its benchmark and list the findings."""
    from lms_bridge.plans import comparing, lookup

    with application(), transaction():
        version = lookup.plan_by_uid(plan).versions[-1]
        findings = comparing.compare_version(version)
        texts = comparing.sentences(version, findings)
        coverage = version.coverage
    if as_json:
        print_json(
            {
                "plan": plan,
                "version": version.number,
                "coverage": coverage,
                "findings": [
                    {"kind": f.kind, "severity": f.severity, "text": text, "params": f.params}
                    for f, text in zip(findings, texts, strict=True)
                ],
            }
        )
        return
    if coverage is None:
        click.echo(gettext("There is no benchmark for this subject, grade and term yet."))
    else:
        click.echo(gettext("Coverage %(percent)s %%, %(n)s findings.", percent=round(coverage * 100), n=len(findings)))
    for finding, text in zip(findings, texts, strict=True):
        click.echo(f"  [{finding.severity}] {text}")


def _step(name: str, plan: str, comment: str, as_json: bool) -> None:
    from lms_bridge.plans import lookup, review

    with application(), transaction():
        found = lookup.plan_by_uid(plan)
        step = {"submit": review.submit, "approve": review.approve, "return": review.return_plan}[name]
        version = step(found, scope=None, person=None, comment=comment)
        number, state = version.number, version.state
        shown = gettext(review.STATE_NAMES[state])
    if as_json:
        print_json({"plan": plan, "version": number, "state": state})
    else:
        click.echo(gettext("Plan %(plan)s, version %(version)s: %(state)s.", plan=plan, version=number, state=shown))


@plan_group.command()
@click.argument("plan")
@click.option("--comment", default="")
@json_option
def submit(plan: str, comment: str, as_json: bool) -> None:
    """Hand PLAN to the researchers."""
    _step("submit", plan, comment, as_json)


@plan_group.command()
@click.argument("plan")
@click.option("--comment", default="")
@json_option
def approve(plan: str, comment: str, as_json: bool) -> None:
    """Approve PLAN."""
    _step("approve", plan, comment, as_json)


@plan_group.command("return")
@click.argument("plan")
@click.option("--comment", required=True, help="What should be changed.")
@json_option
def return_(plan: str, comment: str, as_json: bool) -> None:
    """Return PLAN to its author with a reason."""
    _step("return", plan, comment, as_json)
