"""`mocks` of a test: what other systems answer to webhooks. Source: journey-language.md 5.1."""

from collections.abc import Mapping

from bot.authoring import literals, trial_keys
from bot.authoring.fields import Fields, fields_of, parsed
from bot.authoring.nodes import Node, Scalar
from bot.authoring.page import Page
from bot.authoring.trial_names import Names, json_of
from bot.core.events import Json

_KINDS = ("ok", "fail", "timeout")
FAIL_MIN, FAIL_MAX = 300, 599


def read_mocks(fields: Fields, names: Names) -> dict[str, Json]:
    """The answers by `target.operation`; what is wrong with one is told."""
    found: dict[str, Json] = {}
    for entry in fields.entries("mocks"):
        call = names.webhook(entry.key)
        answer = _answer_of(fields.page, entry.value)
        if answer is not None:
            found[call] = answer
    return found


def _answer_of(page: Page, node: Node) -> Json:
    fields = fields_of(page, node, trial_keys.ANSWER)
    return read_answer(fields, node) if fields is not None else None


def read_answer(fields: Fields, node: Node) -> Json:
    """`{ok: …}`, `{fail: 500}` or `{timeout: true}`, with `times` and `delay_s` at will; None after a finding."""
    written = [kind for kind in _KINDS if fields.has(kind)]
    if len(written) != 1:
        rule = "J016" if written else "J014"
        help = "{ok: {id: L1}}、{fail: 500} 或 {timeout: true}"
        fields.page.say(rule, node, "回答要写 ok、fail、timeout 其中一个", help=help)
        return None
    answer: dict[str, Json] = {}
    match written[0]:
        case "ok":
            body = fields.node("ok")
            answer["ok"] = json_of(fields.page, body) if body is not None else None
        case "fail":
            answer["fail"] = fields.parsed("fail", _status, 500)
        case _:
            answer["timeout"] = fields.parsed("timeout", _true, True)
    answer |= _limits(fields)
    return answer


def _limits(fields: Fields) -> Mapping[str, Json]:
    scalars: dict[str, Scalar | None] = {name: fields.scalar(name) for name in ("times", "delay_s") if fields.has(name)}
    found = {name: parsed(fields.page, scalar, _positive) for name, scalar in scalars.items() if scalar is not None}
    return {name: value for name, value in found.items() if value is not None}


def _status(text: str) -> int:
    status = literals.whole(text)
    if not FAIL_MIN <= status <= FAIL_MAX:
        raise literals.LiteralFault(f"需要 {FAIL_MIN} 到 {FAIL_MAX} 的 HTTP 状态码")
    return status


def _true(text: str) -> bool:
    if text != "true":
        raise literals.LiteralFault("只能写 true")
    return True


def _positive(text: str) -> int:
    number = literals.whole(text)
    if not 1 <= number <= FAIL_MAX:
        raise literals.LiteralFault("需要 1 以上的整数")
    return number
