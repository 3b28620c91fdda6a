"""Which conditions a database can work out, and the part that is pointed at where it cannot (J221)."""

import pytest

from bot.authoring.expressions import parse_expression
from bot.core.audiences import ground_of
from bot.core.expressions.analyse import check_audience, check_guard
from bot.core.expressions.ground import Ground
from bot.core.expressions.types import TypeEnv
from bot.core.library import Attribute, EventType, Segment

ATTRIBUTES = {
    "city": Attribute(name="city", type="text"),
    "budget": Attribute(name="budget", type="number"),
    "vip": Attribute(name="vip", type="bool"),
    "phone": Attribute(name="phone", type="phone_cn", pii=True),
}
EVENTS = {"finance.apply": EventType(event="finance.apply", fields={"amount": "number", "plan": "text", "on": "date"})}


def segment(name: str, condition: str) -> tuple[str, Segment]:
    return name, Segment(segment=name, condition=parse_expression(condition))


SEGMENTS = dict(
    [
        segment("高意向", "customer.budget > 3000 and has_tag('到店')"),
        segment("电话尾号", "matches(customer.phone, '.*8')"),
        segment("甲", "in_segment('乙')"),
        segment("乙", "in_segment('甲')"),
    ]
)
GROUND: Ground = ground_of(ATTRIBUTES, EVENTS, SEGMENTS)


@pytest.mark.parametrize(
    "source",
    [
        "customer.city in ['上海', '杭州'] and not has_tag('已放款') and count('finance.apply', within=days(30)) == 0",
        "has(customer.phone)",
        "customer.opted_out or has_consent('营销')",
        "customer.city | lower | trim == 'sh' and length(customer.city) < 5",
        "customer.budget * 2 + 1 >= 100 and (customer.budget | round(2)) != 3 and (customer.budget | default(0)) > 1",
        "customer.score % 10 == 0",
        "last('finance.apply') < now - days(7)",
        "weekday(today) in [6, 7] and weekday(now) == 1",
        "matches('固定', '.*') and 10 / 4 > 2 and customer.vip",
        "count('finance.apply', within=hours(36), where=event.amount > 100 and event.plan == 'A') > 0",
        "in_segment('高意向')",
        "customer.id > 100",
    ],
)
def test_this_can_be_asked_of_a_database(source: str) -> None:
    assert check_audience(parse_expression(source), GROUND) == ()


@pytest.mark.parametrize(
    ("source", "offending"),
    [
        ("customer.vip and dealer.open_slots(today) == []", "dealer.open_slots(today)"),
        ("customer.vip and matches(customer.city, '.*')", "matches(customer.city, '.*')"),
        ("customer.phone == '1'", "customer.phone"),
        ("customer.budget / 2 > 1", "customer.budget / 2"),
        ("customer.budget % 2 == 1", "customer.budget % 2"),
        ("customer.budget * customer.budget > 1", "customer.budget * customer.budget"),
        ("customer.score * customer.score > 1", "customer.score * customer.score"),
        ("customer.score * 1000 > 1", "customer.score * 1000"),
        ("(customer.budget | money) == '¥1'", "customer.budget | money"),
        ("(customer.city ~ customer.budget) == 'x'", "customer.city ~ customer.budget"),
        ("customer.advisor == '张敏'", "customer.advisor"),
        ("slots.need == '养车'", "slots.need"),
        ("customer.city in customer.cities", "customer.city in customer.cities"),
        ("has_tag(customer.city)", "has_tag(customer.city)"),
        ("weekday(last('finance.apply')) == 1", "weekday(last('finance.apply'))"),
        ("days(customer.budget) > days(1)", "days(customer.budget)"),
        ("in_segment('电话尾号')", "in_segment('电话尾号')"),
        ("in_segment('甲')", "in_segment('甲')"),
        ("in_segment('没有')", "in_segment('没有')"),
        ("customer.budget > 900000000000", "900000000000"),
        ("count('finance.apply', within=days(1), where=event.amount / 2 > 1) > 0", "event.amount / 2"),
        ("customer.city == 'a\0b'", "'a\0b'"),
    ],
)
def test_this_cannot_and_the_part_is_named(source: str, offending: str) -> None:
    findings = check_audience(parse_expression(source), GROUND)
    assert [(finding.rule, finding.offending) for finding in findings] == [("J221", offending)]
    assert findings[0].message.startswith(f"{offending} 无法转成 SQL：")


def test_segments_that_multiply_each_other_are_refused_at_once() -> None:
    many = dict(segment(f"s{at}", " or ".join([f"in_segment('s{at + 1}')"] * 60)) for at in range(4))
    last = dict([segment("s4", "customer.vip")])
    ground = ground_of(ATTRIBUTES, EVENTS, many | last)
    assert [one.rule for one in check_audience(parse_expression("in_segment('s0')"), ground)] == ["J221"]
    assert check_audience(parse_expression("in_segment('s3')"), ground) == ()


def test_every_part_that_cannot_be_asked_is_told() -> None:
    findings = check_audience(parse_expression("customer.budget / 2 > 1 or matches(customer.city, 'a')"), GROUND)
    assert [finding.offending for finding in findings] == ["customer.budget / 2", "matches(customer.city, 'a')"]


def test_a_where_is_always_asked_of_the_database_so_a_guard_with_one_is_checked_too() -> None:
    env = TypeEnv(names={}, events=GROUND.env.events)
    wrong = parse_expression("count('finance.apply', within=days(1), where=event.amount / 2 > 1) > 0")
    assert [finding.rule for finding in check_guard(wrong, env)] == ["J221"]


@pytest.mark.parametrize(
    ("source", "rule", "offending"),
    [
        ("count('finance.apply', within=days(1), where=event.amount > 'x') > 0", "J207", "event.amount"),
        ("count('finance.apply', within=days(1), where=event.amount) > 0", "J208", "event.amount"),
        ("count('finance.apply', within=days(1), where=event.sum > 1) > 0", "J203", "event.sum"),
        ("count('finance.apply', within=days(1))", "J208", "count('finance.apply', within=days(1))"),
        ("last('finance.apply') > 3", "J207", "last('finance.apply')"),
        ("in_segment('高意向') == 3", "J207", "in_segment('高意向')"),
    ],
)
def test_questions_about_events_have_types(source: str, rule: str, offending: str) -> None:
    env = TypeEnv(names={}, events=GROUND.env.events)
    findings = check_guard(parse_expression(source), env)
    assert (findings[0].rule, findings[0].offending) == (rule, offending)


def test_the_fields_of_an_unknown_event_are_unknown() -> None:
    env = TypeEnv(names={}, events=GROUND.env.events)
    source = "count('finance.aply', within=days(1), where=event.amount > 1) > 0"
    assert next(finding.rule for finding in check_guard(parse_expression(source), env)) == "J203"
