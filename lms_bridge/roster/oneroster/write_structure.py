"""Writing organisations, terms, subjects, courses and classes: few rows, so each is written by itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.ids import new_uid
from lms_bridge.core.models import ExternalId
from lms_bridge.roster.models import ClassGroup, ClassType, Course, Organisation, OrganisationKind, Subject, Term
from lms_bridge.roster.oneroster.subjects import NAME_LENGTH
from lms_bridge.roster.oneroster.values import short_code
from lms_bridge.roster.oneroster.writing import Writer

TERM_CODE_LENGTH = 60
CLASS_CODE_LENGTH = 60


def write_subjects(writer: Writer, names: dict[str, tuple[str, str]], before: dict[str, Any]) -> dict[str, int]:
    """Write new and renamed subjects; the row id of every subject's code."""
    table: Any = Subject.__table__
    for code, (name, name_en) in names.items():
        values = {"name": name[:NAME_LENGTH], "name_en": name_en[:NAME_LENGTH]}
        if code in before:
            writer.connection.execute(sa.update(table).where(table.c.code == code).values(values))
        else:
            writer.connection.execute(sa.insert(table).values(code=code, **values))
    return dict(writer.connection.execute(sa.select(Subject.code, Subject.id)).all())


def _name(writer: Writer, entity: str, rows: list[tuple[int, str, int]]) -> None:
    """External identifiers of ``rows``, which may be there already (adopted rows, and those that stand for another)."""
    there = set(
        writer.connection.scalars(
            sa.select(ExternalId.key).where(ExternalId.entity == entity, ExternalId.system == writer.plan.system)
        )
    )
    writer.name_new(entity, [row for row in rows if row[1] not in there])
    writer.name_again(entity, [row for row in rows if row[1] in there])


def write_organisations(writer: Writer) -> None:
    """Write the tree, parents first, and put every path right."""
    table: Any = Organisation.__table__
    real, named = writer.real("organisation"), []
    columns = (table.c.id, table.c.path, table.c.zone, table.c.locale, table.c.country)
    above = {row.id: row for row in writer.connection.execute(sa.select(*columns))}
    for chunk in writer.plan.spools["organisation"].chunks():
        for number, key, row_hash, stands_for, kind, over, code, name, name_en, zone, locale, country in chunk:
            row_id = real(number)
            named.append((row_id, key, row_hash))
            if stands_for:
                continue
            values: dict[str, Any] = {
                "kind": OrganisationKind(kind), "parent_id": None if over is None else real(over), "code": code,
                "name": name, "name_en": name_en or None, "valid_to": None,
            }  # fmt: skip
            values |= {k: v for k, v in (("zone", zone), ("locale", locale), ("country", country)) if v}
            if number > 0:
                writer.connection.execute(sa.update(table).where(table.c.id == row_id).values(values))
                continue
            parent = above.get(values["parent_id"])
            inherited = {
                "zone": parent.zone if parent else "Asia/Shanghai",
                "locale": parent.locale if parent else writer.plan.default_locale,
                "country": parent.country if parent else "CN",
            }
            path = f"{parent.path if parent else '/'}{row_id}/"
            row = inherited | values | {"id": row_id, "uid": new_uid(), "path": path, "settings": {}}
            above[row_id] = writer.connection.execute(sa.insert(table).values(row).returning(*columns)).one()
        writer.told(len(chunk))
    _name(writer, "organisation", named)
    if named:
        _put_paths_right(writer)


def _put_paths_right(writer: Writer) -> None:
    table: Any = Organisation.__table__
    rows = {row.id: row for row in writer.connection.execute(sa.select(table.c.id, table.c.parent_id, table.c.path))}

    def path_of(row_id: int) -> str:
        parent = rows[row_id].parent_id
        return f"{path_of(parent) if parent is not None else '/'}{row_id}/"

    for row in rows.values():
        path = path_of(row.id)
        if path != row.path:
            writer.connection.execute(sa.update(table).where(table.c.id == row.id).values(path=path))


