"""What operators are told about: every line of the log and every metric stands in bot/OPERATING.md, and no other."""

import ast
import re
from pathlib import Path

from bot.runtime.metrics import Metrics

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "bot" / "OPERATING.md").read_text(encoding="utf-8")
LOGGERS = frozenset({"log", "_log"})
LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})


def table(heading: str) -> set[str]:
    """The first column of the table under this heading."""
    (part,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^\| `([^`{]+)[`{]", part, flags=re.MULTILINE))


def logged() -> tuple[set[str], list[str]]:
    """The names of all lines that the program logs, and the places where the name is not a plain text."""
    names: set[str] = set()
    odd: list[str] = []
    for path in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id in LOGGERS):
                continue
            said = node.args[0] if node.args else None
            choices = [said.body, said.orelse] if isinstance(said, ast.IfExp) else [said]
            for name in choices:
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    names.add(name.value)
                else:
                    odd.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return names, odd


def test_every_line_of_the_log_is_explained_and_every_explained_one_exists() -> None:
    names, odd = logged()
    assert len(names) > 10
    assert odd == []
    assert table("The log") == names


def test_every_metric_is_explained_and_every_explained_one_exists() -> None:
    names = {name for name in Metrics().names() if not name.endswith("_created")}
    assert len(names) > 15
    assert table("Metrics") == names


def test_no_metric_has_a_label_that_a_customer_could_fill() -> None:
    labels = set(re.findall(r"\{([a-z_, ]+)\}`", PAGE))
    allowed = {"channel", "account", "outcome", "reason", "kind", "state", "decision", "asked_at", "verdict", "lanes"}
    assert {label for group in labels for label in group.split(", ")} <= allowed
