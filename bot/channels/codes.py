"""The platforms' error codes and what each of them means for us, by platform and, where it matters, by endpoint.

Source: wechat-api.md 3, 4 and 7, delivery.md 3.3, 3.4 and 3.10. What was seen: tests/contract/error_codes.md.
"""

from collections.abc import Callable, Mapping
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
Decision: TypeAlias = Callable[[str, int], ChannelError]
Codes: TypeAlias = Mapping[int, Decision]

_MINUTE_S = 60
_QUOTA_S = 900
"""A day's quota ends at midnight; asking every quarter of an hour costs nothing and finds a reset one."""
_BUSY_S = 2


def later(after_s: float) -> Decision:
    """Surely not taken; worth another try after so many seconds."""
    return lambda what, code: TryLater(what, after_s=after_s, vendor_code=code)


def unknown(what: str, code: int) -> ChannelError:
    """It may have happened."""
    return Unknown(what, vendor_code=code)


def unheard_of(what: str, code: int) -> ChannelError:
    """A code that is in no table: the platform said no, so nothing was sent, and somebody should look at it."""
    return Refused(what, vendor_code=code, hint="这个错误码不在我们的对照表中，请查阅平台文档；消息不会重发。")


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


def _used_up(decision: Decision) -> Decision:
    """An id or a code that is good for one time only is taken: of a repeat of ours the first one arrived."""

    def decide(what: str, code: int) -> ChannelError:
        error = decision(what, code)
        error.used_up = True
        return error

    return decide


def _done(what: str, code: int) -> ChannelError:
    return AlreadyDone(what, vendor_code=code)


def _table(*rows: tuple[Decision, tuple[int | range, ...]]) -> Codes:
    return {
        code: decision
        for decision, codes in rows
        for one in codes
        for code in (one if isinstance(one, range) else (one,))
    }


def _span(first: int, last: int) -> range:
    return range(first, last + 1)


BUSY = frozenset({-1, 6000, 61450})
"""The platform stumbled over the request, perhaps after it had acted: harmless to repeat only where there is a key."""
BUSY_KEYED = later(_BUSY_S)

_OA = _table(
    (_unauthorised, (40001, 40014, 42001)),
    # A person who is restricted concerns nobody else, although an account's own punishment (50004) sounds like it.
    (_unreachable("gone"), (40003, 43004, 50002, 50005)),
    (_unreachable("refused_by_user"), (43019, 48002)),
    (_unreachable("no_grant"), (43101,)),
    (_unreachable("window"), (45015,)),
    (_unreachable("count"), (45047,)),
    (later(_QUOTA_S), (45009,)),
    (later(_MINUTE_S), (45011, 45066)),
    (later(5), (45033,)),
    (_done, (45065,)),
    (_forbidden, (40013, 40125, 40164, 45103, 48001, 48004, 48006, 50001, 50004, 65400, _span(89501, 89507))),
    (_unlisted_template, (40037,)),
    (
        _refused,
        (
            *(40002, 40007, 40032, 40033, 40035, 40038, 40050, 40051, 40165, 41001, 41002, 41004, 41030, 43100),
            *(45067, _span(44001, 44004), _span(45001, 45008), _span(45157, 45159), 47001, 47003, 48008),
            # Web log-in, profile tags, menus, mass sends and the desk: no message of ours meets them.
            *(_span(40016, 40027), 40029, 40030, _span(40053, 40055), 40163, 40226, 41008, 42002, 42003, 42007),
            *(_span(45056, 45059), 45083, 45084, _span(61451, 61459), _span(65301, 65317)),
        ),
    ),
)

_WECOM = _table(
    (_unauthorised, (40014, 42001)),
    (_unreachable("gone"), (40003, 40096, 41054, 46004, 60111, 81013, 84061)),
    # A one-use code is used up or too old: nothing is wrong with us, what it was for just stays as it is.
    (_used_up(_unreachable("window")), (41051, 60140)),
    (_used_up(_refused), (42014,)),  # the id of a card, which is our effect's
    (later(_MINUTE_S), (41063, 41079, 45009, 45011, 90313)),
    (later(5), (45033,)),
    (_done, (45065,)),
    (
        _forbidden,
        (
            *(40001, 40013, 40056, 40091, 43012, 48001, 48002, _span(48004, 48007), _span(50001, 50003)),
            *(60011, 60020, 60021, 84074, 301002, _span(701001, 701099)),
        ),
    ),
    (
        _refused,
        (
            *(40032, 40033, 40035, 40058, 40063, 40068, 40071, 40072, 40073, _span(40097, 40100), 40126),
            *(_span(40128, 40131), 40143, 40201, 40204, 41001, 41002, 41004, _span(41035, 41050), 41052, 41053),
            *(41057, _span(41059, 41062), _span(41064, 41078), _span(41080, 41090), 41093, 41094, 41096),
            *(_span(42015, 42052), 43004, _span(44001, 44004), _span(45001, 45008), 45024, 45029, 47001),
            *(_span(60251, 60253), _span(82001, 82004), 82101, 82102, _span(90500, 90511), 600018, 830002),
        ),
    ),
)

_TO_ONE_MEMBER = _table((_unreachable("gone"), (50002, 60011, 60021)))
"""Asked about one member, a missing right concerns her alone; the application goes on serving the others."""

BY_PLATFORM: Mapping[Platform, Codes] = {"oa": _OA, "wecom": _WECOM}
BY_ENDPOINT: Mapping[tuple[Platform, str], Codes] = {
    # What an endpoint that hands out tokens refuses are our credentials.
    ("oa", "/cgi-bin/stable_token"): _table(
        (_unauthorised, (40001, 40002, 40013, 40125, 41002, 41004)),
        (later(_MINUTE_S), (45009, 45011)),
    ),
    ("wecom", "/cgi-bin/gettoken"): _table(
        (_unauthorised, (40001, 40013, 40091, 41002, 41004)),
        (later(_QUOTA_S), (45009,)),  # after many wrong secrets the address is shut out for an hour
    ),
    ("wecom", "/cgi-bin/message/send"): _TO_ONE_MEMBER,
    ("wecom", "/cgi-bin/message/update_template_card"): _TO_ONE_MEMBER,
}
