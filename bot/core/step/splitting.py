"""Experiments: the arm of a split and of a holdout, by a stable hash, and the same for ever after.

Anybody can work an arm out again from salt and unit; what was drawn once is kept with the customer, so that changed
percents move nobody. Source: journey-language.md 3.6.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from bot.core.entries import Holdout
from bot.core.expressions.tree import Expression
from bot.core.expressions.values import EvaluationFault
from bot.core.ids import CustomerId
from bot.core.states import Split
from bot.core.step.copies import HOLDOUT, Run
from bot.core.step.draft import Draft
from bot.core.step.scope import plain, scope_of

EXPOSED = "exposed"
"""The arm of whoever is not held out."""
ARMS_MAX = 200
"""Experiments whose arms a customer keeps; beyond, the oldest are forgotten, and drawn from the same hash again."""
DIGITS = 15
WHOLE = 16**DIGITS
"""Of so many equal parts a draw is one."""


def draw(salt: str, unit: str) -> int:
    """A number from 0 to below `WHOLE`, spread evenly over all units, and for every salt anew."""
    return int(hashlib.sha256(f"{salt}|{unit}".encode()).hexdigest()[:DIGITS], 16)


def arm_of(drawn: int, arms: Sequence[tuple[str, int]]) -> str:
    """The arm that a draw falls into: names with percents, one after the other. Empty: beyond all of them."""
    upto = 0
    for name, percent in arms:
        upto += percent
        if drawn * 100 < upto * WHOLE:
            return name
    return ""


def jitter(customer_id: CustomerId, salt: str, spread: timedelta) -> timedelta:
    """The part of `spread` by which this customer comes later than the first, for what is released to many at once."""
    share: float = draw(salt, str(customer_id)) / WHOLE
    return spread * share


def choose(draft: Draft, run: Run, split: Split) -> str:
    """The state that the customer's arm leads to. EvaluationFault: there is nothing to draw by."""
    unit = _unit(draft, run, split.unit)
    arms = [(arm.name, arm.percent) for arm in split.arms]
    known = draft.arms.get(split.salt)
    is_kept = any(name == known for name, _ in arms)
    name = known if known is not None and is_kept else arm_of(draw(split.salt, unit), arms)
    arm = next((one for one in split.arms if one.name == name), split.arms[-1])
    _keep(draft, split.salt, arm.name)
    draft.trace("split", run, salt=split.salt, arm=arm.name, drawn=not is_kept)
    return arm.goto


def is_held_out(draft: Draft, run: Run, holdout: Holdout) -> bool:
    """Whether the customer is measured only. EvaluationFault: there is nothing to draw by."""
    known = draft.arms.get(holdout.salt)
    if known not in (HOLDOUT, EXPOSED):
        unit = _unit(draft, run, holdout.unit)
        known = arm_of(draw(holdout.salt, unit), [(HOLDOUT, holdout.percent)]) or EXPOSED
        _keep(draft, holdout.salt, known)
    return known == HOLDOUT


def _unit(draft: Draft, run: Run, unit: Expression | None) -> str:
    """What is drawn by, as text: the customer unless something else is named."""
    if unit is None:
        return str(draft.base.customer_id)
    value = plain(draft.program.value(unit, scope_of(draft, run)))
    if value is None:
        raise EvaluationFault("expr.null", f"{unit.source} 是空的，无法分组")
    return str(value)


def _keep(draft: Draft, salt: str, arm: str) -> None:
    draft.arms.pop(salt, None)
    draft.arms[salt] = arm
    while len(draft.arms) > ARMS_MAX:
        del draft.arms[next(iter(draft.arms))]
