"""A folder or zip of plans: each file counts once, a bad one stops nobody, and nothing is guessed."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import use_locale
from lms_bridge.plans import batches
from lms_bridge.plans.batch_names import named
from lms_bridge.plans.models import PlanBatch, TeachingPlan
from lms_bridge.roster.models import EnrolmentRole, Person, Subject
from lms_bridge.roster.scope import scope_for
from tests.builders import SchoolSystem, enrol, plan, small_system, subject

PLAN = "周次,课题,课时\n1,有理数,4\n2,整式,3\n".encode()


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """A school whose teachers also teach physics, for which there is no plan yet."""
    system = small_system()
    with transaction():
        physics = subject("phys", "物理", "Physics")
        for campus in (system.a, system.b):
            enrol(campus.teacher, campus.classes[0], EnrolmentRole.TEACHER, teaches=physics)
    return system


def packed(folder: Path, **files: bytes) -> Path:
    """A zip with these files."""
    path = folder / "plans.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def handed_over(path: Path, person: Person) -> PlanBatch:
    """The batch of a person, not worked yet."""
    with transaction():
        return batches.start(path, name=path.name, scope=scope_for(person), person=person)


def states(batch: PlanBatch) -> dict[str, str]:
    """What became of each file."""
    return {file["file"]: file["state"] for file in batches.report(batch)["files"]}


def plans() -> int:
    """How many plans there are."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(TeachingPlan)) or 0


def test_one_bad_file_stops_no_other(school: SchoolSystem, tmp_path: Path) -> None:
    inner = io.BytesIO()
    zipfile.ZipFile(inner, "w").close()
    files = {
        "5-1 物理.csv": PLAN, "5-1 mathematics broken.docx": b"PK nothing", "notes.csv": PLAN,
        "more.zip": inner.getvalue(),
        "../5-1 物理.csv": PLAN, "__MACOSX/._x": b"x", "~$5-1 物理.docx": b"x", ".DS_Store": b"x",
    }  # fmt: skip
    batch = handed_over(packed(tmp_path, **files), school.a.teacher)
    batches.carry_out(batch.id)
    found = states(batch)
    assert found.pop("5-1 物理.csv") in ("read", "flagged")
    assert found == dict.fromkeys(
        ["5-1 mathematics broken.docx", "notes.csv", "more.zip", "../5-1 物理.csv"], "refused"
    )
    assert all(p["remedy"] for f in batches.report(batch)["files"] for p in f["problems"] if f["state"] == "refused")


