"""Patterns of `matches`, judged by Python's own regular expressions where both can."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.expressions.patterns import PATTERN_MAX, STATES_MAX, TEXT_READ_MAX, PatternFault, compile_pattern
from bot.core.expressions.values import EvaluationFault

_ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "[a-c]", "\\d", "\\w", "\\.", "(?:a|bc)"])
_MARKS = st.sampled_from(["", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "{1,}"])
_PATTERNS = st.recursive(
    st.builds("{}{}".format, _ATOMS, _MARKS),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("({}){}".format, inner, _MARKS),
    ),
    max_leaves=5,
)


@settings(deadline=None)
@given(pattern=_PATTERNS, text=st.text(alphabet="abc.1é\n", max_size=6))
def test_every_pattern_decides_as_pythons_full_match_does(pattern: str, text: str) -> None:
    expected = re.fullmatch(pattern, text) is not None
    assert compile_pattern(pattern).matches(text) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"1[3-9]\d{9}", "13800138000", True),
        (r"1[3-9]\d{9}", "12800138000", False),
        (r"^[京沪浙][A-Z][A-Z0-9]{5}$", "沪A12345", True),
        (r"[\d\-]+", "2026-12", True),
        (r"[a-]", "-", True),
        (r"[\]]", "]", True),
        (r"a|", "", True),
        (r"", "", True),
        (r"", "a", False),
        (r"\d", "٣", False),
        (r"\w+", "试驾_1", True),
        (r"[^\s]+", "a b", False),
        (r"x{0}", "", True),
        (r"(a*)*", "aaa", True),
        (r"(a*)+b", "b", True),
    ],
)
def test_patterns_read_as_marketers_write_them(pattern: str, text: str, expected: bool) -> None:
    assert compile_pattern(pattern).matches(text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1",
        "(?=a)",
        "(?<!a)b",
        "(?i)a",
        "a*?",
        "a++",
        "a**",
        "*a",
        "(",
        ")",
        "a)",
        "[a",
        "[z-a]",
        "a{2,1}",
        "a{x}",
        "[]",
        "[^]",
        "a{1000}",
        "a{",
        "\\",
        "a^b",
        "a$b",
        "\\b",
        "\\p",
        "{2}",
        "]" * (PATTERN_MAX + 1),
        "(" * 11 + ")" * 11,
        "(.{1,90}){3}",
        "((){99}){99}",
        "[a-\\d]",
    ],
)
def test_what_is_outside_the_linear_subset_is_refused(pattern: str) -> None:
    with pytest.raises(PatternFault):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a|aa)+c", ".*.*.*.*b", "(.{1,90}){1,2}b"])
def test_the_states_of_an_evil_pattern_stay_few(pattern: str) -> None:
    compiled = compile_pattern(pattern)
    assert len(compiled.steps) <= STATES_MAX
    assert compiled.matches("a" * TEXT_READ_MAX) is False


def test_a_text_too_long_is_not_matched() -> None:
    with pytest.raises(EvaluationFault) as fault:
        compile_pattern("a*").matches("a" * (TEXT_READ_MAX + 1))
    assert fault.value.code == "expr.size"
