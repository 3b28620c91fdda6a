"""Reads for people: what is known of one customer, for `why` and the console."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, TextClause, text

from bot.core.ids import CustomerId, EffectId, EnrolmentId, EventId, StaffId
from bot.errors import Spoilt
from bot.storage.codec import read_entries, read_facts, read_json, read_send
from bot.storage.events import read_event
from bot.storage.keys import KeyRing
from bot.storage.moments import maybe_moment, moment
from bot.storage.rows import (
    ConsentLine,
    HeadCount,
    InboxLine,
    JournalLine,
    Lane,
    LeadLine,
    OutboxLine,
    Parked,
    Quarantined,
    SealedTable,
    TaskLine,
)
from bot.storage.spoilt import SpoiltRows
from bot.storage.tables import AnyRow

T = TypeVar("T")

LINES_MAX = 500
"""Lines of one kind that are read at most; the newest are kept."""
_PHONE_DIGITS_MIN = 7
_NUMBER_DIGITS_MAX = 18

OUTBOX_COLUMNS = (
    "seq, effect_id, customer_id, state, planned_at, not_before, expires_at, attempts, repeats, started_at, epoch,"
    " settled_at, provider_id, response_code, reason, vendor_code, sealed"
)
TASK_COLUMNS = "task_id, customer_id, kind, status, staff_id, created_at, due_at, journey, enrolment_id, sealed"

_KEYS: Mapping[SealedTable, str] = {"leads": "lead_id", "quarantine": "quarantine_id"}
"""What a row is noted by where its table has no `seq`."""

_by_id = text("SELECT customer_id FROM customers WHERE customer_id = :of")
_by_external_id = text("SELECT customer_id FROM identities WHERE external_id = :of ORDER BY customer_id LIMIT 1")
_by_phone = text("SELECT customer_id FROM leads WHERE phone_index = :of ORDER BY updated_at DESC LIMIT 1")
_identities = text(
    "SELECT channel, account, external_id FROM identities WHERE customer_id = :of"
    " ORDER BY channel, account, external_id"
)
_inbox = text("SELECT * FROM inbox WHERE lane = :of ORDER BY seq DESC LIMIT :limit")
_outbox = text(
    f"SELECT {OUTBOX_COLUMNS} FROM outbox WHERE customer_id = :of ORDER BY seq DESC LIMIT :limit"  # noqa: S608
)
_journal = text("SELECT * FROM journal WHERE customer_id = :of ORDER BY seq DESC LIMIT :limit")
_journal_after = text("SELECT * FROM journal WHERE customer_id = :of AND seq > :after ORDER BY seq LIMIT :limit")
_lead = text("SELECT * FROM leads WHERE customer_id = :of ORDER BY opened_at DESC, lead_id LIMIT 1")
_tasks = text(
    f"SELECT {TASK_COLUMNS} FROM tasks WHERE customer_id = :of"  # noqa: S608 - constants of this file
    " ORDER BY created_at DESC, task_id LIMIT :limit"
)
_consents = text("SELECT * FROM consents WHERE customer_id = :of ORDER BY seq DESC LIMIT :limit")
_parked = text("SELECT * FROM parked WHERE lane = :of")
_advisor = text("SELECT staff_id FROM assignments WHERE customer_id = :of")
_heads = text(
    "SELECT journey, state, status, count(*) AS heads FROM enrolments"
    " GROUP BY journey, state, status ORDER BY journey, state, status"
)
_quarantine = text("SELECT * FROM quarantine ORDER BY received_at DESC, quarantine_id LIMIT :limit")
_all_parked = text("SELECT * FROM parked ORDER BY parked_at DESC, lane LIMIT :limit")


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads only. Lists are in order of time, the oldest first, and hold the newest `LINES_MAX`.

    A row that does not open is noted in `spoilt` and left out.
    """

    connection: Connection
    keys: KeyRing
    spoilt: SpoiltRows

    def find_customer(self, words: str) -> CustomerId | None:
        """The customer with this number, platform id or phone number (in any spelling); None: nobody."""
        words = words.strip()
        found = self._one(_by_external_id, words)
        if found is None and sum(c.isdigit() for c in words) >= _PHONE_DIGITS_MIN:
            found = self._one(_by_phone, self.keys.blind(words))
        if found is None and words.isascii() and words.isdigit() and len(words) <= _NUMBER_DIGITS_MAX:
            found = self._one(_by_id, int(words))
        return found

    def identities_of(self, customer_id: CustomerId) -> tuple[tuple[str, str, str], ...]:
        """(channel, account, id on the platform) of this customer, in alphabetical order."""
        rows = self.connection.execute(_identities, {"of": customer_id})
        return tuple((row.channel, row.account, row.external_id) for row in rows)

    def inbox_of(self, lane: CustomerId | Lane, *, limit: int = LINES_MAX) -> tuple[InboxLine, ...]:
        """The events of this lane that are still kept."""
        return self._opened("inbox", self._rows(_inbox, lane, limit), self._inbox_line)

    def outbox_of(self, customer_id: CustomerId, *, limit: int = LINES_MAX) -> tuple[OutboxLine, ...]:
        """Everything that was planned to be sent for this customer, cards to advisors among it."""
        return self._opened("outbox", self._rows(_outbox, customer_id, limit), lambda row: outbox_line(row, self.keys))

    def journal_of(self, customer_id: CustomerId, *, limit: int = LINES_MAX) -> tuple[JournalLine, ...]:
        """What was decided about this customer."""
        return self._opened("journal", self._rows(_journal, customer_id, limit), _journal_line)

    def journal_after(self, customer_id: CustomerId, seq: int, *, limit: int) -> tuple[JournalLine, ...]:
        """What was decided about this customer behind the line `seq`, the oldest `limit` lines of it."""
        rows = self.connection.execute(_journal_after, {"of": customer_id, "after": seq, "limit": limit})
        return self._opened("journal", rows.all(), _journal_line)

    def lead_of(self, customer_id: CustomerId) -> LeadLine | None:
        """The customer's latest lead."""
        lines = self._opened("leads", self._rows(_lead, customer_id, 1), self._lead_line)
        return lines[0] if lines else None

    def tasks_of(self, customer_id: CustomerId, *, limit: int = LINES_MAX) -> tuple[TaskLine, ...]:
        """Tasks and handoffs about this customer, done ones among them."""
        return tuple(task_line(row, self.keys, self.spoilt) for row in self._rows(_tasks, customer_id, limit))

    def consents_of(self, customer_id: CustomerId, *, limit: int = LINES_MAX) -> tuple[ConsentLine, ...]:
        """Consents given and withdrawn."""
        return self._lines(_consents, customer_id, limit, _consent_line)

    def advisor_of(self, customer_id: CustomerId) -> StaffId | None:
        """Who follows this customer; None: nobody yet."""
        found = self.connection.execute(_advisor, {"of": customer_id}).scalar()
        return None if found is None else StaffId(found)

    def parked_of(self, lane: CustomerId | Lane) -> Parked | None:
        """Why this lane stands still; None: it does not."""
        lines = self._lines(_parked, lane, 1, _parked_line)
        return lines[0] if lines else None

    def all_parked(self, *, limit: int = LINES_MAX) -> tuple[Parked, ...]:
        """Lanes that stand still."""
        return self._lines(_all_parked, None, limit, _parked_line)

    def quarantined(self, *, limit: int = LINES_MAX) -> tuple[Quarantined, ...]:
        """Bodies that could not be read."""
        rows = self._rows(_quarantine, None, limit)
        return self._opened("quarantine", rows, lambda row: quarantined_line(row, self.keys))

    def head_counts(self) -> tuple[HeadCount, ...]:
        """Living enrolments by journey, state and status, in alphabetical order."""
        rows = self.connection.execute(_heads)
        return tuple(HeadCount(journey=r.journey, state=r.state, status=r.status, customers=r.heads) for r in rows)

    def _one(self, statement: TextClause, of: str | int) -> CustomerId | None:
        found = self.connection.execute(statement, {"of": of}).scalar()
        return None if found is None else CustomerId(found)

    def _lines(self, statement: TextClause, of: int | None, limit: int, line: Callable[[AnyRow], T]) -> tuple[T, ...]:
        return tuple(line(row) for row in self._rows(statement, of, limit))

    def _rows(self, statement: TextClause, of: int | None, limit: int) -> Sequence[AnyRow]:
        rows = self.connection.execute(statement, {"of": of, "limit": min(limit, LINES_MAX)}).all()
        return rows[::-1]

    def _opened(self, table: SealedTable, rows: Sequence[AnyRow], line: Callable[[AnyRow], T]) -> tuple[T, ...]:
        found: list[T] = []
        for row in rows:
            try:
                found.append(line(row))
            except Spoilt as error:
                self.spoilt.note(table, getattr(row, _KEYS.get(table, "seq")), error)
        return tuple(found)

    def _inbox_line(self, row: AnyRow) -> InboxLine:
        return InboxLine(
            seq=row.seq,
            event=read_event(row, self.keys),
            received_at=moment(row.received_at),
            consumed_at=maybe_moment(row.consumed_at),
        )

    def _lead_line(self, row: AnyRow) -> LeadLine:
        return LeadLine(
            lead_id=row.lead_id,
            customer_id=CustomerId(row.customer_id),
            stage=row.stage,
            staff_id=row.staff_id,
            dealer=row.dealer,
            source=row.source,
            opened_at=moment(row.opened_at),
            updated_at=moment(row.updated_at),
            fields=read_json(self.keys.open(row.sealed, place=f"leads.sealed:{row.lead_id}")),
        )


