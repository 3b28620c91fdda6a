"""Access tokens: one request however many wait, renewed in time, parked when refused, forced rarely."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.channels.tokens import FORCED_A_DAY_MAX, LOOK_AGAIN_AFTER, Grant, Pass, Tokens
from bot.core.access import KeptToken, fingerprint
from bot.core.messages import Text
from bot.errors import ChannelError, Forbidden, TryLater, Unauthorised, Unknown

from .memory_vault import MemoryVault
from .posting import StillClock
from .vendor import SECRET, Ways, effect, hang_up, status, ways

STABLE = "/cgi-bin/stable_token"
CUSTOM = "/cgi-bin/message/custom/send"


class Source:
    """A platform's token office: the present token until it is told to change it, or forced."""

    def __init__(self) -> None:
        self.calls: list[bool] = []
        self.number = 1
        self.lifetime_s = 7200
        self.failure: ChannelError | None = None
        self.gate: asyncio.Event | None = None
        self.fails_when_forced = False

    async def __call__(self, *, force: bool) -> Grant:
        self.calls.append(force)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        if force and self.fails_when_forced:
            raise Unknown("no answer")
        self.number += force
        return Grant(access_token=f"t{self.number}", expires_in_s=self.lifetime_s)


def _tokens(source: Source, clock: StillClock, *, can_force: bool = True, vault: MemoryVault | None = None) -> Tokens:
    return Tokens(name="oa:main", fetch=source, clock=clock, can_force=can_force, vault=vault or MemoryVault())


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def out() -> AsyncIterator[Ways]:
    async with ways() as both:
        yield both


