"""The built-in classroom: questions and answers, raised hands, signs of life, and who is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, insert_into
from lms_bridge.core.errors import Conflict, InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.ids import new_uid
from lms_bridge.core.plugins import EvidenceKind
from lms_bridge.lessons.intervals import intervals
from lms_bridge.lessons.models import ClassroomQuestion, PresenceEvidence, RaisedHand
from lms_bridge.lessons.presence import OWN_SOURCES, NewEvidence, observations_of, record_many
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import students_of

BEAT_SECONDS = 20
"""How often an open room says that its person is there."""
BEAT_TIMEOUT = timedelta(seconds=75)
"""Whoever was silent for longer is not shown as here any more."""
OLDEST_BEAT = timedelta(minutes=10)
"""Signs of life that a weak line held back are taken for so long."""
BATCH = 40
QUESTION_LENGTH, ANSWER_LENGTH = 1000, 2000
OPEN_QUESTIONS = 20
"""So many unanswered questions may one person have on a board."""

_SESSION = re.compile(r"[a-z0-9]{8,32}")


@dataclass(frozen=True)
class Beat:
    """A sign of life as the page sent it: its number in the page's session, what it says, and how many seconds ago
    that was when it was sent."""

    number: int
    kind: EvidenceKind
    seconds_ago: float = 0.0


def read_beats(data: Any) -> tuple[str, list[Beat]]:
    """A page's session and signs of life from what it posted: ``{"session": ..., "beats": [{"n", "kind", "ago"}]}``.

    :raises InputError: not of that form; nothing of it is taken.
    """
    try:
        session = data["session"]
        beats = [
            Beat(int(one["n"]), EvidenceKind(one.get("kind", "seen")), float(one.get("ago", 0)))
            for one in data["beats"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(N_("The sign of life cannot be read.")) from None
    fits = isinstance(session, str) and _SESSION.fullmatch(session) and 0 < len(beats) <= BATCH
    if not fits or not all(0 <= b.number < 10**9 and 0 <= b.seconds_ago < 86400 for b in beats):
        raise InputError(N_("The sign of life cannot be read."))
    return session, beats


def store_beats(
    lesson: Lesson, person: Person, attempt: int, source: str, session: str, beats: Sequence[Beat], *, since: datetime
) -> int:
    """Store signs of life, each once however often it is sent; how many were new. Flushes.

    Those held back by the line count at the time at which they were made, as the page says (quality ``client``), but
    not before ``since`` (when the door opened) and not for longer than :data:`OLDEST_BEAT`.
    """
    moment = now()
    rows = []
    for beat in beats:
        late = beat.seconds_ago >= 2
        at = moment - timedelta(seconds=beat.seconds_ago) if late else moment
        if at < since or moment - at > OLDEST_BEAT:
            continue
        rows.append(
            NewEvidence(
                lesson.id,
                person.id,
                beat.kind,
                at,
                source,
                # The person stands in the key: nobody can use up the keys of somebody else.
                f"{person.id}:{session}:{beat.number}",
                attempt=attempt,
                quality="client" if late else "measured",
            )
        )
    return record_many(rows)


def store_page_view(lesson: Lesson, person: Person, attempt: int, source: str) -> None:
    """The room's page was fetched, which is a sign of life too, also where no script runs. Flushes."""
    record_many([NewEvidence(lesson.id, person.id, EvidenceKind.SEEN, now(), source, f"{person.id}:view:{new_uid()}",
                             attempt=attempt)])  # fmt: skip


def present_now(lesson_id: int) -> set[int]:
    """Ids of the people of whom one of our pages heard within :data:`BEAT_TIMEOUT` (and who did not leave since)."""
    rows: Sequence[tuple[int, EvidenceKind, str]] = db.session.execute(
        sa.select(PresenceEvidence.person_id, PresenceEvidence.kind, PresenceEvidence.event_key)
        .where(
            PresenceEvidence.lesson_id == lesson_id,
            PresenceEvidence.at > now() - BEAT_TIMEOUT,
            PresenceEvidence.source.in_(OWN_SOURCES),
            PresenceEvidence.person_id.is_not(None),
        )
        .order_by(PresenceEvidence.at, PresenceEvidence.id)
    ).all()  # type: ignore[assignment]
    # Each browser tab is a session of its own: one that left does not take the other along. The door and the fetching
    # of a page say little once there is a tab that speaks for itself.
    tabs: dict[tuple[int, str], EvidenceKind] = {}
    visits: set[int] = set()
    for who, kind, key in rows:
        _, _, tab = key.rpartition(":")[0].partition(":")
        if tab and tab != "view":
            tabs[who, tab] = kind
        else:
            visits.add(who)
    spoken = {who for who, _ in tabs}
    return {who for (who, _), kind in tabs.items() if kind is not EvidenceKind.LEFT} | (visits - spoken)


@dataclass(frozen=True)
class PersonHere:
    """A person as the teacher sees them: since when without a break; None: not here now."""

    person_id: int
    uid: str
    name: str
    since: datetime | None
    hand_at: datetime | None


@dataclass(frozen=True)
class Board:
    """The state of a room: questions (the oldest first), hands, and how many are here of those expected."""

    questions: Sequence[ClassroomQuestion]
    people: dict[int, Person]
    hands: dict[int, datetime]
    here: frozenset[int]
    expected: frozenset[int]


