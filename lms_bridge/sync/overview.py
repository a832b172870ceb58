"""How the exchange with each LMS stands, for pages and commands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.kept_problems import said
from lms_bridge.roster.models import Organisation
from lms_bridge.sync import accounts
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping, SyncRun
from lms_bridge.sync.wishes import PUSH

LISTED = 100
NAMED = 4


def organisation_with(code: str) -> Organisation:
    """The organisation with this code.

    :raises InputError: there is none.
    """
    found = db.session.scalar(sa.select(Organisation).where(Organisation.code == code))
    if found is None:
        raise InputError(N_('There is no organisation "%(code)s".'), code=code)
    return found


def counts(account_ids: Collection[int]) -> dict[int, dict[str, dict[str, int]]]:
    """By account: how many mappings of each kind are in which state."""
    found: dict[int, dict[str, dict[str, int]]] = {number: {} for number in account_ids}
    for account_id, kind, state, count in db.session.execute(
        sa.select(SyncMapping.account_id, SyncMapping.kind, SyncMapping.state, sa.func.count())
        .where(SyncMapping.account_id.in_(account_ids))
        .group_by(SyncMapping.account_id, SyncMapping.kind, SyncMapping.state)
        .order_by(SyncMapping.kind, SyncMapping.state)
    ):
        found[account_id].setdefault(kind.value, {})[state.value] = count
    return found


def overview() -> list[dict[str, Any]]:
    """Every account with its counts, as plain JSON; no secrets."""
    rows = db.session.scalars(sa.select(LmsAccount).order_by(LmsAccount.id)).all()
    by_account = counts([row.id for row in rows])
    return [
        {
            "account": row.uid,
            "plugin": row.plugin,
            "organisation": row.organisation.code,
            "name": row.name,
            "enabled": row.enabled,
            "removal": row.removal,
            "failures": row.failures,
            "last_error": said(row.last_error) or None,
            "mappings": by_account[row.id],
        }
        for row in rows
    ]


def run_as_dict(run: SyncRun) -> dict[str, Any]:
    """A run as plain JSON."""
    return {
        "run": run.uid,
        "account": run.account.uid,
        "kind": run.kind,
        "dry_run": run.dry_run,
        "state": run.state,
        "result": run.result,
        "problems": [said(one) for one in run.problems],
    }


def troubled(account_ids: Collection[int], limit: int = LISTED, *, people: bool = True) -> list[SyncMapping]:
    """What was refused or could not be matched, the latest first; people only if they are wished
    (:mod:`lms_bridge.sync.unmatched` has a list of its own for them)."""
    return list(
        db.session.scalars(
            sa.select(SyncMapping)
            .where(
                SyncMapping.account_id.in_(account_ids),
                sa.or_(
                    SyncMapping.state.in_([MappingState.FAILED, MappingState.UNMATCHED]),
                    # Asked for, and neither answered nor to be seen.
                    sa.and_(SyncMapping.state == MappingState.SENDING, SyncMapping.last_error.is_not(None)),
                ),
                sa.true() if people else SyncMapping.kind != MappedKind.PERSON,
            )
            .order_by(SyncMapping.id.desc())
            .limit(limit)
        )
    )


def name_of(row: SyncMapping) -> str:
    """What people call the thing of a mapping."""
    said = row.sent.get("name") or row.sent.get("title")
    if not said and row.kind is MappedKind.ACTIVITY:
        said = gettext("course %(number)s", number=row.place)
    return str(said or row.remote_id or row.entity_id or row.id)


def error_of(row: SyncMapping) -> str:
    """Why it is not matched or was refused, in the language in force."""
    if row.kind is MappedKind.COURSE and not row.last_error:
        return gettext("no class here has the ID number of this course")
    if row.kind is MappedKind.ATTENDANCE and not row.last_error:
        return "; ".join(_without_mark(row))
    return said(row.last_error)


def _without_mark(row: SyncMapping) -> Iterator[str]:
    if row.sent.get("missing"):
        yield gettext("not recognised there: %(names)s", names=_some(row.sent["missing"]))
    if row.sent.get("refused"):
        yield gettext("not in the course there: %(names)s", names=_some(row.sent["refused"]))


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are: a whole class would hide what else is in the way."""
    shown = gettext(", ").join(names[:NAMED])
    more = len(names) - NAMED
    return gettext("%(names)s and %(count)s more", names=shown, count=more) if more > 0 else shown


def failed_mappings(account_uid: str | None) -> list[dict[str, Any]]:
    """:func:`troubled` as plain JSON, of one account or all."""
    chosen = [accounts.account_named(account_uid)] if account_uid else accounts.enabled_accounts()
    return [
        {"kind": row.kind, "state": row.state, "name": name_of(row), "error": error_of(row), "attempts": row.attempts}
        for row in troubled([account.id for account in chosen])
    ]


def retry_failed(account_uid: str | None) -> int:
    """Let refused events and marks be sent again at once; how many. Flushes."""
    chosen = [accounts.account_named(account_uid)] if account_uid else accounts.enabled_accounts()
    ids = [account.id for account in chosen]
    count = len(
        db.session.scalars(
            sa.update(SyncMapping)
            .where(
                SyncMapping.account_id.in_(ids),
                SyncMapping.kind.in_([MappedKind.EVENT, MappedKind.ATTENDANCE]),
                SyncMapping.state == MappingState.FAILED,
            )
            .values(next_try=now())
            .returning(SyncMapping.id)
            .execution_options(synchronize_session=False)
        ).all()
    )
    for number in ids:
        jobs.enqueue(PUSH, str(number))
    return count
