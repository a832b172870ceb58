"""The exchange with an LMS by command."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from lms_bridge.cli import main, sync
from lms_bridge.core.clock import at, now
from lms_bridge.core.database import db, transaction
from lms_bridge.sync import leases, runs
from lms_bridge.sync.models import LmsAccount
from tests.contracts.moodle_server import Fault, member
from tests.web.test_sync import World, world

__all__ = ["world"]


@pytest.fixture(autouse=True)
def here(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in this process, in English."""
    monkeypatch.setattr(sync, "application", lambda: nullcontext(app))
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")


def said(*arguments: str, code: int = 0, typed: str = "") -> str:
    """What ``sync ...`` prints, and that it ends with ``code``."""
    db.session.rollback()
    db.session.expire_all()
    done = CliRunner().invoke(main, ["sync", *arguments], input=typed)
    assert done.exit_code == code, done.output
    return done.output


def test_an_account_is_removed_once_a_person_says_so(world: World) -> None:
    uid = world.account.uid
    said("run", "roster")
    assert "people: 1" in said("remove", uid, typed="n\n", code=1)
    assert uid in said("list")
    assert "Our Moodle is removed" in said("remove", uid, "--yes")
    assert said("list") == ""


def test_a_removal_waits_for_an_lms_that_is_down_and_can_be_stopped(world: World) -> None:
    said("run", "roster")
    said("run", "events")
    world.moodle.faults["core_calendar_delete_calendar_events"] = [Fault("<html>busy</html>", 503)]
    assert "HTTP status 503" in said("remove", world.account.uid, "--clear", "--yes", code=1)
    assert "is kept" in said("remove", world.account.uid, "--keep")
    db.session.expire_all()
    assert db.session.scalars(sa.select(LmsAccount.removal)).one() is None
    assert len(world.moodle.events) == 1


def test_a_run_says_that_another_job_has_to_be_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said("run", "roster")
    monkeypatch.setattr(leases, "BUSY_PAUSE", timedelta(seconds=0.01))
    monkeypatch.setattr(runs, "WAITS", 2)
    until = now() + leases.LEASE
    with transaction():
        db.session.execute(sa.update(LmsAccount).values(busy_until=until, busy_by="killed:1:1"))
    printed = said("run", "events", code=1)
    assert printed.count("is waited for") == 1
    assert "free after 6 minutes" in printed
    assert "Another job still writes into this LMS. It will be tried again by itself." in printed
    with at(until + timedelta(seconds=1)):
        assert "created: 1" in said("run", "events")


def test_a_dry_run_names_what_it_counts_where_that_is_wished(world: World) -> None:
    world.moodle.members[2] = [member(number) for number in range(100, 160)]
    assert "孙" not in said("run", "roster", "--dry-run")
    listed = said("run", "roster", "--dry-run", "--names")
    assert "people_unmatched: 60" in listed
    assert listed.count(world.moodle.members[2][0]["lastname"]) == 50
    assert "and 10 more" in listed
