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
