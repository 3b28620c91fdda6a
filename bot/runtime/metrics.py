"""What the program counts, for /metrics. One registry per composition, so that two never mix."""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST

CallbackOutcome = Literal[
    "accepted", "untrusted", "unreadable", "unsupported", "too_large", "too_slow", "cut_off", "turned_away"
]
"""`turned_away`: rightly signed, yet not committed. The platform repeats it twice and then it is lost: alarm."""
TurnedAway = Literal["storage", "full"]
"""Why: the commit failed, or too many callbacks waited for theirs."""

_ACCEPT_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The counters themselves. Labels are names from our configuration or our code, never a platform's text."""

    def __init__(self) -> None:
        registry = CollectorRegistry(auto_describe=True)
        self._registry = registry
        self._callbacks = Counter(
            "zhitu_callbacks", "Callbacks by outcome.", ("channel", "account", "outcome"), registry=registry
        )
        self._turned_away = Counter(
            "zhitu_callbacks_turned_away",
            "Rightly signed callbacks that were not committed.",
            ("channel", "account", "reason"),
            registry=registry,
        )
        self._unsupported = Counter(
            "zhitu_callbacks_unsupported", "Callbacks of kinds without use.", ("kind",), registry=registry
        )
        self._accept = Histogram(
            "zhitu_accept_seconds",
            "From a read callback to its commit.",
            buckets=_ACCEPT_BUCKETS_S,
            registry=registry,
        )
        self._sends = Counter(
            "zhitu_sends", "Outgoing messages by final state.", ("channel", "account", "state"), registry=registry
        )
        self._channel_errors = Counter(
            "zhitu_channel_errors",
            "Errors of platforms by decision.",
            ("channel", "account", "decision"),
            registry=registry,
        )
        self._steps = Counter("zhitu_steps", "Steps by outcome.", ("outcome",), registry=registry)
        self._parked = Gauge("zhitu_lanes_parked", "Lanes that wait for an operator.", registry=registry)

    def callback(self, channel: str, account: str, *, outcome: CallbackOutcome) -> None:
        """Count one callback of a known account."""
        self._callbacks.labels(channel, account, outcome).inc()

    def turned_away(self, channel: str, account: str, *, reason: TurnedAway) -> None:
        """Count why a callback was not committed (delivery.md 1.8)."""
        self._turned_away.labels(channel, account, reason).inc()

    def unsupported(self, kind: str) -> None:
        """Count a callback that nothing is done with. `kind` comes from a closed list."""
        self._unsupported.labels(kind).inc()

    def accepted_in(self, seconds: float) -> None:
        """Record how long the commit of a callback took."""
        self._accept.observe(seconds)

    def send(self, channel: str, account: str, *, state: str) -> None:
        """Count an outbox row that reached `state` (sent, refused, unknown, expired, suppressed, delivered)."""
        self._sends.labels(channel, account, state).inc()

    def channel_error(self, channel: str, account: str, *, decision: str) -> None:
        """Count an error of a platform. `decision` is the `code` of its class."""
        self._channel_errors.labels(channel, account, decision).inc()

    def step(self, *, outcome: Literal["stepped", "conflict", "parked"]) -> None:
        """Count one step."""
        self._steps.labels(outcome).inc()

    def parked(self, count: int) -> None:
        """Set how many lanes are parked now."""
        self._parked.set(count)

    def text(self) -> bytes:
        """Everything in the text format of Prometheus."""
        return generate_latest(self._registry)

    def value(self, name: str, **labels: str) -> float:
        """The present value of one sample by its full name, 0 if it was never counted."""
        return self._registry.get_sample_value(name, labels) or 0.0
