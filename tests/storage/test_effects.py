"""Carrying out what steps decided."""

from dataclasses import replace

from bot.core.effects import (
    AssignAdvisor,
    CloseDesk,
    OpenDesk,
    RecordConsent,
    SaveLead,
    SaveTask,
    SuppressSends,
)
from bot.core.ids import ConversationId, EffectId, EnrolmentId, StaffId
from bot.storage import Planned, Storage
from tests.storage.makers import NOON, carry_out, later, names, newcomer, send, write
from tests.storage.makers import lease as lease_all

ZHANG = StaffId("zhangmin")
LEAD = SaveLead(
    lead_id="L1",
    stage="new",
    fields={"phone": "13800138000", "need": "看车"},
    opened_at=NOON,
    advisor=ZHANG,
    dealer="浦东店",
    source="poster-7",
)
TASK = SaveTask(
    task_id=EffectId("T1"),
    kind="handoff",
    status="open",
    staff_id=ZHANG,
    title="王小明 想看车",
    created_at=NOON,
    due_at=later(600),
    journey="human-handoff",
    enrolment_id=EnrolmentId("E1"),
)


async def test_a_planned_message_stands_in_the_outbox_word_for_word(storage: Storage) -> None:
    customer = await newcomer(storage)
    effect = send("A", not_before=later(5), expires_at=later(50))
    await carry_out(storage, customer.customer_id, effect)
    (line,) = await storage.read(lambda t: t.reading.outbox_of(customer.customer_id))
    assert line.effect == effect
    assert (line.state, line.planned_at, line.not_before, line.expires_at, line.attempts) == (
        "ready",
        NOON,
        later(5),
        later(50),
        0,
    )


async def test_a_message_planned_again_by_the_same_step_is_left_as_it_is(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, send("A"))
    await lease_all(storage)
    await carry_out(storage, customer.customer_id, replace(send("A"), content="other"), send("B"))
    lines = await storage.read(lambda t: t.reading.outbox_of(customer.customer_id))
    assert [(line.effect.effect_id, line.state, line.effect.content) for line in lines] == [
        ("A", "leased", "hello"),
        ("B", "ready", "hello"),
    ]


async def test_messages_of_many_customers_are_planned_in_one_go(storage: Storage) -> None:
    customers = [await newcomer(storage, f"o{n}") for n in range(5)]
    plans = [
        Planned(customer_id=one.customer_id, effects=[send(f"M{n}", to=f"o{n}")], at=NOON)
        for n, one in enumerate(customers)
    ]
    await write(storage, lambda t: t.effects.carry_out(plans))
    assert names(await lease_all(storage)) == ["M0", "M1", "M2", "M3", "M4"]


async def test_suppressed_messages_do_not_leave_and_tell_why(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, send("A"), send("B"))
    await carry_out(
        storage, customer.customer_id, SuppressSends(effect_ids=(EffectId("A"),), reason="left_state"), at=later(9)
    )
    line = await storage.read(lambda t: t.outbox.of(EffectId("A")))
    assert line is not None
    assert (line.state, line.reason, line.settled_at) == ("suppressed", "left_state", later(9))
    assert names(await lease_all(storage)) == ["B"]


async def test_a_later_step_of_the_same_batch_can_take_back_what_an_earlier_one_planned(storage: Storage) -> None:
    customer = await newcomer(storage)
    plans = [
        Planned(customer_id=customer.customer_id, effects=[send("A")], at=NOON),
        Planned(
            customer_id=customer.customer_id,
            effects=[SuppressSends(effect_ids=(EffectId("A"),), reason="opt_out"), send("B")],
            at=NOON,
        ),
    ]
    await write(storage, lambda t: t.effects.carry_out(plans))
    assert names(await lease_all(storage)) == ["B"]


async def test_a_lead_is_kept_updated_and_found_by_its_phone(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, LEAD)
    await carry_out(storage, customer.customer_id, replace(LEAD, stage="qualified"), at=later(60))
    lead = await storage.read(lambda t: t.reading.lead_of(customer.customer_id))
    assert lead is not None
    assert (lead.stage, lead.fields, lead.staff_id, lead.opened_at, lead.updated_at) == (
        "qualified",
        LEAD.fields,
        ZHANG,
        NOON,
        later(60),
    )
    assert await storage.read(lambda t: t.reading.find_customer("+86 138 0013 8000")) == customer.customer_id


