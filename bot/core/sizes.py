"""How much the platforms take in one message. Source: wechat-api.md 3.2, 3.3, 3.4, 4.4, 5.1, 6."""

from collections.abc import Mapping
from typing import Literal

TEXT_BYTES_MAX = 2048
"""Of a text where nothing else is known."""
MENU_LINES_MAX = 10
"""Lines to tap in one menu. Source: wechat-api.md 6, msgmenu."""
MENU_LINE_BYTES_MAX = 128
FIELD_CHARACTERS_MAX: Mapping[str, int] = {"thing": 20, "phrase": 5}
"""Types of fields of template messages; the platform refuses a message with a longer one (47003), so it is cut."""

ALWAYS_FITS = 256
"""Code points that fit everywhere, whatever they are: UTF-8 takes four bytes for one at most."""
_BYTES_MAX: Mapping[tuple[str, str], int] = {("kf", "menu"): 1024, ("wecom", "text"): 4000}


def bytes_max(channel: str, form: Literal["text", "menu"]) -> int:
    """Bytes of UTF-8 that `channel` takes as a text, or as the text above the lines of a menu."""
    return _BYTES_MAX.get((channel, form), TEXT_BYTES_MAX)
