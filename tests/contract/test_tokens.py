"""Access tokens: one request however many wait, renewed in time, parked when refused, forced rarely."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.channels.tokens import FORCED_A_DAY_MAX, Grant, Tokens
from bot.errors import ChannelError, Forbidden, TryLater, Unauthorised, Unknown

from .posting import StillClock
from .vendor import SECRET, Ways, hang_up, status, ways

STABLE = "/cgi-bin/stable_token"


class Source:
    """A platform's token office: the present token until it is told to change it, or forced."""

    def __init__(self) -> None:
        self.calls: list[bool] = []
        self.number = 1
        self.lifetime_s = 7200
        self.failure: ChannelError | None = None
        self.gate: asyncio.Event | None = None

    async def __call__(self, *, force: bool) -> Grant:
        self.calls.append(force)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.number += force
        return Grant(access_token=f"t{self.number}", expires_in_s=self.lifetime_s)


def _tokens(source: Source, clock: StillClock, *, can_force: bool = True) -> Tokens:
    return Tokens(fetch=source, clock=clock, can_force=can_force)


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
    assert await tokens.replace("t1") == "t5"
    assert source.calls == [False, False]
    assert await tokens.replace("t5") == "t6"
    assert source.calls == [False, False, False, True]


async def test_callers_with_the_same_refused_token_cause_one_renewal(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    await tokens.current()
    renewed = await asyncio.gather(*(tokens.replace("t1") for _ in range(10)))
    assert set(renewed) == {"t2"}
    assert source.calls == [False, False, True]


async def test_a_caller_that_comes_late_with_an_old_token_gets_the_new_one(source: Source, clock: StillClock) -> None:
    tokens = _tokens(source, clock)
    await tokens.current()
    await tokens.replace("t1")
    calls = len(source.calls)
    assert await tokens.replace("t1") == "t2"
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
        token = await tokens.replace(token)
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
    assert tokens.trouble is None


async def test_an_account_parked_by_its_caller_is_probed_after_thirty_seconds(
    source: Source, clock: StillClock
) -> None:
    tokens = _tokens(source, clock)
    await tokens.current()
    tokens.park("t1", Unauthorised("refused twice"))
    with pytest.raises(Unauthorised):
        await tokens.current()
    clock.at += timedelta(seconds=30)
    source.number = 9
    assert await tokens.current() == "t9"


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
