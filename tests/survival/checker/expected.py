"""The transcript that every customer must see, from what she and her advisor wrote. Nothing else is asked.

A token is `LETTER:CUSTOMER.EVENT.ORDINAL`. The letter says which promise it is about: the journeys in
`tests/survival/journeys` keep them, and this page says the same a second time, independently.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Event(NamedTuple):
    """What somebody did: its letter, whose conversation it belongs to, and its number in it."""

    letter: str
    customer: int
    number: int


class Token(NamedTuple):
    """One message that has to come, or must not."""

    event: Event
    ordinal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What is known of one message. `content`: the name its outbox row bears. `after_s`: due so long after the event.

    `repeats_max`: how often delivery.md 3.4 and 3.5 allow it to come again when its fate was unknown. `to_staff`: an
    advisor gets it, not the buyer.
    """

    content: str
    after_s: float = 0.0
    repeats_max: int = 1
    to_staff: bool = False


PROMISES: Mapping[str, Mapping[int, Promise]] = {
    "g": {1: Promise(content="greet")},
    "t": {1: Promise(content="echo")},
    "w": {1: Promise(content="later-now"), 2: Promise(content="later-then", after_s=2.0, repeats_max=0)},
    "p": {1: Promise(content="later-now"), 2: Promise(content="later-then", after_s=2.0)},
    "q": {1: Promise(content="ask")},
    "a": {1: Promise(content="thanks")},
    "m": {1: Promise(content="offer", repeats_max=0)},
    "n": {
        **{ordinal: Promise(content=f"many-{ordinal}") for ordinal in (1, 2, 3)},
        4: Promise(content="many-4", after_s=2.0),
        # As a rule the window is used up by then, and it comes as a template message.
        5: Promise(content="many-5", after_s=2.0),
    },
    "h": {0: Promise(content="@handoff", repeats_max=0, to_staff=True)},
    "s": {1: Promise(content="@advisor")},
    "f": {1: Promise(content="@forward", to_staff=True)},
}
OFFERS_MAX = 2
"""Marketing messages that one customer may get in a week."""
AFTER_OPT_OUT = frozenset({"w", "p"})
"""Letters whose second message is no answer to her any more once she has opted out."""
ANSWERS = {"a": "q"}
"""Letters whose message depends on a question that must have come before."""
THANKS = "记下了"
"""What the bot says before the token of the words that it took as the answer to a question."""
BOT = frozenset("gtwpqamn")
"""Letters that the bot answers; while a colleague has the floor it must not."""
SILENT = frozenset("twpqam")
"""Letters of what a buyer writes: none is answered by the bot while a colleague has the floor."""
HELD_BACK = frozenset("qah")
"""Letters of what may come to nothing while an advisor is awaited: a question waits, nobody is asked for twice."""
FORWARDED = SILENT | {"n"}
"""Letters of what goes to the colleague instead, while one has the floor."""
UNANSWERED = frozenset(
    {"lost replies", "torn replies", "errors before", "errors after", "busy", "outage", "busy in a row"}
)
"""Faults that leave it open, for whoever sent the message, whether the platform took it."""
PUTS_OFF = "45009"
PUT_OFF_S = 900.0
"""So long a message waits that the platform refused for the account's calls of the day, and those behind it."""
MEMBER_HOUR_LEAST = 950
"""WeCom drops what is beyond 1,000 messages an hour to one member, so that ours wait. What a death had counted and
never sent counts, too: so many requests are enough."""
MEMBER_HOUR_S = 3900.0
"""The hour goes by in stretches of five minutes."""
RESTS = frozenset({"outage", "busy in a row", PUTS_OFF, "dead tokens"})
"""Faults after which an account rests."""
