"""Which planted defects this harness has to find, and by which columns; with those that need a death or a real disk.

The others are shared with the simulation: tests/defects.
"""

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import text

from bot.core import policy
from bot.core.customer import Customer
from bot.core.events import Event
from bot.core.ids import EventId
from bot.core.rules import GlobalRules
from bot.core.step.draft import Draft
from bot.runtime import dispatch, settling
from bot.runtime.door import Door
from bot.storage import database
from bot.storage.outbox import OutboxSends
from bot.storage.rows import OutboxLine
from tests.defects import DEFECTS
from tests.defects.patches import Patch

EARLY_BY = timedelta(seconds=1.9)
_PROCESS = secrets.token_hex(4)
_FORGET_TIMERS = text("DELETE FROM timers")
_accept, _judge = Door.accept, policy.judge
_prepare, _recover, _set_timer = database._prepare_sqlite, OutboxSends.recover, Draft.set_timer


async def _known_to_one_process(self: Door, events: Sequence[Event]) -> None:
    own = [replace(event, event_id=EventId(f"{event.event_id}{_PROCESS}")) for event in events]
    await _accept(self, own)


def _careless(connection: sqlite3.Connection, record: object) -> None:
    _prepare(connection, record)
    connection.execute("PRAGMA synchronous = OFF")


def _without_timers(self: OutboxSends, epoch: int) -> tuple[OutboxLine, ...]:
    self.connection.execute(_FORGET_TIMERS)
    return _recover(self, epoch)


def _hasty(self: Draft, owner: str, timer_id: str, due_at: datetime, *, visit: int = 0) -> None:
    _set_timer(self, owner, timer_id, due_at - EARLY_BY, visit=visit)


def _deaf(request: policy.Request, *, customer: Customer, rules: GlobalRules, now: datetime) -> policy.Verdict:
    return _judge(request, customer=replace(customer, opt_outs={}), rules=rules, now=now)


def _unwritten(_tx: object, _begun: object, _accepted: object) -> dispatch.Standing:
    return dispatch.Standing(state="sent")


OWN: Mapping[str, Patch] = {
    "dedupe-in-one-process": Patch(Door, "accept", _known_to_one_process),
    "synchronous-off": Patch(database, "_prepare_sqlite", _careless),
    "timers-in-memory": Patch(OutboxSends, "recover", _without_timers),
    "timers-early": Patch(Draft, "set_timer", _hasty),
    "opt-out-ignored": Patch(policy, "judge", _deaf),
    "verdict-lost": Patch(settling, "settle_accepted", _unwritten),
}
"""A delivery that another process committed is taken for new; commits do not wait for the disk; a restart forgets all
timers; every timer is early; the policy does not look at opt-outs; the platform's `ok` is not written down."""

SHOWS: Mapping[str, frozenset[str]] = {
    name: frozenset(columns.split("|"))
    for name, columns in {
        "acknowledge-before-commit": "lost in|lost out",
        "drop-on-overload": "lost in|lost out",
        "dedupe-in-one-process": "duplicate",
        "ready-after-restart": "duplicate",
        "repeat-whatever-the-class": "duplicate",
        "no-conversation-order": "out of order|early",
        "cap-without-reservation": "forbidden",
        "opt-out-ignored": "forbidden",
        "stale-token-loop": "stuck|late|lost out",
        "settled-before-the-answer": "lost out|unexplained",
        "verdict-lost": "stuck|unexplained|lost out|late",
        "timers-early": "early",
        "timers-in-memory": "lost out",
        "synchronous-off": "lost in|lost out|duplicate",
    }.items()
}
"""Defect → the columns of which at least one has to fire. Those of tests/defects that stand not here need an exact
interleaving, which only the simulation can make."""


UNDISTURBED = frozenset({"timers-early"})
"""Defects that show only while the product lives: no timer fires in the first seconds after a start."""


def plant(name: str) -> None:
    """From now on the product of this process has the defect. KeyError: there is none of that name."""
    for patch in (OWN[name],) if name in OWN else DEFECTS[name].patches:
        setattr(patch.owner, patch.name, patch.instead)
