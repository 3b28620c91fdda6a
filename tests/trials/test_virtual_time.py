"""Time in tests is virtual, and the product is the same in every play."""

import pytest

from bot.sandbox.trials.play import Theatre

from .stage import Play, of_steps


def test_a_thousand_days_go_by_in_one_test(played: Play) -> None:
    steps = "customer: 退订\nwait: 1000d\nexpect: {ended: '', sent_count: 1}".replace("ended: '', ", "")
    assert played(of_steps(steps)).failures == []


def test_the_same_test_gives_the_same_journal_every_time(played: Play) -> None:
    text = of_steps('event: oa.follow\ncustomer: 看车\ncustomer: "13800138000"\ncustomer: 不对\nexpect: {state: bye}')
    first, second = played(text).case, played(text).case
    assert first.failures == second.failures != ()


@pytest.mark.parametrize("times", [2])
def test_nothing_of_one_play_is_left_in_the_next(played: Play, times: int) -> None:
    one = "  - {{name: 第{n}, steps: [{{event: oa.follow}}, {{expect: {{sent_count: 2, score: 5, state: want}}}}]}}\n"
    text = "journey: round\ntests:\n" + "".join(one.format(n=n) for n in range(times))
    assert played(text).failures == []


def test_a_theatre_knows_every_account_that_may_send(played: Play) -> None:
    from bot.core.program import compile_library

    library = played(of_steps("event: oa.follow")).library
    assert library is not None
    theatre = Theatre.build(compile_library(library))
    assert set(theatre.accounts) == {("oa", "main"), ("app", "main")}
    theatre.database.close()
