"""What the texts themselves say. Rules J310, J311."""

from bot.authoring.drafts import Drafts
from bot.authoring.page import within
from bot.authoring.read_content import ContentDraft
from bot.authoring.read_wordings import NORMAL, VARIANTS
from bot.authoring.source import Span

SENSITIVE = (
    "最低价",
    "全网最低",
    "史上最低",
    "国家级",
    "绝无仅有",
    "100% 通过",
    "100%通过",
    "百分百通过",
    "包过",
    "必过",
    "无条件通过",
    "零风险",
    "保本",
    "稳赚",
)
"""Promises that the law on advertising, or on loans, does not allow."""


def check(drafts: Drafts) -> None:
    """Report variants that do not differ, and words that promise too much."""
    for draft in drafts.contents.values():
        _twins(draft)
        _promises(draft)


def _twins(draft: ContentDraft) -> None:
    """Of a text that is tried in several wordings, two that are the same."""
    content = draft.content
    seen: dict[tuple[str, ...], str] = {}
    for name in content.variants:
        if name in VARIANTS and name != NORMAL:
            continue
        said = tuple(content.wording(name, channel).source.strip() for channel in content.forms)
        other = seen.setdefault(said, name)
        if other != name:
            message = f"变体 {other} 与 {name} 文字相同，A/B 没有意义"
            draft.page.say("J310", _tag(draft, name), message, help="改写其中一个，或删掉它")


def _tag(draft: ContentDraft, name: str) -> Span:
    for number in range(draft.body.line, draft.body.end_line + 1):
        line = draft.page.source.line(number)
        if "variant" in line and name in line:
            whole = Span(line=number, column=1, end_line=number, end_column=len(line) + 1)
            return within(draft.page.source, whole, name)
    return draft.body


def _promises(draft: ContentDraft) -> None:
    for word in SENSITIVE:
        span = within(draft.page.source, draft.body, word)
        if span != draft.body:
            draft.page.say("J311", span, f"文案含营销敏感词 “{word}”", help="换成可以核实的说法")
