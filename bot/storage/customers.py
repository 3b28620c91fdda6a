"""Customers: one sealed row each, and the narrow rows that follow from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict  # Any: a row of the table

from sqlalchemy import Connection, Row, bindparam, delete, select, text

from bot.core.customer import Customer, Enrolment
from bot.core.ids import CustomerId
from bot.errors import Complaint, ConfigError, Conflict, Spoilt, StorageError
from bot.storage import tables
from bot.storage.codec import customer_bytes, read_customer
from bot.storage.dialect import among, listed
from bot.storage.keys import KeyRing
from bot.storage.many import insert_many, save_many
from bot.storage.moments import micros
from bot.storage.recent import Recent
from bot.storage.spoilt import SpoiltRows

Change = tuple[Customer, Customer]


class _Saved(TypedDict):
    """`before`: the version that must be stored now."""

    customer_id: CustomerId
    before: int
    version: int
    sealed: bytes


_NAMED_MAX = 5
PROBED_MAX = 20
"""Newest customers whose rows are opened at a start."""
_KEYS_HINT = "把写这个数据库时用的密钥放回 [storage] keys（或密钥文件），再启动；备份恢复时密钥和数据库要一起恢复"

# Locked in one order everywhere, so that two workers never cross.
_READ = "SELECT customer_id, version, sealed FROM customers WHERE customer_id {listed} ORDER BY customer_id"
_LOCK = f"{_READ} {{locked}}"
# For one customer, as a verdict asks.
_read_one = select(tables.customers.c.customer_id, tables.customers.c.version, tables.customers.c.sealed).where(
    tables.customers.c.customer_id == bindparam("of")
)
_lock_one = _read_one.with_for_update()
_save = text(
    "UPDATE customers SET version = :version, sealed = :sealed WHERE customer_id = :customer_id AND version = :before"
)
_newest = text(
    "SELECT customer_id, version, sealed FROM customers WHERE sealed IS NOT NULL ORDER BY customer_id DESC LIMIT :limit"
)
_sealed = select(tables.customers.c.sealed).where(tables.customers.c.customer_id == bindparam("of"))
_end_enrolment = delete(tables.enrolments).where(tables.enrolments.c.enrolment_id == bindparam("of"))
_stop_timer = delete(tables.timers).where(tables.timers.c.customer_id == bindparam("of"))


@dataclass(frozen=True, slots=True)
class CustomerRows:
    """Loads customers and saves what a step made of them, inside one transaction."""

    connection: Connection
    keys: KeyRing
    recent: Recent | None
    """None in a transaction that only reads."""
    spoilt: SpoiltRows

    def load(self, ids: Sequence[CustomerId]) -> dict[CustomerId, Customer]:
        """These customers as they are now, locked until the transaction ends if it is one that writes.

        Unknown ids are missing in the answer. Spoilt: a row does not open.
        """
        found: dict[CustomerId, Customer] = {}
        for row in self._rows(ids):
            customer_id = CustomerId(row.customer_id)
            found[customer_id] = self._opened(customer_id, row.version, row.sealed)
        return found

    def load_readable(self, ids: Sequence[CustomerId]) -> dict[CustomerId, Customer]:
        """As `load`, for the work of many: a row that does not open is missing too, and noted in `spoilt`."""
        found: dict[CustomerId, Customer] = {}
        for row in list(self._rows(ids)):
            customer_id = CustomerId(row.customer_id)
            try:
                found[customer_id] = self._opened(customer_id, row.version, row.sealed)
            except Spoilt as error:
                self.spoilt.note("customers", customer_id, error, met="ready")
        return found

    def require_keys(self) -> None:
        """Nothing, when the keys are those that the newest customers were written with.

        One row that is damaged does not count, but a key that is not there does. ConfigError: otherwise every
        customer's lane would come to stand still, one after the other.
        """
        rows = self.connection.execute(_newest, {"limit": PROBED_MAX}).all()
        closed: list[Spoilt] = []
        for row in rows:
            try:
                self.keys.open(row.sealed, place=_place(row.customer_id))
            except Spoilt as error:
                closed.append(error)
                if error.kind == "key":
                    raise _no_keys(f"数据库是用密钥版本 {error.key_version} 写的，配置里没有这个版本") from error
            else:
                return
        if len(closed) > 1:  # a single row may be damaged
            raise _no_keys(f"密钥版本 {closed[0].key_version} 打不开这个数据库：不是写它时用的那一个") from closed[0]

    def _rows(self, ids: Sequence[CustomerId]) -> Iterator[Row[Any, Any, Any]]:  # Any: columns are not typed
        if len(ids) == 1:
            one = _read_one if self.recent is None else _lock_one
            yield from self.connection.execute(one, {"of": ids[0]}).all()
            return
        if ids:
            statement = among(self.connection, _READ if self.recent is None else _LOCK)
            yield from self.connection.execute(statement, {"ids": listed(self.connection, ids)}).all()

    def save(self, changes: Sequence[Change]) -> None:
        """Write each `(before, after)`; `before` is what `load` gave in this transaction.

        The stored version becomes `before.version + 1`, whatever `after` says, so several steps make one change.
        A customer stands in `changes` once. Conflict: somebody else wrote one of them since.
        """
        if not changes:
            return
        rows = [self._row(before, after) for before, after in changes]
        if self._write(rows) != len(rows):
            raise self._conflict(rows)
        self._save_enrolments(changes)
        self._save_timers(changes)

    def _write(self, rows: Sequence[_Saved]) -> int:
        if self.connection.dialect.name != "sqlite":
            return self.connection.execute(_save, [dict(row) for row in rows]).rowcount
        return save_many(
            self.connection, [(row["customer_id"], row["before"], row["version"], row["sealed"]) for row in rows]
        )

    def _opened(self, customer_id: CustomerId, version: int, sealed: bytes | None) -> Customer:
        if sealed is None:
            return Customer(customer_id=customer_id, version=version)
        kept = self.recent and self.recent.get(customer_id, version=version, sealed=sealed)
        if kept:
            return kept
        packed = self.keys.open(sealed, place=_place(customer_id))
        customer = read_customer(packed, customer_id=customer_id, version=version)
        if self.recent is not None:
            self.recent.put(customer, sealed)
        return customer

    def _row(self, before: Customer, after: Customer) -> _Saved:
        version = before.version + 1
        sealed = self.keys.seal(customer_bytes(after), place=_place(before.customer_id))
        if self.recent is not None:
            self.recent.put(after if after.version == version else replace(after, version=version), sealed)
        return {
            "customer_id": before.customer_id,
            "before": before.version,
            "version": version,
            "sealed": sealed,
        }

    def _conflict(self, rows: Sequence[_Saved]) -> StorageError:
        """What went wrong, seen from the rows of which not all were written."""
        if len({row["customer_id"] for row in rows}) < len(rows):
            return StorageError("the same customer is saved twice at once", where="customers")
        changed = [row["customer_id"] for row in rows if self._stored(row["customer_id"]) != row["sealed"]]
        places = ", ".join(f"customers.sealed:{name}" for name in changed[:_NAMED_MAX])
        return Conflict("changed by somebody else meanwhile", where=places)

    def _stored(self, customer_id: object) -> bytes | None:
        return self.connection.execute(_sealed, {"of": customer_id}).scalar()

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
        insert_many(self.connection, tables.enrolments, written, key=("enrolment_id",), known="replace")

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
        insert_many(self.connection, tables.timers, due, key=("customer_id",), known="replace")


def _no_keys(what: str) -> ConfigError:
    return ConfigError([Complaint(where="[storage] keys", what=what, hint=_KEYS_HINT)])


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
