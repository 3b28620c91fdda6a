"""Lanes: where events are written down, each in the lane of the customer or account it concerns."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal  # Any: JSON that was read has no type yet

from sqlalchemy import Connection, bindparam, delete, func, select, text

from bot.core.events import Event, Json
from bot.core.ids import CustomerId, EventId
from bot.storage import tables
from bot.storage.accounts import account_lanes
from bot.storage.codec import json_bytes, read_json
from bot.storage.dialect import among, insert_or_nothing, insert_or_replace, listed
from bot.storage.keys import KeyRing
from bot.storage.many import insert_many
from bot.storage.moments import micros, moment
from bot.storage.rows import Lane, Quarantined
from bot.storage.tables import AnyRow

SHARDS = 64
"""Buckets of lanes. One process drains them all; the number is stored, so it is fixed by the first migration."""

INGEST_LOCKS = 0x7A68
"""The namespace of the locks that ingest takes on PostgreSQL, one for each shard."""

_STAFF_CHANNEL = "app"
_Name = tuple[str, str, str]

# By the external id alone, which the primary key begins with: SQLite would not use it for three columns in a list.
_IDENTIFIED = "SELECT channel, account, external_id, customer_id FROM identities WHERE external_id {listed}"
_TASKS = "SELECT effect_id, customer_id FROM outbox WHERE effect_id {listed}"
_PRESENT = "SELECT event_id, seq FROM inbox WHERE event_id {listed}"
_last = select(func.coalesce(func.max(tables.inbox.c.seq), 0))
_CONSUME = "UPDATE inbox SET consumed_at = :at WHERE seq {listed}"
_unquarantine = delete(tables.quarantine).where(tables.quarantine.c.quarantine_id == bindparam("of"))
_one = text("SELECT * FROM inbox WHERE seq = :seq")
_drop = text("DELETE FROM inbox WHERE seq = :seq AND consumed_at IS NULL")
_readdress = text("UPDATE inbox SET lane = :lane, sealed = :sealed WHERE seq = :seq AND consumed_at IS NULL")
_unpark = delete(tables.parked).where(tables.parked.c.lane == bindparam("of"))
_next_ids = text(
    "UPDATE counters SET value = value + :count WHERE name = 'customer_id' RETURNING value",
)
# In their order, so that no two workers wait for each other; the lock ends with the transaction (delivery.md 2.1).
_lock_shards = text(
    "SELECT pg_advisory_xact_lock(:space, s.shard) FROM (SELECT unnest(CAST(:shards AS int[])) AS shard ORDER BY 1) s"
)


@dataclass(frozen=True, slots=True)
class LaneRows:
    """The inbox. Every method works inside the transaction it was made for."""

    connection: Connection
    keys: KeyRing
    now: datetime

    def ingest(
        self,
        events: Sequence[Event],
        *,
        received_at: datetime,
        addressed: Sequence[tuple[CustomerId, Event]] = (),
    ) -> tuple[bool, ...]:
        """Write events down, each at the end of its lane; True where the event is new, in the order given.

        `addressed` events name their customer and follow `events` in the answer. Customers that were never heard
        of are created. Events of one call are concurrent: they are put in the order of the platform's time.
        """
        lanes = self._lanes_of(events)
        arrivals = [(lane, event) for lane, event in zip(lanes, events, strict=True)]
        arrivals += [(Lane(customer_id), event) for customer_id, event in addressed]
        order = sorted(range(len(arrivals)), key=lambda place: arrivals[place][1].occurred_at)
        first: dict[str, int] = {}
        for place in order:
            first.setdefault(arrivals[place][1].event_id, place)
        fresh = self._insert([arrivals[place] for place in first.values()], received_at)
        return tuple(
            first[event.event_id] == place and event.event_id in fresh for place, (_, event) in enumerate(arrivals)
        )

    def quarantine(
        self, *, channel: str, account: str, body: bytes, why: str, form: Literal["body", "event", "sealed"] = "body"
    ) -> None:
        """Keep what could not be read, or with `form` event not be written, sealed. The same again changes nothing."""
        name = hashlib.sha256(b"|".join((channel.encode(), account.encode(), body))).hexdigest()
        row = {
            "quarantine_id": name,
            "channel": channel,
            "account": account,
            "why": why,
            "form": form,
            "received_at": micros(self.now),
            "sealed": self.keys.seal(body, place=f"quarantine.sealed:{name}"),
        }
        self.connection.execute(insert_or_nothing(self.connection, tables.quarantine, "quarantine_id"), row)

    def take_from_quarantine(self, quarantine_id: str) -> bool:
        """Drop this row of the quarantine, because what it holds was read after all. False: it is not there."""
        return self.connection.execute(_unquarantine, {"of": quarantine_id}).rowcount > 0

    def put_aside(self, seq: int, *, why: str) -> None:
        """Move an event that does not open from an account's lane into quarantine, as it is sealed.

        Others' events stand behind it there, so that such a lane is not parked for one.
        """
        row = self.connection.execute(_one, {"seq": seq}).one()
        record: dict[str, Json] = {
            "event_id": row.event_id,
            "type": row.type,
            "sender": row.actor,
            "occurred_at": row.occurred_at,
            "urgent": row.urgent == 1,
            "sealed": base64.b64encode(row.sealed).decode(),
        }
        self.quarantine(channel=row.channel, account=row.account, body=json_bytes(record), why=why, form="sealed")
        self.connection.execute(_drop, {"seq": seq})

    def unsealed(self, row: Quarantined) -> Event:
        """The event that `put_aside` put into this row of the quarantine. Spoilt: it still does not open."""
        record: dict[str, Any] = read_json(row.body)  # Any: what `put_aside` wrote
        sealed = base64.b64decode(record["sealed"])
        return Event(
            event_id=EventId(record["event_id"]),
            type=record["type"],
            channel=row.channel,
            account=row.account,
            sender=record["sender"],
            occurred_at=moment(record["occurred_at"]),
            fields=read_json(self.keys.open(sealed, place=f"inbox.sealed:{record['event_id']}")),
            urgent=record["urgent"],
        )

    def consume(self, seqs: Sequence[int]) -> None:
        """Mark these events as stepped."""
        if seqs:
            values = {"ids": listed(self.connection, seqs), "at": micros(self.now)}
            self.connection.execute(among(self.connection, _CONSUME), values)

    def readdress(self, seq: int, event: Event, *, to: CustomerId) -> None:
        """Move an event from an account's lane into a customer's, as `event` says it now, with its place in time."""
        sealed = self.keys.seal(json_bytes(event.fields), place=f"inbox.sealed:{event.event_id}")
        self.connection.execute(_readdress, {"seq": seq, "lane": to, "sealed": sealed})

    def park(self, lane: Lane | CustomerId, *, seq: int | None, reason: str) -> None:
        """Let this lane stand still: claims and timers pass it over. `reason` holds nothing personal."""
        row = {"lane": lane, "seq": seq, "reason": reason, "parked_at": micros(self.now)}
        self.connection.execute(insert_or_replace(self.connection, tables.parked, "lane"), row)

    def unpark(self, lane: Lane | CustomerId) -> bool:
        """Let this lane go on. False: it was not parked."""
        return self.connection.execute(_unpark, {"of": lane}).rowcount > 0

    def _lanes_of(self, events: Sequence[Event]) -> list[Lane]:
        names = {_name(event) for event in events if _of_customer(event)}
        customers = self._customers_of(sorted(names))
        tasks = self._customers_of_tasks([task for event in events if (task := _task_of(event))])
        accounts: dict[tuple[str, str], Lane] = {}
        lanes = []
        for event in events:
            customer_id = customers[_name(event)] if _of_customer(event) else tasks.get(_task_of(event))
            if customer_id is None:
                accounts = accounts or account_lanes(self.connection, _accounts_of(events))
                lanes.append(accounts[event.channel, event.account])
            else:
                lanes.append(Lane(customer_id))
        return lanes

    def _customers_of(self, names: Sequence[_Name]) -> dict[_Name, CustomerId]:
        known = self._identified(names)
        strangers = [name for name in names if name not in known]
        if strangers:
            self._create(strangers)
            known |= self._identified(strangers)
        return known

    def _identified(self, names: Sequence[_Name]) -> dict[_Name, CustomerId]:
        known: dict[_Name, CustomerId] = {}
        wanted = set(names)
        for row in self._among(_IDENTIFIED, [external_id for _, _, external_id in names]):
            name = row.channel, row.account, row.external_id
            if name in wanted:
                known[name] = CustomerId(row.customer_id)
        return known

    def _among(self, sql: str, ids: Sequence[str]) -> Sequence[AnyRow]:
        """What `sql` finds for these ids; nothing is asked for none."""
        if not ids:
            return ()
        return self.connection.execute(among(self.connection, sql), {"ids": listed(self.connection, ids)}).all()

    def _create(self, names: Sequence[_Name]) -> None:
        # Whoever loses a race for the same identity leaves a number unused, and no customer without identity:
        # the counter's row is locked until the transaction ends, so the second one sees the first one's rows.
        last: int = self.connection.execute(_next_ids, {"count": len(names)}).scalar_one()
        late = self._identified(names)
        new = [name for name in names if name not in late]
        identities, customers = [], []
        for customer_id, (channel, account, external_id) in enumerate(new, start=last - len(names) + 1):
            name = {"channel": channel, "account": account, "external_id": external_id}
            identities.append(name | {"customer_id": customer_id})
            customers.append(self._blank(customer_id))
        insert_many(self.connection, tables.identities, identities, known="fail")
        insert_many(self.connection, tables.customers, customers, known="fail")

    def _blank(self, customer_id: int) -> dict[str, object]:
        return {
            "customer_id": customer_id,
            "version": 0,
            "shard": customer_id % SHARDS,
            "created_at": micros(self.now),
            "sealed": None,
        }

    def _customers_of_tasks(self, task_ids: Sequence[str]) -> dict[str, CustomerId]:
        return {row.effect_id: CustomerId(row.customer_id) for row in self._among(_TASKS, task_ids)}

    def _insert(self, arrivals: Sequence[tuple[Lane, Event]], received_at: datetime) -> set[str]:
        """The ids of those events that were not there yet."""
        if not arrivals:
            return set()
        rows = [self._row(lane, event, received_at) for lane, event in arrivals]
        if self.connection.dialect.name == "postgresql":
            shards = sorted({lane % SHARDS for lane, _ in arrivals})
            self.connection.execute(_lock_shards, {"space": INGEST_LOCKS, "shards": shards})
        last: int = self.connection.execute(_last).scalar_one()
        inserted = insert_many(self.connection, tables.inbox, rows, key=("event_id",), known="nothing")
        ids = [event.event_id for _, event in arrivals]
        if inserted == len(rows):
            return set(ids)
        return {row.event_id for row in self._among(_PRESENT, ids) if row.seq > last}

    def _row(self, lane: Lane, event: Event, received_at: datetime) -> dict[str, object]:
        sealed = self.keys.seal(json_bytes(event.fields), place=f"inbox.sealed:{event.event_id}")
        return {
            "event_id": event.event_id,
            "lane": lane,
            "type": event.type,
            "channel": event.channel,
            "account": event.account,
            "actor": event.sender,
            "urgent": int(event.urgent),
            "occurred_at": micros(event.occurred_at),
            "received_at": micros(received_at),
            "sealed": sealed,
        }


def _name(event: Event) -> _Name:
    return event.channel, event.account, event.sender


def _of_customer(event: Event) -> bool:
    # Who writes to an application is a colleague, never a customer.
    return event.channel != _STAFF_CHANNEL and event.sender != ""


def _task_of(event: Event) -> str:
    task_id = event.fields.get("task_id") if event.type == "card.clicked" else None
    return task_id if isinstance(task_id, str) else ""


def _accounts_of(events: Iterable[Event]) -> set[tuple[str, str]]:
    return {(event.channel, event.account) for event in events}
