"""Which decision planned which message, told from the order of rows where no trace names them."""

from datetime import UTC, datetime, timedelta

from bot.core.effects import SendMessage, Trace
from bot.core.events import Json
from bot.core.ids import ConversationId, CustomerId, EffectId, EventId
from bot.core.messages import Text
from bot.runtime.why.joining import Joined, join
from bot.storage import JournalLine, OutboxLine

NOON = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)
ANNA = CustomerId(1)


def trace(kind: str, **detail: Json) -> Trace:
    return Trace(kind=kind, journey="oa-welcome", state="need", detail=detail)


def step(*entries: Trace, name: str = "e", at: datetime = NOON) -> JournalLine:
    return JournalLine(customer_id=ANNA, kind="event", at=at, entries=entries, event_id=EventId(name))


def row(seq: int, name: str, *, content: str = "welcome", to: str = "oAnna", at: datetime = NOON) -> OutboxLine:
    staff = content.startswith("@")
    effect = SendMessage(
        effect_id=EffectId(name),
        conversation_id=ConversationId(f"oa:main:{to}"),
        channel="app" if staff else "oa",
        account="main",
        to=to,
        message=Text(text="您好"),
        content=content,
        send_class="staff" if staff else "service",
        delivery="at_most_once",
        sequence=0,
    )
    return OutboxLine(
        seq=seq,
        customer_id=ANNA,
        effect=effect,
        state="ready",
        planned_at=at,
        not_before=at,
        expires_at=None,
        attempts=0,
        repeats=0,
        started_at=None,
        epoch=None,
        settled_at=None,
        provider_id="",
        response_code="",
        reason="",
        vendor_code=None,
    )


def places(joined: tuple[Joined, ...]) -> list[tuple[dict[int, str], list[str]]]:
    """For every step the names of its messages by trace, several joined by a blank, and those without one."""
    return [
        ({place: " ".join(names) for place, names in one.by_trace.items()}, list(one.unexplained)) for one in joined
    ]


def test_a_trace_that_names_its_effect_gets_it() -> None:
    journal = [step(trace("moved", to="need"), trace("planned", effect="A")), step(trace("planned", effect="B"))]
    assert places(join(journal, [row(1, "A"), row(2, "B")])) == [({1: "A"}, []), ({0: "B"}, [])]


def test_a_receipt_does_not_count_as_planning_what_it_tells_of() -> None:
    journal = [step(trace("planned", effect="A")), step(trace("send.refused", effect="A"))]
    assert places(join(journal, [row(1, "A")])) == [({0: "A"}, []), ({}, [])]


def test_a_card_hangs_below_the_task_that_it_offers_to_that_member() -> None:
    offers = [
        trace("task", outcome="offered", task_kind="task", staff_id=staff_id) for staff_id in ("lilei", "zhangmin")
    ]
    found = join([step(*offers)], [row(1, "T", content="@task", to="zhangmin")])
    assert places(found) == [({1: "T"}, [])]


def test_a_card_of_a_handoff_is_not_taken_for_one_of_a_task() -> None:
    offers = [trace("task", outcome="offered", task_kind=kind, staff_id="lilei") for kind in ("task", "handoff")]
    assert places(join([step(*offers)], [row(1, "H", content="@handoff", to="lilei")])) == [({1: "H"}, [])]


def test_a_note_of_a_kind_not_known_hangs_below_the_decision_about_its_receiver() -> None:
    clicked = trace("task", outcome="clicked_busy", staff_id="lilei")
    rows = [row(1, "A", content="@card/T1", to="lilei"), row(2, "B", content="@brand_new", to="lilei")]
    assert places(join([step(trace("moved", to="a"), clicked)], rows)) == [({1: "A B"}, [])]


def test_a_note_about_a_task_left_lying_goes_to_the_decision_though_its_receiver_is_another() -> None:
    overdue = trace("task", outcome="overdue", staff_id="lilei", to="role:店长")
    assert places(join([step(overdue)], [row(1, "N", content="@overdue", to="chenjing")])) == [({0: "N"}, [])]


def test_words_for_a_colleague_who_has_not_accepted_yet_hang_below_their_own_decision() -> None:
    offered = trace("task", outcome="offered", task_kind="handoff", staff_id="lilei")
    passed_on = trace("handoff", outcome="forwarded", staff_id="lilei")
    found = join([step(offered, passed_on)], [row(1, "F", content="@forward_waiting", to="lilei")])
    assert places(found) == [({1: "F"}, [])]


def test_steps_of_one_moment_are_told_apart_by_the_order_of_rows() -> None:
    forwarded = trace("floor", outcome="forwarded", staff_id="lilei")
    journal = [step(forwarded), step(trace("planned", effect="B")), step(forwarded)]
    rows = [row(1, "A", content="@forward", to="lilei"), row(2, "B"), row(3, "C", content="@forward", to="lilei")]
    assert places(join(journal, rows)) == [({0: "A"}, []), ({0: "B"}, []), ({0: "C"}, [])]


def test_two_cards_of_one_kind_go_to_two_decisions() -> None:
    clicked = trace("task", outcome="clicked_accept", staff_id="lilei")
    rows = [row(n, name, content="@card/T1", to="lilei") for n, name in enumerate("AB")]
    assert places(join([step(clicked), step(clicked)], rows)) == [({0: "A"}, []), ({0: "B"}, [])]


def test_what_no_decision_fits_hangs_at_the_last_step_of_its_moment() -> None:
    journal = [step(trace("moved", to="a")), step(trace("moved", to="b"))]
    assert places(join(journal, [row(1, "A", content="@roster", to="lilei")])) == [({}, []), ({}, ["A"])]


def test_a_row_of_another_moment_is_left_out() -> None:
    journal = [step(trace("floor", outcome="forwarded", staff_id="lilei"))]
    earlier = row(1, "A", content="@forward", to="lilei", at=NOON - timedelta(seconds=1))
    assert places(join(journal, [earlier])) == [({}, [])]


def test_nothing_joined_with_nothing_is_nothing() -> None:
    assert join([], [row(1, "A")]) == ()
    assert join([], []) == ()
