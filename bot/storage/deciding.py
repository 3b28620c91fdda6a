"""What waits for an operator: messages whose fate is unknown, lanes that stand still, bodies in quarantine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from bot.core.ids import EffectId
from bot.errors import Spoilt
from bot.storage.keys import KeyRing
from bot.storage.moments import micros
from bot.storage.reading import OUTBOX_COLUMNS, outbox_line, quarantined_line
from bot.storage.rows import Lane, OutboxLine, Quarantined
from bot.storage.spoilt import SpoiltRows
from bot.storage.tables import AnyRow

HELD_MAX = 1_000
"""Events of one lane that are counted; the figure of more is this one."""
AGAIN_WITHIN = timedelta(hours=6)
"""A message that an operator sends again may leave so long, whatever its first plan said."""
SEND_AGAIN, LEAVE = "operator", "left"
"""What stands as the reason of a row after an operator decided."""

_undecided = text(
    f"SELECT {OUTBOX_COLUMNS} FROM outbox WHERE state = 'unknown' AND reason <> '{LEAVE}'"  # noqa: S608 - constants
    " ORDER BY seq LIMIT :limit"
)
_again = text(
    "UPDATE outbox SET state = 'ready', leased_by = '', leased_until = NULL, settled_at = NULL, holds = 0,"
    " repeats = repeats + 1, not_before = :now, expires_at = :until, reason = :reason, vendor_code = NULL,"
    " by_operator = 1"
    " WHERE effect_id = :effect_id AND state = 'unknown'"
)
_leave = text(
    f"UPDATE outbox SET reason = '{LEAVE}' WHERE effect_id = :effect_id AND state = 'unknown' AND reason <> '{LEAVE}'"  # noqa: S608
)
_held = text("SELECT count(*) FROM (SELECT 1 FROM inbox WHERE lane = :lane AND consumed_at IS NULL LIMIT :max) held")
_account = text("SELECT lane FROM accounts WHERE channel = :channel AND account = :account")
_name = text("SELECT channel, account FROM accounts WHERE lane = :lane")
# Whoever types an id may leave out its end.
_quarantined = text(
    "SELECT * FROM quarantine WHERE quarantine_id >= :from_id AND quarantine_id < :below ORDER BY quarantine_id LIMIT 2"
)
# Rows that an account in trouble was given back stand close to now; what waits for tomorrow is not looked at.
_trouble = text("""
    SELECT reason, vendor_code FROM (
        SELECT reason, vendor_code, not_before FROM outbox WHERE state = 'ready' AND channel = :channel
        AND account = :account AND urgent = :urgent AND not_before > :since ORDER BY not_before LIMIT :max
    ) near WHERE reason IN ('try_later', 'unauthorised', 'forbidden') ORDER BY not_before DESC LIMIT 1
""")
_waiting = text("SELECT * FROM quarantine ORDER BY received_at, quarantine_id LIMIT :limit")


@dataclass(frozen=True, slots=True)
class Deciding:
    """Reads what an operator has to decide on and writes the decision, inside one transaction.

    A row that does not open is noted in `spoilt` and left out of what is given back.
    """

    connection: Connection
    keys: KeyRing
    spoilt: SpoiltRows

    def undecided(self, limit: int) -> tuple[OutboxLine, ...]:
        """Messages of unknown fate that nobody has decided on, the oldest first."""
        found: list[OutboxLine] = []
        for row in self.connection.execute(_undecided, {"limit": limit}).all():
            try:
                found.append(outbox_line(row, self.keys))
            except Spoilt as error:
                self.spoilt.note("outbox", row.seq, error)
        return tuple(found)

    def send_again(self, effect_id: EffectId, *, now: datetime) -> bool:
        """Let a message of unknown fate leave once more. False: its fate is not unknown (any more)."""
        until = micros(now + AGAIN_WITHIN)
        values = {"effect_id": effect_id, "now": micros(now), "until": until, "reason": SEND_AGAIN}
        return self.connection.execute(_again, values).rowcount > 0

    def leave(self, effect_id: EffectId) -> bool:
        """Leave a message of unknown fate as it is and ask no more. False: it is not unknown, or was left before."""
        return self.connection.execute(_leave, {"effect_id": effect_id}).rowcount > 0

    def trouble_of(self, channel: str, account: str, *, now: datetime) -> tuple[str, int | None] | None:
        """Why the platform gave back the messages of this account that are tried next, with its code.

        None: none of the next `HELD_MAX` was given back.
        """
        for urgent in (1, 0):
            values = {"channel": channel, "account": account, "urgent": urgent, "since": micros(now), "max": HELD_MAX}
            row = self.connection.execute(_trouble, values).first()
            if row is not None:
                return row.reason, row.vendor_code
        return None

    def held(self, lane: Lane) -> int:
        """How many events wait in this lane, at most `HELD_MAX`."""
        count: int = self.connection.execute(_held, {"lane": lane, "max": HELD_MAX}).scalar_one()
        return count

    def account_lane(self, channel: str, account: str) -> Lane | None:
        """The lane of a channel account, None when it never had one."""
        found = self.connection.execute(_account, {"channel": channel, "account": account}).scalar()
        return None if found is None else Lane(found)

    def account_name(self, lane: Lane) -> str:
        """`oa:main` for the lane of an account; empty for others."""
        row = self.connection.execute(_name, {"lane": lane}).first()
        return f"{row.channel}:{row.account}" if row else ""

    def quarantined(self, limit: int) -> tuple[Quarantined, ...]:
        """What is in quarantine, the oldest first."""
        return self._quarantined(self.connection.execute(_waiting, {"limit": limit}).all())

    def find_quarantined(self, beginning: str) -> tuple[Quarantined, ...]:
        """The rows whose id begins so, at most two: none, the one that is meant, or too many to tell."""
        values = {"from_id": beginning, "below": f"{beginning}g"}  # an id is hexadecimal
        return self._quarantined(self.connection.execute(_quarantined, values).all())

    def _quarantined(self, rows: Sequence[AnyRow]) -> tuple[Quarantined, ...]:
        found: list[Quarantined] = []
        for row in rows:
            try:
                found.append(quarantined_line(row, self.keys))
            except Spoilt as error:
                self.spoilt.note("quarantine", row.quarantine_id, error)
        return tuple(found)
