"""The wordings in a content's body: variants, and for each what single channels say in its place.

Source: journey-language.md 2.6; `{% channel NAME %}` is explained to marketers in journeys/README.md.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from bot.authoring import literals
from bot.authoring.expressions import Bodies, ExpressionFault, parse_content
from bot.authoring.fields import Fields
from bot.authoring.page import Formula, within
from bot.authoring.source import Source, Span
from bot.authoring.suggest import meant
from bot.core.expressions.tree import Template

NORMAL = "normal"
VARIANTS = ("normal", "again", "resume")
"""Wordings of one content: the first time, after an answer that could not be used, taken up again later."""

_MARK = re.compile(r"\{%-?\s*(variant|channel)\s+([^\s%]+)\s*-?%\}")
_EMPTY = Template(source="", parts=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wordings:
    """As in `Content`. `variants` is empty after a finding."""

    variants: Mapping[str, Template] = field(default_factory=dict)
    bodies: Mapping[str, Mapping[str, Template]] = field(default_factory=dict)


def read_wordings(fields: Fields, body: Span, forms: Mapping[str, str]) -> Wordings:
    """What is said, by variant and channel. J308: marks and declarations differ; J014: some channel has nothing."""
    page = fields.page
    declared = {scalar.text: scalar for scalar in fields.scalars("variants")}
    for name, scalar in declared.items():
        if name not in VARIANTS and (meant(name, VARIANTS) or not _is_variant(name)):
            help = f"引擎自己选用的：{'、'.join(VARIANTS)}；其余的由 send 的 variant_by 选"
            page.say("J008", scalar, f"“{name}” 不是引擎认识的变体{meant(name, VARIANTS)}", help=help)
    try:
        found = parse_content("\n".join(page.source.lines[body.line - 1 :]))
    except ExpressionFault as fault:
        page.say(fault.rule, within(page.source, body, fault.offending), fault.message, help=fault.cure)
        return Wordings()
    spans = _spans(page.source, body)
    for key, template in found.items():
        page.formulas.append(Formula(tree=template, span=spans.get(key, body), wants="text"))
    names = tuple(dict.fromkeys(variant for variant, _ in found))
    _declarations(fields, body, spans, names=names, forms=forms)
    _not_empty(fields, found, body)
    _whole(fields, found, spans, forms=forms)
    return Wordings(variants={name: found.get((name, ""), _EMPTY) for name in names}, bodies=_by_channel(found))


def _is_variant(name: str) -> bool:
    try:
        return bool(literals.name(name))
    except literals.LiteralFault:
        return False


def _by_channel(found: Bodies) -> dict[str, dict[str, Template]]:
    bodies: dict[str, dict[str, Template]] = {}
    for (variant, channel), template in found.items():
        if channel:
            bodies.setdefault(channel, {})[variant] = template
    return bodies


def _declarations(
    fields: Fields,
    body: Span,
    spans: Mapping[tuple[str, str], Span],
    *,
    names: Collection[str],
    forms: Mapping[str, str],
) -> None:
    """J308: variants and channels of the body against those of the head."""
    page = fields.page
    declared = {scalar.text: scalar for scalar in fields.scalars("variants")}
    for name in names:
        if name != NORMAL and name not in declared:
            first = next((span for (variant, _), span in spans.items() if variant == name), body)
            tag = within(page.source, _line(page.source, first.line), name)
            page.say("J308", tag, f"变体 {name} 没有在 variants 里声明", help=f"variants: [normal, {name}]")
    for name, scalar in declared.items():
        if name not in names:
            page.say("J308", scalar, f"声明了变体 {name}，正文里没有", help=f"加上 {{% variant {name} %}}…")
    for (_, channel), span in spans.items():
        if channel and channel not in forms:
            tag = within(page.source, _line(page.source, span.line), channel)
            message = f"正文里有渠道 {channel} 的文字，channels 里没有它{meant(channel, tuple(forms))}"
            page.say("J308", tag, message, help=f"channels: {{{channel}: text}}")


def _whole(fields: Fields, found: Bodies, spans: Mapping[tuple[str, str], Span], *, forms: Mapping[str, str]) -> None:
    """J014: a variant in which a channel has nothing to say."""
    for (variant, channel), template in found.items():
        if channel and not template.source.strip():
            fields.page.say("J014", spans[variant, channel], f"渠道 {channel} 的文字是空的", help="在标记之后写文字")
    for variant in dict.fromkeys(variant for variant, channel in found if channel):
        silent = [one for one in forms if forms[one] != "image" and (variant, one) not in found]
        if silent and ((variant, "") not in found or not found[variant, ""].source.strip()):
            first = next(span for (name, _), span in spans.items() if name == variant)
            message = f"变体 {variant} 没有渠道 {'、'.join(silent)} 的文字"
            help = "把共用的文字写在第一个 {% channel … %} 之前，或给它也写一段"
            fields.page.say("J014", _line(fields.page.source, first.line), message, help=help)


def _not_empty(fields: Fields, found: Bodies, body: Span) -> None:
    if not any(template.source.strip() for template in found.values()) and fields.has("media"):
        return
    normal = [template for (variant, _), template in found.items() if variant == NORMAL]
    if not any(template.source.strip() for template in normal):
        source = fields.page.source
        place = fields.key("channels").span if body.line > body.end_line else _line(source, body.line)
        fields.page.say("J014", place, "正文是空的：没有 normal 的文字", help="在 --- 之后写正文")


def _spans(source: Source, body: Span) -> dict[tuple[str, str], Span]:
    """Where each wording stands, from its mark to the next."""
    starts = list(_marks(source, body))
    spans: dict[tuple[str, str], Span] = {}
    if starts:
        _, line, column = starts[0]
        spans[NORMAL, ""] = Span(line=body.line, column=1, end_line=line, end_column=column)
    for place, (key, line, column) in enumerate(starts):
        last = starts[place + 1][1:] if place + 1 < len(starts) else (body.end_line, body.end_column)
        spans[key] = Span(line=line, column=column, end_line=last[0], end_column=last[1])
    return spans


def _marks(source: Source, body: Span) -> Iterator[tuple[tuple[str, str], int, int]]:
    """Variant and channel that each mark begins, with the line and the column behind it."""
    variant = NORMAL
    for number in range(body.line, body.end_line + 1):
        for mark in _MARK.finditer(source.line(number)):
            kind, name = mark.groups()
            variant = name if kind == "variant" else variant
            yield (variant, name if kind == "channel" else ""), number, mark.end() + 1


def _line(source: Source, number: int) -> Span:
    return Span(line=number, column=1, end_line=number, end_column=len(source.line(number)) + 1)
