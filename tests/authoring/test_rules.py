"""What the global rules mean once they are read."""

from .casefiles import WORLD, Check

_RULES = WORLD / "journeys" / "_global.yaml"
_OPT_OUT = "  - {id: opt_out,"
_SOFT = "  - {id: late, keyword: [人工], effect: pause}\n  - {id: later, keyword: [人工], effect: answer}\n"


def test_interrupts_are_tried_by_priority_and_then_in_the_order_of_the_file(check: Check) -> None:
    text = _RULES.read_text().replace(_OPT_OUT, f"{_SOFT}{_OPT_OUT}")
    library = check({"journeys/_global.yaml": text}).library
    assert library is not None
    assert [one.interrupt for one in library.rules.interrupts] == ["opt_out", "late", "later"]


def test_a_keyword_is_kept_as_it_will_be_heard_and_nothing_is_added(check: Check) -> None:
    text = _RULES.read_text().replace("[退订]", "[退订, ＴＤ, 别再发了, td]")
    library = check({"journeys/_global.yaml": text}).library
    assert library is not None
    assert library.rules.interrupts[0].keywords == ("退订", "td", "别再发")
