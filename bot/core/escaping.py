"""Values that go into messages are made harmless for the channel (delivery.md 3.12).

Only content files may hold markup; a customer who calls herself `<a href=…>` gets no link.
"""

import re
from collections.abc import Callable

_FULL_WIDTH_LESS_THAN = "＜"
_FULL_WIDTH_COLON = "："
# Also a value that brings only one half of a scheme must not complete it with what stands beside it in the text.
_SCHEME = re.compile(r"(?<=weixin):|\A:(?=//)", re.IGNORECASE)


def escape_oa(text: str) -> str:
    """`text` without anything that an official account's text would take for a link or a command of WeChat's."""
    return _SCHEME.sub(_FULL_WIDTH_COLON, escape_markup(text))


def escape_markup(text: str) -> str:
    """`text` without anything that would begin a tag, which WeCom's texts to staff know as well."""
    return text.replace("<", _FULL_WIDTH_LESS_THAN)


def escape_plain(text: str) -> str:
    """`text` as it is: the target knows no markup."""
    return text


_ESCAPES: dict[str, Callable[[str], str]] = {"oa": escape_oa, "app": escape_markup}


def escape_for(channel: str) -> Callable[[str], str]:
    """The escape for values in messages of `channel`."""
    return _ESCAPES.get(channel, escape_plain)
