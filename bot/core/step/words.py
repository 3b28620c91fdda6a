"""Words and numbers of actions that are made when the action is done: `tag: "想买 {{ slots.model }}"`.

Nothing at all, and more than anybody meant, is an error by its name and never an empty tag. Journey-language.md 3.11.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from bot.core.actions import NUMBER_MAX, REASON_MAX, STAGES, WORD_MAX, AddPoints, Score, SetStage, Tag
from bot.core.expressions.tree import Template
from bot.core.expressions.values import EvaluationFault, Value
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.scope import scope_of

Extra = Mapping[str, object] | None


def word(draft: Draft, run: Run | None, written: str | Template, extra: Extra = None, *, most: int = WORD_MAX) -> str:
    """What is written, or what it comes to now.

    EvaluationFault: `expr.null` it comes to nothing, `expr.size` to more than `most` characters.
    """
    if isinstance(written, str):
        return written
    found = draft.program.text(written, scope_of(draft, run, extra)).strip()
    if not found:
        raise EvaluationFault("expr.null", f"{written.source} 是空的")
    if len(found) > most:
        raise EvaluationFault("expr.size", f"{written.source} 超过 {most} 字")
    return found


def whole(draft: Draft, run: Run | None, written: int | Template, extra: Extra = None) -> int:
    """The whole number that is written, or that it comes to now.

    EvaluationFault: `expr.null` it comes to nothing, `expr.type` to no whole number, `expr.size` to one too great.
    """
    if isinstance(written, int):
        return written
    found = _number(draft.program.argument(written, scope_of(draft, run, extra)))
    if found is None:
        raise EvaluationFault("expr.null", f"{written.source} 是空的")
    if found != found.to_integral_value():
        raise EvaluationFault("expr.type", f"{written.source} 不是整数")
    if abs(found) > NUMBER_MAX:
        raise EvaluationFault("expr.size", f"{written.source} 太大")
    return int(found)


def _number(value: Value) -> Decimal | None:
    text = str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    if value is None or (isinstance(value, str) and not text):
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise EvaluationFault("expr.type", "要整数，得到别的") from None
    if not found.is_finite():
        raise EvaluationFault("expr.type", "要整数，得到别的")
    return found


def as_written(written: str | Template) -> str:
    """What the journal has of it: never what it comes to, which may be personal."""
    return written if isinstance(written, str) else written.source


def template_of(written: str | Template) -> str:
    """The template that stands there; empty: none does, and what it says is the same for everybody."""
    return "" if isinstance(written, str) else written.source


def change_tag(draft: Draft, run: Run | None, action: Tag, extra: Extra = None) -> None:
    """Add the tag, or take it away. EvaluationFault: it cannot be worked out."""
    tag = word(draft, run, action.tag, extra)
    (draft.tags.discard if action.remove else draft.tags.add)(tag)
    draft.trace("tag", run, tag=as_written(action.tag), removed=action.remove)


def change_score(draft: Draft, run: Run | None, action: Score, extra: Extra = None) -> None:
    """Add to her score. EvaluationFault: what to add cannot be worked out."""
    add = whole(draft, run, action.add, extra)
    draft.score += add
    draft.trace("score", run, add=add, score=draft.score)


def stage_of(draft: Draft, run: Run | None, action: SetStage, extra: Extra = None) -> str:
    """The stage of a lead that is meant. EvaluationFault: there is none of this name."""
    stage = word(draft, run, action.stage, extra)
    if stage not in STAGES:
        raise EvaluationFault("expr.type", f"{as_written(action.stage)} 不是线索的阶段")
    return stage


def points_of(draft: Draft, run: Run | None, action: AddPoints, extra: Extra = None) -> tuple[int, str]:
    """How many points, and why. EvaluationFault: they cannot be worked out."""
    return whole(draft, run, action.add, extra), word(draft, run, action.reason, extra, most=REASON_MAX)