def board_of(lesson: Lesson) -> Board:
    """The state of the lesson's room now."""
    questions = db.session.scalars(
        sa.select(ClassroomQuestion)
        .where(ClassroomQuestion.lesson_id == lesson.id, ClassroomQuestion.hidden_at.is_(None))
        .order_by(ClassroomQuestion.at, ClassroomQuestion.id)
    ).all()
    up = db.session.execute(
        sa.select(RaisedHand.person_id, RaisedHand.raised_at)
        .where(RaisedHand.lesson_id == lesson.id, RaisedHand.lowered_at.is_(None))
        .order_by(RaisedHand.raised_at, RaisedHand.id)
    )
    hands = {row.person_id: row.raised_at for row in up}
    expected = frozenset(students_of([lesson])[lesson.id])
    wanted = {q.person_id for q in questions} | set(hands) | expected
    people = {p.id: p for p in db.session.scalars(sa.select(Person).where(Person.id.in_(wanted)))}
    return Board(questions, people, hands, frozenset(present_now(lesson.id)), expected)


def people_of(lesson: Lesson, board: Board) -> list[PersonHere]:
    """For the teacher: the students of the lesson, raised hands first, then those who are here, then the others."""
    seen = observations_of(lesson.id, sorted(board.here & board.expected))
    people = []
    for person_id in board.expected:
        stays = intervals(seen.get(person_id, ()), beat_timeout=BEAT_TIMEOUT, end=now())
        since = stays[-1].start if person_id in board.here and stays else None
        person = board.people[person_id]
        hand_at = board.hands.get(person_id)
        people.append(PersonHere(person_id, person.uid, person.display_name, since, hand_at))
    return sorted(people, key=lambda p: (p.hand_at is None, p.hand_at or now(), p.since is None, p.name, p.person_id))


def ask(lesson: Lesson, person: Person, text: str, client_key: str) -> ClassroomQuestion:
    """Put a question on the board; the same ``client_key`` again gives the question that is there. Flushes.

    :raises InputError: empty or too long.
    :raises Conflict: too many of the person's questions wait.
    """
    text = _text(text, QUESTION_LENGTH)
    key = f"{person.id}:{client_key}"[:64]
    known = db.session.scalar(sa.select(ClassroomQuestion).filter_by(client_key=key))
    if known is not None:
        return known
    waiting = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(ClassroomQuestion)
        .where(
            ClassroomQuestion.lesson_id == lesson.id,
            ClassroomQuestion.person_id == person.id,
            ClassroomQuestion.answered_at.is_(None),
            ClassroomQuestion.hidden_at.is_(None),
        )
    )
    if (waiting or 0) >= OPEN_QUESTIONS:
        raise Conflict(N_("Many of your questions wait for an answer already."), remedy=N_("Wait for the answers."))
    db.session.execute(
        insert_into(ClassroomQuestion)
        .values(uid=new_uid(), lesson_id=lesson.id, person_id=person.id, client_key=key, text=text, at=now(), answer="")
        .on_conflict_do_nothing(index_elements=["client_key"])
    )
    return db.session.scalars(sa.select(ClassroomQuestion).filter_by(client_key=key)).one()


def answer(lesson: Lesson, question_uid: str, text: str) -> ClassroomQuestion:
    """The teacher's answer, seen by all; a second one replaces the first. Flushes.

    :raises InputError: empty or too long.
    :raises NotFound: no such question in this lesson.
    """
    question = _question(lesson, question_uid)
    question.answer, question.answered_at = _text(text, ANSWER_LENGTH), now()
    db.session.flush()
    return question


def hide(lesson: Lesson, question_uid: str) -> None:
    """Take a question off the board. Flushes.

    :raises NotFound: no such question in this lesson.
    """
    _question(lesson, question_uid).hidden_at = now()
    db.session.flush()


def raise_hand(lesson: Lesson, person: Person) -> None:
    """The person's hand is up (and stays where it is in the order if it was). Flushes."""
    db.session.execute(
        insert_into(RaisedHand)
        .values(lesson_id=lesson.id, person_id=person.id, raised_at=now())
        .on_conflict_do_nothing(index_elements=["lesson_id", "person_id"], index_where=sa.text("lowered_at IS NULL"))
    )


def lower_hands(lesson: Lesson, person_id: int | None = None) -> None:
    """The hand of one person (None: all hands of the lesson) goes down; no error if none is up. Flushes."""
    up = sa.update(RaisedHand).where(RaisedHand.lesson_id == lesson.id, RaisedHand.lowered_at.is_(None))
    if person_id is not None:
        up = up.where(RaisedHand.person_id == person_id)
    db.session.execute(up.values(lowered_at=now()))


def _question(lesson: Lesson, uid: str) -> ClassroomQuestion:
    question = db.session.scalar(
        sa.select(ClassroomQuestion)
        .filter_by(lesson_id=lesson.id, uid=uid)
        .where(ClassroomQuestion.hidden_at.is_(None))
    )
    if question is None:
        raise NotFound()
    return question


def _text(text: str, most: int) -> str:
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise InputError(N_("Nothing is written yet."), remedy=N_("Write the text, then press the button again."))
    if len(text) > most:
        raise InputError(
            N_("The text has %(length)s characters; %(most)s are possible."),
            remedy=N_("Shorten it."),
            length=len(text),
            most=most,
        )
    return text