def write_terms(writer: Writer) -> None:
    """Write terms; they belong to the bureau."""
    table: Any = Term.__table__
    real, named = writer.real("term"), []
    bureau = writer.connection.scalar(sa.select(Organisation.id).where(Organisation.kind == OrganisationKind.BUREAU))
    query = sa.select(Term.code, Term.id).where(Term.organisation_id == bureau)
    codes = dict(writer.connection.execute(query).all())
    for chunk in writer.plan.spools["term"].chunks():
        for number, key, row_hash, stands_for, title, year, starts, ends in chunk:
            row_id = real(number)
            named.append((row_id, key, row_hash))
            if stands_for:
                continue
            values: dict[str, Any] = {
                "title": title, "school_year": year, "valid_to": None,
                "starts_on": date.fromisoformat(starts), "ends_on": date.fromisoformat(ends),
            }  # fmt: skip
            if number > 0:
                writer.connection.execute(sa.update(table).where(table.c.id == row_id).values(values))
                continue
            code = short_code(key, TERM_CODE_LENGTH)
            if codes.setdefault(code, row_id) != row_id:
                code = short_code(f"{writer.plan.system}:{key}", TERM_CODE_LENGTH)
            values |= {"id": row_id, "uid": new_uid(), "organisation_id": bureau, "code": code}
            writer.connection.execute(sa.insert(table).values(values))
        writer.told(len(chunk))
    _name(writer, "term", named)


def write_courses(writer: Writer, subject_ids: dict[str, int]) -> None:
    """Write courses."""
    table: Any = Course.__table__
    real, org, named = writer.real("course"), writer.real("organisation"), []
    for chunk in writer.plan.spools["course"].chunks():
        for number, key, row_hash, org_number, code, title, subject, grade in chunk:
            row_id = real(number)
            named.append((row_id, key, row_hash))
            values: dict[str, Any] = {
                "organisation_id": org(org_number), "code": code, "title": title, "valid_to": None,
                "subject_id": subject_ids[subject] if subject else None, "grade": grade or None,
            }  # fmt: skip
            if number > 0:
                writer.connection.execute(sa.update(table).where(table.c.id == row_id).values(values))
            else:
                writer.connection.execute(sa.insert(table).values(values | {"id": row_id, "uid": new_uid()}))
        writer.told(len(chunk))
    _name(writer, "course", named)


def write_classes(writer: Writer, subject_ids: dict[str, int]) -> None:
    """Write classes. A class that gets another's code takes it from it, if that one has ended or changes, too."""
    table: Any = ClassGroup.__table__
    real, named, rows = writer.real("class_group"), [], []
    org, term, course = writer.real("organisation"), writer.real("term"), writer.real("course")
    for chunk in writer.plan.spools["class_group"].chunks():
        for record in chunk:
            number, key, row_hash, campus, term_number, code, title, kind, grade, course_number, subject, lang = record
            row_id = real(number)
            named.append((row_id, key, row_hash))
            rows.append(
                (
                    number > 0,
                    {
                        "id": row_id, "campus_id": org(campus), "term_id": term(term_number), "code": code,
                        "title": title, "class_type": ClassType(kind), "grade": grade, "language": lang,
                        "course_id": None if course_number is None else course(course_number),
                        "subject_id": subject_ids[subject] if subject else None, "valid_to": None,
                    },
                )
            )  # fmt: skip
        writer.told(len(chunk))
    _free_codes(writer, [values for _, values in rows], {row_id: key for row_id, key, _ in named})
    for there, values in rows:
        if there:
            writer.connection.execute(sa.update(table).where(table.c.id == values["id"]).values(values))
        else:
            writer.connection.execute(sa.insert(table).values(values | {"uid": new_uid()}))
    _name(writer, "class_group", named)


def _free_codes(writer: Writer, wanted: list[dict[str, Any]], keys: dict[int, str]) -> None:
    """Make every wanted code free: an ended class and one that is written anew give it up; from any other class it
    is not taken, and the newcomer goes by its sourcedId."""
    table: Any = ClassGroup.__table__
    for values in wanted:
        holder = writer.connection.execute(
            sa.select(table.c.id, table.c.valid_to).where(
                table.c.campus_id == values["campus_id"], table.c.term_id == values["term_id"],
                table.c.code == values["code"], table.c.id != values["id"],
            )
        ).first()  # fmt: skip
        if holder is None:
            continue
        if holder.valid_to is None and holder.id not in keys:
            values["code"] = short_code(keys[values["id"]], CLASS_CODE_LENGTH)
            continue
        code = short_code(f"{values['code']}~{holder.id}", CLASS_CODE_LENGTH)
        writer.connection.execute(sa.update(table).where(table.c.id == holder.id).values(code=code))
