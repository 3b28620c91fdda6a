"""Every line of the journal as a sentence that a marketer understands. Pure; kinds as `Trace` lists them.

A kind without words here is shown as it is, never dropped.
"""

from bot.core.effects import Trace
from bot.runtime.why import errands, hearing, marks, moves, operators, people, sends
from bot.runtime.why.detail import Detail, Said, Words
from bot.runtime.why.line import Line, Wall

_WORDS: Words = {
    **moves.WORDS,
    **hearing.WORDS,
    **marks.WORDS,
    **people.WORDS,
    **sends.WORDS,
    **errands.WORDS,
    **operators.WORDS,
}
_NOT_AN_EFFECT_ID = frozenset({"interrupt"})
"""Kinds whose detail calls something else `effect`."""


def sentence(trace: Trace, wall: Wall | None = None) -> Line:
    """`trace` as a line: text, tone, and what a program needs to know of it. Same trace, same line.

    `wall` tells the zone of moments, Shanghai unless given. `at` and `event` are left to whoever knows them.
    """
    detail = Detail(trace=trace, wall=wall or Wall())
    said = _WORDS.get(trace.kind, _verbatim)(detail)
    return Line(
        kind=trace.kind,
        text=said.text,
        tone=said.tone,
        journey=trace.journey,
        state=trace.state,
        effect="" if trace.kind in _NOT_AN_EFFECT_ID else detail.text("effect"),
        content=detail.text("content"),
        outcome=said.outcome,
    )


def worded() -> frozenset[str]:
    """The kinds of traces that there are words for."""
    return frozenset(_WORDS)


def _verbatim(detail: Detail) -> Said:
    values = detail.wall.pairs(detail.trace.detail)
    return Said(text=f"{detail.trace.kind}：{values}" if values else detail.trace.kind)
