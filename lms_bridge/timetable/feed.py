"""A person's lessons as calendar entries, and the address of their subscribable calendar.

Students see their own lessons, guardians those of all their children, teachers those they teach.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.notices.dates import say_period
from lms_bridge.notices.ical import CalendarEntry, entry_uid
from lms_bridge.notices.models import CalendarFeed
from lms_bridge.roster.models import Guardianship, Person
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.addresses import lesson_url, personal_urls
from lms_bridge.timetable.models import Lesson, LessonStatus
from lms_bridge.timetable.queries import lessons_between, lessons_of_student

PAST = timedelta(days=30)
AHEAD = timedelta(days=120)
FORMS = ("standard", "moodle")


class FeedRevoked(BridgeError):
    """The feed's address was taken back, or its owner has left."""

    code = "feed_revoked"
    status = 410

    def __init__(self) -> None:
        super().__init__(
            N_("This calendar address is no longer in use."),
            remedy=N_("Sign in and subscribe to the new address."),
        )


def entries_of(person: Person, *, form: str = "standard") -> list[CalendarEntry]:
    """The person's lessons from 30 days ago to 120 days ahead, in the language in force.

    Cancelled lessons stay, as cancelled, for ``settings.feed_cancelled_days``; in the form for Moodle, which ignores
    that status and deletes what disappears, they are left out, and links are those for everybody.
    """
    moment = now()
    start, end = moment - PAST, moment + AHEAD
    lessons: dict[int, Lesson] = {}
    names: defaultdict[int, list[str]] = defaultdict(list)
    for lesson in lessons_of_student(person.id, start, end, with_cancelled=True):
        lessons[lesson.id] = lesson
    for child in children_of(person):
        for lesson in lessons_of_student(child.id, start, end, with_cancelled=True):
            lessons[lesson.id] = lesson
            names[lesson.id].append(child.display_name)
    taught = {lesson.id: lesson for lesson in lessons_between(start, end, teacher_id=person.id, with_cancelled=True)}
    shown = [lesson for lesson in (lessons | taught).values() if _kept(lesson, form, moment)]
    shown.sort(key=lambda lesson: (lesson.starts_at, lesson.id))
    if form == "moodle":
        urls = {lesson.id: lesson_url(lesson) for lesson in shown}
    else:
        urls = personal_urls([lesson.id for lesson in shown], person.id)
    return entries_for(shown, urls, children=names, taught=taught.keys())


def children_of(person: Person) -> list[Person]:
    """The students whom the person answers for today, without those a court order shuts them out of."""
    return list(
        db.session.scalars(
            sa.select(Person)
            .join(Guardianship, Guardianship.student_id == Person.id)
            .where(
                Guardianship.guardian_id == person.id,
                Guardianship.restricted.is_(False),
                valid(Guardianship, today()),
            )
            .order_by(Person.id)
            .distinct()
        )
    )


def _kept(lesson: Lesson, form: str, moment: datetime) -> bool:
    if lesson.status is not LessonStatus.CANCELLED:
        return True
    days = timedelta(days=current_settings().feed_cancelled_days)
    return form != "moodle" and (lesson.cancelled_at or lesson.changed_at) > moment - days


def entries_for(
    lessons: Iterable[Lesson],
    urls: Mapping[int, str],
    *,
    children: Mapping[int, list[str]],
    taught: Collection[int] = (),
    gone: Collection[int] = (),
) -> list[CalendarEntry]:
    """Entries of ``lessons`` (parts loaded) with their ``urls`` by lesson id, in the language in force.

    ``children`` names the reader's children in each lesson; ``taught`` are lessons that the reader teaches; ``gone``
    those that are no longer the reader's and are shown as cancelled.
    """
    return [
        _entry(lesson, urls.get(lesson.id) or lesson_url(lesson), children.get(lesson.id, []), taught, gone)
        for lesson in lessons
    ]