def test_a_killed_batch_goes_on_and_each_file_counts_once(
    school: SchoolSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"5-1 数学.csv": PLAN, "5-1 物理.csv": PLAN}
    batch = handed_over(packed(tmp_path, **files), school.a.teacher)
    before, work = plans(), batches._one

    def dies_after_one(of: PlanBatch, row_id: int) -> None:
        monkeypatch.setattr(batches, "_one", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        work(of, row_id)

    monkeypatch.setattr(batches, "_one", dies_after_one)
    with pytest.raises(KeyboardInterrupt):
        batches.carry_out(batch.id)
    monkeypatch.setattr(batches, "_one", work)
    batches.carry_out(batch.id)
    batches.carry_out(batch.id)
    assert plans() == before + 1  # mathematics had a plan, which got a second version
    assert {f["file"]: f["version"] for f in batches.report(batch)["files"]} == {"5-1 数学.csv": 2, "5-1 物理.csv": 1}
    again = handed_over(packed(tmp_path, **files), school.a.teacher)
    batches.carry_out(again.id)
    assert set(states(again).values()) == {"skipped"}


def test_a_teacher_reaches_only_their_own_classes(school: SchoolSystem, tmp_path: Path) -> None:
    batch = handed_over(packed(tmp_path, **{"5-2 数学.csv": PLAN, "campus-b/5-2 数学.csv": PLAN}), school.a.teacher)
    batches.carry_out(batch.id)
    assert set(states(batch).values()) == {"refused"}


def test_the_list_says_what_a_name_does_not(school: SchoolSystem, tmp_path: Path) -> None:
    rows = "文件,班级,学科\na.csv,5-1,物理\ngone.csv,5-1,数学\n".encode("gb18030")
    batch = handed_over(packed(tmp_path, **{"a.csv": PLAN, "plans.csv": rows}), school.a.teacher)
    batches.carry_out(batch.id)
    found = states(batch)
    assert (found["a.csv"] in ("read", "flagged"), found["gone.csv"]) == (True, "refused")


def test_a_bomb_is_refused_whole(school: SchoolSystem, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        handed_over(packed(tmp_path, **{"5-1 物理.csv": b"0" * 20_000_000}), school.a.teacher)


def test_names_are_found_whole() -> None:
    classes = {1: {"G7-1", "七年级(1)班"}, 2: {"G7-12", "七年级(12)班"}}
    assert named("北校区/7年级1班-数学", classes) == {1}
    assert named("G7_12 Mathematics", classes) == {2}
    assert named("七年级（十二）班", classes) == {2}
    assert named("信息科学 计划", {1: {"科学"}, 2: {"信息科学"}}) == {2}


def test_names_packed_on_chinese_windows_are_read(school: SchoolSystem, tmp_path: Path) -> None:
    path = packed(tmp_path, **{"XXXXXXXX.csv": PLAN})
    # The packer of Chinese Windows writes GB18030 and no mark for UTF-8.
    path.write_bytes(path.read_bytes().replace(b"XXXXXXXX.csv", "5-1 物理.csv".encode("gb18030")))
    batch = handed_over(path, school.a.teacher)
    assert list(states(batch)) == ["5-1 物理.csv"]


def test_the_operator_names_the_campus_by_a_folder_and_may_only_try(school: SchoolSystem, tmp_path: Path) -> None:
    folder = tmp_path / "handed over" / "campus-a"
    folder.mkdir(parents=True)
    (folder / "5-1 物理.csv").write_bytes(PLAN)
    before = plans()
    for dry_run, more in ((True, 0), (False, 1)):
        with transaction():
            batch = batches.start(folder.parent, name="handed over", scope=None, person=None, dry_run=dry_run)
        batches.carry_out(batch.id)
        assert states(batch)["campus-a/5-1 物理.csv"] in ("read", "flagged")
        assert plans() == before + more


OTHER = "周次,课题,课时\n1,有理数,5\n2,整式,3\n".encode()


def shared_plan(school: SchoolSystem) -> TeachingPlan:
    """A plan in physics that serves both classes of campus A."""
    physics = db.session.scalars(sa.select(Subject).filter_by(code="phys")).one()
    with transaction():
        enrol(school.a.teacher, school.a.classes[1], EnrolmentRole.TEACHER, teaches=physics)
        return plan(school.a.classes[:2], physics, school.a.teacher, units=[("声", 2)])


def test_two_files_for_one_class_are_a_question_and_none_is_read(school: SchoolSystem, tmp_path: Path) -> None:
    before = plans()
    files = {"5-1 物理 (new).csv": PLAN, "5-1 物理 old.csv": OTHER, "5-1 数学.csv": PLAN}
    batch = handed_over(packed(tmp_path, **files), school.a.teacher)
    batches.carry_out(batch.id)
    found = states(batch)
    assert found.pop("5-1 数学.csv") in ("read", "flagged")
    assert set(found.values()) == {"refused"}
    problem = next(f for f in batches.report(batch)["files"] if "old" in f["file"])["problems"][0]
    assert "5-1 物理 (new).csv" in problem["message"]
    assert problem["remedy"]
    assert plans() == before


def test_files_of_classes_that_share_a_plan_do_not_replace_one_another(school: SchoolSystem, tmp_path: Path) -> None:
    shared = shared_plan(school)
    files = {"5-1 物理.csv": PLAN, "5-2 物理.csv": OTHER}
    batch = handed_over(packed(tmp_path, **files), school.a.teacher)
    batches.carry_out(batch.id)
    assert set(states(batch).values()) == {"refused"}
    assert "5-1, 5-2" in batches.report(batch)["files"][0]["problems"][0]["message"]
    assert len(shared.versions) == 1
    # The same document for both is their plan once.
    batch = handed_over(packed(tmp_path, **dict.fromkeys(files, PLAN)), school.a.teacher)
    batches.carry_out(batch.id)
    assert states(batch) == {"5-1 物理.csv": "flagged", "5-2 物理.csv": "skipped"}


def test_a_plan_that_serves_another_class_too_is_said_so(school: SchoolSystem, tmp_path: Path) -> None:
    shared_plan(school)
    batch = handed_over(packed(tmp_path, **{"5-1 物理.csv": PLAN}), school.a.teacher)
    batches.carry_out(batch.id)
    file = batches.report(batch)["files"][0]
    assert file["state"] == "flagged"
    assert "5-2" in file["problems"][-1]["message"]


def test_a_report_is_read_in_the_readers_own_language(school: SchoolSystem, tmp_path: Path) -> None:
    with use_locale("zh-CN"):
        batch = handed_over(packed(tmp_path, **{"notes.csv": PLAN}), school.a.teacher)
    batches.carry_out(batch.id)
    with use_locale("en"):
        problem = batches.report(batch)["files"][0]["problems"][0]
    assert problem["message"] == "Neither a class nor a subject of yours is named."
    assert problem["remedy"].startswith("Name class and subject")


def test_a_row_of_the_list_that_cannot_be_read_is_named(school: SchoolSystem, tmp_path: Path) -> None:
    rows = f'file,class,subject\na.csv,5-1,物理\n"b.csv,{"x" * 140_000}\n'.encode()
    with pytest.raises(InputError) as refused:
        handed_over(packed(tmp_path, **{"a.csv": PLAN, "plans.csv": rows}), school.a.teacher)
    assert refused.value.place is not None
    assert (refused.value.place.file, refused.value.place.row) == ("plans.csv", 3)
