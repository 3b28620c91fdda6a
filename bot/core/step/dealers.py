"""Which dealer stands for a customer: whose calendar counts, and where she books."""

from bot.core.step.draft import Draft


def dealer_of(draft: Draft) -> str:
    """Her own dealer, else the first of all; empty when there is none."""
    return own_dealer_of(draft) or next(iter(draft.program.library.dealers), "")


def own_dealer_of(draft: Draft) -> str:
    """The dealer of her advisor, else the first in her city; empty when nothing tells."""
    member = draft.program.member(draft.advisor) if draft.advisor else None
    if member is not None and member.dealer:
        return member.dealer
    city = draft.attributes.get("city")
    dealers = draft.program.library.dealers.values()
    return next((dealer.dealer for dealer in dealers if city and dealer.city == city), "")
