"""What an operator decides, on either database: who is told, what moves, and what is refused."""

import pytest

from bot.core.events import Event
from bot.core.ids import CustomerId, EffectId
from bot.errors import BotError, Unreadable
from bot.runtime import retry
from bot.runtime.quarantine import read_back, written
from bot.runtime.why import lines, tell
from bot.storage import OutboxLine, Storage
from tests.storage.makers import (
    TurnedClock,
    begin,
    carry_out,
    claimed,
    event,
    ingest,
    later,
    lease,
    newcomer,
    send,
    settle,
    staff_event,
    write,
)


async def survey(storage: Storage) -> retry.Survey:
    return await storage.read(retry.survey)


async def unknown(storage: Storage, *, expires_at: float | None = None) -> CustomerId:
    """A customer with one message of unknown fate, called A."""
    anna = (await newcomer(storage)).customer_id
    await carry_out(storage, anna, send("A", expires_at=None if expires_at is None else later(expires_at)))
    await lease(storage)
    await begin(storage, "A")
    await settle(storage, "A", "unknown", reason="no_verdict")
    return anna


async def line_of(storage: Storage, name: str = "A") -> OutboxLine:
    found = await storage.read(lambda tx: tx.outbox.of(EffectId(name)))
    assert found is not None
    return found


async def told(storage: Storage, customer_id: CustomerId) -> list[str]:
    return [line.text for line in lines(await storage.read(lambda tx: tell(tx, customer_id)))]


async def decide(storage: Storage, words: str, *, again: bool) -> None:
    act = retry.send_again if again else retry.leave
    await write(storage, lambda tx: act(tx, retry.find_send(tx, words)))


async def test_nothing_waits_in_an_empty_house(storage: Storage) -> None:
    assert (await survey(storage)).is_empty


async def test_a_parked_lane_is_listed_with_what_it_holds_and_goes_on_in_order(storage: Storage) -> None:
    anna = (await newcomer(storage)).customer_id
    await ingest(storage, event("one", at=1))
    await ingest(storage, event("two", at=2))
    await write(storage, lambda tx: tx.lanes.park(anna, seq=2, reason="KeyError at core/x.py:1"))
    assert await claimed(storage) == []
    (still,) = (await survey(storage)).lanes
    assert (still.name, still.held, still.reason) == (str(anna), 2, "KeyError at core/x.py:1")
    await write(storage, lambda tx: retry.release(tx, retry.find_lane(tx, "oAnna")))
    assert await claimed(storage) == ["one", "two"]
    assert (await survey(storage)).is_empty
    assert "运营让停住的泳道接着处理（当时停在：KeyError at core/x.py:1；排队 2 件）" in await told(storage, anna)


async def test_the_lane_of_an_account_is_named_after_it(storage: Storage) -> None:
    await ingest(storage, staff_event("word"))
    lane = await storage.read(lambda tx: tx.deciding.account_lane("app", "main"))
    assert lane is not None
    await write(storage, lambda tx: tx.lanes.park(lane, seq=1, reason="TypeError"))
    assert [still.name for still in (await survey(storage)).lanes] == ["app:main"]
    await write(storage, lambda tx: retry.release(tx, retry.find_lane(tx, "app:main")))
    assert (await survey(storage)).is_empty


@pytest.mark.parametrize("words", ["oNobody", "oa:nowhere", "999999"])
async def test_a_lane_of_nobody_is_refused_with_the_cure(storage: Storage, words: str) -> None:
    with pytest.raises(BotError) as found:
        await storage.read(lambda tx: retry.find_lane(tx, words))
    assert found.value.hint


async def test_a_lane_that_goes_on_is_refused(storage: Storage) -> None:
    await newcomer(storage)
    with pytest.raises(BotError, match="没有停住"):
        await storage.read(lambda tx: retry.find_lane(tx, "oAnna"))


async def test_a_message_of_unknown_fate_leaves_once_more_and_the_journal_tells_who_decided(storage: Storage) -> None:
    anna = await unknown(storage)
    assert [line.effect.effect_id for line in (await survey(storage)).sends] == ["A"]
    await decide(storage, " a ", again=True)
    line = await line_of(storage)
    assert (line.state, line.reason, line.repeats) == ("ready", "operator", 1)
    assert (await survey(storage)).is_empty
    with pytest.raises(BotError, match="ready"):
        await decide(storage, "A", again=True)
    customer = await storage.read(lambda tx: tx.customers.load([anna])[anna])
    assert [talk.unsent for talk in customer.conversations.values() if talk.unsent] == []
    assert "运营决定再发一次 hello（先前不知道是否送达）" in await told(storage, anna)
    (leased,) = await lease(storage)
    assert leased.by_operator
    # Whatever the platform's answer is: it stays what an operator decided.
    await write(
        storage, lambda tx: tx.outbox.retry(EffectId("A"), worker="w1", not_before=later(5), reason="try_later")
    )
    (leased,) = await lease(storage, now=6)
    assert leased.by_operator


