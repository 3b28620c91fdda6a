"""Messages as they will be seen: rendered, frozen, stored in the outbox word for word."""

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Plain text, already escaped for its channel where values went into it."""

    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Markdown:
    """Markdown of WeCom's subset, for staff only."""

    text: str
    kind: Literal["markdown"] = "markdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    media_id: str
    kind: Literal["image"] = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuChoice:
    """One line to tap. `choice_id` comes back as the event's `menu_id`."""

    choice_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """A text with lines to tap below it (msgmenu)."""

    head: str
    choices: tuple[MenuChoice, ...]
    tail: str = ""
    kind: Literal["menu"] = "menu"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMessage:
    """An official account's template message. `template` is its name in config.toml, not the platform's id."""

    template: str
    fields: tuple[tuple[str, str], ...]
    kind: Literal["template"] = "template"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardButton:
    key: str
    text: str
    style: Literal[1, 2, 3, 4] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A WeCom template card with buttons. `task_id` is ours and comes back with every click.

    With `response_code` the card replaces the one that was clicked (update_template_card); no buttons and
    a `done` text: the card is only marked as dealt with.
    """

    task_id: str
    title: str
    description: str
    rows: tuple[tuple[str, str], ...] = ()
    quote: str = ""
    buttons: tuple[CardButton, ...] = ()
    done: str = ""
    response_code: str = ""
    kind: Literal["card"] = "card"


Message: TypeAlias = Text | Markdown | Image | Menu | TemplateMessage | Card
