"""One slip gives one finding: what only follows from it would send the marketer to the wrong line."""

from .casefiles import HERE, Check, files_of

JOURNEY = (HERE / "cases" / "ok" / "J202.yaml").read_text(encoding="utf-8")


def test_a_misspelt_timeout_is_not_also_missing(check: Check) -> None:
    slipped = JOURNEY.replace("timeout:", "timout:", 1)
    assert slipped != JOURNEY
    assert [one.rule for one in check(files_of(slipped)).diagnostics] == ["J006"]


def test_contents_do_not_count_as_unused_while_a_journey_cannot_be_read(check: Check) -> None:
    unused = "---\ncontent: only-here\nchannels: {oa: text}\n---\n您好\n"
    files = {"content/only-here.md": unused, "journeys/case.yaml": "dsl: 1\n\tjourney: case\n"}
    assert [one.rule for one in check(files).diagnostics] == ["J001"]


def test_a_misspelt_key_that_is_required_is_not_also_missing(check: Check) -> None:
    """Before: `optons` was told twice, as unknown and as missing."""
    text = """dsl: 1
journey: case
name: 例
channel: oa
vars:
  pace: {type: choice, optons: [快, 慢]}
slots:
  need: {type: choice, optons: [买车, 养车], ask: ask-need}
  nick: {typ: text, ask: ask-name}
states:
  a: {ask: need, timeout: {after: 1d, goto: z}, give_up: {goto: z}, then: z}
  z: {end: done}
"""
    told = [(one.rule, one.line) for one in check({"journeys/case.yaml": text}).diagnostics]
    assert told == [("J006", 6), ("J006", 8), ("J006", 9)]
