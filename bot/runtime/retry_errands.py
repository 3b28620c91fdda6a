"""`zhitu retry send` and `leave` for errands: webhooks of which nobody knows whether they did it."""

from bot.core.errands import open_name
from bot.core.events import Json
from bot.core.ids import EffectId
from bot.errors import BotError
from bot.runtime import retry_spoilt
from bot.runtime.decided import journal
from bot.storage import ErrandLine, Transaction


def find(tx: Transaction, words: str) -> ErrandLine | None:
    """The errand of unknown fate with this id; None: no errand has it. BotError: its fate is known."""
    line = tx.errands.of(EffectId(words.strip().upper()))
    retry_spoilt.refuse(tx)
    if line is not None and line.state != "unknown":
        hint = "zhitu why 客户 说明它的来龙去脉"
        raise BotError(f"这个外部请求的状态是 {line.state}，不是 unknown", where=words, hint=hint)
    return line


def run_again(tx: Transaction, line: ErrandLine) -> None:
    """Ask once more under the same key. What comes back is only journalled where the journey has gone on.

    BotError: somebody else decided meanwhile.
    """
    if not tx.errands.run_again(line.effect.effect_id, now=tx.now):
        raise BotError("刚刚有人处理了这个外部请求", where=line.effect.effect_id)
    _journal(tx, line, "run_again")


def leave(tx: Transaction, line: ErrandLine) -> None:
    """Ask no more and list it no more. BotError: somebody else decided meanwhile."""
    if not tx.errands.leave(line.effect.effect_id):
        raise BotError("已经决定不再做这个外部请求", where=line.effect.effect_id)
    _journal(tx, line, "leave_errand")


def _journal(tx: Transaction, line: ErrandLine, decision: str) -> None:
    effect = line.effect
    told: dict[str, Json] = {"decision": decision, "effect": effect.effect_id, "name": open_name(effect.errand)}
    journal(tx, line.customer_id, journey=effect.journey, **told)
