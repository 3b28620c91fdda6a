"""Template cards with buttons: checked by the field rules of wechat-api.md 4.5, turned into bubbles."""

import re
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.emulator.denial import Denial
from bot.sandbox.emulator.forms import Form
from bot.sandbox.emulator.transcript import Bubble, Button

ROWS_MAX = 6
BUTTONS_MAX = 6
ACTIONS_MAX = 3
OPTIONS_MAX = 10
KEY_BYTES_MAX = 1024

_TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
_LISTED_ELSEWHERE = frozenset({"text_notice", "news_notice", "vote_interaction", "multiple_interaction"})
"""Types the fact sheet lists and the emulator does not play yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDraft:
    """A checked card. `replace_text`: with it the buttons come out as one grey one."""

    task_id: str
    title: str
    description: str
    rows: tuple[tuple[str, str], ...]
    quote: str
    buttons: tuple[Button, ...]
    replace_text: str = ""

    def bubble(self, at: datetime) -> Bubble:
        """The card as it appears in a conversation."""
        shown = (grey(self.replace_text),) if self.replace_text else self.buttons
        return Bubble(
            side="them",
            kind="card",
            text=self.title,
            at=at,
            title=self.title,
            description=self.description,
            rows=self.rows,
            quote=self.quote,
            buttons=shown,
            task_id=self.task_id,
        )


def grey(text: str) -> Button:
    """The one button that stands in for all others once a card is dealt with."""
    return Button(key="", text=text, style=2, disabled=True)


def read_card(form: Form) -> CardDraft:
    """The card in `template_card`. Denial: a field breaks its rule."""
    kind = form.text("card_type")
    if kind != "button_interaction":
        raise Denial(42031, kind, unfaithful=kind in _LISTED_ELSEWHERE)
    form.form("source").ignore("icon_url", "desc", "desc_color").finish()
    main = form.form("main_title")
    title, description = main.need("title"), main.text("desc")
    main.finish()
    _check_unshown(form)
    draft = CardDraft(
        task_id=form.text("task_id"),
        title=title,
        description=description or form.text("sub_title_text"),
        rows=_rows(form),
        quote=_quote(form.form("quote_area")),
        buttons=_buttons(form),
        replace_text=form.text("replace_text"),
    )
    form.ignore("sub_title_text").finish()
    return draft


def check_task_id(task_id: str) -> None:
    """Denial 42014: `task_id` is absent, too long or has other characters than digits, letters and `_-@`."""
    if not _TASK_ID.fullmatch(task_id):
        raise Denial(42014)


def _rows(form: Form) -> tuple[tuple[str, str], ...]:
    rows = form.forms("horizontal_content_list")
    if len(rows) > ROWS_MAX:
        raise Denial(42035)
    return tuple(_row(row) for row in rows)


def _row(row: Form) -> tuple[str, str]:
    kind = row.integer("type")
    pair = row.need("keyname", 42027), row.text("value")
    if kind == 1:
        row.need("url", 42028)
    if kind == 2:
        row.need("media_id", 42029)
    if kind == 3:
        row.need("userid", 42050)
    if kind not in (0, 1, 2, 3):
        raise row.wrong("type", "is not 0 to 3")
    row.ignore("url", "media_id", "userid").finish()
    return pair


def _quote(quote: Form) -> str:
    title, text = quote.text("title"), quote.text("quote_text")
    quote.ignore("type", "url", "appid", "pagepath").finish()
    return f"{title}\n{text}" if title and text else title or text


def _buttons(form: Form) -> tuple[Button, ...]:
    found = tuple(_button(one) for one in form.forms("button_list"))
    if not 1 <= len(found) <= BUTTONS_MAX:
        raise form.wrong("button_list", f"must have 1 to {BUTTONS_MAX} entries")
    keys = [button.key for button in found if button.key]
    if len(set(keys)) < len(keys):
        raise Denial(42039, "key repeats")
    return found


def _button(one: Form) -> Button:
    kind, style = one.integer("type"), one.integer("style", 1)
    text = one.need("text", 42038)
    if kind == 1:
        one.need("url", 42028)
    key = one.text("key") if kind == 1 else one.need("key", 42039)
    if kind not in (0, 1) or not 1 <= style <= 4:
        raise one.wrong("type or style", "is out of range")
    if len(key.encode()) > KEY_BYTES_MAX:
        raise Denial(42039)
    one.ignore("url").finish()
    return Button(key=key, text=text, style=style)


def _check_unshown(form: Form) -> None:
    """The parts the emulator checks and does not draw."""
    _check_action_menu(form.form("action_menu"))
    action = form.form("card_action")
    if action.integer("type") not in (0, 1, 2):
        raise Denial(42045)
    action.ignore("url", "appid", "pagepath").finish()
    _check_selection(form.form("button_selection"))


def _check_action_menu(menu: Form) -> None:
    actions = menu.forms("action_list")
    if len(actions) > ACTIONS_MAX:
        raise menu.wrong("action_list", f"has more than {ACTIONS_MAX} entries")
    keys = [(action.need("text"), action.need("key"))[1] for action in actions]
    if len(set(keys)) < len(keys):
        raise Denial(42051)
    for action in actions:
        action.finish()
    menu.ignore("desc").finish()


def _check_selection(selection: Form) -> None:
    options = selection.forms("option_list")
    if selection.sent:
        selection.need("question_key", 42043)
        if not 1 <= len(options) <= OPTIONS_MAX:
            raise Denial(42037)
    for option in options:
        option.need("id", 42040)
        option.need("text", 42041)
        option.finish()
    selection.ignore("question_key", "title", "selected_id").finish()
