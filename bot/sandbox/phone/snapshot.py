"""Everything the phone page shows, as values. Times are aware; the page prints them in Shanghai's zone.

Names of fields are the names in the page's JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.core.events import Json

Side = Literal["me", "them", "system"]
"""`me` is the owner of the phone: the buyer on the left, the advisor on the right."""
BubbleKind = Literal["text", "image", "menu", "template", "markdown", "card"]
Tone = Literal["ok", "no", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A line to tap under a menu. `id` comes back as the `menu_id` of a tap."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button of a card. `style` is WeCom's, 1 to 4. A replaced button is disabled and carries its new text."""

    key: str
    text: str
    style: int = 1
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One thing in a chat. `seq` is unique in its chat and grows; a bubble that changes keeps it.

    text, markdown: `text`. image: `text` is the caption (a media id). menu: `text` above the `choices`,
    `description` below them. template: `title`, `rows`. card: all but `text` and `choices`. Nothing is
    escaped: the page shows every field as text, but for `<a href="http...">` in the account's texts and the
    markdown subset of WeCom.
    """

    seq: int
    at: datetime
    side: Side
    kind: BubbleKind
    text: str = ""
    choices: tuple[Choice, ...] = ()
    title: str = ""
    description: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    quote: str = ""
    buttons: tuple[Button, ...] = ()
    task_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuButton:
    """A button of the account's custom menu: with a `key`, or with `children` (at most five, one level)."""

    name: str
    key: str = ""
    children: "tuple[MenuButton, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    openid: str
    name: str
    following: bool
    bubbles: tuple[Bubble, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisor:
    """`desk` names the customer whom the advisor's words reach now; empty: nobody."""

    staff_id: str
    name: str
    bubbles: tuple[Bubble, ...] = ()
    desk: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyState:
    """One enrolment. `question` is the slot whose answer is awaited, empty: none."""

    journey: str
    name: str
    state: str
    visit: int
    question: str = ""
    slots: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    lead_id: str
    stage: str
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What an act of the buyer (`kind`: message, menu_click, follow, scan) still allows: `left` of `max` messages."""

    kind: str
    left: int
    max: int
    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTimer:
    what: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One line of the last decision, in Chinese. `ok`: it held or happened; `no`: it did not; `info`: else."""

    at: datetime
    text: str
    tone: Tone = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What the bot knows of this buyer and why it did what it did. `floor`: who speaks now, in words."""

    journeys: tuple[JourneyState, ...] = ()
    attributes: Mapping[str, Json] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    score: int = 0
    points: int = 0
    lead: Lead | None = None
    floor: str = ""
    windows: tuple[Window, ...] = ()
    timers: tuple[DueTimer, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The whole page. `scenes` are proposed where a code is scanned; `menu` has at most three buttons.

    `refused`: why the files are not in force as they stand on the disk, empty: they are.
    """

    clock: datetime
    buyer: Buyer
    advisors: tuple[Advisor, ...]
    inside: Inside
    account_name: str = "星澜汽车"
    app_name: str = "线索助手"
    menu: tuple[MenuButton, ...] = ()
    scenes: tuple[str, ...] = ()
    refused: str = ""
