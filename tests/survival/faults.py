"""What the platforms do wrong, as scripts of the emulator: every blow bears an id in their log, `NAME/RUNNING#N`.

By that id the checker matches an excuse with the blow that it is about; `checker/expected.py` says which names leave a
request without an answer.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox.emulator.fault_rules import CallbackFault, CallFault, Fault, When

SPREAD = When(every=7, count=5)
"""Never three in a row, after which an account rests: every blow is about one message, and people go on talking."""
MANY = When(every=3, count=30)
IN_A_ROW = When(count=6)
DELAY_S = 0.5

_TOKENS_DIE = tuple(
    CallFault(fault_id=platform, what="token_killed", platform=platform, endpoint="sends", when=When(count=1))
    for platform in ("oa", "wecom")
)
GENTLE: Mapping[str, tuple[Fault, ...]] = {
    "lost replies": (CallFault(fault_id="", what="cut", moment="after", endpoint="sends", when=SPREAD),),
    "torn replies": (CallFault(fault_id="", what="torn", moment="after", endpoint="sends", when=SPREAD),),
    "errors before": (CallFault(fault_id="", what="error", platform="oa", endpoint="sends", when=SPREAD),),
    "errors after": (CallFault(fault_id="", what="error", moment="after", endpoint="sends", status=504, when=SPREAD),),
    "busy": (CallFault(fault_id="", what="errcode", platform="oa", endpoint="sends", code=-1, when=SPREAD),),
    "slow": (CallFault(fault_id="", what="slow", endpoint="sends", seconds=DELAY_S, when=MANY),),
    "slow replies": (CallFault(fault_id="", what="slow", moment="after", seconds=DELAY_S, when=MANY),),
    "twice": (CallbackFault(fault_id="", what="duplicate", when=MANY),),
    "twice the same": (CallbackFault(fault_id="", what="duplicate", signature="same", when=MANY),),
    "overlapping": (CallbackFault(fault_id="", what="overlap", when=MANY),),
    "overlapping the same": (CallbackFault(fault_id="", what="overlap", signature="same", when=MANY),),
    "wrong signatures": (CallbackFault(fault_id="", what="wrong_signature", when=SPREAD),),
    "cut callbacks": (CallbackFault(fault_id="", what="cut", when=SPREAD),),
    "delayed": (CallbackFault(fault_id="", what="delayed", seconds=DELAY_S, when=MANY),),
}
"""Name → its script. A blow concerns one message or callback, and the account goes on working."""
RESTFUL: Mapping[str, tuple[Fault, ...]] = {
    "outage": (CallFault(fault_id="", what="error", platform="oa", endpoint="sends", status=503, when=IN_A_ROW),),
    "busy in a row": (CallFault(fault_id="", what="errcode", platform="oa", endpoint="sends", code=-1, when=IN_A_ROW),),
    "45009": (CallFault(fault_id="", what="errcode", platform="oa", endpoint="sends", code=45009, when=When(count=3)),),
}
"""Scripts after which an account rests for half a minute or more, unless the product dies before."""
DEAD_TOKENS = "dead tokens"
"""Tokens die, and the official account's platform gives the dead one out again. It may be forced to give another ten
times a day, so that a run cannot do it at every turn."""
FAULTS: Mapping[str, tuple[Fault, ...]] = {**GENTLE, **RESTFUL, DEAD_TOKENS: _TOKENS_DIE}


def script(name: str, running: int) -> list[Fault]:
    """The faults called `name`, with ids that no other order of the run has. KeyError: there is none of that name."""
    return [replace(fault, fault_id=f"{name}/{running}{fault.fault_id}") for fault in FAULTS[name]]
