"""What `why` and the console can read of one customer."""

import pytest

from bot.core.arrival import Facts
from bot.core.effects import Trace
from bot.core.ids import CustomerId, StaffId
from bot.storage import JournalLine, Storage
from tests.storage.makers import NOON, carry_out, event, event_id, ingest, later, newcomer, write
from tests.storage.test_effects import LEAD

TRACES = (
    Trace(kind="guard", journey="oa-welcome", state="ask", detail={"when": "slots.need == '看车'", "true": True}),
    Trace(kind="moved", journey="oa-welcome", state="done"),
)


def line(customer_id: CustomerId, name: str, at: float = 0) -> JournalLine:
    return JournalLine(
        customer_id=customer_id,
        kind="event",
        at=later(at),
        entries=TRACES,
        event_id=event_id(name),
        facts=Facts(advisor_loads={StaffId("zhangmin"): 2}),
        took_us=41,
    )


async def test_the_journal_tells_everything_in_order(storage: Storage) -> None:
    anna, bert = (await newcomer(storage, "oAnna")).customer_id, (await newcomer(storage, "oBert")).customer_id
    lines = [line(anna, "a"), line(bert, "b", 1), line(anna, "c", 2)]
    await write(storage, lambda t: t.journal.append(lines))
    told = await storage.read(lambda t: t.reading.journal_of(anna))
    assert [(one.event_id, one.at) for one in told] == [(event_id("a"), NOON), (event_id("c"), later(2))]
    assert (told[0].entries, told[0].facts, told[0].took_us) == (TRACES, lines[0].facts, 41)


async def test_of_a_long_journal_the_newest_lines_are_told(storage: Storage) -> None:
    anna = (await newcomer(storage)).customer_id
    await write(storage, lambda t: t.journal.append([line(anna, str(n), n) for n in range(9)]))
    told = await storage.read(lambda t: t.reading.journal_of(anna, limit=3))
    assert [one.at for one in told] == [later(6), later(7), later(8)]


async def test_appending_nothing_is_no_work(storage: Storage) -> None:
    await write(storage, lambda t: t.journal.append([]))
    assert await storage.read(lambda t: t.reading.journal_of(CustomerId(1))) == ()


@pytest.mark.parametrize("spelling", ["{number}", " oAnna ", "13800138000", "１３８ ００１３ ８０００"])
async def test_a_customer_is_found_by_number_openid_or_phone(storage: Storage, spelling: str) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, LEAD)
    words = spelling.format(number=customer.customer_id)
    assert await storage.read(lambda t: t.reading.find_customer(words)) == customer.customer_id


@pytest.mark.parametrize("words", ["", "oNobody", "4711", "13900139000", "不认识", "9" * 30, "²"])
async def test_nobody_is_found_by_what_belongs_to_nobody(storage: Storage, words: str) -> None:
    await newcomer(storage)
    assert await storage.read(lambda t: t.reading.find_customer(words)) is None


async def test_the_identities_of_a_customer_are_listed(storage: Storage) -> None:
    customer = await newcomer(storage)
    assert await storage.read(lambda t: t.reading.identities_of(customer.customer_id)) == (("oa", "main", "oAnna"),)


async def test_the_inbox_of_a_customer_tells_what_was_stepped(storage: Storage) -> None:
    customer = await newcomer(storage)
    await ingest(storage, event("second"))
    lines = await storage.read(lambda t: t.reading.inbox_of(customer.customer_id))
    assert [(one.event.fields["text"], one.consumed_at) for one in lines] == [
        ("hello of oAnna", NOON),
        ("second", None),
    ]


async def test_of_a_customer_without_anything_there_is_nothing_to_read(storage: Storage) -> None:
    nobody = CustomerId(7)
    read = await storage.read(
        lambda t: (t.reading.outbox_of(nobody), t.reading.tasks_of(nobody), t.reading.consents_of(nobody))
    )
    assert read == ((), (), ())
    assert await storage.read(lambda t: t.reading.lead_of(nobody)) is None
    assert await storage.read(lambda t: t.reading.parked_of(nobody)) is None
