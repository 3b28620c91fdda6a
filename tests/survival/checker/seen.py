"""Everything that the checker knows of a run: what people did, what came, what was done to the product."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from tests.survival.checker.expected import MEMBER_HOUR_LEAST, MEMBER_HOUR_S, Event, Token


@dataclass(slots=True, kw_only=True)
class Deed:
    """What somebody did at `at`; `acked_at`: when a delivery of it was answered with 200 for the first time."""

    at: float
    acked_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Acceptance:
    """A platform took a message with a token. `answered`: its answer reached the wire. `keyed`: it knows our key."""

    at: float
    answered: bool = True
    keyed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """A death, or a stop. `sending`: effects whose requests were under way; `until`: when the product served again."""

    kind: str
    name: str
    at: float
    until: float
    sending: frozenset[str]
    hit: bool


@dataclass(slots=True, kw_only=True)
class Fault:
    """One order of what the platforms were made to do wrong: from its first blow to its last."""

    name: str
    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """A request that its sender never got a verdict on. `blow`: the id of the fault; empty: nobody took the reply."""

    at: float
    blow: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An outbox row that did not simply leave: another state than sent, or sent again. Times in seconds.

    `customer`: who it is about, as the platform calls her; also where an advisor gets it.
    """

    effect_id: str
    customer: str
    conversation: str
    content: str
    state: str
    reason: str
    repeats: int
    planned_at: float
    started_at: float
    settled_at: float
    not_before: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A message that was never planned: those before it would use the window up, or a colleague had the floor."""

    conversation: str
    content: str
    reason: str
    at: float


@dataclass(slots=True, kw_only=True)
class Seen:
    """Everything the checker knows."""

    deeds: dict[Event, Deed] = field(default_factory=dict)
    opt_outs: dict[int, Deed] = field(default_factory=dict)
    accepted: dict[Token, list[Acceptance]] = field(default_factory=lambda: defaultdict(list))
    transcript: dict[int, list[tuple[float, Token]]] = field(default_factory=lambda: defaultdict(list))
    floors: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    talks: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    closings: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When the product had taken in that an advisor closed a conversation with her."""
    looks: dict[int, list[Deed]] = field(default_factory=lambda: defaultdict(list))
    """What she did that nobody answers."""
    thanked: dict[Token, list[Acceptance]] = field(default_factory=lambda: defaultdict(list))
    """Words of hers that were taken as the answer to a question, though they were meant for something else."""
    full: list[tuple[str, float]] = field(default_factory=list)
    receivers: dict[Token, str] = field(default_factory=dict)
    sent_callbacks: dict[str, int] = field(default_factory=dict)
    acked_callbacks: dict[str, int] = field(default_factory=dict)
    given_up: list[float] = field(default_factory=list)
    """When the last delivery of a callback ended that was never answered 200."""
    """`floors`: from an advisor's first words that arrived to her closing; `talks`: from her accepting, which is
    earlier. `full`: who was refused a message because her window was used up, and when."""
    lied_to: dict[str, list[Lie]] = field(default_factory=lambda: defaultdict(list))
    put_off: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Receiver → the requests without a verdict; the moments at which a message to her was put off for long."""
    asked: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Advisor → the moments at which the platform was asked to send her something."""
    over_window: int = 0
    unfaithful: int = 0
    lies: int = 0
    blows: list[Blow] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    consumed: dict[str, int] = field(default_factory=dict)
    stored: dict[str, int] = field(default_factory=dict)
    stuck: dict[str, int] = field(default_factory=dict)
    unknown: int = 0
    standstill_s: float = 0.0
    """The longest time in which the platforms' own process could not run."""
    broken: str = ""
    last_at: float = 0.0
    _deeds_of: dict[int, list[tuple[Event, Deed]]] = field(default_factory=dict)

    def is_over_rate(self, advisor: str) -> bool:
        """Whether she has been sent so much in the last hour that the platform would drop the next message."""
        since = self.last_at - MEMBER_HOUR_S
        return sum(at >= since for at in self.asked.get(advisor, ())) >= MEMBER_HOUR_LEAST

    def full_hours(self, advisor: str) -> list[tuple[float, float]]:
        """When she had been sent so much in an hour that the platform would have dropped the next message."""
        asked = sorted(self.asked.get(advisor, ()))
        ends = zip(asked, asked[MEMBER_HOUR_LEAST - 1 :], strict=False)
        return [(last, first + MEMBER_HOUR_S) for first, last in ends if last < first + MEMBER_HOUR_S]

    def deeds_of(self, customer: int) -> list[tuple[Event, Deed]]:
        """What she did that bears a token, in order, once everything is read."""
        if not self._deeds_of:
            for event, deed in self.deeds.items():
                self._deeds_of.setdefault(event.customer, []).append((event, deed))
        return self._deeds_of.get(customer, [])


def seconds(text: str) -> float:
    """Seconds since 1970 of an ISO moment."""
    return datetime.fromisoformat(text).timestamp()
