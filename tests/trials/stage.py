"""A small world with one journey of every kind of state that waits, and tests as text played in it."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.authoring import Diagnostic, Loaded, load, load_trials
from bot.core.library import Library
from bot.core.program import compile_library
from bot.sandbox.trials.run import Case, Outcome, play_all

WORLD = Path(__file__).parents[1] / "authoring" / "world"
JOURNEY = """
dsl: 1
journey: round
name: 一圈
channel: oa
enter:
  - event: oa.follow
  - keyword: [开始]
  - event: oa.click
    when: event.key == 'GO'
focus: {priority: 80}
vars:
  tries: {type: number, default: 0}
  word: {type: text}
slots:
  want: {type: choice, options: {买车: [看车], 养车: [保养]}, ask: ask-want, retry: {max: 1, say: ask-want}}
  phone: {type: phone_cn, ask: ask-phone, confirm: true, pii: true, consent: 电话联系, save: customer.phone}
goal: {name: 留了电话, when: has(customer.phone)}
states:
  greet:
    do:
      - send: greet
      - tag: 新人
      - -tag: 旧人
      - score: 5
      - set: {vars.tries: vars.tries + 1}
    then: want
  want:
    ask: want
    timeout: {after: 2h, goto: rest}
    give_up: {goto: help}
    then: route
  route:
    branch:
      - when: slots.want == '养车'
        goto: help
      - else: agree
  agree:
    do:
      - consent: {grant: 电话联系, text: ask-want}
    then: phone
  phone:
    ask: phone
    timeout: {after: 4h, goto: rest}
    give_up: {goto: help}
    then: note
  note:
    do:
      - task: {to: advisor, title: 新线索, due: 30m, overdue: {to: role:店长}}
      - points: {add: 50, reason: 完善资料}
      - note: 留了电话
      - send: thanks
    then: done
  rest:
    when: window.open and counts.rest < 1
    else: bye
    do:
      - send: {content: nudge, class: reminder}
    wait: {for: 20h}
    events:
      - event: message
        goto: want
    then: bye
  help:
    handoff: {to: advisor, note: 帮忙, accept_within: 10m, hours: 工作时间, fallback: {goto: bye}}
    then: done
  bye:
    end: gone
  done:
    end: success
errors:
  - error: send.window_closed
    goto: bye
"""
CONTENTS = {
    "greet": "您好",
    "thanks": "收到，谢谢",
    "nudge": "还在吗",
    "ask-phone": "手机号？\n{% variant again %}\n请再发一次手机号",
}
VARIANTS = {"ask-phone": "variants: [normal, again]\n"}


@dataclass(frozen=True, kw_only=True)
class Played:
    """What became of a test file. `library` None: the world has errors."""

    diagnostics: tuple[Diagnostic, ...]
    library: Library | None
    outcome: Outcome | None

    @property
    def case(self) -> Case:
        """The only case."""
        assert self.outcome is not None, self.messages
        (case,) = [case for report in self.outcome.reports for case in report.cases]
        return case

    @property
    def messages(self) -> list[str]:
        """What is wrong with the files."""
        return [f"{one.rule} {one.line}:{one.column} {one.message}" for one in self.diagnostics]

    @property
    def failures(self) -> list[str]:
        """What was not as expected."""
        assert self.outcome is not None, self.messages
        cases = [case for report in self.outcome.reports for case in report.cases]
        return [failure.text for case in cases for failure in case.failures]


Play = Callable[[str], Played]
ATTRIBUTES = """
  level: {type: choice, options: [普通, 金卡], default: 普通}
  home: {type: location}
"""


def build(folder: Path) -> None:
    """The files of the world, below `folder`."""
    shutil.copytree(WORLD, folder, dirs_exist_ok=True)
    rules = folder / "journeys" / "_global.yaml"
    windows = "message: {max: 5, for: 48h}, menu_click: {max: 3, for: 1m},"
    written = rules.read_text(encoding="utf-8").replace("message: {max: 5, for: 48h},", windows)
    assert windows in written
    rules.write_text(written, encoding="utf-8")
    (folder / "journeys" / "round.yaml").write_text(JOURNEY, encoding="utf-8")
    schema = folder / "journeys" / "schema" / "customer.yaml"
    schema.write_text(schema.read_text(encoding="utf-8") + ATTRIBUTES, encoding="utf-8")
    for name, text in CONTENTS.items():
        head = f"---\ncontent: {name}\nchannels: {{oa: text}}\n{VARIANTS.get(name, '')}---\n"
        (folder / "content" / f"{name}.md").write_text(head + text, encoding="utf-8")
    (folder / "content" / "ask-want.md").write_text(
        "---\ncontent: ask-want\nchannels: {oa: menu}\n---\n想做什么？", encoding="utf-8"
    )


def play(folder: Path, files: Mapping[str, str]) -> Played:
    """What becomes of these test files in the world below `folder`. Played only when nothing is wrong with them."""
    tests = folder / "journeys" / "tests"
    shutil.rmtree(tests, ignore_errors=True)
    tests.mkdir(parents=True)
    for name, text in files.items():
        (tests / name).write_bytes(text.encode())
    loaded = _loaded(folder)
    assert loaded.library is not None, [one.message for one in loaded.diagnostics]
    trials = load_trials(folder / "journeys", loaded.drafts)
    outcome = None if trials.broken else play_all(compile_library(loaded.library), trials.files)
    return Played(diagnostics=trials.diagnostics, library=loaded.library, outcome=outcome)


@cache
def _loaded(folder: Path) -> Loaded:
    """The world itself does not change while tests are played in it."""
    return load(folder / "journeys", folder / "content", templates=["进度"])


def of_steps(steps: str, *, given: str = "", head: str = "") -> str:
    """A file with one test."""
    lines = ["journey: round", *head.splitlines(), "tests:", "  - name: 一个测试"]
    lines += [f"    given: {given}"] if given else []
    lines += ["    steps:", *(f"      - {line}" for line in steps.strip().splitlines())]
    return "\n".join(lines) + "\n"
