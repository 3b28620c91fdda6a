"""What an advisor types into the application: carried to the customer on her desk, in the order of her clicks."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.events import Event, Json
from bot.core.ids import CustomerId
from bot.core.messages import Text
from bot.runtime.desk import NOBODY
from bot.storage import OutboxLine, Storage
from tests.storage.makers import TurnedClock, event_id
from tests.storage.why_stage import Stage, brand, staged

BY = "lilei"


@pytest.fixture
async def stage(storage: Storage, clock: TurnedClock, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(storage, clock, brand(tmp_path, service="at_least_once")) as ours:
        yield ours


class Desk:
    """One advisor, and two buyers who have become tasks of hers."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.acts = 0

    def did(self, kind: str, **fields: Json) -> Event:
        """Something she does in the application, not told to anybody yet."""
        self.acts += 1
        return Event(
            event_id=event_id(f"{kind} {self.acts}"),
            type=kind,
            channel="app",
            account="main",
            sender=BY,
            occurred_at=self.stage.clock.now(),
            fields=fields,
            urgent=True,
        )

    def words(self, text: str) -> Event:
        return self.did("advisor.said", text=text)

    async def click(self, key: str, buyer: str) -> Event:
        """A button of the card about this buyer."""
        card = next(line for line in await self.lines(buyer) if line.effect.content == "@task")
        return self.did("card.clicked", task_id=card.effect.effect_id, key=key, response_code=f"code {self.acts}")

    async def tell(self, *events: Event) -> None:
        """All of it arrives at once."""
        await self.stage.engine.lanes.accept(list(events))
        await self.stage.engine.quiesce()

    async def becomes_a_task(self, buyer: str) -> None:
        for kind, fields in (
            ("oa.follow", {}),
            ("message", {"kind": "text", "text": "选车"}),
            ("message", {"kind": "text", "text": f"{buyer}小姐"}),
        ):
            await self.tell(self.of(buyer, kind, fields))

    async def writes(self, buyer: str, text: str) -> None:
        await self.tell(self.of(buyer, "message", {"kind": "text", "text": text}))

    def of(self, buyer: str, kind: str, fields: dict[str, Json]) -> Event:
        self.acts += 1
        return Event(
            event_id=event_id(f"{buyer} {self.acts}"),
            type=kind,
            channel="oa",
            account="main",
            sender=buyer,
            occurred_at=self.stage.clock.now(),
            fields=fields,
        )

    async def lines(self, buyer: str) -> tuple[OutboxLine, ...]:
        """Everything about this buyer that was to be sent, the oldest first."""
        customer_id = await self.stage.storage.read(lambda tx: tx.reading.find_customer(buyer))
        assert customer_id is not None
        found = await self.stage.storage.read(lambda tx: tx.reading.outbox_of(customer_id))
        return tuple(sorted(found, key=lambda line: line.seq))

    async def answers(self) -> tuple[OutboxLine, ...]:
        """What was said to her in the lane of her application."""
        lane = await self.stage.storage.read(lambda tx: tx.deciding.account_lane("app", "main"))
        assert lane is not None
        return await self.stage.storage.read(lambda tx: tx.reading.outbox_of(CustomerId(lane)))

    async def read_by(self, buyer: str, content: str) -> list[str]:
        """The texts of this content, in order."""
        effects = [line.effect for line in await self.lines(buyer) if line.effect.content == content]
        return [effect.message.text for effect in effects if isinstance(effect.message, Text)]


@pytest.fixture
async def desk(stage: Stage) -> Desk:
    ours = Desk(stage)
    for buyer in ("oAnna", "oBert"):
        await ours.becomes_a_task(buyer)
    return ours


async def test_words_go_to_the_buyer_whose_card_she_accepted_last(desk: Desk) -> None:
    await desk.tell(await desk.click("accept", "oAnna"))
    await desk.tell(await desk.click("accept", "oBert"))
    await desk.tell(desk.words("您好"))
    assert await desk.read_by("oBert", "@advisor") == ["您好"]
    assert await desk.read_by("oAnna", "@advisor") == []


async def test_with_no_conversation_open_she_gets_the_list_of_her_customers(desk: Desk) -> None:
    await desk.tell(desk.words("您好"))
    assert desk.stage.app.asked[-1] == "@roster"
    assert await desk.read_by("oAnna", "@advisor") == []


