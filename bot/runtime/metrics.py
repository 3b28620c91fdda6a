"""What the program counts, for /metrics. One registry per composition, so that two never mix.

Every metric stands in the table of bot/OPERATING.md.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.core import policy
from bot.core.effects import Trace
from bot.core.errands import ErrandKind
from bot.storage import Figures, Strain

CONTENT_TYPE = CONTENT_TYPE_LATEST

CallbackOutcome = Literal[
    "accepted", "untrusted", "unreadable", "unsupported", "too_large", "too_slow", "cut_off", "turned_away"
]
"""`turned_away`: rightly signed, yet not committed. The platform repeats it twice and then it is lost: alarm."""
TurnedAway = Literal["storage", "full", "clock"]
"""Why: the commit failed, too many callbacks waited for theirs, or our own clock is too wrong to tell their age."""

Verdict = Literal["allow", "defer", "refuse"]
AskedAt = Literal["plan", "dispatch"]
"""When the contact policy was asked: by the step that plans a message, or just before it leaves."""
AccountState = Literal["working", "resting", "refused"]
"""`resting`: the platform does not answer or wants a pause. `refused`: it does not take our credentials or rights."""
ACCOUNT_STATES: tuple[AccountState, ...] = ("working", "resting", "refused")
_OBJECTIONS = frozenset(get_args(policy.Reason))
_OUTBOX_STATES = ("ready", "leased", "sending", "unknown")

_LATE_BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 86_400.0)
_ACCEPT_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The counters themselves. Labels are names from our configuration or our code, never a platform's text."""

    def __init__(self) -> None:
        registry = CollectorRegistry(auto_describe=True)
        self._registry = registry
        self._callbacks = Counter(
            "zhitu_callbacks", "Callbacks by outcome.", ("channel", "account", "outcome"), registry=registry
        )
        # Finding a counter by its labels costs more than counting, and strangers have it counted as often as they like.
        self._bound: dict[tuple[str, str, CallbackOutcome], Counter] = {}
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
        self._errands = Counter(
            "zhitu_errands",
            "Errands of journeys by what became of a try.",
            ("kind", "account", "outcome"),
            registry=registry,
        )
        self._steps = Counter("zhitu_steps", "Steps by outcome.", ("outcome",), registry=registry)
        self._verdicts = Counter(
            "zhitu_policy_verdicts",
            "Verdicts of the contact policy.",
            ("asked_at", "verdict", "reason"),
            registry=registry,
        )
        self._timer_late = Histogram(
            "zhitu_timer_late_seconds",
            "From the moment a timer was due to its step.",
            buckets=_LATE_BUCKETS_S,
            registry=registry,
        )
        self._gauges = _Gauges(registry)

    def callback(self, channel: str, account: str, *, outcome: CallbackOutcome) -> None:
        """Count one callback of a known account."""
        bound = self._bound.get((channel, account, outcome))
        if bound is None:
            bound = self._bound[channel, account, outcome] = self._callbacks.labels(channel, account, outcome)
        bound.inc()

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

    def errand(self, kind: ErrandKind, target: str, *, outcome: Literal["done", "failed", "unknown", "again"]) -> None:
        """Count a try of an errand. `target`: the webhook by its configured name, empty for ledgers of ours."""
        self._errands.labels(kind, target, outcome).inc()

    def step(self, *, outcome: Literal["stepped", "conflict", "parked"]) -> None:
        """Count one step."""
        self._steps.labels(outcome).inc()

    def verdict(self, asked_at: AskedAt, verdict: Verdict, *, reason: str = "") -> None:
        """Count one answer of the contact policy. `reason` is one of its identifiers, empty when it allows."""
        self._verdicts.labels(asked_at, verdict, reason).inc()

    def planned(self, decided: Iterable[Trace]) -> None:
        """Count what the policy said to the plans of a step. Refusals of the step itself, as `send.burst`, are none."""
        for trace in decided:
            deferred, reason = str(trace.detail.get("deferred") or ""), str(trace.detail.get("reason") or "")
            if trace.kind == "planned" and trace.detail.get("way") != "task":
                self.verdict("plan", "defer" if deferred else "allow", reason=deferred)
            elif trace.kind == "not_sent" and reason in _OBJECTIONS:
                self.verdict("plan", "refuse", reason=reason)

    def timers_fired(self, late_s: Iterable[float]) -> None:
        """Record how much later than due each of these timers was stepped."""
        for seconds in late_s:
            self._timer_late.observe(seconds)

    def parked(self, count: int) -> None:
        """Set how many lanes are parked now."""
        self._gauges.parked.set(count)

    def account(self, channel: str, account: str, *, state: AccountState) -> None:
        """Set how the platform treats an account now."""
        for other in ACCOUNT_STATES:
            self._gauges.account.labels(channel, account, other).set(1 if other == state else 0)

    def strain(self, strain: Strain) -> None:
        """Set what the writer of the database did and has before it."""
        gauges = self._gauges
        gauges.writer_groups.set(strain.groups)
        gauges.writer_jobs.set(strain.jobs)
        gauges.writer_hold.set(strain.longest_hold_s)
        gauges.writer_waiting.set(strain.waiting)
        gauges.log_bytes.set(strain.log_bytes)

    def figures(self, figures: Figures, now: datetime) -> None:
        """Set what waits in the database at `now`."""
        gauges = self._gauges
        gauges.parked.set(figures.parked)
        gauges.quarantined.set(figures.quarantined)
        gauges.errands.labels("ready").set(figures.errands_waiting)
        gauges.errands.labels("unknown").set(figures.errands_unknown)
        counts = {"ready": figures.ready, "leased": figures.leased, "sending": figures.sending}
        for state in _OUTBOX_STATES:
            gauges.outbox.labels(state).set(counts.get(state, figures.unknown))
        for kind, depth in figures.inbox.items():
            gauges.inbox.labels(kind).set(depth.waiting)
            gauges.inbox_oldest.labels(kind).set(_age_s(depth.oldest, now))
        for (channel, account), oldest in figures.oldest_ready.items():
            gauges.outbox_oldest.labels(channel, account).set(_age_s(oldest, now))
        gauges.gaps.clear()
        for gap in figures.gaps:
            gauges.gaps.labels(gap.channel, gap.account).set(gap.count)

    def figures_age(self, seconds: float) -> None:
        """Set how old the figures from the database are."""
        self._gauges.age.set(seconds)

    def text(self) -> bytes:
        """Everything in the text format of Prometheus."""
        return generate_latest(self._registry)

    def value(self, name: str, **labels: str) -> float:
        """The present value of one sample by its full name, 0 if it was never counted."""
        return self._registry.get_sample_value(name, labels) or 0.0

    def names(self) -> Mapping[str, str]:
        """Every metric as /metrics names it, with its type."""
        return {
            metric.name + ("_total" if metric.type == "counter" else ""): metric.type
            for metric in self._registry.collect()
        }


