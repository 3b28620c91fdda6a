"""Variables of a journey, and those with a question. Source: journey-language.md 2.3."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from bot.core.events import Json
from bot.core.expressions.tree import Expression
from bot.core.understood import SlotType

VarType = Literal["text", "number", "bool", "money", "date", "time", "datetime", "choice", "list", "record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Var:
    type: VarType
    default: Json = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A variable with a question. `ask`, `retry_say` name contents. `save` is an attribute of the customer.

    `check` may read `value`. `consent`: a purpose that must be granted before the question is sent. `options_from`: a
    list worked out when the question is asked. `prefill`: a value that makes the question needless. `ttl`: an answer
    older than this is asked for anew. `of`: for `entity`, the kind of thing in the catalogue (车型).
    """

    name: str
    type: SlotType
    ask: str
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    options_from: Expression | None = None
    prefill: Expression | None = None
    ttl: timedelta | None = None
    of: str = ""
    check: Expression | None = None
    retry_max: int = 2
    retry_say: str = ""
    confirm: bool = False
    optional: bool = False
    consent: str = ""
    pii: bool = False
    capture: Literal["first", "after_triggers"] = "first"
    save: str = ""
