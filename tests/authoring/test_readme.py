"""The marketers' page says what is so."""

import re

import pytest

from bot.authoring import RULES
from bot.authoring.vocabulary import ACTION, SLOT, STATE

from .casefiles import HERE, Check

PAGE = (HERE.parents[1] / "journeys" / "README.md").read_text(encoding="utf-8")


def test_every_rule_is_listed_with_its_severity() -> None:
    listed = dict(re.findall(r"^\| (J\d{3}) \| (错误|警告|说明) \|", PAGE, re.MULTILINE))
    severities = {"error": "错误", "warning": "警告", "info": "说明"}
    assert listed == {rule: severities[one.severity] for rule, one in RULES.items()}


@pytest.mark.parametrize("key", sorted(ACTION.built | SLOT.built | STATE.built))
def test_every_key_that_the_engine_knows_is_explained(key: str) -> None:
    assert re.search(rf"`{re.escape(key)}[`:/]", PAGE) or re.search(rf"`[^`\n]*\b{re.escape(key)}\b[^`\n]*`", PAGE)


def test_the_example_on_the_page_checks_clean(check: Check) -> None:
    (journey,) = re.findall(r"```yaml\n(dsl: 1.*?)```", PAGE, re.DOTALL)
    (content,) = re.findall(r"```markdown\n(.*?)```", PAGE, re.DOTALL)
    again = "---\ncontent: ask-day-again\nchannels: {oa: menu}\n---\n哪天？\n"
    files = {"journeys/spring-drive.yaml": journey, "content/ask-day.md": content, "content/ask-day-again.md": again}
    loaded = check(files)
    assert [(one.rule, one.line, one.message) for one in loaded.diagnostics] == []