async def test_a_message_that_comes_too_late_is_not_sent_again(storage: Storage, clock: TurnedClock) -> None:
    await unknown(storage, expires_at=60)
    clock.at = later(61)
    with pytest.raises(BotError, match="最晚发送时间"):
        await decide(storage, "A", again=True)
    assert (await line_of(storage)).state == "unknown"


async def test_a_message_that_is_left_is_listed_no_more_and_a_later_receipt_still_corrects_it(
    storage: Storage,
) -> None:
    anna = await unknown(storage)
    await decide(storage, "A", again=False)
    assert (await survey(storage)).is_empty
    assert "运营决定不再发 hello（不知道是否送达）" in await told(storage, anna)
    with pytest.raises(BotError, match="已经决定"):
        await decide(storage, "A", again=False)
    assert await settle(storage, "A", "delivered")
    assert (await line_of(storage)).state == "delivered"


async def test_an_id_that_nobody_has_is_refused(storage: Storage) -> None:
    with pytest.raises(BotError, match="没有这条消息"):
        await storage.read(lambda tx: retry.find_send(tx, "ZZZ"))


class Reader:
    """Callbacks of an account that has learned to read."""

    account, acknowledgement = "main", ""

    def __init__(self, *events: Event) -> None:
        self.events = events

    def verify(self, query: object, now: object) -> str:
        raise AssertionError("a quarantined body is only read again")

    def is_forged(self, query: object) -> bool:
        raise AssertionError("a quarantined body is only read again")

    def decode(self, query: object, body: bytes, now: object) -> tuple[Event, ...]:
        raise AssertionError("a quarantined body is only read again")

    def reread(self, body: bytes) -> tuple[Event, ...]:
        if not self.events:
            raise Unreadable("still no XML", body=body)
        return self.events


async def quarantined(storage: Storage, body: bytes, *, form: str = "body") -> str:
    await write(
        storage,
        lambda tx: tx.lanes.quarantine(channel="oa", account="main", body=body, why="no XML", form=form),  # type: ignore[arg-type]  # one of its two words
    )
    return (await survey(storage)).quarantine[-1].quarantine_id


async def admitted(storage: Storage, words: str, reader: Reader) -> str:
    accounts = {("oa", "main"): reader}
    return await write(storage, lambda tx: retry.admit(tx, retry.find_quarantined(tx, words), accounts))


async def test_a_body_that_can_be_read_now_goes_into_its_lane_and_leaves_the_quarantine(storage: Storage) -> None:
    await newcomer(storage)
    name = await quarantined(storage, b"<xml>")
    assert await admitted(storage, name[:12], Reader(event("late"))) == ""
    assert await claimed(storage) == ["late"]
    assert (await survey(storage)).is_empty


async def test_a_body_that_is_still_unreadable_stays(storage: Storage) -> None:
    name = await quarantined(storage, b"<xml>")
    assert await admitted(storage, name, Reader()) == "still no XML"
    assert len((await survey(storage)).quarantine) == 1


async def test_an_event_that_came_in_some_other_way_comes_in_only_once(storage: Storage) -> None:
    await newcomer(storage)
    await ingest(storage, event("late"))
    name = await quarantined(storage, b"<xml>")
    assert await admitted(storage, name, Reader(event("late"))) == ""
    assert await claimed(storage) == ["late"]


async def test_an_event_that_was_not_written_is_read_back_whole(storage: Storage) -> None:
    await newcomer(storage)
    lost = event("lost", urgent=True, at=7)
    name = await quarantined(storage, written(lost), form="event")
    (row,) = (await survey(storage)).quarantine
    assert read_back(row) == lost
    assert await admitted(storage, name, Reader()) == ""
    assert await claimed(storage) == ["lost"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"event_id": "e", "type": "message", "sender": "o"}'])
async def test_an_event_that_was_not_kept_whole_stays(storage: Storage, body: bytes) -> None:
    name = await quarantined(storage, body, form="event")
    assert await admitted(storage, name, Reader()) != ""


@pytest.mark.parametrize("words", ["ffff", "no such id", ""])
async def test_a_quarantine_id_that_means_nothing_or_too_much_is_refused(storage: Storage, words: str) -> None:
    await quarantined(storage, b"one")
    await quarantined(storage, b"two")
    with pytest.raises(BotError):
        await storage.read(lambda tx: retry.find_quarantined(tx, words))
