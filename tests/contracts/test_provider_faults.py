"""One table over all meeting providers: each call that speaks with the outside, each fault that its server can have, at
each of the requests that the call makes. It is said in words and in the right kind of error, nothing is half done,
nothing that was read of presence is lost, and all is well once the server is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial

import pytest

from lms_bridge.core.plugins import AccessRefused, Check, CheckState, EvidenceKind, PluginError, TemporaryFailure
from tests.contracts.json_api import Twist
from tests.contracts.meetings import LOOPBACK, SERVED, Fault, Rig, unknown_certificate
from tests.contracts.provider_calls import CALLS, Call, Scene
from tests.contracts.rigs import RIGS

MOST_REQUESTS = 20
LASTING = frozenset({Fault.REDIRECT, Fault.INTERNAL})
"""Faults that a repeat does not help against."""

SPARED = {
    ("bigbluebutton", "presence"): 2,
}
"""Calls that do without the answer to some request (its number): bbb-webhooks only makes polls exact."""

ASKING = [
    pytest.param(rig, call, id=f"{rig.name}-{call.name}".replace(" ", "_"))
    for rig in RIGS for call in CALLS
    if call.name in rig.asks
]  # fmt: skip
TABLE = [pytest.param(*row.values, fault, id=f"{row.id}-{fault}") for row in ASKING for fault in Fault]


def refusal(call: Call, scene: Scene, fault: Fault) -> PluginError | None:
    """What a call raises where the provider is set up as ``fault`` says, or its server behaves so; None: nothing."""
    rig = scene.rig
    try:
        if fault is Fault.CERTIFICATE:
            with unknown_certificate() as url:
                call.ask(rig.provider(url=url), scene.at(url))
        else:
            call.ask(rig.provider(networks=() if fault is Fault.INTERNAL else LOOPBACK), scene)
    except PluginError as error:
        return error
    return None


def assert_said(error: PluginError, fault: Fault) -> None:
    """It is the right kind of error, in words."""
    assert isinstance(error, TemporaryFailure) == (fault not in LASTING), repr(error)
    assert not isinstance(error, AccessRefused), "that waits for a person"
    assert error.text()
    assert "%(" not in error.text()
    if fault is Fault.BUSY:
        assert isinstance(error, TemporaryFailure)
        assert error.retry_after is not None
    if fault is Fault.REDIRECT:
        assert "sends LMS Bridge on" in error.text()
    if fault is Fault.CERTIFICATE:
        assert "certificate" in error.text()
    if fault is Fault.INTERNAL:
        assert "LMS_BRIDGE_INTERNAL_NETWORKS" in error.remedy_text()


@pytest.mark.parametrize(("kind", "call", "fault"), TABLE)
def test_whatever_the_server_does_at_whichever_request(kind: type[Rig], call: Call, fault: Fault) -> None:
    refused = 0
    for number in range(1, MOST_REQUESTS + 1):
        with closing(kind()) as rig:
            scene = call.scene(rig)
            most = max(1, len(rig.rooms()))
            if fault in SERVED:
                rig.fault(fault, after=number - 1)
            error = refusal(call, scene, fault)
            struck = fault not in SERVED or rig.struck()
            if error is not None:
                assert_said(error, fault)
                refused += 1
                if not struck:
                    assert fault is Fault.SLOW  # where much else runs, an honest answer may take as long
                    continue
            elif struck:
                assert number == SPARED.get((kind.name, call.name)) or scene.cursor, "a failure passed for a success"
            assert len(rig.rooms()) <= most
            if fault in SERVED:
                rig.well()
            call.done(scene, call.ask(rig.provider(), scene))
            assert len(rig.rooms()) <= most
        if not struck or fault not in SERVED:
            break
    assert number < MOST_REQUESTS
    assert refused or fault is Fault.EMPTY  # which is the truth where there is nothing to say


# --- what was read of presence --------------------------------------------------------------------------------------

REPORT = next(call for call in CALLS if call.name == "report")
REPORTED = [
    pytest.param(rig, fault, id=f"{rig.name}-{fault}")
    for rig in RIGS for fault in Fault
    if "report" in rig.asks and fault in SERVED - {Fault.SLOW}
]  # fmt: skip


@pytest.mark.parametrize(("kind", "fault"), REPORTED)
def test_a_report_that_does_not_come_keeps_no_other_back(kind: type[Rig], fault: Fault) -> None:
    """As LMS Bridge asks: for all together, and where that is refused for good, for each by itself."""
    with closing(kind()) as rig:
        scene = REPORT.scene(rig)
        first, second = scene.pairs
        rig.fault_of(second[1], fault)
        error = refusal(REPORT, scene, fault)
        if error is not None:
            assert_said(error, fault)
            assert fault in LASTING
            alone = replace(scene, more=())
            REPORT.ask(rig.provider(), alone)
        assert {(room, kind) for room, _, kind in scene.told()} == {
            (first[1].external_ids[0], kind) for kind in (EvidenceKind.JOINED, EvidenceKind.LEFT)
        }
        rig.well()
        REPORT.ask(rig.provider(), scene)
        REPORT.done(scene, None)


@pytest.mark.parametrize("kind", RIGS, ids=lambda rig: rig.name)
def test_a_call_that_is_not_in_the_table_asks_nobody(kind: type[Rig]) -> None:
    for call in CALLS:
        if call.name not in kind.asks:
            with closing(kind()) as rig:
                scene = call.scene(rig)
                before = rig.requests()
                call.ask(rig.provider(), scene)
                assert rig.requests() == before, call.name


# --- the check, which raises nothing --------------------------------------------------------------------------------

CHECKS = [pytest.param(rig, fault, id=f"{rig.name}-{fault}") for rig in RIGS for fault in Fault if "probe" in rig.asks]


def checked(rig: Rig, fault: Fault) -> list[Check]:
    """The points of the check of a provider that is set up as ``fault`` says, or whose server behaves so."""
    if fault is Fault.CERTIFICATE:
        with unknown_certificate() as url:
            return list(rig.provider(url=url).check())
    return list(rig.provider(networks=() if fault is Fault.INTERNAL else LOOPBACK).check())


@pytest.mark.parametrize(("kind", "fault"), CHECKS)
def test_the_check_says_what_is_wrong_and_raises_nothing(kind: type[Rig], fault: Fault) -> None:
    for number in range(1, MOST_REQUESTS + 1):
        with closing(kind()) as rig:
            if fault in SERVED:
                rig.fault(fault, after=number - 1)
            points = checked(rig, fault)
            struck = fault in SERVED and rig.struck()
        bad = [point for point in points if point.state is CheckState.FAILED]
        assert all(point.detail for point in bad)
        if number == 1:
            assert bad
        if not struck:
            break
    assert number < MOST_REQUESTS


# --- a room that is there no more -----------------------------------------------------------------------------------

ENDS = [row for row in ASKING if row.values[1].name in ("end", "take back")]


@pytest.mark.parametrize(("kind", "call"), ENDS)
def test_the_end_of_a_room_that_somebody_takes_away_meanwhile_is_done(kind: type[Rig], call: Call) -> None:
    for number in range(MOST_REQUESTS):
        with closing(kind()) as rig:
            scene = call.scene(rig)
            rig.twist(Twist(before=partial(rig.vanish, scene.made)), after=number)
            call.ask(rig.provider(), scene)
            call.done(scene, None)
            if not rig.struck():
                break
    assert 0 < number < MOST_REQUESTS


# --- data of another form -------------------------------------------------------------------------------------------

EVERYTHING = (str, int, float, type(None))
FORMS: tuple[Callable[[str], str], ...] = (
    lambda said: put_in(said, 10**30, int),  # first, while there is no token yet that says how long it is good
    lambda said: "null", lambda said: "7", lambda said: "<x/>",
    lambda said: "<response><returncode>SUCCESS</returncode></response>",
    lambda said: put_in(said, 7), lambda said: put_in(said, {"x": 7}), lambda said: put_in(said, "?"),
    lambda said: put_in(said, "?", int), lambda said: put_in(said, 7, list), lambda said: put_in(said, [7], list),
    # a name that was cut off in the middle of a character
    lambda said: said.replace(r"\u674e\u534e", r"\u674e\ud83d"),
)  # fmt: skip


def put_in(said: str, value: object, of: type | tuple[type, ...] = EVERYTHING) -> str:
    """JSON with the innermost values of that type replaced; of XML all texts but that of success."""

    def changed(found: object) -> object:
        inner: object = found
        if isinstance(found, dict):
            inner = {name: changed(one) for name, one in found.items()}
        elif isinstance(found, list):
            inner = [changed(one) for one in found]
        return value if isinstance(found, of) and (inner == found) else inner

    if said.startswith("<"):
        return re.sub(r">(?!SUCCESS)[^<]+</", f">{value}</", said)
    return json.dumps(changed(json.loads(said))) if said else said


@pytest.mark.parametrize(("kind", "call"), ASKING)
def test_data_of_another_form_is_refused_in_words_or_not_looked_at(kind: type[Rig], call: Call) -> None:
    with closing(kind()) as rig:
        scene = call.scene(rig)
        for form in FORMS:
            for number in range(MOST_REQUESTS):
                rig.twist(Twist(form=form), after=number)
                scene.cursor = {}
                with suppress(PluginError):
                    call.ask(rig.provider(), scene)
                if not rig.struck():
                    break
