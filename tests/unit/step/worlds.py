"""Libraries for tests, from journeys written as YAML text: read and checked as a marketer's files are.

What a journey says and nobody wrote is made up: the text of content `hello` is `hello`, of its variant `resume`
`hello@resume`; what asks for a choice is a menu.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import yaml

from bot.authoring import load
from bot.core.program import Program, compile_library

ROOT = Path(__file__).parents[3]
RESERVED = ("fallback", "expired-choice", "optout-ok")

RULES = """
dsl: 1
defaults: {timezone: Asia/Shanghai, quiet: 21:00-09:00, human_hold: 30m}
working_hours: {工作时间: {days: 每天, hours: 09:00-18:30}}
caps:
  - {name: 营销总量, class: marketing, max: 2, per: 7d}
  - {name: 任意消息, class: [marketing, reminder], max: 4, per: 1d}
interrupts:
  - {id: opt_out, keyword: [退订, TD], priority: 1000, effect: end_all, do: [{opt_out: all}, {send: optout-ok}]}
class_rules:
  transactional: {opt_out: ignore, quiet: ignore, cap: ignore, delivery: at_least_once}
  service: {opt_out: reply_only, quiet: ignore, cap: ignore, delivery: at_least_once}
  reminder: {opt_out: block, quiet: defer, cap: defer 12h, delivery: at_most_once}
  marketing: {opt_out: block, consent: 营销, quiet: defer, cap: drop, delivery: at_most_once}
platform_windows:
  oa: {message: {max: 5, for: 48h}, menu_click: {max: 3, for: 1m}, follow: {max: 3, for: 1m}, scan: {max: 3, for: 1m}}
"""
STAFF = """
dsl: 1
dealers: [{dealer: one, name: 一号店}]
staff:
  - {id: zhangmin, name: 张敏, roles: [顾问], dealer: one, account: main, hours: 工作时间}
  - {id: lilei, name: 李雷, roles: [顾问], dealer: one, account: main, hours: 工作时间}
  - {id: chenjing, name: 陈静, roles: [店长], dealer: one, account: main}
  - {id: zhouning, name: 周宁, roles: [运营值班], dealer: one, account: main}
"""
ATTRIBUTES = """
dsl: 1
attributes:
  nick: {type: text, pii: true}
  phone: {type: phone_cn, pii: true}
  city: {type: text}
  visits: {type: number}
"""
HANDOFF = """
dsl: 1
journey: human
name: 转人工
channel: oa
states:
  tell:
    do: [{send: human-coming}]
    then: hand
  hand:
    handoff: {to: advisor, note: 要找人工, accept_within: 5m, hours: 工作时间, fallback: {goto: away}}
    then: closed
  away:
    do: [{send: human-away}]
    then: missed
  closed: {end: success}
  missed: {end: missed}
"""
ASK_HUMAN = RULES.replace(
    "class_rules:", "  - {id: ask_human, keyword: [人工], effect: pause, call: human}\nclass_rules:"
)
"""The rules with 人工 answered by the journey `HANDOFF`."""
DRIVE = """
dsl: 1
journey: drive
name: 试驾
channel: oa
enter: [{keyword: [试驾], interrupt: true}]
focus: {priority: 70}
slots:
  day: {type: choice, options: {周末: [周六], 平日: [工作日]}, ask: ask-day}
states:
  day: {ask: day, timeout: {after: 2h, goto: done}, give_up: {goto: done}, then: noted}
  noted: {do: [{send: drive-noted}], then: done}
  done: {end: done}
"""
"""A journey that breaks in at its word and asks one question."""
NUDGE = """
dsl: 1
journey: nudge
name: 提醒
channel: oa
enter: [{event: oa.follow}]
focus: {priority: 40}
states:
  hello: {do: [{send: hello}], then: rest}
  rest:
    wait: {for: 20h}
    events:
      - {event: message, keyword: [继续], do: [{send: go-on}], goto: done}
      - {event: message, when: "event.kind == 'image'", do: [{send: nice-picture}]}
      - {event: oa.click, do: [{send: clicked}], goto: done}
    then: done
  done: {end: done}
