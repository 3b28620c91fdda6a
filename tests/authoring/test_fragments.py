"""States that several journeys share: put in with their own names, and with their own places when they are wrong."""

import pytest

from .casefiles import Check

HEAD = "dsl: 1\njourney: case\nname: 例\nchannel: oa\n"
REMIND = """dsl: 1
fragment: remind
with: [next, days]
states:
  say:
    when: counts.say < 2
    else: "{{ with.next }}"
    do: [{send: {content: hello, class: reminder}}]
    then: rest
  rest:
    wait: {for: "{{ with.days }}d"}
    then: say
"""
USER = HEAD + "states:\n  one:\n    use: remind\n    with: {next: z, days: 3}\n  z:\n    end: done\n"


def test_the_states_of_a_fragment_are_called_after_the_state_that_uses_it(check: Check) -> None:
    library = check({"journeys/_fragments/remind.yaml": REMIND, "journeys/case.yaml": USER}).library
    assert library is not None
    states = library.journeys["case"].states
    assert list(states) == ["one", "one_rest", "z"]
    assert (states["one"].otherwise, states["one"].then, states["one_rest"].then) == ("z", "one_rest", "one")
    assert states["one"].when is not None
    assert states["one"].when.source == "counts.one < 2"


def test_a_fragment_may_be_used_twice_and_within_a_group(check: Check) -> None:
    text = HEAD + (
        "states:\n  g:\n    group:\n      states:\n"
        "        one:\n          use: remind\n          with: {next: two, days: 1}\n"
        "  two:\n    use: remind\n    with: {next: z, days: 2}\n  z:\n    end: done\n"
    )
    library = check({"journeys/_fragments/remind.yaml": REMIND, "journeys/case.yaml": text}).library
    assert library is not None
    states = library.journeys["case"].states
    assert list(states) == ["one", "one_rest", "two", "two_rest", "z"]
    assert states["one_rest"].group == "g"
    assert states["two"].group == ""


def test_what_is_wrong_in_a_fragment_is_told_in_its_file_with_its_user(check: Check) -> None:
    broken = REMIND.replace("class: reminder", "class: remnder")
    loaded = check({"journeys/_fragments/remind.yaml": broken, "journeys/case.yaml": USER})
    (one,) = loaded.diagnostics
    assert (one.rule, one.file, one.line) == ("J008", "journeys/_fragments/remind.yaml", 8)
    assert "由 journeys/case.yaml 的状态 one 使用" in one.message
    assert "class: remnder" in one.excerpt


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("use: nothing", "J113"),
        ("use: remind", "J014"),
        ("use: remind\n    with: {next: z, days: 3, more: x}", "J203"),
        ("use: remind\n    with: {next: z, days: [3]}", "J008"),
        ("use: remind\n    then: z", "J006"),
        ("use: [remind]", "J008"),
        ("use: remind\n    with: z", "J008"),
    ],
)
def test_a_use_that_cannot_be_put_in_is_told_once_where_it_stands(check: Check, written: str, rule: str) -> None:
    text = f"{HEAD}states:\n  one:\n    {written}\n  z:\n    end: done\n"
    loaded = check({"journeys/_fragments/remind.yaml": REMIND, "journeys/case.yaml": text})
    found = [one for one in loaded.diagnostics if one.file == "journeys/case.yaml"]
    assert rule in {one.rule for one in found}
    assert loaded.library is None


def test_a_name_that_a_fragment_brings_may_not_be_taken_already(check: Check) -> None:
    text = USER.replace("  z:\n", "  one_rest:\n    end: other\n  z:\n")
    loaded = check({"journeys/_fragments/remind.yaml": REMIND, "journeys/case.yaml": text})
    assert "J002" in {one.rule for one in loaded.diagnostics}


def test_fragments_that_multiply_each_other_stop_at_a_bound(check: Check) -> None:
    def level(name: str, inner: str) -> str:
        uses = "".join(f"  s{n}:\n    use: {inner}\n" for n in range(150))
        return f"dsl: 1\nfragment: {name}\nstates:\n{uses}"

    files = {
        "journeys/_fragments/a.yaml": level("a", "b"),
        "journeys/_fragments/b.yaml": level("b", "c"),
        "journeys/_fragments/c.yaml": level("c", "d"),
        "journeys/_fragments/d.yaml": "dsl: 1\nfragment: d\nstates:\n  x:\n    end: done\n",
        "journeys/case.yaml": f"{HEAD}states:\n  one:\n    use: a\n",
    }
    loaded = check(files)
    assert "J015" in {one.rule for one in loaded.diagnostics}
    assert loaded.library is None


def test_a_value_that_is_handed_over_again_and_again_stops_at_a_bound(check: Check) -> None:
    many = "{{ with.x }}" * 3_000
    files = {
        "journeys/_fragments/long.yaml": (
            f'dsl: 1\nfragment: long\nwith: [x]\nstates:\n  say:\n    do: [{{note: "{many}"}}]\n    end: done\n'
        ),
        "journeys/case.yaml": f"{HEAD}states:\n  one:\n    use: long\n    with: {{x: {'长' * 5_000}}}\n",
    }
    loaded = check(files)
    assert "J015" in {one.rule for one in loaded.diagnostics}
