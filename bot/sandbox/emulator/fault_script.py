"""Reads a fault script, which somebody outside posts or puts into a file: checked whole, every mistake told at once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from bot.errors import BotError
from bot.sandbox.emulator.fault_rules import CallbackFault, CallbackWhat, CallFault, CallWhat, Fault, Moment, When
from bot.sandbox.emulator.settings import Platform
from bot.sandbox.emulator.wire import Json, unwritable

FAULTS_MAX = 200
"""Faults of one script; a longer one is refused."""
SECONDS_MAX = 3600.0
"""The longest real wait a fault may cause."""
SPAN_S_MAX = 366 * 86_400.0
"""The longest virtual time a fault may last."""
COUNT_MAX = 10_000_000
TEXT_MAX = 128

_BOTH_MOMENTS = frozenset({"cut", "error", "slow", "errcode", "malformed", "torn"})
_TIMED = frozenset({"slow", "unreachable", "delayed"})

_Count = Annotated[int, Field(ge=1, le=COUNT_MAX)]
_Text = Annotated[str, Field(max_length=TEXT_MAX)]
_Seconds = Annotated[float, Field(ge=0, le=SECONDS_MAX, allow_inf_nan=False)]
_Span = Annotated[float, Field(ge=0, le=SPAN_S_MAX, allow_inf_nan=False)]


class ScriptError(BotError):
    """A fault script has mistakes. `mistakes`: where → what, all of them."""

    code = "fault_script"

    def __init__(self, mistakes: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{where}: {what}" if where else what for where, what in mistakes.items()))
        self.mistakes = dict(mistakes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Faults to put in force. `clear`: those in force before go."""

    faults: tuple[Fault, ...]
    clear: bool


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _When(_Strict):
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    platform: Platform | None = None
    account: _Text = ""
    seconds: _Seconds = 0.0
    after: Annotated[int, Field(ge=0, le=COUNT_MAX)] = 0
    every: _Count = 1
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int | None = None
    count: _Count | None = None
    from_s: _Span = 0.0
    for_s: Annotated[float, Field(gt=0, le=SPAN_S_MAX, allow_inf_nan=False)] | None = None

    def when(self) -> When:
        return When(
            after=self.after,
            every=self.every,
            probability=self.probability,
            seed=self.seed or 0,
            count=self.count,
            from_s=self.from_s,
            for_s=self.for_s,
        )

    def unrelated(self, what: str) -> list[str]:
        """What does not fit together, for both kinds."""
        mistakes: list[str] = []
        if self.probability < 1 and self.seed is None:
            mistakes.append("`probability` needs a `seed`, so that the run can be repeated")
        if what in _TIMED and self.seconds == 0:
            mistakes.append(f"`{what}` needs `seconds`")
        return mistakes


class _Call(_When):
    on: Literal["call"]
    what: CallWhat
    moment: Moment = "before"
    endpoint: _Text = ""
    code: int | None = None
    status: Annotated[int, Field(ge=500, le=599)] = 502

    @model_validator(mode="after")
    def _related(self) -> "_Call":
        mistakes = self.unrelated(self.what)
        if self.what == "errcode" and not self.code:
            mistakes.append("`errcode` needs a `code` that is not 0")
        if self.moment == "after" and self.what not in _BOTH_MOMENTS:
            mistakes.append(f"`{self.what}` has no `moment`")
        if self.endpoint not in ("", "sends", "tokens") and not self.endpoint.startswith("/"):
            mistakes.append("`endpoint` is a path, `sends` or `tokens`")
        _refuse(mistakes)
        return self

    def fault(self) -> Fault:
        return CallFault(
            fault_id=self.id,
            what=self.what,
            moment=self.moment,
            platform=self.platform,
            account=self.account,
            endpoint=self.endpoint,
            seconds=self.seconds,
            code=self.code or -1,
            status=self.status,
            when=self.when(),
        )


class _Callback(_When):
    on: Literal["callback"]
    what: CallbackWhat
    kind: _Text = ""
    sender: _Text = ""
    signature: Literal["fresh", "same"] = "fresh"
    attempts: Annotated[int, Field(ge=1, le=1000)] = 1

    @model_validator(mode="after")
    def _related(self) -> "_Callback":
        _refuse(self.unrelated(self.what))
        return self

    def fault(self) -> Fault:
        return CallbackFault(
            fault_id=self.id,
            what=self.what,
            platform=self.platform,
            account=self.account,
            kind=self.kind,
            sender=self.sender,
            seconds=self.seconds,
            signature=self.signature,
            attempts=self.attempts,
            when=self.when(),
        )


_Either: TypeAlias = Annotated[_Call | _Callback, Field(discriminator="on")]


class _Script(_Strict):
    faults: Annotated[list[_Either], Field(max_length=FAULTS_MAX)] = Field(default_factory=list)
    clear: bool = False

    @model_validator(mode="after")
    def _distinct(self) -> "_Script":
        names = [one.id for one in self.faults]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            _refuse([f"`id` is given twice: {', '.join(twice)}"])
        return self


def read_script(raw: bytes) -> Script:
    """The script in the JSON document `raw`. ScriptError: it is none, or has mistakes.

    One object: `faults`, a list; `clear`, whether earlier faults go. A fault has `id`, `on` (`call` or `callback`),
    `what`, and where and when it strikes, by the names of `CallFault`, `CallbackFault` and `When`.
    """
    try:
        parsed: Json = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise ScriptError({"": "is not JSON"}) from error
    try:
        script = _Script.model_validate(parsed)
    except ValidationError as error:
        raise ScriptError(
            {_place(fault["loc"]): fault["msg"] for fault in error.errors(include_input=False, include_url=False)}
        ) from error
    return Script(faults=tuple(one.fault() for one in script.faults), clear=script.clear)


def _place(where: tuple[int | str, ...]) -> str:
    # The name of the union's member stands behind the number of the fault and helps nobody.
    shown = [str(part) for number, part in enumerate(where) if not (number == 2 and part in ("call", "callback"))]
    told = ".".join(shown)
    return "" if unwritable(told) else told[:TEXT_MAX]


def _refuse(mistakes: list[str]) -> None:
    if mistakes:
        # As a value, since braces in the text would be read as places to fill in.
        raise PydanticCustomError("fault_script", "{what}", {"what": "; ".join(mistakes)})