def _entry(
    lesson: Lesson, url: str, children: list[str], taught: Collection[int], gone: Collection[int]
) -> CalendarEntry:
    locale = get_locale()
    subject = lesson.subject.label(locale)
    classes = ", ".join(sorted(a.class_group.title for a in lesson.audience))
    cancelled = lesson.status is LessonStatus.CANCELLED or lesson.id in gone
    summary = subject
    if lesson.id in taught:
        summary = gettext("%(subject)s · %(who)s", subject=subject, who=classes)
    elif children:
        summary = gettext("%(subject)s · %(who)s", subject=subject, who=gettext(", ").join(children))
    if cancelled:
        # For programs that show cancelled entries like any other.
        summary = gettext("Cancelled: %(what)s", what=summary)
    teachers = gettext(", ").join(t.person.display_name for t in lesson.teachers)
    lines = [
        teachers and gettext("Teacher: %(names)s", names=teachers),
        classes and gettext("Class: %(names)s", names=classes),
        say_period(lesson.period_number, locale),
        "" if cancelled else gettext("Enter the lesson: %(url)s", url=url),
    ]
    return CalendarEntry(
        uid=entry_uid(lesson.uid, current_settings().base_url),
        starts_at=lesson.starts_at,
        ends_at=lesson.ends_at,
        zone=lesson.zone,
        summary=summary,
        sequence=lesson.sequence,
        last_modified=lesson.changed_at,
        created=lesson.created_at,
        description="\n".join(line for line in lines if line),
        url=url,
        cancelled=cancelled,
        categories=(subject,),
    )


def feed_url(person: Person, form: str = "standard") -> str:
    """The address of the person's calendar in ``form`` (``standard`` or ``moodle``), made at first use. Call it in a
    transaction: it may add a row."""
    return present_feed_url(person, form) or _address(_new(person, form))


def present_feed_url(person: Person, form: str = "standard") -> str | None:
    """The address of the person's calendar if they have asked for one already."""
    feed = db.session.scalar(
        sa.select(CalendarFeed).where(
            CalendarFeed.person_id == person.id, CalendarFeed.form == form, CalendarFeed.revoked_at.is_(None)
        )
    )
    return _address(feed) if feed is not None else None


def renew_feed(person: Person, form: str = "standard") -> str:
    """Take the present address back, for example because it became known to others, and give a new one."""
    revoke_feed(person, form)
    return _address(_new(person, form))


def revoke_feed(person: Person, form: str = "standard") -> None:
    """Take the address back; calendars that subscribed to it get nothing more."""
    db.session.execute(
        sa.update(CalendarFeed)
        .where(CalendarFeed.person_id == person.id, CalendarFeed.form == form, CalendarFeed.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    audit.record("feed.revoke", "person", person.uid, actor_uid=person.uid, form=form)


def owner_of(token: str) -> tuple[Person, str]:
    """Whose feed the ``token`` opens, and its form.

    :raises NotFound: there never was such a feed.
    :raises FeedRevoked: it was taken back, or its owner has left.
    """
    row = db.session.execute(
        sa.select(CalendarFeed, Person)
        .join(Person, Person.id == CalendarFeed.person_id)
        .where(CalendarFeed.token == token)
    ).first()
    if row is None:
        raise NotFound()
    feed, person = row
    left = person.valid_to is not None and person.valid_to <= today()
    if feed.revoked_at is not None or person.erased_at is not None or left:
        raise FeedRevoked()
    return person, feed.form


def _new(person: Person, form: str) -> CalendarFeed:
    if form not in FORMS:
        raise ValueError(f"no feed has the form {form!r}")
    feed = CalendarFeed(person_id=person.id, form=form)
    db.session.add(feed)
    db.session.flush()
    audit.record("feed.create", "person", person.uid, actor_uid=person.uid, form=form)
    return feed


def _address(feed: CalendarFeed) -> str:
    return f"{current_settings().base_url.rstrip('/')}/c/{feed.token}.ics"
