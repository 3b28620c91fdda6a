"""Customers: one sealed row each, and the narrow rows that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select, text

from bot.core.customer import Customer, Enrolment
from bot.core.ids import CustomerId
from bot.errors import Conflict, StorageError
from bot.storage import tables
from bot.storage.chunks import chunks
from bot.storage.codec import customer_bytes, read_customer
from bot.storage.dialect import insert_or_replace
from bot.storage.keys import KeyRing
from bot.storage.moments import micros

Change = tuple[Customer, Customer]

_load = (
    select(tables.customers.c.customer_id, tables.customers.c.version, tables.customers.c.sealed)
    .where(tables.customers.c.customer_id.in_(bindparam("ids", expanding=True)))
    .order_by(tables.customers.c.customer_id)  # locked in one order everywhere, so that two workers never cross
    .with_for_update()
)
_save = text(
    "UPDATE customers SET version = :version, sealed = :sealed WHERE customer_id = :customer_id AND version = :before"
)
_version = select(tables.customers.c.version).where(tables.customers.c.customer_id == bindparam("of"))
_end_enrolment = delete(tables.enrolments).where(tables.enrolments.c.enrolment_id == bindparam("of"))
_stop_timer = delete(tables.timers).where(tables.timers.c.customer_id == bindparam("of"))


@dataclass(frozen=True, slots=True)
class CustomerRows:
    """Loads customers and saves what a step made of them, inside one transaction."""

    connection: Connection
    keys: KeyRing

    def load(self, ids: Sequence[CustomerId]) -> dict[CustomerId, Customer]:
        """These customers as they are now, locked until the transaction ends where the database can lock.

        Unknown ids are missing in the answer. StorageError: a row does not open.
        """
        found: dict[CustomerId, Customer] = {}
        for part in chunks(ids):
            for number, version, sealed in self.connection.execute(_load, {"ids": list(part)}):
                customer_id = CustomerId(number)
                found[customer_id] = self._opened(customer_id, version, sealed)
        return found

    def save(self, changes: Sequence[Change]) -> None:
        """Write each `(before, after)`; `before` is what `load` gave in this transaction.

        The stored version becomes `before.version + 1`, whatever `after` says, so several steps make one change.
        A customer stands in `changes` once. Conflict: somebody else wrote one of them since.
        """
        if not changes:
            return
        rows = [self._row(before, after) for before, after in changes]
        if self.connection.execute(_save, rows).rowcount != len(rows):
            raise self._conflict(changes)
        self._save_enrolments(changes)
        self._save_timers(changes)

    def _opened(self, customer_id: CustomerId, version: int, sealed: bytes | None) -> Customer:
        if sealed is None:
            return Customer(customer_id=customer_id, version=version)
        packed = self.keys.open(sealed, place=_place(customer_id))
        return read_customer(packed, customer_id=customer_id, version=version)

    def _row(self, before: Customer, after: Customer) -> dict[str, object]:
        return {
            "customer_id": before.customer_id,
            "before": before.version,
            "version": before.version + 1,
            "sealed": self.keys.seal(customer_bytes(after), place=_place(before.customer_id)),
        }

    def _conflict(self, changes: Sequence[Change]) -> StorageError:
        seen: set[CustomerId] = set()
        for before, _ in changes:
            if before.customer_id in seen:
                return StorageError("the same customer is saved twice at once", where=_place(before.customer_id))
            seen.add(before.customer_id)
        for before, _ in changes:
            # The rows of this transaction were written before the miss was found, so they are one ahead.
            version = self.connection.execute(_version, {"of": before.customer_id}).scalar()
            if version != before.version + 1:
                return Conflict("the customer was changed meanwhile", where=_place(before.customer_id))
        return Conflict("a customer was changed meanwhile", where="customers")

    def _save_enrolments(self, changes: Sequence[Change]) -> None:
        ended, written = [], []
        for before, after in changes:
            ended += [{"of": key} for key in before.enrolments.keys() - after.enrolments.keys()]
            for key, enrolment in after.enrolments.items():
                row = _enrolment_row(after, enrolment)
                earlier = before.enrolments.get(key)
                if earlier is None or _enrolment_row(after, earlier) != row:
                    written.append(row)
        if ended:
            self.connection.execute(_end_enrolment, ended)
        if written:
            statement = insert_or_replace(self.connection, tables.enrolments, "enrolment_id")
            self.connection.execute(statement, written)

    def _save_timers(self, changes: Sequence[Change]) -> None:
        stopped, due = [], []
        for before, after in changes:
            next_due_at = after.next_due_at()
            if next_due_at == before.next_due_at():
                continue
            if next_due_at is None:
                stopped.append({"of": before.customer_id})
            else:
                due.append({"customer_id": before.customer_id, "due_at": micros(next_due_at)})
        if stopped:
            self.connection.execute(_stop_timer, stopped)
        if due:
            self.connection.execute(insert_or_replace(self.connection, tables.timers, "customer_id"), due)


def _place(customer_id: CustomerId) -> str:
    return f"customers.sealed:{customer_id}"


def _enrolment_row(customer: Customer, enrolment: Enrolment) -> dict[str, object]:
    return {
        "enrolment_id": enrolment.enrolment_id,
        "customer_id": customer.customer_id,
        "journey": enrolment.journey,
        "state": enrolment.state,
        "status": enrolment.status,
        "entered_at": micros(enrolment.entered_at),
    }
