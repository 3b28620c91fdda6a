"""What stands on the phones: the bubbles of each conversation, and a feed that tells when they change."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

BUBBLES_MAX = 1000
"""Bubbles one conversation keeps; the oldest go first, as on a phone that ran out of room."""

Side: TypeAlias = Literal["me", "them", "system"]
Kind: TypeAlias = Literal["text", "image", "menu", "template", "markdown", "card"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button of a card. `style` 1 to 4; `disabled`: grey, it cannot be pressed any more."""

    key: str
    text: str
    style: int = 1
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One thing in a conversation, as its owner sees it: `me` wrote it, `them` is the account, `system` a grey line.

    `choices`: (id, text) of the lines of a menu, with the text below them in `quote`. `seq` grows with every change
    anywhere; `at` is virtual time.
    """

    side: Side
    kind: Kind = "text"
    text: str = ""
    seq: int = 0
    at: datetime
    choices: tuple[tuple[str, str], ...] = ()
    title: str = ""
    description: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    quote: str = ""
    buttons: tuple[Button, ...] = ()
    task_id: str = ""
    media_id: str = ""


class Feed:
    """Numbers all changes of all conversations, and wakes whoever waits for the next."""

    def __init__(self) -> None:
        self._number = 0
        self._moved = asyncio.Event()

    @property
    def number(self) -> int:
        """The number of the last change, 0 before the first."""
        return self._number

    def step(self) -> int:
        """The number of a change that is being made now."""
        self._number += 1
        self._moved.set()
        self._moved = asyncio.Event()
        return self._number

    async def beyond(self, after: int) -> int:
        """Wait until the last change has a number above `after`, and return it."""
        while self._number <= after:
            await self._moved.wait()
        return self._number


class Chat:
    """One conversation on one phone."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._bubbles: list[Bubble] = []

    def add(self, bubble: Bubble) -> Bubble:
        """Append `bubble`, numbered."""
        numbered = replace(bubble, seq=self._feed.step())
        self._bubbles.append(numbered)
        del self._bubbles[:-BUBBLES_MAX]
        return numbered

    def bubbles(self) -> list[Bubble]:
        """The conversation, oldest first."""
        return list(self._bubbles)

    def card(self, task_id: str) -> Bubble | None:
        """The card with this task id, None when it is not (or no longer) in the conversation."""
        return next((one for one in self._bubbles if one.kind == "card" and one.task_id == task_id), None)

    def choice(self, choice_id: str) -> str | None:
        """The text of the latest menu line with this id, None when there is none."""
        for bubble in reversed(self._bubbles):
            for found, text in bubble.choices:
                if found == choice_id:
                    return text
        return None

    def change(self, old: Bubble, new: Bubble) -> Bubble:
        """Put `new` where `old` stands, with a new number."""
        place = self._bubbles.index(old)
        self._bubbles[place] = replace(new, seq=self._feed.step())
        return self._bubbles[place]
