"""One meaning, one release: the hash does not see how files are laid out, and sees every change of meaning."""

import pytest

from bot.authoring import Loaded, canonical

from .casefiles import Check

PLAIN = """dsl: 1
journey: case
name: 例
channel: oa
slots:
  need: {type: choice, options: {买车: [看车], 养车: [保养]}, ask: ask-need}
states:
  a:
    ask: need
    timeout: {after: 1h, goto: b}
    give_up: {goto: z}
    then: b
  b:
    when: slots.need == '买车' and customer.score > 5
    else: z
    do: [{send: hello}]
    then: z
  z:
    end: done
"""
LAID_OUT = """# 换了写法，没有换意思
journey:   "case"
channel: 'oa'
dsl: 1
name: 例
states:
  a:
    then: b
    ask: {slot: need}
    give_up:
      goto: z
    timeout:
      goto: b          # 一小时
      after: 60分钟
  z: {end: done}
  b:
    do:
      - send: {content: hello}
    when: >-
      slots.need=="买车"
      and (customer.score>5)
    then: z
    else: z
slots:
  need:
    ask: ask-need
    options:
      买车: 看车
      养车: 保养
    type: choice
"""


def _release(loaded: Loaded) -> str:
    assert loaded.library is not None, [one.message for one in loaded.diagnostics]
    return loaded.library.release


def test_layout_comments_quotes_and_order_of_keys_do_not_change_the_release(check: Check) -> None:
    assert _release(check({"journeys/case.yaml": PLAIN})) == _release(check({"journeys/case.yaml": LAID_OUT}))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1h", "61m"),
        ("> 5", "> 6"),
        ("[看车]", "[看车, 选车]"),
        ("{买车: [看车], 养车: [保养]}", "{养车: [保养], 买车: [看车]}"),
        ("end: done", "end: success"),
        ("send: hello", "send: {content: hello, class: marketing}"),
        ("name: 例", "name: 例子"),
    ],
)
def test_every_change_of_meaning_changes_the_release(check: Check, before: str, after: str) -> None:
    assert before in PLAIN
    first = _release(check({"journeys/case.yaml": PLAIN}))
    assert _release(check({"journeys/case.yaml": PLAIN.replace(before, after)})) != first


def test_a_change_of_a_wording_changes_the_release_and_that_contents_hash_only(check: Check) -> None:
    first = check({"journeys/case.yaml": PLAIN})
    second = check({"content/hello.md": "---\ncontent: hello\nchannels: {oa: text}\n---\n你好\n"})
    assert first.library is not None
    assert second.library is not None
    assert first.library.release != second.library.release
    changed = [name for name, one in second.library.contents.items() if one.hash != first.library.contents[name].hash]
    assert changed == ["hello"]


def test_another_first_state_is_another_meaning(check: Check) -> None:
    states = PLAIN.index("  a:\n")
    moved = PLAIN[:states] + "  z:\n    end: done\n" + PLAIN[states:].replace("  z:\n    end: done\n", "")
    first, second = check({"journeys/case.yaml": PLAIN}), check({"journeys/case.yaml": moved})
    assert first.library is not None
    assert second.library is None, "nothing but the end is reached"
    assert '"initial":"a"' in canonical(first.library)
