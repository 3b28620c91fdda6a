"""A test file as values: what is done to a journey in virtual time, and what is expected of it.

Called trials, since a class named after tests would be taken for one of ours. Source: journey-language.md 5.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Literal, TypeAlias

from bot.authoring.source import START, Span
from bot.core.events import Json
from bot.core.watching import Property

CrashPoint: TypeAlias = Literal["C1", "C2", "C3", "C4"]
"""Where the process dies (journey-language.md 3.5): before the commit of a step; after it; after `sending` is
committed; after the platform took the message."""
AdvisorAct: TypeAlias = Literal["accept", "busy", "open", "close", "done", "text"]
Verdict: TypeAlias = Literal["refused", "unknown", "later"]
WindowKind: TypeAlias = Literal["message", "menu_click", "follow", "scan", "none", "stranger"]
"""What the customer did last; `none`: nothing that still allows a message; `stranger`: she never wrote to us at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WallMoment:
    """A moment on the clocks of the brand's zone. `day` None: the next time that they show `at`."""

    at: time
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenWindow:
    """What the customer did last, so long ago. `left`: how many messages it still allows, None: all."""

    kind: WindowKind
    ago: timedelta = timedelta(0)
    left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """How things stand before the first step. `state` empty: nothing has begun. `saved`: what calls brought back.

    `arms`: what she drew in experiments, by their salt: an arm of a split, `holdout` or `exposed`.
    """

    state: str = ""
    values: Mapping[str, Json] = field(default_factory=dict)
    slots: Mapping[str, Json] = field(default_factory=dict)
    saved: Mapping[str, Json] = field(default_factory=dict)
    customer: Mapping[str, Json] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    score: int = 0
    points: int = 0
    consent: tuple[str, ...] = ()
    arms: Mapping[str, str] = field(default_factory=dict)
    at: WallMoment | None = None
    window: GivenWindow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happen:
    """An event of this type comes. Where it is one of hers (a follow, a click), she did it."""

    span: Span
    event: str
    fields: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A spot on the map, in GCJ-02 degrees."""

    lat: float
    lng: float
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """The customer writes, or with another `kind` sends a picture, a voice message and the like.

    `place`: where she says she is, only of the kind `location`.
    """

    span: Span
    text: str = ""
    kind: str = "text"
    place: Place | None = None

    @property
    def enclosed(self) -> dict[str, Json]:
        """The fields of the message besides its kind."""
        match self.kind, self.place:
            case "text", _:
                return {"text": self.text}
            case _, Place(lat=lat, lng=lng, name=name):
                return {"lat": lat, "lng": lng, "name": name}
            case _:
                return {"media_id": "media"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """She taps the line of the newest menu that has it; `of`: of the latest menu of this content."""

    span: Span
    text: str
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Time goes by; whatever becomes due on the way happens."""

    span: Span
    length: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The same, up to a moment."""

    span: Span
    to: WallMoment


@dataclass(frozen=True, slots=True, kw_only=True)
class Advise:
    """The advisor who has the customer presses a button of her newest card, or writes."""

    span: Span
    act: AdvisorAct
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """What the platform says to the next message of `content`: once, whenever that leaves. `reason` of a refusal."""

    span: Span
    content: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What another system answers to `call` (`crm.create_lead`) from now on: ok, fail or timeout, as in `mocks`."""

    span: Span
    call: str
    answer: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupy:
    """The next place of `resource` that is asked for cannot be had: somebody has it, or with `fails` there is none."""

    span: Span
    resource: str
    fails: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A content, as `content` or `content@variant`."""

    content: str
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.content}@{self.variant}" if self.variant else self.content


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An effect as people write it: `task advisor`, `points 50`, `send welcome`. `name` empty: any of its kind."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowWanted:
    """`kind` open: any window with room; closed: none. Else the one of this kind, with `left` messages."""

    kind: Literal["message", "menu_click", "follow", "scan", "open", "closed"]
    left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """No message of these classes leaves for so long from now on."""

    classes: tuple[str, ...]
    length: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What is expected now. None and empty: nothing is said about it. `places`: where each key stands."""

    span: Span
    sent: tuple[Words, ...] = ()
    then_sent: tuple[Words, ...] = ()
    sent_contains: tuple[str, ...] = ()
    never_sent: tuple[Words, ...] = ()
    sent_once: tuple[Words, ...] = ()
    sent_count: int | None = None
    state: str = ""
    path: tuple[str, ...] = ()
    slot: Mapping[str, Json] = field(default_factory=dict)
    vars: Mapping[str, Json] = field(default_factory=dict)
    customer: Mapping[str, Json] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    score: int | None = None
    points: int | None = None
    effects: tuple[Wanted, ...] = ()
    goal: bool | None = None
    window: WindowWanted | None = None
    answered: str = ""
    ended: str = ""
    reason: str = ""
    no_sends_after: Silence | None = None
    places: Mapping[str, Span] = field(default_factory=dict)


Act: TypeAlias = Happen | Say | Tap | Pass | Turn | Advise | Decide | Reply | Occupy
TrialStep: TypeAlias = Act | Expect


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One test. `for_each_state`: once in every state that waits. `crash`: the test named `repeat` is played again and
    again, and its process dies at these points; then `expect` is judged."""

    name: str
    span: Span
    given: Given = field(default_factory=Given)
    steps: tuple[TrialStep, ...] = ()
    mocks: Mapping[str, Json] = field(default_factory=dict)
    for_each_state: bool = False
    crash: tuple[CrashPoint, ...] = ()
    repeat: str = ""
    expect: Expect | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds for every test of a file. `start`: when it begins. `templates`: those that the platform has granted,
    None: all. `mocks`: what other systems answer, by `target.operation`; a test's own go before them."""

    start: WallMoment | None = None
    customer: Mapping[str, Json] = field(default_factory=dict)
    mocks: Mapping[str, Json] = field(default_factory=dict)
    templates: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """A property that every test of the file must keep, and where it stands."""

    property: Property
    span: Span = START


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFile:
    """`file` is the path as people read it."""

    file: str
    journey: str
    defaults: Defaults = field(default_factory=Defaults)
    trials: tuple[Trial, ...] = ()
    rules: tuple[Watcher, ...] = ()

    def named(self, name: str) -> Trial | None:
        """The test of this name, None: there is none."""
        return next((trial for trial in self.trials if trial.name == name), None)
