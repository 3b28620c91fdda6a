"""Customers that were opened or sealed a moment ago, so that the same bytes are not unsealed again and again.

One event touches its customer three times within a moment: the step, the sending, the settling. The database stays
the truth: a customer is taken from here only when the row still holds the very bytes she was kept with. Every
sealing is different, so a transaction that was rolled back leaves nothing that could ever match.
"""

from bot.core.customer import Customer
from bot.core.ids import CustomerId

RECENT_MAX = 2_000
"""Customers kept, some 20 MB; the one that was put in first goes first."""


class Recent:
    """For the writer's thread alone."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[CustomerId, tuple[bytes, Customer]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, customer_id: CustomerId, *, version: int, sealed: bytes) -> Customer | None:
        """The customer in this row, None when these are not the bytes she was kept with."""
        kept = self._kept.get(customer_id)
        if kept is None or kept[0] != sealed or kept[1].version != version:
            return None
        return kept[1]

    def put(self, customer: Customer, sealed: bytes) -> None:
        """Keep `customer` together with the bytes of her row."""
        self._kept.pop(customer.customer_id, None)
        if len(self._kept) >= RECENT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[customer.customer_id] = (sealed, customer)
