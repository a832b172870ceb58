"""The classes of a campus, as a school lists them."""

from __future__ import annotations

import re

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.roster.models import ClassGroup, Organisation, Term
from lms_bridge.roster.scope import today


def classes_of(campus: Organisation, term: Term | None = None) -> list[ClassGroup]:
    """The classes of a campus in a term (None: in terms that are not over), as a school lists them."""
    query = sa.select(ClassGroup).join(Term, Term.id == ClassGroup.term_id)
    query = query.where(ClassGroup.campus_id == campus.id, ClassGroup.valid_to.is_(None))
    query = query.where(Term.id == term.id) if term is not None else query.where(Term.ends_on >= today(campus.zone))
    return sorted(db.session.scalars(query), key=class_order)


def class_order(group: ClassGroup) -> tuple[int, str, list[tuple[int, str]]]:
    """Sorts classes as a school lists them: by grade, then by the numbers in their codes ("5-2" before "5-10")."""
    number = re.search(r"\d+", group.grade)
    parts = [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", group.code)]
    return (int(number[0]) if number else 0, group.grade if number is None else "", parts)
