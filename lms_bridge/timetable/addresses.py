"""Where people find a lesson: the permanent address for everybody, and the personal one that ``lessons`` makes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db
from lms_bridge.timetable.models import Lesson

if TYPE_CHECKING:
    PersonalLinks = Callable[[Collection[int], int], dict[int, str]]

_personal: PersonalLinks | None = None


def lesson_url(lesson: Lesson) -> str:
    """The permanent address of a lesson, for everybody who belongs to it (asks for sign-in or an LMS launch)."""
    return url_of(lesson.uid)


def url_of(uid: str) -> str:
    """The permanent address of the lesson with this uid."""
    return f"{current_settings().base_url.rstrip('/')}/l/{uid}"


def register_personal_links(maker: PersonalLinks) -> None:
    """``maker(lesson_ids, person_id)`` gives the personal addresses, by lesson id, as far as there are any. It may be
    called while a message is written, outside of any transaction, and opens its own if it stores something."""
    global _personal
    _personal = maker


def personal_urls(lesson_ids: Collection[int], person_id: int) -> dict[int, str]:
    """For each lesson the address by which this person enters it; the permanent one where there is no personal one."""
    if not lesson_ids:
        return {}
    found = dict(_personal(lesson_ids, person_id)) if _personal is not None else {}
    missing = [lesson_id for lesson_id in lesson_ids if lesson_id not in found]
    if missing:
        rows = db.session.execute(sa.select(Lesson.id, Lesson.uid).where(Lesson.id.in_(missing)))
        found |= {lesson_id: url_of(uid) for lesson_id, uid in rows}
    return found