def outbox_line(row: AnyRow, keys: KeyRing) -> OutboxLine:
    """The value of a row with `OUTBOX_COLUMNS`."""
    return OutboxLine(
        seq=row.seq,
        customer_id=CustomerId(row.customer_id),
        effect=read_send(keys.open(row.sealed, place=f"outbox.sealed:{row.effect_id}")),
        state=row.state,
        planned_at=moment(row.planned_at),
        not_before=moment(row.not_before),
        expires_at=maybe_moment(row.expires_at),
        attempts=row.attempts,
        repeats=row.repeats,
        started_at=maybe_moment(row.started_at),
        epoch=row.epoch,
        settled_at=maybe_moment(row.settled_at),
        provider_id=row.provider_id,
        response_code=row.response_code,
        reason=row.reason,
        vendor_code=row.vendor_code,
    )


def quarantined_line(row: AnyRow, keys: KeyRing) -> Quarantined:
    """The value of a row of the quarantine."""
    return Quarantined(
        quarantine_id=row.quarantine_id,
        form=row.form,
        channel=row.channel,
        account=row.account,
        why=row.why,
        received_at=moment(row.received_at),
        body=keys.open(row.sealed, place=f"quarantine.sealed:{row.quarantine_id}"),
    )


def task_line(row: AnyRow, keys: KeyRing, spoilt: SpoiltRows) -> TaskLine:
    """The value of a row with `TASK_COLUMNS`. One that does not open is noted in `spoilt` and has no title."""
    try:
        title = keys.open(row.sealed, place=f"tasks.sealed:{row.task_id}").decode()
    except Spoilt as error:
        spoilt.note("tasks", row.task_id, error)
        title = ""
    return TaskLine(
        task_id=EffectId(row.task_id),
        customer_id=CustomerId(row.customer_id),
        kind=row.kind,
        status=row.status,
        staff_id=None if row.staff_id is None else StaffId(row.staff_id),
        title=title,
        created_at=moment(row.created_at),
        due_at=maybe_moment(row.due_at),
        journey=row.journey,
        enrolment_id=None if row.enrolment_id is None else EnrolmentId(row.enrolment_id),
    )


def _journal_line(row: AnyRow) -> JournalLine:
    return JournalLine(
        seq=row.seq,
        customer_id=CustomerId(row.customer_id),
        kind=row.kind,
        at=moment(row.at),
        entries=read_entries(row.entries),
        event_id=None if row.event_id is None else EventId(row.event_id),
        facts=read_facts(row.facts),
        took_us=row.took_us,
    )


def _consent_line(row: AnyRow) -> ConsentLine:
    return ConsentLine(
        purpose=row.purpose,
        granted=bool(row.granted),
        at=moment(row.at),
        source=row.source,
        content=row.content,
        text_hash=row.text_hash,
    )


def _parked_line(row: AnyRow) -> Parked:
    return Parked(lane=Lane(row.lane), seq=row.seq, reason=row.reason, parked_at=moment(row.parked_at))
