"""Which wording of a content is sent, and whether it was said already: `variant_by` and `key` of `send`.

Source: journey-language.md 2.3.
"""

from collections.abc import Mapping

from bot.core.actions import Send
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.scope import scope_of

SAID_MAX = 50
"""Keys that a run, or a customer, remembers, the latest; what was said under an older one may be said again."""
NORMAL = "normal"


def variant_of(draft: Draft, run: Run | None, action: Send, extra: Mapping[str, object]) -> str:
    """The variant that `variant_by` names; where the content has none of this name, the normal one.

    EvaluationFault: it cannot be worked out.
    """
    if action.variant_by is None:
        return NORMAL
    named = draft.program.value(action.variant_by, scope_of(draft, run, extra))
    return named if isinstance(named, str) and named in draft.program.content(action.content).variants else NORMAL


def key_of(draft: Draft, run: Run | None, action: Send, extra: Mapping[str, object]) -> str:
    """The key under which it is said, empty when it has none. EvaluationFault: it cannot be worked out."""
    return draft.program.text(action.key, scope_of(draft, run, extra)).strip() if action.key is not None else ""


def is_said(draft: Draft, run: Run | None, action: Send, key: str) -> bool:
    """Whether this run, or without one `_global.yaml`, said something under `key` before; the journal says so."""
    known = draft.said if run is None else run.said
    if not key or key not in known:
        return False
    draft.trace("not_sent", run, content=action.content, reason="said_already" if run else "said_already_to_her")
    return True


def remember(draft: Draft, run: Run | None, key: str) -> None:
    """Something was said under `key`."""
    if not key:
        return
    if run is None:
        draft.said = (*draft.said, key)[-SAID_MAX:]
    else:
        run.said = (*run.said, key)[-SAID_MAX:]