async def test_who_has_no_customers_at_all_is_told_so(stage: Stage) -> None:
    nobodys = Desk(stage)
    await nobodys.tell(nobodys.words("您好"))
    waiting = await stage.storage.read(lambda tx: tx.outbox.states())
    assert (stage.app.asked, waiting) == (["@roster"], {"sent": 1})
    assert "没有打开的会话" in NOBODY


async def test_her_last_words_and_the_close_that_arrive_at_once_are_taken_in_that_order(desk: Desk) -> None:
    await desk.tell(await desk.click("accept", "oAnna"))
    await desk.tell(desk.words("周六见"), await desk.click("close", "oAnna"))
    assert await desk.read_by("oAnna", "@advisor") == ["周六见"]
    await desk.tell(desk.words("还有"))
    assert await desk.read_by("oAnna", "@advisor") == ["周六见"]


async def test_opening_words_and_closing_that_arrive_at_once_are_taken_in_that_order(desk: Desk) -> None:
    opened = await desk.click("accept", "oAnna")
    await desk.tell(opened, desk.words("您好"), desk.words("周六见"), await desk.click("close", "oAnna"))
    assert await desk.read_by("oAnna", "@advisor") == ["您好", "周六见"]


async def test_words_for_one_and_then_for_another_that_arrive_at_once_reach_the_right_ones(desk: Desk) -> None:
    to_anna = await desk.click("accept", "oAnna")
    to_bert = await desk.click("accept", "oBert")
    await desk.tell(to_anna, desk.words("安娜好"), to_bert, desk.words("伯特好"))
    assert await desk.read_by("oAnna", "@advisor") == ["安娜好"]
    assert await desk.read_by("oBert", "@advisor") == ["伯特好"]


async def test_a_buyer_who_writes_while_another_is_open_is_marked_as_not_open(desk: Desk) -> None:
    await desk.tell(await desk.click("accept", "oAnna"))
    await desk.tell(await desk.click("accept", "oBert"))
    await desk.writes("oAnna", "在吗")
    await desk.writes("oBert", "在吗")
    assert "（未打开会话）：在吗" in (await desk.read_by("oAnna", "@forward"))[0]
    assert "未打开" not in (await desk.read_by("oBert", "@forward"))[0]


async def test_a_desk_that_changes_in_the_same_batch_counts_at_once(desk: Desk) -> None:
    await desk.tell(await desk.click("accept", "oAnna"))
    asks = desk.of("oAnna", "message", {"kind": "text", "text": "在吗"})
    await desk.tell(await desk.click("open", "oBert"), asks)
    told = (await desk.read_by("oAnna", "@forward"))[0]
    assert "未打开" in told


async def test_the_same_words_told_twice_are_carried_once(desk: Desk) -> None:
    await desk.tell(await desk.click("accept", "oAnna"))
    words = desk.words("您好")
    await desk.tell(words)
    await desk.tell(words)
    assert await desk.read_by("oAnna", "@advisor") == ["您好"]


async def test_words_that_come_late_go_to_nobody_who_was_opened_after_she_typed_them(desk: Desk) -> None:
    """They were typed with Anna open. Before: out of quarantine they went to Bert."""
    await desk.tell(await desk.click("accept", "oAnna"))
    words = desk.words("安娜，您的报价单在这里")
    desk.stage.clock.at += timedelta(minutes=1)
    await desk.tell(await desk.click("accept", "oBert"))
    await desk.tell(words)
    assert [await desk.read_by(buyer, "@advisor") for buyer in ("oAnna", "oBert")] == [[], []]
    assert desk.stage.app.asked[-1] == "@roster"
    (told,) = [line.effect.message for line in await desk.answers() if line.effect.content == "@roster"]
    assert isinstance(told, Text)
    assert "安娜，您的报价单在这里" in told.text
    assert "没有送达" in told.text
    await desk.tell(desk.words("伯特好"))
    assert await desk.read_by("oBert", "@advisor") == ["伯特好"]


async def test_words_typed_after_the_click_reach_her_however_late_the_click_is_stepped(desk: Desk) -> None:
    opened = await desk.click("accept", "oAnna")
    words = desk.words("您好")
    desk.stage.clock.at += timedelta(minutes=1)
    await desk.tell(opened, words)
    assert await desk.read_by("oAnna", "@advisor") == ["您好"]
