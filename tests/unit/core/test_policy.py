from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import ledger, policy, windows
from bot.core.customer import Consent, Conversation, Customer, Human, Sent, Unsent
from bot.core.effects import SendClass
from bot.core.ids import ConversationId, CustomerId, EffectId, EventId, StaffId
from bot.core.policy import Allow, Defer, Refuse, Request, judge
from bot.core.rules import Cap, ClassRule, GlobalRules, QuietHours, WindowRule

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
NIGHT = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
MORNING = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai

RULES = GlobalRules(
    timezone="Asia/Shanghai",
    quiet=QuietHours(begins=time(21), ends=time(9)),
    human_hold=timedelta(minutes=30),
    working_hours={},
    caps=(
        Cap(name="营销总量", classes=frozenset({"marketing"}), max=2, per=timedelta(days=7)),
        Cap(name="任意消息", classes=frozenset({"marketing", "reminder"}), max=4, per=timedelta(days=1)),
    ),
    class_rules={
        "transactional": ClassRule(opt_out="ignore", quiet="ignore", cap="ignore", delivery="at_least_once"),
        "service": ClassRule(opt_out="reply_only", quiet="ignore", cap="ignore", delivery="at_least_once"),
        "reminder": ClassRule(
            opt_out="block", quiet="defer", cap="defer", delivery="at_most_once", cap_defer=timedelta(hours=12)
        ),
        "marketing": ClassRule(opt_out="block", quiet="defer", cap="drop", delivery="at_most_once", consent="营销"),
    },
    windows={"oa": {"message": WindowRule(max=5, duration=timedelta(hours=48))}},
)
HERE, ELSEWHERE = ConversationId("oa:main:a"), ConversationId("oa:club:a")
AGREED = Consent(granted=True, at=NOON, source="oa", text="ask-consent", text_hash="h")
ALL_CLASSES: tuple[SendClass, ...] = ("transactional", "service", "reminder", "marketing")


def talk(conversation_id: ConversationId, *, open_since: datetime | None) -> Conversation:
    conversation = Conversation(conversation_id=conversation_id, channel="oa", account="main", external_id="a")
    if open_since is None:
        return conversation
    buckets = windows.opened(conversation, "message", event_id=EventId("m1"), at=open_since, rules=RULES)
    return replace(conversation, buckets=buckets)


def customer(
    *,
    open_since: datetime | None = NOON,
    consents: Mapping[str, Consent] | None = None,
    opt_outs: Mapping[str, datetime] | None = None,
) -> Customer:
    """Somebody who wrote at `open_since` and agreed to marketing, unless it is said otherwise."""
    return Customer(
        customer_id=CustomerId(1),
        version=1,
        consents={"营销": AGREED} if consents is None else consents,
        opt_outs=opt_outs or {},
        conversations={
            HERE: talk(HERE, open_since=open_since),
            ELSEWHERE: talk(ELSEWHERE, open_since=open_since),
        },
    )


def changed(who: Customer, conversation_id: ConversationId, change: Mapping[str, object]) -> Customer:
    conversation = replace(who.conversations[conversation_id], **change)  # type: ignore[arg-type]  # fields by name
    return replace(who, conversations={**who.conversations, conversation_id: conversation})


def attended(who: Customer, conversation_id: ConversationId, until: datetime) -> Customer:
    human = Human(staff_id=StaffId("zhangmin"), account="main", until=until, task_id=EffectId("T"))
    return changed(who, conversation_id, {"human": human})


def planned(who: Customer, count: int, send_class: SendClass, conversation_id: ConversationId = HERE) -> Customer:
    unsent = tuple(
        Unsent(effect_id=EffectId(f"U{n}"), enrolment_id=None, visit=0, send_class=send_class) for n in range(count)
    )
    return changed(who, conversation_id, {"unsent": unsent})


def having_sent(who: Customer, send_class: SendClass, *moments: datetime) -> Customer:
    sent = tuple(Sent(effect_id=EffectId(f"S{n}"), at=at, send_class=send_class) for n, at in enumerate(moments))
    return replace(who, sent=who.sent + sent)


