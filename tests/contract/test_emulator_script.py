"""Fault scripts and turns of the clock as they are posted, and a fuzz of all routes that take something."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.sandbox.emulator.control import ACTION_BYTES_MAX, SCRIPT_BYTES_MAX
from bot.sandbox.emulator.fault_rules import CallbackFault, CallFault, When
from bot.sandbox.emulator.fault_script import FAULTS_MAX, ScriptError, read_script
from bot.sandbox.emulator.faults import STANDING_MAX
from bot.sandbox.emulator.turning import BadTurn, By, read_turn
from bot.sandbox.emulator.wire import Json

from .emulator_rig import BUYER, NOON, Rig, rig, standing_alone

SOUND: dict[str, Json] = {"id": "a", "on": "call", "what": "cut"}


def script(*faults: Json) -> bytes:
    return json.dumps({"faults": list(faults)}).encode()


def mistakes(raw: bytes) -> dict[str, str]:
    with pytest.raises(ScriptError) as caught:
        read_script(raw)
    return caught.value.mistakes


def test_a_script_is_read_field_by_field() -> None:
    read = read_script(
        script(
            {
                "id": "a",
                "on": "call",
                "what": "slow",
                "moment": "after",
                "platform": "oa",
                "account": "main",
                "endpoint": "sends",
                "seconds": 1.5,
                "after": 2,
                "every": 3,
                "probability": 0.5,
                "seed": 7,
                "count": 4,
                "from_s": 1,
                "for_s": 60,
            },
            {"id": "b", "on": "callback", "what": "overlap", "kind": "text", "sender": "o1", "signature": "same"},
        )
    )
    when = When(after=2, every=3, probability=0.5, seed=7, count=4, from_s=1, for_s=60)
    assert read.faults == (
        CallFault(
            fault_id="a", what="slow", moment="after", platform="oa", account="main", endpoint="sends", seconds=1.5,
            when=when,
        ),
        CallbackFault(fault_id="b", what="overlap", kind="text", sender="o1", signature="same"),
    )  # fmt: skip
    assert not read.clear


def test_every_mistake_of_a_script_is_told_at_once() -> None:
    found = mistakes(
        script(
            {"id": "a", "on": "call", "what": "errcode", "endpoint": "send", "probability": 0.5},
            {"id": "a b", "on": "callback", "what": "fly", "seconds": -1},
            {"id": "c", "on": "sky", "what": "lost"},
            {"id": "d", "on": "callback", "what": "delayed"},
            {"on": "call", "what": "drop", "moment": "after", "colour": "red"},
        )
    )
    assert sorted(found) == [
        *("faults.0", "faults.1.id", "faults.1.seconds", "faults.1.what", "faults.2", "faults.3"),
        *("faults.4.colour", "faults.4.id"),
    ]
    assert [part in found["faults.0"] for part in ("`seed`", "`code`", "`endpoint`")] == [True] * 3
    assert "`seconds`" in found["faults.3"]


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (b"", ""),
        (b"\xff", ""),
        (b"[" * 100_000, ""),
        (b"[]", ""),
        (b'{"fault": []}', "fault"),
        (b'{"faults": {}}', "faults"),
        (b'{"clear": 1}', "clear"),
        (script(SOUND, SOUND), ""),
        (script({**SOUND, "count": 0}), "faults.0.count"),
        (script({**SOUND, "every": 0}), "faults.0.every"),
        (script({**SOUND, "seconds": True}), "faults.0.seconds"),
        (script({**SOUND, "for_s": float("inf")}), "faults.0.for_s"),
        (script({**SOUND, "seconds": float("nan")}), "faults.0.seconds"),
        (script({**SOUND, "status": 404}), "faults.0.status"),
        (script(*({**SOUND, "id": f"a{n}"} for n in range(FAULTS_MAX + 1))), "faults"),
        (script({**SOUND, "what": "token_killed", "moment": "after"}), "faults.0"),
    ],
)
def test_a_script_that_is_wrong_says_where(raw: bytes, where: str) -> None:
    assert where in mistakes(raw)


async def test_a_refused_script_puts_nothing_in_force() -> None:
    async with rig() as ready:
        status, text = await ready.control("POST", "/_emulator/faults", script(SOUND, {**SOUND, "id": "b", "on": ""}))
        assert (status, list(json.loads(text)["mistakes"])) == (400, ["faults.1"])
        assert ready.emulator.faults.state() == {}


async def test_there_is_a_limit_to_the_faults_in_force() -> None:
    async with rig() as ready:
        for start in range(0, STANDING_MAX, FAULTS_MAX):
            await ready.put_in_force(*({**SOUND, "id": f"a{start + n}"} for n in range(FAULTS_MAX)))
        assert (await ready.control("POST", "/_emulator/faults", script(SOUND)))[0] == 409
        await ready.put_in_force({**SOUND, "id": "a0"})
        cleared = json.dumps({"clear": True, "faults": [SOUND]}).encode()
        assert json.loads((await ready.control("POST", "/_emulator/faults", cleared))[1])["faults"].keys() == {"a"}


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"null", b"{}", b'{"advance_s": true}', b'{"advance_s": -1}', b'{"advance_s": 1e300}', b'{"to": 5}'),
        *(b'{"advance_s": NaN}', b'{"to": "tomorrow"}', b'{"advance_s": 1, "to": "2026-05-02T00:00:00Z"}'),
        *(b'{"to": "2026-05-02T00:00:00"}', b'{"to": "2026-04-30T00:00:00Z"}', b'{"to": "2036-05-02T00:00:00Z"}'),
    ],
)
async def test_a_turn_of_the_clock_that_means_nothing_is_refused(raw: bytes) -> None:
    async with rig(around=standing_alone) as ready:
        assert (await ready.control("POST", "/_emulator/clock", raw))[0] == 400
        assert ready.clock.now() == NOON


async def test_turning_the_clock_moves_windows_and_not_the_dates_of_callbacks() -> None:
    async with rig(around=standing_alone) as ready:
        await ready.act("follow")
        status, text = await ready.control("POST", "/_emulator/clock", {"advance_s": 61})
        assert (status, json.loads(text)) == (200, {"now": (NOON + timedelta(seconds=61)).isoformat()})
        assert await ready.send_text() == 45015
        await ready.control("POST", "/_emulator/clock", {"to": (NOON + timedelta(hours=1)).isoformat()})
        await ready.act("say", text="你好")
        assert await ready.send_text() == 0
        assert int(ready.receiver.received[-1].query["timestamp"]) == NOON.timestamp()
        assert int(ready.receiver.opened()["CreateTime"]) == NOON.timestamp()


async def test_a_clock_that_belongs_to_somebody_else_is_not_turned() -> None:
    async with rig() as ready:
        assert (await ready.control("POST", "/_emulator/clock", {"advance_s": 1}))[0] == 409
        assert ready.clock.now() == NOON


def test_a_turn_is_read_as_whole_or_broken_seconds() -> None:
    assert read_turn(b'{"advance_s": 0.5}') == By(delta=timedelta(seconds=0.5))
    with pytest.raises(BadTurn):
        read_turn(b"[" * 100_000)


async def test_a_body_that_is_too_long_is_refused() -> None:
    async with rig(around=standing_alone) as ready:
        for name, limit in (("act", ACTION_BYTES_MAX), ("clock", ACTION_BYTES_MAX), ("faults", SCRIPT_BYTES_MAX)):
            assert (await ready.control("POST", f"/_emulator/{name}", b" " * (limit + 1)))[0] == 413


@pytest.mark.parametrize("after", ["-1", "x", "", "1.5", "9" * 30, "²", "1 "])
async def test_the_log_is_asked_for_from_a_line_on(after: str) -> None:
    async with rig() as ready:
        assert (await ready.control("GET", f"/_emulator/log?after={after}"))[0] == 400


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([BUYER, "zhangmin", "main", "call", "callback", "cut", "say", "follow", "scan", "\x00", "\ud800"]),
)
KEYS = st.one_of(
    st.sampled_from(["do", "openid", "staff_id", "text", "faults", "clear", "id", "on", "what", "advance_s", "to"]),
    st.sampled_from(["seconds", "account", "scene", "key", "when", "kind"]),
    st.text(max_size=5),
)
TREES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=12,
)
BODIES = st.one_of(st.binary(max_size=60), TREES.map(lambda tree: json.dumps(tree).encode()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(BODIES, min_size=1, max_size=8))
async def test_whatever_is_posted_is_answered_and_is_never_a_failure_of_the_emulator(bodies: list[bytes]) -> None:
    async with rig(around=standing_alone) as ready:
        ready.emulator.set_callback("oa", "main", "")
        ready.emulator.set_callback("wecom", "main", "")
        for body in bodies:
            for name in ("act", "faults", "clock"):
                status, text = await ready.control("POST", f"/_emulator/{name}", body)
                assert status in (200, 400, 409, 501), (name, body, status, text)
                assert status == 200 or json.loads(text)["error"]
        assert await still_serves(ready)


async def still_serves(ready: Rig) -> bool:
    """Whether log and state can still be read, whatever was put into them."""
    return (await ready.control("GET", "/_emulator/state"))[0] == 200 and len(await ready.logged()) >= 0


def test_a_script_in_a_file_is_read_like_one_that_is_posted(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_bytes(script(SOUND))
    assert read_script(path.read_bytes()).faults == (CallFault(fault_id="a", what="cut"),)