"""
"""A journey that waits, and hears some words, pictures and clicks meanwhile."""

ONE_QUESTION = "slots: {q: {type: choice, options: {是的: [], 不是: []}, ask: ask-q}}\n"
ASK_Q = "ask: q, timeout: {after: 4h, goto: done}, give_up: {goto: done}"


def journey(name: str, body: str, *, enter: str = "event: oa.follow") -> str:
    """A journey file of `body`, entered that way; with an empty `enter` only by others."""
    entry = f"enter: [{{{enter}}}]\n" if enter else ""
    return f"dsl: 1\njourney: {name}\nname: {name}\nchannel: oa\n{entry}{body}"


@cache
def shipped() -> Program:
    """The journeys that come with the product."""
    return _compiled(ROOT / "journeys", ROOT / "content")


@cache
def world(
    *journeys: str,
    rules: str = RULES,
    staff: str = STAFF,
    contents: tuple[tuple[str, str], ...] = (),
    files: tuple[tuple[str, str], ...] = (),
) -> Program:
    """The library of these journey files, with other `files` below `journeys` by their path.

    AssertionError with every finding: a marketer could not apply it.
    """
    with tempfile.TemporaryDirectory() as folder:
        below = Path(folder)
        (below / "journeys" / "schema").mkdir(parents=True)
        (below / "content").mkdir()
        for name, text in (("_global", rules), ("_staff", staff), ("schema/customer", ATTRIBUTES)):
            (below / "journeys" / f"{name}.yaml").write_text(text, encoding="utf-8")
        for text in journeys:
            named = re.search(r"^journey: (\S+)", text, re.MULTILINE)
            assert named is not None, "a journey has a name"
            (below / "journeys" / f"{named[1]}.yaml").write_text(text, encoding="utf-8")
        for path, text in files:
            (below / "journeys" / path).parent.mkdir(parents=True, exist_ok=True)
            (below / "journeys" / path).write_text(text, encoding="utf-8")
        written = dict(contents)
        for name, form in {**_said(rules), **_said_by_all(journeys)}.items():
            text = written.get(name) or _invented(name, form, with_templates="template:" in "".join(journeys))
            (below / "content" / f"{name}.md").write_text(text, encoding="utf-8")
        for name, text in contents:
            (below / "content" / f"{name}.md").parent.mkdir(exist_ok=True)
            (below / "content" / f"{name}.md").write_text(text, encoding="utf-8")
        return _compiled(below / "journeys", below / "content")


def _compiled(journeys: Path, content: Path) -> Program:
    loaded = load(journeys, content)
    errors = [f"{d.file}:{d.line}: {d.rule} {d.message}" for d in loaded.diagnostics if d.severity == "error"]
    assert loaded.library is not None, "\n".join(errors)
    return compile_library(loaded.library)


def _said_by_all(journeys: tuple[str, ...]) -> dict[str, str]:
    found = {"confirm": "menu"} | dict.fromkeys(RESERVED, "text")
    for text in journeys:
        found |= _said(text)
    return found


@cache
def _said(text: str) -> dict[str, str]:
    """Content → form, of everything that a file says."""
    return dict(_contents(yaml.load(text, Loader=yaml.CSafeLoader)))


def _contents(node: object) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        if "type" in node and "ask" in node:
            yield node["ask"], "menu" if node["type"] == "choice" or "options_from" in node else "text"
        for key, value in node.items():
            if key == "send":
                yield (value if isinstance(value, str) else value["content"]), "said"
            elif key in ("say", "text") and isinstance(value, str):
                yield value, "text"
            else:
                yield from _contents(value)
    elif isinstance(node, list):
        for one in node:
            yield from _contents(one)


def _invented(name: str, form: str, *, with_templates: bool) -> str:
    """A content file of as little as will do: hundreds of them are read in these tests."""
    value = "={{ value }}" if name == "confirm" else ""
    lines = ["---", f"content: {name}", f"channels: {{oa: {'text' if form == 'said' else form}}}"]
    lines += ["vars: [value]"] if value else []
    lines += [f"templates: {{通知: {{thing1: {name}}}, 备用: {{thing1: {name}}}}}"] if with_templates else []
    if form == "said" or name in RESERVED:
        return "\n".join([*lines, "---", f"{name}{value}", ""])
    variants = [f"{{% variant {variant} %}}\n{name}@{variant}{value}" for variant in ("again", "resume")]
    return "\n".join([*lines, "variants: [normal, again, resume]", "---", f"{name}{value}", *variants, ""])