def request(send_class: SendClass = "service", **changes: object) -> Request:
    plain = Request(effect_id=EffectId("E"), send_class=send_class, conversation_id=HERE, channel="oa")
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields by name


def verdict(who: Customer, asked: Request, now: datetime = NOON) -> policy.Verdict:
    return judge(asked, customer=who, rules=RULES, now=now)


def reason(found: policy.Verdict) -> str:
    return "" if isinstance(found, Allow) else found.reason


@pytest.mark.parametrize("send_class", ALL_CLASSES)
def test_every_class_may_go_by_day_into_an_open_window(send_class: SendClass) -> None:
    found = verdict(customer(), request(send_class))
    assert isinstance(found, Allow)
    assert found.bucket_id == "m1"


def test_a_message_to_our_own_people_is_always_allowed() -> None:
    asked = request("staff", conversation_id=ConversationId("app:main:zhangmin"), channel="app")
    assert verdict(customer(opt_outs={"all": NOON}), asked, NIGHT) == Allow()


@pytest.mark.parametrize("send_class", ALL_CLASSES)
def test_nobody_can_be_written_to_who_does_not_follow_any_more(send_class: SendClass) -> None:
    gone = changed(customer(), HERE, {"reachable": False})
    assert reason(verdict(gone, request(send_class, form="template"))) == "unreachable"


def test_a_conversation_we_never_had_is_unreachable() -> None:
    found = verdict(customer(), request(conversation_id=ConversationId("oa:main:stranger")))
    assert found == Refuse(reason="unreachable", values={"known": False})


@pytest.mark.parametrize(
    ("send_class", "reply", "expected"),
    [
        ("transactional", False, ""),
        ("service", False, "opted_out"),
        ("service", True, ""),
        ("reminder", False, "opted_out"),
        ("reminder", True, "opted_out"),
        ("marketing", True, "opted_out"),
    ],
)
def test_an_opt_out_of_everything_leaves_replies_and_transactions(
    send_class: SendClass, reply: bool, expected: str
) -> None:
    who = customer(opt_outs={"all": NOON})
    assert reason(verdict(who, request(send_class, reply=reply))) == expected


@pytest.mark.parametrize(("send_class", "expected"), [("marketing", "opted_out"), ("reminder", ""), ("service", "")])
def test_an_opt_out_of_marketing_stops_marketing_alone(send_class: SendClass, expected: str) -> None:
    who = customer(opt_outs={"marketing": NOON})
    assert reason(verdict(who, request(send_class))) == expected


@pytest.mark.parametrize("consents", [{}, {"营销": replace(AGREED, granted=False)}, {"电话联系": AGREED}])
def test_marketing_needs_a_consent_that_still_stands(consents: Mapping[str, Consent]) -> None:
    assert reason(verdict(customer(consents=consents), request("marketing"))) == "no_consent"


def test_other_classes_need_no_consent() -> None:
    assert reason(verdict(customer(consents={}), request("reminder"))) == ""


@pytest.mark.parametrize(
    ("send_class", "reply", "where", "expected"),
    [
        ("marketing", False, ELSEWHERE, "human_has_floor"),
        ("reminder", False, HERE, "human_has_floor"),
        ("reminder", False, ELSEWHERE, "human_has_floor"),
        ("service", False, HERE, "human_has_floor"),
        ("service", True, HERE, ""),
        ("service", False, ELSEWHERE, ""),
        ("transactional", False, HERE, ""),
    ],
)
def test_the_bot_is_silent_while_a_colleague_talks(
    send_class: SendClass, reply: bool, where: ConversationId, expected: str
) -> None:
    who = attended(customer(), where, NOON + timedelta(minutes=30))
    assert reason(verdict(who, request(send_class, reply=reply))) == expected


def test_a_reminder_waits_for_the_colleague_who_talks_longest() -> None:
    who = attended(customer(), HERE, NOON + timedelta(minutes=5))
    who = attended(who, ELSEWHERE, NOON + timedelta(minutes=25))
    found = verdict(who, request("reminder"))
    assert isinstance(found, Defer)
    assert found.until == NOON + timedelta(minutes=25)


