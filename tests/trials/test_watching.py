"""Properties: how they are read, and when they are broken."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from bot.authoring.read_watch import WatchFault, parse_watch
from bot.core.watching import Sight, SightKind, breaches

from .stage import Play, of_steps

START = datetime(2026, 12, 1, 2, tzinfo=UTC)


def sight(kind: SightKind, minute: int, **fields: object) -> Sight:
    return Sight(kind=kind, at=START + timedelta(minutes=minute), fields={k.rstrip("_"): v for k, v in fields.items()})


def broken(kind: Literal["always", "never", "within"], text: str, *sights: Sight, until: int = 600) -> list[int]:
    """The minutes at which the property breaks."""
    found = breaches(parse_watch(kind, text), sights, until=START + timedelta(minutes=until))
    return [int((one.at - START) / timedelta(minutes=1)) for one in found]


OUT = sight("opt_out", 10, scope="all")
MARKETING, SERVICE = (
    sight("send", 20, content="a", class_="marketing"),
    sight("send", 20, content="b", class_="service"),
)


def test_never_after_something_is_broken_by_what_comes_later() -> None:
    rule = "send where class == 'marketing' after opt_out"
    assert broken("never", rule, OUT, MARKETING) == [20]
    assert broken("never", rule, OUT, SERVICE) == []
    assert broken("never", rule, MARKETING, OUT) == []


def test_never_before_something_is_broken_by_what_comes_earlier() -> None:
    asked, agreed = sight("ask", 5, slot="phone"), sight("consent", 4, purpose="x", granted=True)
    refused = sight("consent", 4, purpose="x", granted=False)
    assert broken("never", "ask phone before consent.granted", asked) == [5]
    assert broken("never", "ask phone before consent.granted", refused, asked) == [5]
    assert broken("never", "ask phone before consent.granted", agreed, asked) == []
    assert broken("never", "ask phone before consent.granted", sight("ask", 5, slot="nick")) == []


def test_always_within_some_time_after_something() -> None:
    rule = "task(advisor) within 30m after state == 'assign'"
    assign, task = sight("state", 0, state="assign"), sight("task", 30, to="advisor", outcome="offered")
    assert broken("always", rule, assign, task) == []
    assert broken("always", rule, assign, sight("task", 31, to="advisor")) == [0]
    assert broken("always", rule, assign, sight("task", 5, to="role:店长")) == [0]
    assert broken("always", rule, assign, until=30) == []
    assert broken("within", "30m task(advisor) after state == 'assign'", assign) == [0]


def test_always_before_something() -> None:
    rule = "consent within 1h before ask phone"
    asked = sight("ask", 90, slot="phone")
    assert broken("always", rule, sight("consent", 31), asked) == []
    assert broken("always", rule, sight("consent", 29), asked) == [90]


def test_never_and_always_without_a_relation() -> None:
    assert broken("never", "send a", MARKETING) == [20]
    assert broken("never", "send 'c'", MARKETING) == []
    assert broken("always", "send b", MARKETING) == [600]
    assert broken("always", "send a", MARKETING) == []


def test_what_cannot_be_compared_does_not_match() -> None:
    assert broken("never", "send where content > 3", MARKETING) == []


@pytest.mark.parametrize(
    ("text", "message", "offending"),
    [
        ("sned", "不认识 “sned”，是否指 “send”？", "sned"),
        ("send where clas == 'x'", "send 没有 “clas”，是否指 “class”？", "clas"),
        ("send after a after b", "after、before 只能写一次", "after"),
        ("send within soon after enter", "within 后面需要一段时长", "soon"),
        ("a b c", "写成", "a b c"),
        ("send where (", "", ""),
        ("send " + "a" * 600, "一条规则最多 500 字", ""),
    ],
)
def test_what_is_no_property_is_refused_with_its_place(text: str, message: str, offending: str) -> None:
    with pytest.raises(WatchFault) as fault:
        parse_watch("never", text)
    assert message in str(fault.value)
    assert offending in (fault.value.offending or offending)


def test_words_in_quotes_are_no_relation() -> None:
    found = parse_watch("never", "send where content == 'x after y' after opt_out")
    assert found.relation == "after"
    assert found.other is not None


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("never: send greet", "违反规则 “never: send greet”：send greet（T+0）"),
        ("never: ask want before consent.granted", "：ask want（T+0）"),
        ("always: task(advisor) within 1m after state == 'want'", "：state want（T+0）"),
        ("always: goal", "（T+2h）"),
    ],
)
def test_a_broken_rule_of_the_file_fails_the_test(played: Play, rule: str, told: str) -> None:
    steps = "event: oa.follow\nwait: 2h"
    text = of_steps(steps) + f"rules:\n  - {rule}\n"
    (failure,) = played(text).case.failures
    assert told in failure.text
    assert failure.span.line == 8


def test_a_consent_that_was_given_before_counts(played: Play) -> None:
    rule = "rules: [{never: ask phone before consent.granted}]\n"
    assert played(of_steps("wait: 1h", given="{state: phone}") + rule).failures == []
