"""Advisors: whose words go where, who has which tasks, how much each has to do."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from bot.core.ids import ConversationId, CustomerId, StaffId
from bot.storage.keys import KeyRing
from bot.storage.moments import moment
from bot.storage.reading import TASK_COLUMNS, task_line
from bot.storage.rows import Desk, TaskLine
from bot.storage.spoilt import SpoiltRows

ROSTER_MAX = 20
"""Tasks on one list: what fits into one message."""

_OPEN = "status IN ('open', 'accepted', 'overdue')"
_desk = text("SELECT * FROM desks WHERE account = :account AND staff_id = :staff_id")
_roster = text(
    f"SELECT {TASK_COLUMNS} FROM tasks WHERE staff_id = :staff_id AND {_OPEN}"  # noqa: S608 - constants
    " ORDER BY created_at DESC, task_id LIMIT :limit"
)
_loads = text(
    f"SELECT staff_id, count(*) AS load FROM tasks WHERE {_OPEN} AND staff_id IS NOT NULL"  # noqa: S608
    " GROUP BY staff_id"
)


@dataclass(frozen=True, slots=True)
class DeskRows:
    """Reads about advisors. Opening and closing a desk are effects of a customer's step."""

    connection: Connection
    keys: KeyRing
    spoilt: SpoiltRows

    def conversation_of(self, account: str, staff_id: StaffId) -> Desk | None:
        """The conversation on this advisor's desk; None: her words go nowhere."""
        row = self.connection.execute(_desk, {"account": account, "staff_id": staff_id}).one_or_none()
        if row is None:
            return None
        return Desk(
            account=account,
            staff_id=staff_id,
            customer_id=CustomerId(row.customer_id),
            conversation_id=ConversationId(row.conversation_id),
            opened_at=moment(row.opened_at),
        )

    def roster(self, staff_id: StaffId) -> tuple[TaskLine, ...]:
        """This advisor's open tasks, the newest first, at most `ROSTER_MAX`."""
        rows = self.connection.execute(_roster, {"staff_id": staff_id, "limit": ROSTER_MAX}).all()
        return tuple(task_line(row, self.keys, self.spoilt) for row in rows)

    def advisor_loads(self) -> dict[StaffId, int]:
        """How many open tasks every advisor has who has any."""
        return {StaffId(row.staff_id): row.load for row in self.connection.execute(_loads)}
