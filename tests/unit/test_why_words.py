"""Whatever the program can write into a journal has words in `why`: the source itself is searched."""

import ast
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import get_args

import pytest

from bot.channels.oa.events import TemplateStatus
from bot.core.effects import Trace
from bot.core.policy import Reason
from bot.errors import UnreachableReason
from bot.runtime.receipts import ReceiptType
from bot.runtime.reports import ARRIVED
from bot.runtime.why.moves import REFUSALS
from bot.runtime.why.names import EVENTS, content_name
from bot.runtime.why.reasons import known
from bot.runtime.why.wording import sentence, worded

BOT = Path(__file__).parents[2] / "bot"
CODES = ("outcome", "reason", "why")
"""Arguments of a trace whose value is a code that a marketer should not have to read."""
FAULTS = {"fail": (1, 2), "stick": (2,), "_not_sent": (3,), "_unsaid": (2,), "EvaluationFault": (0,), "suppress": (2,)}
"""Calls that raise an error or hold messages back, with the places where the code may stand among their arguments."""


@cache
def calls_of(path: Path) -> tuple[tuple[str, ast.Call], ...]:
    """(name, call) for every call in this file, which is searched for several things."""
    found = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    return tuple(
        (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""), node)
        for node in found
    )


def calls(top: str) -> Iterator[tuple[str, ast.Call]]:
    """The same for every file below this folder of the program."""
    return chain.from_iterable(map(calls_of, sorted((BOT / top).rglob("*.py"))))


def literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def traced() -> list[tuple[str | None, ast.Call]]:
    """Every call that writes a trace: its kind, None when it is not written out there."""
    named = [(literal(call.args[0]), call) for name, call in calls("core/step") if name == "trace"]
    for top in ("core", "runtime", "storage"):
        built = [call for name, call in calls(top) if name in ("Trace", "make_trace")]
        named += [(literal(arg.value), call) for call in built for arg in call.keywords if arg.arg == "kind"]
    return named


def codes() -> list[tuple[str, str, str]]:
    """(kind, argument, code) of every code that a trace is given word for word."""
    return sorted(
        {
            (kind, str(argument.arg), code)
            for kind, call in traced()
            for argument in call.keywords
            if kind is not None and argument.arg in CODES and (code := literal(argument.value))
        }
    )


def faults() -> set[str]:
    found = set()
    for top in ("core", "runtime"):
        for name, call in calls(top):
            given = [call.args[place] for place in FAULTS.get(name, ()) if len(call.args) > place]
            found |= {code for arg in given if (code := literal(arg))}
    return found


def settled() -> set[str]:
    """Reasons that the runtime writes into the outbox and into receipts."""
    given = [arg for _, call in calls("runtime") for arg in call.keywords if arg.arg == "reason"]
    return {code for arg in given if (code := literal(arg.value))}


def refusals() -> set[str]:
    """What keeps a customer out of a journey."""
    given = [arg for name, call in calls("core/step") if name == "Refusal" for arg in call.keywords]
    return {code for arg in given if arg.arg == "reason" and (code := literal(arg.value))}


def test_the_search_finds_what_it_looks_for() -> None:
    assert len(traced()) > 40
    assert ("handoff", "outcome", "off_hours") in codes()
    assert {"loop", "expr.null", "send.no_identity"} <= faults()
    assert {"no_verdict", "expired"} <= settled()
    assert {"already_active", "too_soon", "only_once"} <= refusals()


def test_every_kind_of_trace_that_is_written_has_words() -> None:
    assert {kind for kind, _ in traced() if kind is not None} - worded() == set()


def test_kinds_that_are_not_written_out_are_those_of_receipts() -> None:
    unnamed = [ast.unparse(call.args[0]) for kind, call in traced() if kind is None and call.args]
    assert unnamed == ["event.type"]
    assert set(get_args(ReceiptType)) <= worded()


@pytest.mark.parametrize(("kind", "argument", "code"), codes(), ids=lambda value: str(value))
def test_every_code_in_a_trace_is_put_into_words(kind: str, argument: str, code: str) -> None:
    text = sentence(Trace(kind=kind, journey="oa-welcome", state="phone", detail={argument: code})).text
    assert code not in text
    assert any("一" <= c <= "鿿" for c in text)


@pytest.mark.parametrize("code", sorted(faults() | settled()))
def test_every_error_and_every_reason_to_hold_back_is_put_into_words(code: str) -> None:
    assert known(code)


@pytest.mark.parametrize("reason", sorted(refusals()))
def test_every_refusal_of_an_entry_is_put_into_words(reason: str) -> None:
    assert reason in REFUSALS


@pytest.mark.parametrize("status", sorted({*get_args(TemplateStatus)} - {ARRIVED}))
def test_every_status_of_a_template_message_is_put_into_words(status: str) -> None:
    assert known(status)


@pytest.mark.parametrize("reason", [*get_args(Reason), *get_args(UnreachableReason)])
def test_every_verdict_of_policy_and_platform_is_put_into_words(reason: str) -> None:
    assert known(reason)


def test_every_message_to_our_own_people_has_a_name() -> None:
    given = [arg.value for _, call in calls("core/step") for arg in call.keywords if arg.arg == "path"]
    paths = {path for value in given if (path := literal(value))}
    assert {"forward", "overdue", "hold_over"} <= paths
    assert {
        path for path in paths | {"task", "handoff", "card/T1"} if content_name(f"@{path}").startswith("@")
    } == set()


@pytest.mark.parametrize("receipt", get_args(ReceiptType))
def test_every_receipt_has_a_name_as_an_event(receipt: str) -> None:
    assert receipt in EVENTS


def test_every_event_that_the_core_lists_has_a_name() -> None:
    table = (ast.get_docstring(ast.parse((BOT / "core/events.py").read_text(encoding="utf-8"))) or "").splitlines()
    rows = [line.split("|")[1] for line in table if line.startswith("| `")]
    listed = {name for row in rows for name in row.replace("`", "").replace(" ", "").split(",")}
    assert "card.clicked" in listed
    assert listed - EVENTS.keys() == set()
