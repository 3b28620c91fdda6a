"""A content file (front matter and body) to a content. Source: journey-language.md 2.6."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from bot.authoring import vocabulary
from bot.authoring.expressions import ExpressionFault, parse_content
from bot.authoring.fields import Fields, as_scalar, as_template, chosen, fields_of
from bot.authoring.nodes import Node, Scalar, Table
from bot.authoring.page import Formula, Page, page, within
from bot.authoring.source import Source, Span
from bot.authoring.suggest import meant
from bot.authoring.vocabulary import CHANNELS_UNBUILT
from bot.authoring.yaml_tree import compose, unprintable
from bot.core.expressions.tree import Template
from bot.core.library import Content

NORMAL = "normal"
VARIANTS = ("normal", "again", "resume")
"""Wordings of one content: the first time, after an answer that could not be used, taken up again later."""
Form = Literal["text", "menu", "image"]
_FORMS: Mapping[str, Form] = {"text": "text", "menu": "menu", "image": "image"}
_FORMS_UNBUILT = ("voice", "video", "news", "card", "miniprogram", "markdown")
_CHANNELS = ("oa",)
_VARIANT_TAG = re.compile(r"\{%-?\s*variant\s+([^\s%]+)\s*-?%\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDraft:
    """A content as far as it could be read. `body`: where its text stands. `vars`: declared names with places."""

    content: Content
    root: Table
    page: Page
    body: Span
    vars: tuple[tuple[str, Span], ...]


def read_content(source: Source) -> tuple[ContentDraft | None, Page]:
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
    fields = fields_of(whole, root, vocabulary.CONTENT)
    if fields is None or not isinstance(root, Table):
        return None, whole
    body = Span(line=fence + 2, column=1, end_line=len(source.lines), end_column=len(source.lines[-1]) + 1)
    return _draft(fields, root, body), whole


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
    name = PurePosixPath(whole.source.name).stem
    scalar = fields.scalar("content")
    if scalar and scalar.text != name:
        whole.say("J007", scalar, f"content: {scalar.text} 与文件名 {name} 不一致", help=f"content: {name}")
    forms = _forms(fields)
    variants = _variants(fields, body)
    content = Content(
        content=name,
        forms=forms,
        variants=variants,
        templates=_templates(fields),
        media=_media(fields, forms),
    )
    declared = tuple((scalar.text, scalar.span) for scalar in fields.scalars("vars"))
    return ContentDraft(content=content, root=root, page=whole, body=body, vars=declared)


def _forms(fields: Fields) -> dict[str, Form]:
    forms: dict[str, Form] = {}
    for entry in fields.entries("channels"):
        channel = entry.key.text
        if channel in CHANNELS_UNBUILT:
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


def _variants(fields: Fields, body: Span) -> dict[str, Template]:
    whole = fields.page
    declared = {scalar.text: scalar for scalar in fields.scalars("variants")}
    for name, scalar in declared.items():
        if name not in VARIANTS:
            help = f"可用：{'、'.join(VARIANTS)}"
            whole.say("J008", scalar, f"“{name}” 不是引擎认识的变体{meant(name, VARIANTS)}", help=help)
    text = "\n".join(whole.source.lines[body.line - 1 :])
    try:
        variants = parse_content(text)
    except ExpressionFault as fault:
        whole.say(fault.rule, within(whole.source, body, fault.offending), fault.message)
        return {}
    spans = _variant_spans(whole.source, body)
    for name, template in variants.items():
        span = spans.get(name, body)
        whole.formulas.append(Formula(tree=template, span=span, wants="text"))
        if name != NORMAL and name not in declared:
            tag = within(whole.source, _line(whole, span.line), name)
            whole.say("J308", tag, f"变体 {name} 没有在 variants 里声明", help=f"variants: [normal, {name}]")
    for name, scalar in declared.items():
        if name not in variants:
            whole.say("J308", scalar, f"声明了变体 {name}，正文里没有", help=f"加上 {{% variant {name} %}}…")
    _not_empty(fields, variants, body)
    return variants


def _not_empty(fields: Fields, variants: Mapping[str, Template], body: Span) -> None:
    image = not any(template.source.strip() for template in variants.values()) and fields.has("media")
    if image:
        return
    if NORMAL not in variants or not variants[NORMAL].source.strip():
        place = fields.key("content").span if body.line > body.end_line else _line(fields.page, body.line)
        fields.page.say("J014", place, "正文是空的：没有 normal 的文字", help="在 --- 之后写正文")


def _variant_spans(source: Source, body: Span) -> dict[str, Span]:
    """Where each variant stands, from its tag to the next."""
    starts: list[tuple[str, int, int]] = []
    for number in range(body.line, body.end_line + 1):
        for found in _VARIANT_TAG.finditer(source.line(number)):
            starts.append((found.group(1), number, found.end() + 1))
    spans: dict[str, Span] = {}
    for place, (name, line, column) in enumerate(starts):
        last = starts[place + 1][1:] if place + 1 < len(starts) else (body.end_line, body.end_column)
        spans[name] = Span(line=line, column=column, end_line=last[0], end_column=last[1])
    if NORMAL not in spans and starts:
        spans[NORMAL] = Span(line=body.line, column=1, end_line=starts[0][1], end_column=starts[0][2])
    return spans


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
