"""Carries out what steps decided: everything but the sending itself, in the step's own transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never, cast

from sqlalchemy import Connection, text

from bot.core.effects import (
    AssignAdvisor,
    CloseDesk,
    Effect,
    OpenDesk,
    RecordConsent,
    RunErrand,
    SaveLead,
    SaveTask,
    SendMessage,
    SettlePlace,
    SuppressSends,
    WithdrawErrands,
)
from bot.core.errands import CallWebhook
from bot.storage import tables
from bot.storage.accounts import account_lanes
from bot.storage.bookings import BookingRows
from bot.storage.codec import errand_bytes, json_bytes, send_bytes
from bot.storage.dialect import insert_or_replace
from bot.storage.errand_tables import errands
from bot.storage.errands import OURS
from bot.storage.keys import KeyRing
from bot.storage.many import insert_many
from bot.storage.moments import maybe_micros, micros
from bot.storage.rows import Planned

Rows: TypeAlias = list[dict[str, object]]

PHONE_FIELD = "phone"
"""The field of a lead that a blind index is kept of."""

_suppress = text(
    # A repeat that is held back leaves the fate of its first attempt unknown.
    "UPDATE outbox SET state = CASE WHEN repeats > 0 THEN 'unknown' ELSE 'suppressed' END, reason = :reason,"
    " settled_at = :at"
    " WHERE effect_id = :effect_id AND state IN ('ready', 'leased')"
)
# What an urgent message has to wait for in its conversation becomes urgent too.
_inherit = text(
    # The first condition says nothing new: without it SQLite does not see that the index of conversations serves.
    "UPDATE outbox SET urgent = 1 WHERE state IN ('ready', 'leased', 'sending') AND state = 'ready'"
    " AND conversation_id = :conversation_id AND urgent = 0 AND not_before <= :not_before"
)
# What has begun goes on; of what was tried in vain before it stays unknown whether it was done.
_withdraw = text(
    "UPDATE errands SET state = CASE WHEN attempts > 0 AND status IS NULL THEN 'unknown' ELSE 'withdrawn' END,"
    " settled_at = :at, reason = :reason WHERE effect_id = :effect_id AND state IN ('ready', 'leased')"
)
_close_desk = text(
    "DELETE FROM desks WHERE account = :account AND staff_id = :staff_id AND conversation_id = :conversation_id"
)


@dataclass(slots=True)
class _Batch:
    """Rows to write, collected by table, so that each table gets one statement."""

    sends: dict[str, dict[str, object]] = field(default_factory=dict)
    suppressed: Rows = field(default_factory=list)
    leads: dict[str, dict[str, object]] = field(default_factory=dict)
    tasks: dict[str, dict[str, object]] = field(default_factory=dict)
    consents: Rows = field(default_factory=list)
    assignments: dict[int, dict[str, object]] = field(default_factory=dict)
    desks: list[tuple[bool, dict[str, object]]] = field(default_factory=list)
    errands: dict[str, dict[str, object]] = field(default_factory=dict)
    withdrawn: Rows = field(default_factory=list)
    places: list[tuple[SettlePlace, Planned]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EffectRows:
    """Writes the effects of a batch of customers, inside one transaction."""

    connection: Connection
    keys: KeyRing

    def carry_out(self, plans: Sequence[Planned]) -> None:
        """Write all effects of `plans`, in their order; of two that write the same row the later one counts.

        A message with an effect id that is in the outbox already is left as it is: the step ran before.
        Suppressing touches only what has not begun to leave.
        """
        batch = _Batch()
        for plan in plans:
            for effect in plan.effects:
                self._collect(batch, effect, plan)
        self._write_sends(batch)
        self._write(tables.leads.name, "lead_id", list(batch.leads.values()))
        self._write(tables.tasks.name, "task_id", list(batch.tasks.values()))
        self._write(tables.assignments.name, "customer_id", list(batch.assignments.values()))
        if batch.consents:
            self.connection.execute(tables.consents.insert(), batch.consents)
        self._write_desks(batch)
        self._write_errands(batch)

    def _collect(self, batch: _Batch, effect: Effect, plan: Planned) -> None:
        at = micros(plan.at)
        match effect:
            case SendMessage():
                batch.sends.setdefault(effect.effect_id, self._send_row(effect, plan))
            case SuppressSends():
                rows = [{"effect_id": name, "reason": effect.reason, "at": at} for name in effect.effect_ids]
                batch.suppressed += rows
            case SaveLead():
                batch.leads[effect.lead_id] = self._lead_row(effect, plan)
            case SaveTask():
                batch.tasks[effect.task_id] = self._task_row(effect, plan)
            case RecordConsent():
                batch.consents.append(_consent_row(effect, plan))
            case AssignAdvisor():
                batch.assignments[plan.customer_id] = _assignment_row(effect, plan)
            case OpenDesk() | CloseDesk():
                batch.desks.append((isinstance(effect, OpenDesk), _desk_row(effect, plan)))
            case RunErrand():
                batch.errands.setdefault(effect.effect_id, self._errand_row(effect, plan))
            case WithdrawErrands():
                batch.withdrawn += [
                    {"effect_id": name, "reason": effect.reason, "at": at} for name in effect.effect_ids
                ]
            case SettlePlace():
                batch.places.append((effect, plan))
            case _:
                assert_never(effect)

    def _write(self, table: str, key: str, rows: Rows) -> None:
        insert_many(self.connection, tables.Row.metadata.tables[table], rows, key=(key,), known="replace")

    def _write_sends(self, batch: _Batch) -> None:
        rows = list(batch.sends.values())
        if rows:
            account_lanes(self.connection, {(str(row["channel"]), str(row["account"])) for row in rows})
            insert_many(self.connection, tables.outbox, rows, key=("effect_id",), known="nothing")
        urgent = _latest_urgent(rows)
        if urgent:
            self.connection.execute(_inherit, urgent)
        # Last, because a later item of the same customer may take back what an earlier one planned.
        if batch.suppressed:
            self.connection.execute(_suppress, batch.suppressed)

    def _write_desks(self, batch: _Batch) -> None:
        # Few, and their order matters: a desk closed and opened again stays open.
        statement = insert_or_replace(self.connection, tables.desks, "account", "staff_id")
        for opened, row in batch.desks:
            if opened:
                self.connection.execute(statement, row)
            else:
                self.connection.execute(_close_desk, row)

    def _write_errands(self, batch: _Batch) -> None:
        if batch.errands:
            insert_many(self.connection, errands, list(batch.errands.values()), key=("effect_id",), known="nothing")
        if batch.withdrawn:
            self.connection.execute(_withdraw, batch.withdrawn)
        places = BookingRows(self.connection)
        for effect, plan in batch.places:
            if effect.keep:
                places.keep(effect.effect_id, now=plan.at)
            else:
                places.let_go(effect.effect_id, now=plan.at)

    def _errand_row(self, effect: RunErrand, plan: Planned) -> dict[str, object]:
        return {
            "effect_id": effect.effect_id,
            "customer_id": plan.customer_id,
            "kind": effect.errand.kind,
            "target": effect.errand.target if isinstance(effect.errand, CallWebhook) else OURS,
            "state": "ready",
            "planned_at": micros(plan.at),
            "not_before": micros(plan.at),
            "expires_at": micros(effect.expires_at),
            "sealed": self.keys.seal(errand_bytes(effect), place=f"errands.sealed:{effect.effect_id}"),
        }

    def _send_row(self, effect: SendMessage, plan: Planned) -> dict[str, object]:
        return {
            "effect_id": effect.effect_id,
            "customer_id": plan.customer_id,
            "conversation_id": effect.conversation_id,
            "channel": effect.channel,
            "account": effect.account,
            "state": "ready",
            "send_class": effect.send_class,
            "urgent": int(effect.urgent),
            "planned_at": micros(plan.at),
            "not_before": micros(effect.not_before or plan.at),
            "expires_at": maybe_micros(effect.expires_at),
            "content": effect.content,
            "journey": effect.journey,
            "journey_state": effect.state,
            "enrolment_id": effect.enrolment_id,
            "visit": effect.visit,
            "sealed": self.keys.seal(send_bytes(effect), place=f"outbox.sealed:{effect.effect_id}"),
        }

    def _lead_row(self, effect: SaveLead, plan: Planned) -> dict[str, object]:
        phone = effect.fields.get(PHONE_FIELD)
        return {
            "lead_id": effect.lead_id,
            "customer_id": plan.customer_id,
            "stage": effect.stage,
            "staff_id": effect.advisor,
            "dealer": effect.dealer,
            "source": effect.source,
            "opened_at": micros(effect.opened_at),
            "updated_at": micros(plan.at),
            "phone_index": self.keys.blind(phone) if isinstance(phone, str) and phone else None,
            "sealed": self.keys.seal(json_bytes(effect.fields), place=f"leads.sealed:{effect.lead_id}"),
        }

    def _task_row(self, effect: SaveTask, plan: Planned) -> dict[str, object]:
        return {
            "task_id": effect.task_id,
            "customer_id": plan.customer_id,
            "kind": effect.kind,
            "status": effect.status,
            "staff_id": effect.staff_id,
            "created_at": micros(effect.created_at),
            "updated_at": micros(plan.at),
            "due_at": maybe_micros(effect.due_at),
            "journey": effect.journey,
            "enrolment_id": effect.enrolment_id,
            "sealed": self.keys.seal(effect.title.encode(), place=f"tasks.sealed:{effect.task_id}"),
        }


def _latest_urgent(rows: Rows) -> Rows:
    """The conversations that got an urgent message, each once, with the latest time that any of them leaves at."""
    latest: dict[object, int] = {}
    for row in rows:
        if row["urgent"]:
            leaves_at = cast(int, row["not_before"])  # microseconds, as its column
            latest[row["conversation_id"]] = max(leaves_at, latest.get(row["conversation_id"], leaves_at))
    return [{"conversation_id": name, "not_before": leaves_at} for name, leaves_at in latest.items()]


def _consent_row(effect: RecordConsent, plan: Planned) -> dict[str, object]:
    return {
        "customer_id": plan.customer_id,
        "purpose": effect.purpose,
        "granted": int(effect.granted),
        "at": micros(effect.at),
        "source": effect.source,
        "content": effect.text,
        "text_hash": effect.text_hash,
    }


def _assignment_row(effect: AssignAdvisor, plan: Planned) -> dict[str, object]:
    return {
        "customer_id": plan.customer_id,
        "staff_id": effect.staff_id,
        "at": micros(effect.at),
        "reason": effect.reason,
    }


def _desk_row(effect: OpenDesk | CloseDesk, plan: Planned) -> dict[str, object]:
    row: dict[str, object] = {
        "account": effect.account,
        "staff_id": effect.staff_id,
        "conversation_id": effect.conversation_id,
    }
    if isinstance(effect, OpenDesk):
        row |= {"customer_id": plan.customer_id, "opened_at": micros(effect.at)}
    return row