def test_a_colleague_whose_time_is_over_holds_nothing_back() -> None:
    assert reason(verdict(attended(customer(), HERE, NOON), request("reminder"))) == ""


@pytest.mark.parametrize("send_class", ["reminder", "marketing"])
def test_quiet_hours_defer_to_the_next_morning(send_class: SendClass) -> None:
    found = verdict(customer(), request(send_class), NIGHT)
    assert isinstance(found, Defer)
    assert (found.reason, found.until) == ("quiet_hours", MORNING)


@pytest.mark.parametrize("send_class", ["transactional", "service"])
def test_quiet_hours_do_not_hold_back_an_answer(send_class: SendClass) -> None:
    assert reason(verdict(customer(), request(send_class), NIGHT)) == ""


def test_marketing_beyond_its_cap_is_dropped_with_the_figures() -> None:
    who = having_sent(customer(), "marketing", NOON - timedelta(days=6), NOON - timedelta(days=2))
    assert verdict(who, request("marketing")) == Refuse(
        reason="cap", values={"cap": "营销总量", "counted": 2, "max": 2, "per_s": 604800}
    )


def test_a_message_leaves_the_cap_exactly_when_its_period_is_over() -> None:
    who = having_sent(customer(), "marketing", NOON - timedelta(days=7), NOON - timedelta(days=2))
    assert reason(verdict(who, request("marketing"))) == ""


def test_a_reminder_beyond_its_cap_is_deferred() -> None:
    who = having_sent(customer(), "marketing", NOON - timedelta(hours=2), NOON - timedelta(hours=1))
    who = having_sent(who, "reminder", NOON - timedelta(hours=2), NOON - timedelta(hours=1))
    found = verdict(who, request("reminder"))
    assert isinstance(found, Defer)
    assert (found.reason, found.until) == ("cap", NOON + timedelta(hours=12))


def test_a_cap_of_other_classes_does_not_bind() -> None:
    who = having_sent(customer(), "marketing", *[NOON - timedelta(days=d, hours=1) for d in (1, 2, 3)])
    assert reason(verdict(who, request("reminder"))) == ""


def test_service_is_never_capped() -> None:
    who = having_sent(customer(), "service", *[NOON - timedelta(minutes=m) for m in range(9)])
    assert reason(verdict(who, request("service"))) == ""


@pytest.mark.parametrize("where", [HERE, ELSEWHERE])
def test_planning_counts_planned_messages_of_every_conversation_against_caps(where: ConversationId) -> None:
    who = planned(customer(), 2, "marketing", where)
    assert reason(verdict(who, request("marketing", planning=True))) == "cap"
    assert reason(verdict(who, request("marketing"))) == ""


@pytest.mark.parametrize(("count", "expected"), [(4, ""), (5, "window_used")])
def test_planning_counts_planned_messages_of_this_conversation_against_its_window(count: int, expected: str) -> None:
    who = planned(customer(), count, "service")
    assert reason(verdict(who, request(planning=True))) == expected


def test_planned_messages_elsewhere_do_not_use_up_this_window() -> None:
    assert reason(verdict(planned(customer(), 9, "service", ELSEWHERE), request(planning=True))) == ""


@pytest.mark.parametrize("change", [{"not_before": NOON + timedelta(hours=9)}, {"form": "template"}])
def test_what_waits_for_the_morning_or_needs_no_window_leaves_a_reply_its_room(change: Mapping[str, object]) -> None:
    who = planned(customer(), 9, "service")
    waiting = tuple(replace(u, **change) for u in who.conversations[HERE].unsent)  # type: ignore[arg-type]  # by name
    assert reason(verdict(changed(who, HERE, {"unsent": waiting}), request(planning=True))) == ""


def test_what_was_put_off_until_now_goes_before_a_reply_again() -> None:
    who = planned(customer(), 9, "service")
    due = tuple(replace(u, not_before=NOON) for u in who.conversations[HERE].unsent)
    assert reason(verdict(changed(who, HERE, {"unsent": due}), request(planning=True))) == "window_used"