class _Gauges:
    """What has a present value. Those that stand for rows of the database are as old as its last look."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, meaning: str, *labels: str) -> Gauge:
            return Gauge(f"zhitu_{name}", meaning, labels, registry=registry)

        self.parked = gauge("lanes_parked", "Lanes that wait for an operator.")
        self.errands = gauge("errands_rows", "Errands that are not done, by state.", "state")
        self.quarantined = gauge("quarantined", "Callbacks in quarantine.")
        self.inbox = gauge("inbox_waiting", "Events that wait to be stepped.", "lanes")
        self.inbox_oldest = gauge("inbox_oldest_seconds", "Age of the event that waits longest.", "lanes")
        self.outbox = gauge("outbox_rows", "Messages that are not done, by state.", "state")
        self.outbox_oldest = gauge(
            "outbox_oldest_ready_seconds", "Since when the longest waiting message could leave.", "channel", "account"
        )
        self.account = gauge("account_state", "1 for the state of an account.", "channel", "account", "state")
        self.gaps = gauge("gaps_open", "Times in which messages may have been missed.", "channel", "account")
        self.writer_groups = gauge("writer_groups", "Transactions of the writer since the start.")
        self.writer_jobs = gauge("writer_jobs", "Jobs of the writer since the start.")
        self.writer_hold = gauge("writer_longest_hold_seconds", "Longest transaction of the writer since the start.")
        self.writer_waiting = gauge("writer_waiting", "Jobs that wait for the writer.")
        self.log_bytes = gauge("storage_log_bytes", "Length of SQLite's log; it is moved beyond 16 MiB.")
        self.age = gauge("figures_age_seconds", "Age of the figures from the database.")


def _age_s(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
