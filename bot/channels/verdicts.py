"""What a platform's error code means for us: one decision for every (platform, endpoint, code)."""

from dataclasses import dataclass
from typing import Literal

from bot.channels.codes import BUSY, BUSY_KEYED, BY_ENDPOINT, BY_PLATFORM, Decision, Platform, unheard_of, unknown
from bot.errors import ChannelError


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address of a platform. `keyed`: a repeat cannot act twice, being recognised or harmless."""

    platform: Platform
    path: str
    method: Literal["GET", "POST"] = "POST"
    keyed: bool = False


def verdict(endpoint: Endpoint, code: int, *, trace: str = "") -> ChannelError:
    """The error for a non-zero `errcode`. `trace` is the platform's own id of the request, for its support.

    A code that is in no table is Refused: the platform said no, so nothing was sent, and somebody
    should look at it.
    """
    what = f"{endpoint.platform} {endpoint.path} answered {code}" + (f" (rid {trace})" if trace else "")
    return _decide(endpoint, code)(what, code)


def listed(platform: Platform) -> frozenset[int]:
    """The codes of `platform` that somebody has thought about."""
    special = {code for (of, _), codes in BY_ENDPOINT.items() if of == platform for code in codes}
    return BUSY | special | frozenset(BY_PLATFORM[platform])


def _decide(endpoint: Endpoint, code: int) -> Decision:
    special = BY_ENDPOINT.get((endpoint.platform, endpoint.path), {})
    if code in special:
        return special[code]
    if code in BUSY:
        return BUSY_KEYED if endpoint.keyed else unknown
    return BY_PLATFORM[endpoint.platform].get(code, unheard_of)
