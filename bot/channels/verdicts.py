"""What a platform's error code means for us: one decision for every (platform, endpoint, code).

The same number means different things on the two platforms, and a few mean different things at the
endpoint that hands out tokens. Source: wechat-api.md 7.2 and 7.3, delivery.md 3.3, 3.4 and 3.10.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.errors import (
    AlreadyDone,
    ChannelError,
    Forbidden,
    Refused,
    TryLater,
    Unauthorised,
    Unknown,
    Unreachable,
    UnreachableReason,
)

Platform = Literal["oa", "wecom"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address of a platform. `keyed`: a repeat cannot act twice, being recognised or harmless.

    `grants_tokens`: it hands out access tokens, and what it refuses are our credentials.
    """

    platform: Platform
    path: str
    method: Literal["GET", "POST"] = "POST"
    keyed: bool = False
    grants_tokens: bool = False


Decision: TypeAlias = Callable[[str, int], ChannelError]
BUSY = -1


def verdict(endpoint: Endpoint, code: int, *, trace: str = "") -> ChannelError:
    """The error for a non-zero `errcode`. `trace` is the platform's own id of the request, for its support.

    A code that is in no table is Refused: the platform said no, so nothing was sent, and somebody
    should look at it.
    """
    what = f"{endpoint.platform} {endpoint.path} answered {code}" + (f" (rid {trace})" if trace else "")
    return _decide(endpoint, code)(what, code)


def listed(platform: Platform) -> frozenset[int]:
    """The codes of `platform` that somebody has thought about."""
    return frozenset(_BY_PLATFORM[platform]) | frozenset(_OF_TOKENS[platform]) | {BUSY}


def _decide(endpoint: Endpoint, code: int) -> Decision:
    if endpoint.grants_tokens and code in _OF_TOKENS[endpoint.platform]:
        return _OF_TOKENS[endpoint.platform][code]
    if code == BUSY:
        return _later(2) if endpoint.keyed else _unknown
    return _BY_PLATFORM[endpoint.platform].get(code, _refused)


def _later(after_s: float) -> Decision:
    return lambda what, code: TryLater(what, after_s=after_s, vendor_code=code)


def _unreachable(reason: UnreachableReason) -> Decision:
    return lambda what, code: Unreachable(what, reason=reason, vendor_code=code)


def _unauthorised(what: str, code: int) -> ChannelError:
    return Unauthorised(what, vendor_code=code, hint="检查 config.toml 中该账号的 app_id / corp_id 与 secret。")


def _forbidden(what: str, code: int) -> ChannelError:
    return Forbidden(what, vendor_code=code, hint="需要管理员在公众平台或企业微信后台处理：接口权限、IP 白名单或封禁。")


def _refused(what: str, code: int) -> ChannelError:
    return Refused(what, vendor_code=code, hint="平台认为请求本身有误；不会重发。")


def _unlisted_template(what: str, code: int) -> ChannelError:
    return Refused(
        what, vendor_code=code, hint="检查 config.toml 的 [channels.oa.NAME.templates] 与平台上的模板是否一致。"
    )


def _unknown(what: str, code: int) -> ChannelError:
    return Unknown(what, vendor_code=code)


def _done(what: str, code: int) -> ChannelError:
    return AlreadyDone(what, vendor_code=code)


def _table(*rows: tuple[Decision, tuple[int | range, ...]]) -> Mapping[int, Decision]:
    return {
        code: decision
        for decision, codes in rows
        for one in codes
        for code in (one if isinstance(one, range) else (one,))
    }


def _span(first: int, last: int) -> range:
    return range(first, last + 1)


_MINUTE_S = 60
_QUOTA_S = 900
"""A day's quota ends at midnight; asking every quarter of an hour costs nothing and finds a reset one."""

_OA = _table(
    (_unauthorised, (40001, 40014, 42001)),
    (_unreachable("gone"), (40003, 43004, 50005)),
    (_unreachable("refused_by_user"), (43019, 48002)),
    (_unreachable("no_grant"), (43101,)),
    (_unreachable("window"), (45015,)),
    (_unreachable("count"), (45047,)),
    (_later(_QUOTA_S), (45009,)),
    (_later(_MINUTE_S), (45011, 45066)),
    (_later(5), (6000, 45033, 61450)),
    (_done, (45065,)),
    (
        _forbidden,
        (40013, 40125, 40164, 45103, 48001, 48004, 48006, 50001, 50002, 50004, 65400, _span(89501, 89507)),
    ),
    (_unlisted_template, (40037,)),
    (
        _refused,
        (
            *(40032, 40033, 40035, 40038, 40050, 40051, 40165, 41001, 41002, 41004, 41030, 43100, 45067, 45072),
            *(_span(44001, 44004), _span(45001, 45008), _span(45157, 45159), 47001, 47003, 48008),
            # Web log-in, profile tags, menus and the desk: no message of ours meets them.
            *(40029, 40163, 42003, 42007, _span(61451, 61459), _span(65301, 65317)),
        ),
    ),
)

_WECOM = _table(
    (_unauthorised, (40014, 42001)),
    (_unreachable("gone"), (40003, 40096, 41054, 46004, 60111, 81013, 84061)),
    # A card's code is used up or too old: nothing is wrong with us, the card just stays as it is.
    (_unreachable("window"), (60140,)),
    (_later(_MINUTE_S), (41063, 41079, 45009, 45011, 90313)),
    (_later(5), (6000, 45033)),
    (_done, (41051, 45065)),
    (
        _forbidden,
        (
            *(40001, 40013, 40056, 40091, 43012, 48002, _span(48004, 48007), _span(50001, 50003)),
            *(60011, 60020, 60021, 84074, 301002, 701001),
        ),
    ),
    (
        _refused,
        (
            *(40032, 40033, 40035, 40058, 40063, 40068, 40071, 40072, 40073, _span(40097, 40100), 40126),
            *(_span(40128, 40131), 40143, 40201, 40204, 41001, 41002, 41004, _span(41035, 41045)),
            *(_span(41046, 41050), 41052, 41053, _span(41059, 41062), _span(41064, 41078), _span(41080, 41090)),
            *(41093, 41094, 41096, _span(42014, 42016), _span(42027, 42052), 43004, _span(44001, 44004)),
            *(_span(45001, 45008), 45024, 45029, 47001, _span(60251, 60253), _span(82001, 82004), 82101, 82102),
            *(_span(90500, 90511), 600018),
        ),
    ),
)

_BY_PLATFORM: Mapping[Platform, Mapping[int, Decision]] = {"oa": _OA, "wecom": _WECOM}

_OF_TOKENS: Mapping[Platform, Mapping[int, Decision]] = {
    "oa": _table(
        (_unauthorised, (40001, 40002, 40013, 40125, 41002, 41004)),
        (_later(_MINUTE_S), (45009, 45011)),
        (_later(2), (BUSY,)),
    ),
    "wecom": _table(
        (_unauthorised, (40001, 40013, 40091, 41002, 41004)),
        (_later(2), (BUSY,)),
    ),
}