async def test_a_lead_without_a_phone_is_found_by_no_phone(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, replace(LEAD, fields={"need": "看车"}))
    assert await storage.read(lambda t: t.reading.find_customer("13800138000")) is None
    assert await storage.read(lambda t: t.reading.lead_of(customer.customer_id)) is not None


async def test_a_task_is_kept_updated_and_counts_as_load_while_it_is_open(storage: Storage) -> None:
    customer = await newcomer(storage)
    await carry_out(storage, customer.customer_id, TASK, replace(TASK, task_id=EffectId("T2"), staff_id=None))
    await carry_out(storage, customer.customer_id, replace(TASK, task_id=EffectId("T3"), created_at=later(1)))
    assert await storage.read(lambda t: t.desks.advisor_loads()) == {ZHANG: 2}
    assert [line.task_id for line in await storage.read(lambda t: t.desks.roster(ZHANG))] == ["T3", "T1"]
    await carry_out(storage, customer.customer_id, replace(TASK, status="done"))
    assert await storage.read(lambda t: t.desks.advisor_loads()) == {ZHANG: 1}
    tasks = {line.task_id: line for line in await storage.read(lambda t: t.reading.tasks_of(customer.customer_id))}
    assert set(tasks) == {"T1", "T2", "T3"}
    done = tasks[EffectId("T1")]
    assert (done.status, done.title, done.due_at, done.enrolment_id) == ("done", "王小明 想看车", later(600), "E1")


async def test_every_consent_is_kept_as_evidence(storage: Storage) -> None:
    customer = await newcomer(storage)
    given = RecordConsent(purpose="营销", granted=True, at=NOON, source="oa-welcome", text="consent", text_hash="ab")
    await carry_out(storage, customer.customer_id, given, replace(given, granted=False, at=later(5)))
    lines = await storage.read(lambda t: t.reading.consents_of(customer.customer_id))
    assert [(line.purpose, line.granted, line.at, line.text_hash) for line in lines] == [
        ("营销", True, NOON, "ab"),
        ("营销", False, later(5), "ab"),
    ]


async def test_the_latest_assignment_counts(storage: Storage) -> None:
    customer = await newcomer(storage)
    assert await storage.read(lambda t: t.reading.advisor_of(customer.customer_id)) is None
    for staff_id in (ZHANG, StaffId("lilei")):
        await carry_out(storage, customer.customer_id, AssignAdvisor(staff_id=staff_id, at=NOON, reason="accepted"))
    assert await storage.read(lambda t: t.reading.advisor_of(customer.customer_id)) == "lilei"


async def test_an_advisor_has_one_conversation_on_her_desk(storage: Storage) -> None:
    anna, bert = await newcomer(storage, "oAnna"), await newcomer(storage, "oBert")

    def desk(name: str) -> OpenDesk:
        return OpenDesk(account="main", staff_id=ZHANG, conversation_id=ConversationId(f"oa:main:{name}"), at=NOON)

    await carry_out(storage, anna.customer_id, desk("oAnna"))
    await carry_out(storage, bert.customer_id, desk("oBert"))
    found = await storage.read(lambda t: t.desks.conversation_of("main", ZHANG))
    assert found is not None
    assert (found.customer_id, found.conversation_id, found.opened_at) == (bert.customer_id, "oa:main:oBert", NOON)


async def test_closing_a_desk_leaves_one_that_was_opened_for_another(storage: Storage) -> None:
    anna = await newcomer(storage)
    opened = OpenDesk(account="main", staff_id=ZHANG, conversation_id=ConversationId("oa:main:oAnna"), at=NOON)
    close_other = CloseDesk(account="main", staff_id=ZHANG, conversation_id=ConversationId("oa:main:oBert"))
    close = replace(close_other, conversation_id=opened.conversation_id)
    await carry_out(storage, anna.customer_id, opened, close_other)
    assert await storage.read(lambda t: t.desks.conversation_of("main", ZHANG)) is not None
    await carry_out(storage, anna.customer_id, close)
    assert await storage.read(lambda t: t.desks.conversation_of("main", ZHANG)) is None
    await carry_out(storage, anna.customer_id, close, opened)
    assert await storage.read(lambda t: t.desks.conversation_of("main", ZHANG)) is not None


async def test_no_effects_are_no_work(storage: Storage) -> None:
    await write(storage, lambda t: t.effects.carry_out([]))
    assert await storage.read(lambda t: t.outbox.states()) == {}
