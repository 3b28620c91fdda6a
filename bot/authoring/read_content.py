"""A content file (front matter and body) to a content. Source: journey-language.md 2.6."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from bot.authoring import vocabulary
from bot.authoring.fields import Fields, as_scalar, as_template, chosen, fields_of
from bot.authoring.nodes import Node, Scalar, Table
from bot.authoring.page import Page, page
from bot.authoring.read_journey import check_id
from bot.authoring.read_wordings import read_wordings
from bot.authoring.source import Source, Span
from bot.authoring.suggest import meant
from bot.authoring.yaml_tree import compose, unprintable
from bot.core.expressions.tree import Template
from bot.core.library import Content
from bot.understanding import normalise

Form = Literal["text", "menu", "image"]
_FORMS: Mapping[str, Form] = {"text": "text", "menu": "menu", "image": "image"}
_FORMS_UNBUILT = ("voice", "video", "news", "card", "miniprogram", "markdown")
_CHANNELS = ("oa", "kf", "wecom", "sms")
FAQ_FOLDER = "faq"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDraft:
    """A content as far as it could be read. `body`: where its text stands. `vars`: declared names with places.

    `questions`: what a frequent question (content/faq/) may be asked as; empty for other contents.
    `shipped`: it comes with the product and lies in no folder of the marketers.
    """

    content: Content
    root: Table
    page: Page
    body: Span
    vars: tuple[tuple[str, Span], ...]
    questions: tuple[str, ...] = ()
    shipped: bool = False


def read_content(
    source: Source, *, kind: Literal["content", "faq"] = "content", shipped: bool = False
) -> tuple[ContentDraft | None, Page]:
    """The content in a file, None (after findings, which the page holds) when there is none."""
    whole = page(source)
    fence = _front_matter(whole)
    if fence is None:
        return None, whole
    unprintable(source, whole.findings, fence + 1)
    head = Source(name=source.name, text=source.text, lines=source.lines[:fence])
    root = compose(head, whole.findings, line_offset=1)
    if root is None:
        return None, whole
    fields = fields_of(whole, root, vocabulary.FAQ if kind == "faq" else vocabulary.CONTENT)
    if fields is None or not isinstance(root, Table):
        return None, whole
    body = Span(line=fence + 2, column=1, end_line=len(source.lines), end_column=len(source.lines[-1]) + 1)
    return replace(_draft(fields, root, body), shipped=shipped), whole


def _front_matter(page: Page) -> int | None:
    """How many lines stand before the closing dashes, None after a finding."""
    lines = page.source.lines
    if lines[0].rstrip() != "---":
        page.say("J013", _line(page, 1), "内容文件要以 --- 开头，写上 content、channels 等说明", help="第一行写 ---")
        return None
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            return number
    page.say("J013", _line(page, 1), "说明部分没有结束", help="在正文前另起一行写 ---")
    return None


def _line(page: Page, number: int) -> Span:
    return Span(line=number, column=1, end_line=number, end_column=len(page.source.line(number)) + 1)


def _draft(fields: Fields, root: Table, body: Span) -> ContentDraft:
    whole = fields.page
    is_faq = fields.keys is vocabulary.FAQ
    check_id(fields, "faq" if is_faq else "content")
    stem = PurePosixPath(whole.source.name).stem
    name = f"{FAQ_FOLDER}/{stem}" if is_faq else stem
    forms = _forms(fields)
    wordings = read_wordings(fields, body, forms)
    content = Content(
        content=name,
        forms=forms,
        variants=wordings.variants,
        bodies=wordings.bodies,
        templates=_templates(fields),
        media=_media(fields, forms),
    )
    declared = tuple((scalar.text, scalar.span) for scalar in fields.scalars("vars"))
    questions = _questions(fields)
    return ContentDraft(content=content, root=root, page=whole, body=body, vars=declared, questions=questions)


def _questions(fields: Fields) -> tuple[str, ...]:
    """The wordings of a frequent question; J008 for one of which nothing is left to compare."""
    found = fields.scalars("questions") if fields.has("questions") else ()
    for scalar in found:
        if not normalise(scalar.text):
            fields.page.say("J008", scalar, f"问法 “{scalar.text[:40]}” 只有标点或语气词，永远不会匹配")
    return tuple(scalar.text.strip() for scalar in found if normalise(scalar.text))


def _forms(fields: Fields) -> dict[str, Form]:
    forms: dict[str, Form] = {}
    for entry in fields.entries("channels"):
        channel = entry.key.text
        if channel == "app":
            fields.page.say("J090", entry.key, f"“{channel}” 尚未实现", help="这一版请先去掉它")
        elif channel not in _CHANNELS:
            hint = meant(channel, _CHANNELS)
            fields.page.say("J008", entry.key, f"没有渠道 “{channel}”{hint}", help=f"可用：{'、'.join(_CHANNELS)}")
        else:
            scalar = as_scalar(fields.page, entry.value)
            if scalar:
                forms[channel] = chosen(fields.page, scalar, _FORMS, default="text", later=_FORMS_UNBUILT)
    return forms


def _media(fields: Fields, forms: Mapping[str, Form]) -> str:
    media = fields.text("media")
    if "image" in forms.values() and not media:
        fields.page.say("J014", fields.key("channels"), "image 形式缺少 “media”", help="media: 素材的 media_id")
    return media


def _templates(fields: Fields) -> dict[str, tuple[tuple[str, Template], ...]]:
    found: dict[str, tuple[tuple[str, Template], ...]] = {}
    for entry in fields.entries("templates"):
        pairs = _template_fields(fields.page, entry.key, entry.value)
        if pairs:
            found[entry.key.text] = pairs
    return found


def _template_fields(page: Page, key: Scalar, node: Node) -> tuple[tuple[str, Template], ...]:
    if not isinstance(node, Table):
        page.say("J008", node, f"模板 {key.text} 需要 “字段: 值” 的表", help='thing1: "{{ customer.nick }}"')
        return ()
    pairs: list[tuple[str, Template]] = []
    for entry in node.entries:
        scalar = as_scalar(page, entry.value)
        template = as_template(page, scalar) if scalar else None
        if template is not None:
            pairs.append((entry.key.text, template))
    return tuple(pairs)
