"""Core values to bytes and back."""

import string
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.arrival import Facts
from bot.core.customer import Customer
from bot.core.effects import Fallback, RunErrand, SendMessage, Trace
from bot.core.ids import CustomerId, StaffId
from bot.core.messages import Card, CardButton, Image, Markdown, Menu, MenuChoice, Message, TemplateMessage, Text
from bot.errors import StorageError
from bot.storage import codec
from bot.storage.moments import micros, moment
from bot.storage.shapes import shape_of
from tests.storage.makers import NOON, later, send, timer
from tests.storage.strategies import FIELDS, MOMENTS, TEXTS, values_of

CUSTOMERS = values_of(Customer)
SENDS = values_of(SendMessage)
ERRANDS = values_of(RunErrand)


def read_again(customer: Customer) -> Customer:
    packed = codec.customer_bytes(customer)
    return codec.read_customer(packed, customer_id=customer.customer_id, version=customer.version)


@settings(max_examples=150, deadline=None)
@given(CUSTOMERS)
def test_every_customer_comes_back_as_she_was(customer: Customer) -> None:
    assert read_again(customer) == customer


@settings(max_examples=150, deadline=None)
@given(SENDS)
def test_every_message_comes_back_as_it_was(effect: SendMessage) -> None:
    assert codec.read_send(codec.send_bytes(effect)) == effect


@settings(max_examples=100, deadline=None)
@given(ERRANDS)
def test_every_errand_comes_back_as_it_was_with_and_without_an_enrolment(errand: RunErrand) -> None:
    assert codec.read_errand(codec.errand_bytes(errand)) == errand


@settings(max_examples=100, deadline=None)
@given(st.lists(st.builds(Trace, kind=TEXTS, journey=TEXTS, state=TEXTS, detail=FIELDS), max_size=3))
def test_every_line_of_the_journal_comes_back_as_it_was(entries: list[Trace]) -> None:
    assert codec.read_entries(codec.entries_text(entries)) == tuple(entries)


@given(MOMENTS)
def test_moments_are_exact_to_the_microsecond(at: datetime) -> None:
    assert moment(micros(at)) == at


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    assert micros(shanghai) == micros(NOON)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        micros(datetime(2026, 5, 1))  # noqa: DTZ001 - that is the case


@pytest.mark.parametrize(
    "message",
    [
        Text(text="您好"),
        Markdown(text="**新线索**"),
        Image(media_id="m1"),
        Menu(head="想了解什么？", choices=(MenuChoice(choice_id="E1.2.0", text="看车"),), tail="点一下"),
        TemplateMessage(template="booked", fields=(("thing1", "试驾"), ("time2", "周六"))),
        Card(
            task_id="T",
            title="新线索",
            description="",
            rows=(("姓名", "王"),),
            buttons=(CardButton(key="a", text="接"),),
        ),
    ],
    ids=lambda message: message.kind,
)
def test_every_kind_of_message_and_fallback_comes_back_as_its_own_kind(message: Message) -> None:
    base = send("A")
    effect = SendMessage(
        **{name: getattr(base, name) for name in ("effect_id", "conversation_id", "channel", "account", "to")},
        message=message,
        content="c",
        send_class="service",
        delivery="at_most_once",
        sequence=1,
        fallbacks=(Fallback(way="template", message=message), Fallback(way="task", title="回访"), Fallback(way="drop")),
    )
    read = codec.read_send(codec.send_bytes(effect))
    assert read == effect
    assert type(read.message) is type(message)


def test_facts_come_back_and_no_facts_take_no_room() -> None:
    facts = Facts(advisor_loads={StaffId("zhangmin"): 3})
    assert codec.read_facts(codec.facts_text(facts)) == facts
    assert codec.facts_text(Facts()) is None


def test_a_field_that_did_not_exist_when_the_row_was_written_has_its_default() -> None:
    assert codec.read_customer(b"{}", customer_id=CustomerId(3), version=2) == Customer(
        customer_id=CustomerId(3), version=2
    )


def test_a_field_that_does_not_exist_any_more_is_passed_over() -> None:
    read = codec.read_customer(b'{"zodiac":"ox","score":4}', customer_id=CustomerId(3), version=0)
    assert read.score == 4


def test_equal_customers_are_equal_bytes_whatever_the_order_of_their_tags() -> None:
    tags = [*string.ascii_lowercase, "看车", "新客"]
    one = Customer(customer_id=CustomerId(1), version=1, tags=frozenset(tags))
    other = Customer(customer_id=CustomerId(1), version=1, tags=frozenset(reversed(tags)))
    assert codec.customer_bytes(one) == codec.customer_bytes(other)


def test_what_holds_its_default_takes_no_room() -> None:
    customer = Customer(customer_id=CustomerId(1), version=9, timers=(timer(60),))
    assert orjson.loads(codec.customer_bytes(customer)) == {
        "timers": [{"owner": "E1", "visit": 1, "timer_id": "wait", "due_at": micros(later(60)), "set_at": micros(NOON)}]
    }


@pytest.mark.parametrize("packed", [b"", b"[]", b"{", b'{"timers":[{"visit":1}]}', b'{"timers":7}'])
def test_bytes_that_are_no_customer_are_told_as_a_storage_error(packed: bytes) -> None:
    with pytest.raises(StorageError, match="do not make a value"):
        codec.read_customer(packed, customer_id=CustomerId(1), version=1)


def test_a_number_that_no_database_holds_is_a_storage_error() -> None:
    customer = Customer(customer_id=CustomerId(1), version=1, attributes={"n": 2**70})
    with pytest.raises(StorageError, match="cannot be stored"):
        codec.customer_bytes(customer)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Strange:
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unclear:
    either: datetime | str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nested:
    inner: frozenset[_Strange] = field(default_factory=frozenset)


@pytest.mark.parametrize("kind", [_Strange, _Unclear, _Nested])
def test_a_class_with_a_type_that_has_no_json_is_refused_when_it_is_compiled(kind: type) -> None:
    with pytest.raises(TypeError):
        shape_of(kind)
