"""Values that go into messages are made harmless for the channel (delivery.md 3.12).

Only content files may hold markup; a customer who calls herself `<a href=…>` gets no link.
"""

from collections.abc import Callable

_FULL_WIDTH_LESS_THAN = "＜"
_DEAD_SCHEME = "weixin：//"


def escape_oa(text: str) -> str:
    """`text` without anything that an official account's text would take for a link."""
    return text.replace("<", _FULL_WIDTH_LESS_THAN).replace("weixin://", _DEAD_SCHEME)


def escape_plain(text: str) -> str:
    """`text` as it is: the channel knows no markup."""
    return text


_ESCAPES: dict[str, Callable[[str], str]] = {"oa": escape_oa}


def escape_for(channel: str) -> Callable[[str], str]:
    """The escape for values in messages of `channel`."""
    return _ESCAPES.get(channel, escape_plain)
