"""Stories of rows that were written by hand: what the engine does not bring about in a few moves."""

from bot.core.effects import SendMessage, Trace
from bot.core.events import Json
from bot.core.ids import CustomerId, EventId
from bot.runtime.why import Line, Story, last_decision, lines, tell
from bot.runtime.why.story import READ_MAX
from bot.storage import JournalLine, Planned, Storage, Transaction
from tests.storage import makers
from tests.storage.makers import NOON, TurnedClock, later, write

PLANNED = Trace(kind="planned", detail={"content": "hello", "effect": "A", "way": "text"})


def told(story: Story) -> list[str]:
    return [line.text for line in lines(story)]


def hello(story: Story) -> Line:
    """What became of the only message."""
    return next(line for line in lines(story) if line.kind == "send" and line.content == "hello")


async def story_of(storage: Storage, customer_id: CustomerId) -> Story:
    return await storage.read(lambda tx: tell(tx, customer_id))


async def newcomer(storage: Storage) -> CustomerId:
    return (await makers.newcomer(storage)).customer_id


async def decided(
    storage: Storage, customer_id: CustomerId, *entries: Trace, effects: tuple[SendMessage, ...] = (), at: float = 0
) -> None:
    """A step as the runtime writes it."""
    line = JournalLine(customer_id=customer_id, kind="event", at=later(at), entries=entries, event_id=EventId("e"))

    def job(tx: Transaction) -> None:
        tx.journal.append([line])
        tx.effects.carry_out([Planned(customer_id=customer_id, effects=effects, at=later(at))])

    await write(storage, job)


OPTED_OUT = Trace(kind="opt_out", detail={"scope": "all"})


async def test_what_was_on_its_way_at_the_opt_out_is_owned_up_to(storage: Storage) -> None:
    anna = await newcomer(storage)
    await decided(storage, anna, PLANNED, effects=(makers.send("A"),))
    await makers.lease(storage)
    await makers.begin(storage, "A", now=1)
    await decided(storage, anna, OPTED_OUT, at=2)
    assert hello(await story_of(storage, anna)).text == (
        "hello：正在发送，还没有答复（5月1日 20:00 开始）；客户退订时它已在发送途中，可能仍会收到"
    )


async def test_what_was_sent_before_the_opt_out_is_not_suspected(storage: Storage) -> None:
    anna = await newcomer(storage)
    await decided(storage, anna, PLANNED, effects=(makers.send("A"),))
    await makers.lease(storage)
    await makers.begin(storage, "A")
    await makers.settle(storage, "A", "delivered")
    await decided(storage, anna, OPTED_OUT, at=2)
    assert hello(await story_of(storage, anna)).text == "hello：已送达（5月1日 20:00）"


async def test_a_message_that_left_no_row_is_missed(storage: Storage) -> None:
    anna = await newcomer(storage)
    await decided(storage, anna, PLANNED)
    found = hello(await story_of(storage, anna))
    assert (found.outcome, found.tone) == ("missing", "no")


async def test_a_message_too_old_to_be_read_is_not_called_missing(storage: Storage) -> None:
    anna = await newcomer(storage)
    await decided(storage, anna, PLANNED, effects=(makers.send("A"),))
    later_ones = tuple(makers.send(f"B{n}") for n in range(READ_MAX))
    await makers.carry_out(storage, anna, *later_ones, at=later(5))
    assert [line.outcome for line in last_decision(await story_of(storage, anna))][-1] == "not_read"


async def test_a_message_that_no_decision_explains_is_shown_all_the_same(storage: Storage) -> None:
    anna = await newcomer(storage)
    moved = Trace(kind="moved", journey="oa-welcome", state="a", detail={"to": "b"})
    await decided(storage, anna, moved, effects=(makers.send("A"),))
    assert told(await story_of(storage, anna))[1:4] == [
        "oa-welcome：a → b",
        "还发了（流水没有写明由哪条规则）",
        "hello：等待发送（前面还有消息，或通道暂时不通）",
    ]


async def test_an_expired_message_is_told_with_its_deadline(storage: Storage, clock: TurnedClock) -> None:
    anna = await newcomer(storage)
    await decided(storage, anna, PLANNED, effects=(makers.send("A", expires_at=later(60)),))
    assert hello(await story_of(storage, anna)).text.endswith("，最迟 5月1日 20:01")
    clock.at = later(120)
    await write(storage, lambda tx: tx.outbox.expire(tx.now))
    assert hello(await story_of(storage, anna)).text == "hello：没有发出：过了最晚发送时间 5月1日 20:01（5月1日 20:02）"


async def test_a_message_put_off_at_the_last_moment_tells_both_times(storage: Storage) -> None:
    anna = await newcomer(storage)
    await decided(storage, anna, PLANNED, effects=(makers.send("A"),))
    row = (await makers.lease(storage))[0]
    await write(storage, lambda tx: tx.outbox.defer(row.effect.effect_id, worker="w1", not_before=later(3600)))
    assert hello(await story_of(storage, anna)).text == (
        "hello：等到 5月1日 21:00 再发（原定 5月1日 20:00，发送前复查时推迟）"
    )


async def test_a_repeat_of_a_send_with_an_unknown_fate_is_told_as_one(storage: Storage) -> None:
    anna = await newcomer(storage)
    await decided(storage, anna, PLANNED, effects=(makers.send("A"),))
    row = (await makers.lease(storage))[0]
    await makers.begin(storage, "A")
    await makers.settle(storage, "A", "unknown", reason="no_verdict")
    await write(storage, lambda tx: tx.outbox.repeat(row.effect.effect_id, not_before=NOON))
    assert hello(await story_of(storage, anna)).text == "hello：第 1 次不知道是否送达，马上再试"


async def test_a_decision_taken_just_before_sending_is_an_episode_too(storage: Storage) -> None:
    anna = await newcomer(storage)
    values: dict[str, Json] = {"until": later(3600).isoformat(), "zone": "Asia/Shanghai"}
    detail: dict[str, Json] = {"content": "hello", "effect": "A", "reason": "quiet_hours", "values": values}
    entry = Trace(kind="deferred", detail={**detail, "until": later(3600).isoformat()})
    line = JournalLine(customer_id=anna, kind="dispatch", at=NOON, entries=(entry,))
    await write(storage, lambda tx: tx.journal.append([line]))
    assert [line.text for line in last_decision(await story_of(storage, anna))] == [
        "发送前再查一次",
        "hello 推迟到 5月1日 21:00：免打扰时段，到 5月1日 21:00 为止",
    ]


async def test_a_line_of_a_kind_not_known_is_called_by_its_kind(storage: Storage) -> None:
    anna = await newcomer(storage)
    line = JournalLine(customer_id=anna, kind="merge", at=NOON, entries=(Trace(kind="merged", detail={"loser": 7}),))
    await write(storage, lambda tx: tx.journal.append([line]))
    assert [line.text for line in last_decision(await story_of(storage, anna))] == ["merge", "merged：loser = 7"]


async def test_steps_of_another_customer_are_not_told(storage: Storage) -> None:
    anna = await newcomer(storage)
    bert = (await makers.newcomer(storage, "oBert")).customer_id
    await decided(storage, bert, PLANNED, effects=(makers.send("B", to="oBert"),))
    story = await story_of(storage, anna)
    assert (story.episodes, [line for line in lines(story) if line.kind == "send"]) == ((), [])