def test_what_waits_for_the_morning_counts_in_the_caps_all_the_same() -> None:
    who = planned(customer(), 2, "marketing")
    waiting = tuple(replace(u, not_before=MORNING) for u in who.conversations[HERE].unsent)
    found = verdict(changed(who, HERE, {"unsent": waiting}), request("marketing", planning=True))
    assert reason(found) == "cap"


def test_a_template_that_is_sent_again_counts_once_in_the_caps() -> None:
    asked = request("marketing", form="template")
    once = sent(having_sent(customer(), "marketing", NOON), asked)
    assert reason(verdict(once, asked)) == ""
    assert [s.effect_id for s in sent(once, asked).sent] == ["S0", "E"]


@pytest.mark.parametrize(
    ("open_since", "expected"),
    [(None, "window_closed"), (NOON - timedelta(hours=48), "window_closed"), (NOON - timedelta(hours=47), "")],
)
def test_a_free_message_needs_an_open_window(open_since: datetime | None, expected: str) -> None:
    assert reason(verdict(customer(open_since=open_since), request())) == expected


def test_an_open_window_without_room_is_used_up_not_closed() -> None:
    who = customer()
    full = changed(who, HERE, {"buckets": windows.emptied(who.conversations[HERE], NOON).buckets})
    assert reason(verdict(full, request())) == "window_used"


def test_a_template_message_needs_no_window_and_reserves_none() -> None:
    found = verdict(customer(open_since=None), request(form="template"))
    assert isinstance(found, Allow)
    assert found.bucket_id is None


def test_a_window_that_is_to_be_ignored_is_ignored() -> None:
    assert reason(verdict(customer(open_since=None), request(window="ignore"))) == ""


def test_a_window_that_is_ignored_is_charged_all_the_same() -> None:
    found = verdict(customer(), request(window="ignore"))
    assert isinstance(found, Allow)
    assert found.bucket_id == "m1"


def test_a_channel_without_windows_needs_none() -> None:
    who = changed(customer(open_since=None), HERE, {"channel": "sms"})
    assert reason(verdict(who, request(channel="sms"))) == ""


def test_the_first_objection_in_the_fixed_order_is_the_reason() -> None:
    who = customer(open_since=None, consents={}, opt_outs={"marketing": NOON})
    who = having_sent(attended(who, HERE, NIGHT + timedelta(hours=1)), "marketing", NIGHT, NIGHT)
    remedies: list[tuple[str, Callable[[Customer], Customer]]] = [
        ("opted_out", lambda c: replace(c, opt_outs={})),
        ("no_consent", lambda c: replace(c, consents={"营销": AGREED})),
        ("human_has_floor", lambda c: changed(c, HERE, {"human": None})),
    ]
    for expected, cure in remedies:
        assert reason(verdict(who, request("marketing"), NIGHT)) == expected
        who = cure(who)
    assert reason(verdict(who, request("marketing"), NIGHT)) == "quiet_hours"
    assert reason(verdict(who, request("marketing"), MORNING)) == "cap"
    assert reason(verdict(replace(who, sent=()), request("marketing"), MORNING)) == "window_closed"


def sent(who: Customer, asked: Request, now: datetime = NOON) -> Customer:
    found = verdict(who, asked, now)
    assert isinstance(found, Allow)
    return ledger.record_sent(who, asked, bucket_id=found.bucket_id, now=now, rules=RULES)


def test_a_message_that_leaves_is_reserved_counted_and_planned_no_more() -> None:
    who = sent(planned(customer(), 2, "marketing"), request("marketing", effect_id=EffectId("U0")))
    assert [b.used for b in who.conversations[HERE].buckets] == [1]
    assert [u.effect_id for u in who.conversations[HERE].unsent] == ["U1"]
    assert who.sent == (Sent(effect_id=EffectId("U0"), at=NOON, send_class="marketing"),)


def test_a_class_that_no_cap_counts_is_not_remembered() -> None:
    assert sent(customer(), request("service")).sent == ()