async def test_many_callers_share_one_request(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    assert await asyncio.gather(*(tokens.current() for _ in range(20))) == ["t1"] * 20
    assert source.calls == [False]


async def test_a_token_is_used_until_a_minute_before_its_end(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    await tokens.current()
    clock.at += timedelta(seconds=7139)
    await tokens.current()
    assert len(source.calls) == 1
    clock.at += timedelta(seconds=1)
    await tokens.current()
    assert len(source.calls) == 2


async def test_a_token_of_few_seconds_is_used_for_half_of_them(source: Source, clock: StillClock) -> None:
    source.lifetime_s = 10
    tokens = _tokens(source, clock)
    await tokens.current()
    clock.at += timedelta(seconds=4)
    await tokens.current()
    assert len(source.calls) == 1


async def test_the_old_token_serves_while_it_lives_and_no_new_one_can_be_had(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    await tokens.current()
    clock.at += timedelta(seconds=7150)
    source.failure = TryLater("down", after_s=5)
    assert await tokens.current() == "t1"
    assert tokens.trouble == "down"
    clock.at += timedelta(seconds=50)
    with pytest.raises(TryLater):
        await tokens.current()


async def test_a_platform_that_is_down_is_asked_every_thirty_seconds(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    source.failure = TryLater("down", after_s=5)
    for _ in range(3):
        with pytest.raises(TryLater):
            await tokens.current()
    assert len(source.calls) == 1
    clock.at += timedelta(seconds=20)
    with pytest.raises(TryLater) as caught:
        await tokens.current()
    assert caught.value.after_s == 10
    clock.at += timedelta(seconds=10)
    source.failure = None
    assert await tokens.current() == "t1"
    assert tokens.trouble is None


@pytest.mark.parametrize("failure", [Unauthorised("wrong secret"), Forbidden("unknown address")])
async def test_a_refusal_stays_the_same_while_parked(source: Source, clock: StillClock, failure: ChannelError) -> None:
    tokens = _tokens(source, clock)
    source.failure = failure
    for _ in range(2):
        with pytest.raises(type(failure), match=failure.what):
            await tokens.current()
    assert len(source.calls) == 1


async def test_a_lost_request_for_a_token_is_try_later(source: Source, clock: StillClock) -> None:
    source.failure = Unknown("no answer")
    with pytest.raises(TryLater):
        await _tokens(source, clock).current()


async def test_a_refused_token_is_forced_only_when_the_platform_repeats_it(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    await tokens.current()
    source.number = 5
    assert await tokens.replace("t1") == Pass(token="t5", is_new=True)
    assert source.calls == [False, False]
    assert await tokens.replace("t5") == Pass(token="t6", is_new=True)
    assert source.calls == [False, False, False, True]


async def test_callers_with_the_same_refused_token_cause_one_renewal(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    await tokens.current()
    renewed = await asyncio.gather(*(tokens.replace("t1") for _ in range(10)))
    assert {one.token for one in renewed} == {"t2"}
    assert source.calls == [False, False, True]


async def test_a_caller_that_comes_late_with_an_old_token_gets_the_new_one(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    await tokens.current()
    await tokens.replace("t1")
    calls = len(source.calls)
    assert await tokens.replace("t1") == Pass(token="t2")
    assert len(source.calls) == calls


async def test_tokens_are_forced_at_most_every_thirty_seconds(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    await tokens.replace(await tokens.current())
    clock.at += timedelta(seconds=10)
    with pytest.raises(TryLater) as caught:
        await tokens.replace("t2")
    assert caught.value.after_s == 20
    clock.at += timedelta(seconds=30)
    assert await tokens.current() == "t3"
    assert source.calls.count(True) == 2


async def test_tokens_are_forced_at_most_ten_times_a_day(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    token = await tokens.current()
    for _ in range(FORCED_A_DAY_MAX):
        token = (await tokens.replace(token)).token
        clock.at += timedelta(minutes=1)
    with pytest.raises(Unauthorised):
        await tokens.replace(token)
    assert source.calls.count(True) == FORCED_A_DAY_MAX


async def test_a_platform_without_force_that_repeats_a_refused_token_parks_the_account(
    source: Source, clock: StillClock
) -> None:
    tokens = _tokens(source, clock, can_force=False)
    with pytest.raises(Unauthorised):
        await tokens.replace(await tokens.current())
    assert source.calls == [False, False]


async def test_a_token_that_cannot_be_forced_out_is_tried_again_when_the_account_is_probed(
    source: Source, clock: StillClock
) -> None:
    """Before: one stray refusal silenced a WeCom application for the two hours for which gettoken repeats its token."""
    tokens = _tokens(source, clock, can_force=False)
    with pytest.raises(Unauthorised):
        await tokens.replace(await tokens.current())
    clock.at += timedelta(seconds=30)
    assert await tokens.current() == "t1"
    await tokens.accepted("t1")
    assert tokens.trouble is None


async def test_an_account_parked_by_its_caller_is_probed_with_the_same_token_after_thirty_seconds(
    source: Source, clock: StillClock
) -> None:
    tokens = _tokens(source, clock)
    await tokens.current()
    await tokens.park("t1", Unauthorised("refused though it is new"))
    with pytest.raises(Unauthorised):
        await tokens.current()
    clock.at += timedelta(seconds=30)
    assert await tokens.current() == "t1"
    assert len(source.calls) == 1


async def test_a_probe_that_is_refused_parks_again_without_a_refresh(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    await tokens.park(await tokens.current(), Unauthorised("refused though it is new"))
    for _ in range(5):
        clock.at += timedelta(seconds=30)
        with pytest.raises(Unauthorised):
            await tokens.replace(await tokens.current())
        with pytest.raises(Unauthorised):
            await tokens.current()
    assert len(source.calls) == 1


async def test_a_probe_that_passes_ends_the_trouble_for_everybody(source: Source, clock: StillClock) -> None:
    vault = MemoryVault()
    tokens = _tokens(source, clock, vault=vault)
    await tokens.park(await tokens.current(), Unauthorised("refused though it is new"))
    assert vault.kept.is_hopeless
    clock.at += timedelta(seconds=30)
    await tokens.accepted(await tokens.current())
    assert tokens.trouble is None
    assert not vault.kept.is_hopeless


async def test_a_hopeless_token_is_looked_for_again_every_ten_minutes_and_replaced_when_there_is_another(
    source: Source, clock: StillClock
) -> None:
    tokens = _tokens(source, clock)
    await tokens.park(await tokens.current(), Unauthorised("refused though it is new"))
    source.number = 9
    clock.at += LOOK_AGAIN_AFTER - timedelta(seconds=1)
    assert await tokens.current() == "t1"
    clock.at += timedelta(seconds=1)
    assert await tokens.current() == "t9"
    assert source.calls == [False, False]


async def test_a_token_forced_out_in_vain_is_not_forced_again_for_an_hour(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    forced = await tokens.replace(await tokens.current())
    await tokens.park(forced.token, Unauthorised("refused though it is new"))
    for _ in range(5):
        clock.at += LOOK_AGAIN_AFTER
        with pytest.raises(Unauthorised):
            await tokens.current()
    assert source.calls.count(True) == 1
    clock.at += LOOK_AGAIN_AFTER
    assert await tokens.current() == "t3"
    assert source.calls.count(True) == 2


async def test_a_caller_that_gives_up_leaves_the_request_to_the_others(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    source.gate = asyncio.Event()
    hasty = asyncio.create_task(tokens.current())
    patient = asyncio.create_task(tokens.current())
    while not source.calls:
        await asyncio.wait([hasty], timeout=0)
    hasty.cancel()
    source.gate.set()
    assert await patient == "t1"
    assert source.calls == [False]


async def test_an_official_account_asks_for_a_stable_token(out: Ways) -> None:
    await out.oa.prepare()
    assert out.vendor.of(STABLE)[0].body == {
        "grant_type": "client_credential",
        "appid": "wx1",
        "secret": SECRET,
        "force_refresh": False,
    }


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        ({"errcode": 40125, "errmsg": "invalid appsecret"}, Unauthorised),
        ({"errcode": 40164, "errmsg": "invalid ip"}, Forbidden),
        ({"errcode": 45011, "errmsg": "api minute-quota reached"}, TryLater),
        ({"errcode": -1, "errmsg": "system error"}, TryLater),
        ({"access_token": "", "expires_in": 7200}, TryLater),
        ({"access_token": "t", "expires_in": "soon"}, TryLater),
        (hang_up, TryLater),
        (status(503), TryLater),
    ],
)
async def test_no_token_says_what_to_do_and_that_nothing_was_sent(
    out: Ways, answer: object, decision: type[ChannelError]
) -> None:
    out.vendor.will_answer(STABLE, answer)  # type: ignore[arg-type]  # a row of a table
    with pytest.raises(ChannelError) as caught:
        await out.oa.prepare()
    assert type(caught.value) is decision
    assert SECRET not in f"{caught.value!r} {caught.value}"


def test_a_grant_shows_no_token() -> None:
    assert "hush" not in repr(Grant(access_token="hush", expires_in_s=1))


async def test_a_restart_uses_the_token_that_was_kept(source: Source, clock: StillClock) -> None:
    vault = MemoryVault()
    assert await _tokens(source, clock, vault=vault).current() == "t1"
    assert await _tokens(source, clock, vault=vault).current() == "t1"
    assert source.calls == [False]


async def had(tokens: Tokens) -> str:
    """Its token, asked for again while another process is slow to fetch it, as a sender does."""
    for _ in range(20):
        try:
            return await tokens.current()
        except TryLater:
            continue
    raise AssertionError("no token for a minute")


async def test_two_processes_that_need_a_token_at_once_ask_once(source: Source, clock: StillClock) -> None:
    vault = MemoryVault()
    ours, theirs = (_tokens(source, clock, vault=vault) for _ in range(2))
    source.gate = asyncio.Event()
    first = asyncio.create_task(had(ours))
    while not source.calls:
        await asyncio.wait([first], timeout=0)
    second = asyncio.create_task(had(theirs))
    source.gate.set()
    assert await asyncio.gather(first, second) == ["t1", "t1"]
    assert source.calls == [False]


async def test_the_old_token_serves_while_another_process_fetches(source: Source, clock: StillClock) -> None:
    vault = MemoryVault()
    tokens = _tokens(source, clock, vault=vault)
    await tokens.current()
    clock.at += timedelta(seconds=7150)
    vault.holder = "another process"
    assert await tokens.current() == "t1"
    assert source.calls == [False]
    assert tokens.trouble is None


async def test_a_token_that_another_process_replaced_is_taken_from_the_vault(source: Source, clock: StillClock) -> None:
    vault = MemoryVault()
    ours, theirs = (_tokens(source, clock, vault=vault) for _ in range(2))
    await ours.current()
    await theirs.current()
    assert (await ours.replace("t1")).token == "t2"
    assert await theirs.replace("t1") == Pass(token="t2")
    assert source.calls == [False, False, True]


async def test_a_count_of_forced_tokens_outlives_the_process(source: Source, clock: StillClock) -> None:
    vault = MemoryVault()
    await _tokens(source, clock, vault=vault).replace(await _tokens(source, clock, vault=vault).current())
    with pytest.raises(TryLater):
        await _tokens(source, clock, vault=vault).replace("t2")
    assert source.calls.count(True) == vault.kept.forced_count == 1


async def test_a_forced_token_is_counted_before_it_is_asked_for(source: Source, clock: StillClock) -> None:
    vault = MemoryVault()
    tokens = _tokens(source, clock, vault=vault)
    await tokens.current()
    source.fails_when_forced = True
    with pytest.raises(TryLater):
        await tokens.replace("t1")
    assert vault.kept.forced_count == 1


async def test_a_new_day_begins_the_count_of_forced_tokens_again(source: Source, clock: StillClock) -> None:
    vault = MemoryVault()
    tokens = _tokens(source, clock, vault=vault)
    token = await tokens.current()
    for _ in range(FORCED_A_DAY_MAX):
        token = (await tokens.replace(token)).token
        clock.at += timedelta(minutes=1)
    clock.at += timedelta(days=1)
    source.lifetime_s = 300_000
    token = (await tokens.replace(await tokens.current())).token
    assert vault.kept.forced_count == 1


async def test_a_token_that_no_key_opens_is_fetched_again(source: Source, clock: StillClock) -> None:
    vault = MemoryVault(kept=KeptToken(generation=4, unreadable=True))
    assert await _tokens(source, clock, vault=vault).current() == "t1"
    assert (vault.kept.token, vault.kept.generation, vault.kept.unreadable) == ("t1", 5, False)


async def test_a_vault_that_cannot_be_read_is_try_later_and_asks_nobody(source: Source, clock: StillClock) -> None:
    vault = MemoryVault(broken=True)
    tokens = _tokens(source, clock, vault=vault)
    with pytest.raises(TryLater):
        await tokens.current()
    assert source.calls == []
    vault.broken = False
    assert await tokens.current() == "t1"


async def test_a_token_that_cannot_be_kept_is_used_all_the_same(source: Source, clock: StillClock) -> None:
    vault = MemoryVault(breaks_on_swap=True)
    tokens = _tokens(source, clock, vault=vault)
    assert await tokens.current() == "t1"
    assert await tokens.current() == "t1"
    assert source.calls == [False]


async def test_a_message_that_left_is_not_lost_because_the_vault_fails_afterwards(
    source: Source, clock: StillClock
) -> None:
    vault = MemoryVault()
    tokens = _tokens(source, clock, vault=vault)
    await tokens.park(await tokens.current(), Unauthorised("refused though it is new"))
    vault.broken = True
    await tokens.accepted("t1")
    assert tokens.trouble is None


async def test_of_two_tokens_fetched_in_one_generation_the_one_that_was_kept_first_is_used(
    source: Source, clock: StillClock
) -> None:
    """A lease that ended while its holder was slow: whoever came after may have killed the slow one's token."""
    vault = MemoryVault()
    slow = _tokens(source, clock, vault=vault)
    source.gate = asyncio.Event()
    late = asyncio.create_task(slow.current())
    while not source.calls:
        await asyncio.wait([late], timeout=0)
    vault.kept = KeptToken(
        generation=1,
        token="theirs",
        fresh_until=clock.at + timedelta(hours=1),
        dead_at=clock.at + timedelta(hours=1),
    )
    source.gate.set()
    assert await late == "theirs"
    assert vault.kept.token == "theirs"


def test_a_kept_token_shows_nothing_of_itself() -> None:
    kept = KeptToken(token="hush", refused=fingerprint("hush"))
    assert "hush" not in repr(kept)
    assert "hush" not in repr(Pass(token="hush"))


def _refreshes(out: Ways) -> tuple[int, int]:
    asked = [one.body["force_refresh"] for one in out.vendor.of(STABLE)]
    return asked.count(False), asked.count(True)


async def test_a_platform_that_answers_40014_for_ever_gets_one_refresh_and_then_a_probe_every_30_seconds(
    out: Ways,
) -> None:
    out.vendor.repeats_its_token = True
    out.vendor.will_answer(CUSTOM, *[{"errcode": 40014, "errmsg": "invalid access_token"}] * 100)
    with pytest.raises(Unauthorised):
        await out.oa.send(effect(Text(text="您好")))
    assert (len(out.vendor.of(CUSTOM)), _refreshes(out)) == (2, (2, 1))
    for _ in range(8 * 60 // 10):
        out.clock.at += timedelta(seconds=10)
        with pytest.raises(Unauthorised):
            await out.oa.send(effect(Text(text="您好")))
    assert (len(out.vendor.of(CUSTOM)), _refreshes(out)) == (2 + 16, (2, 1))
    assert out.oa.trouble is not None
    out.vendor.answers.clear()
    out.clock.at += timedelta(seconds=30)
    await out.oa.send(effect(Text(text="您好")))
    assert out.oa.trouble is None