def test_what_no_cap_looks_back_to_is_forgotten() -> None:
    who = having_sent(customer(), "marketing", NOON - timedelta(days=7), NOON - timedelta(days=1))
    assert [s.at for s in sent(who, request("service")).sent] == [NOON - timedelta(days=1)]


def test_the_memory_of_sent_messages_is_bounded() -> None:
    who = having_sent(customer(), "reminder", *[NOON - timedelta(days=2)] * (ledger.SENT_MAX + 5))
    assert len(sent(who, request("reminder")).sent) == ledger.SENT_MAX


def test_a_message_to_our_own_people_leaves_no_mark_on_the_customer() -> None:
    assert sent(customer(), request("staff")) == customer()


def test_a_dropped_message_is_planned_no_more() -> None:
    who = ledger.record_dropped(planned(customer(), 2, "service", ELSEWHERE), EffectId("U1"))
    assert [u.effect_id for u in who.conversations[ELSEWHERE].unsent] == ["U0"]


@pytest.mark.parametrize(("why", "used"), [("gone", [0]), ("refused_by_user", [0]), ("count", [5]), ("window", [])])
def test_a_refusal_gives_back_what_the_platform_did_not_take(why: str, used: list[int]) -> None:
    asked = request("marketing")
    refusal = ledger.Refusal(effect_id=asked.effect_id, bucket_id=EventId("m1"), reason=why, heard_at=NOON)
    who = ledger.record_refused(sent(customer(), asked), HERE, refusal)
    assert [b.used for b in who.conversations[HERE].buckets] == used
    assert who.sent == ()


@pytest.mark.parametrize("why", ["count", "window"])
def test_an_old_refusal_takes_nothing_from_a_window_that_was_opened_since(why: str) -> None:
    asked = request("marketing")
    before = sent(customer(), asked)
    newer = windows.opened(
        before.conversations[HERE], "message", event_id=EventId("m2"), at=NOON + timedelta(minutes=1), rules=RULES
    )
    who = changed(before, HERE, {"buckets": newer})
    refusal = ledger.Refusal(effect_id=asked.effect_id, bucket_id=EventId("m1"), reason=why, heard_at=NOON)
    assert windows.left(ledger.record_refused(who, HERE, refusal).conversations[HERE], NOON + timedelta(minutes=2)) == 5


def test_a_send_to_be_tried_again_is_planned_as_the_next_and_holds_nothing() -> None:
    before = planned(customer(), 2, "service")
    first = before.conversations[HERE].unsent[0]
    who = sent(before, request(effect_id=first.effect_id))
    refusal = ledger.Refusal(effect_id=first.effect_id, bucket_id=EventId("m1"), reason="try_later")
    assert ledger.record_returned(who, HERE, refusal, first) == before


requests = st.builds(
    Request,
    effect_id=st.just(EffectId("E")),
    send_class=st.sampled_from(get_args(SendClass)),
    conversation_id=st.sampled_from([HERE, ELSEWHERE]),
    channel=st.just("oa"),
    form=st.sampled_from(["free", "template"]),
    reply=st.booleans(),
    planning=st.booleans(),
    window=st.sampled_from(["auto", "require", "ignore"]),
)
moments = st.integers(0, 72 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))


@given(st.lists(st.tuples(requests, moments), max_size=30))
def test_whatever_is_asked_windows_and_caps_are_never_overdrawn(asked: list[tuple[Request, datetime]]) -> None:
    who = customer()
    for number, (wish, now) in enumerate(sorted(asked, key=lambda pair: pair[1])):
        wish = replace(wish, effect_id=EffectId(f"E{number}"))
        found = verdict(who, wish, now)
        assert found == verdict(who, wish, now)
        if isinstance(found, Allow):
            who = ledger.record_sent(who, wish, bucket_id=found.bucket_id, now=now, rules=RULES)
        elif isinstance(found, Defer):
            assert found.until > now
        for conversation in who.conversations.values():
            assert all(b.used <= b.max for b in conversation.buckets)
        assert sum(s.send_class == "marketing" and s.at > now - timedelta(days=7) for s in who.sent) <= 2
