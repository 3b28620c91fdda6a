"""The commands of `zhitu talk`: lines that begin with `/`. Every other line is what the buyer types."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.events import Json
from bot.errors import BotError

ZONE = ZoneInfo("Asia/Shanghai")
"""`/at` is read in the brand's zone."""
WAIT_MAX = timedelta(days=5 * 366)
HELP = """/follow [场景]  关注（扫码）   /unfollow  取消关注    /menu KEY  点菜单
/tap 选项       点菜单消息     /scan 场景 已关注扫码  /wait 2h   等（30m、2d）
/image          发一张图片     /location 31.2 121.4 静安寺  发位置（可不写名字）
/at 2026-12-01 22:30  拨到此刻 /advisor accept|busy|open|close|done|text 内容
/state  现状    /why  为什么   /quit  结束            其余各行都是客户说的话"""
_YEARS = range(2000, 2100)
"""Years the clock can show: beyond, the platforms' ten-digit seconds and the calendar's arithmetic end."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "秒": 1, "分钟": 60, "分": 60, "小时": 3600, "天": 86400}
_DURATION = re.compile(r"(\d{1,7})\s*(s|m|h|d|秒|分钟|分|小时|天)")
_DEGREES = r"(-?[0-9]{1,3}(?:\.[0-9]{1,6})?)"
_PLACE = re.compile(rf"(?:{_DEGREES}[\s,，]+{_DEGREES}(?:\s+(\S.*))?)?")
LATITUDE_MAX, LONGITUDE_MAX = 90, 180
_BUTTONS = frozenset({"accept", "busy", "open", "close", "done"})


class Quit(Exception):
    """The conversation is over."""


class BadCommand(BotError):
    """The line is no command that we know, or lacks something."""

    code = "bad_command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a line asks for: an act of the buyer, a button or words of the advisor, or time."""

    action: Mapping[str, Json] = field(default_factory=dict)
    turn_to: datetime | None = None
    advisor: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class ShowState:
    """`/state`"""


@dataclass(frozen=True, slots=True)
class ShowWhy:
    """`/why`"""


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """`/help`"""


Asked = Command | ShowState | ShowWhy | ShowHelp


def parse(line: str, openid: str, *, now: datetime) -> Asked:
    """What `line` asks for. BadCommand: nothing we understand; Quit: the end."""
    if not line.startswith("/") or line.strip() == "/bot":
        return Command(action={"do": "say", "openid": openid, "text": line})
    name, *following = line.split(maxsplit=1)
    rest = following[0].strip() if following else ""
    match name:
        case "/quit":
            raise Quit
        case "/state":
            return ShowState()
        case "/why":
            return ShowWhy()
        case "/help":
            return ShowHelp()
        case "/follow" | "/unfollow" | "/scan" | "/menu" | "/tap":
            return Command(action=_act(name.removeprefix("/"), rest, openid))
        case "/image":
            return Command(action={"do": "image", "openid": openid})
        case "/location":
            return Command(action={"do": "location", "openid": openid, **_place(rest)})
        case "/wait":
            return Command(turn_to=_within_reach(now + _duration(rest)))
        case "/at":
            return Command(turn_to=_within_reach(_moment(rest)))
        case "/advisor":
            return _advise(rest)
        case _:
            raise BadCommand(f"不认识命令 {name}，/help 列出全部")


def _act(do: str, rest: str, openid: str) -> dict[str, Json]:
    action: dict[str, Json] = {"do": do, "openid": openid}
    key = {"follow": "scene", "scan": "scene", "menu": "key", "tap": "content"}.get(do)
    if key is not None and rest:
        action[key] = rest
    if do in ("menu", "scan", "tap") and not rest:
        raise BadCommand(f"/{do} 后面要写内容")
    return action


def _place(rest: str) -> dict[str, Json]:
    """Nothing written: wherever the platform has her."""
    found = _PLACE.fullmatch(rest)
    if found is None:
        raise BadCommand("看不懂位置，例如 /location 31.2 121.4 静安寺：纬度、经度、名字")
    lat, lng, name = found.groups()
    if lat is None:
        return {}
    if abs(float(lat)) > LATITUDE_MAX or abs(float(lng)) > LONGITUDE_MAX:
        raise BadCommand(f"没有这个位置：先写纬度（最多 {LATITUDE_MAX}），再写经度（最多 {LONGITUDE_MAX}）")
    return {"latitude": lat, "longitude": lng, "label": name or f"{lat},{lng}"}


def _duration(text: str) -> timedelta:
    compact = text.replace(" ", "")
    parts = list(_DURATION.finditer(compact))
    if not parts or "".join(part.group(0) for part in parts) != compact:
        raise BadCommand(f"看不懂时长 “{text}”，例如 30m、2h、1d、1h30m")
    whole = timedelta(seconds=sum(int(part.group(1)) * _UNITS[part.group(2)] for part in parts))
    if whole > WAIT_MAX:
        raise BadCommand(f"一次最多等 {WAIT_MAX.days} 天")
    return whole


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)
    except ValueError as error:
        raise BadCommand(f"看不懂时刻 “{text}”，例如 2026-12-01 22:30") from error


def _within_reach(at: datetime) -> datetime:
    if at.year not in _YEARS:
        raise BadCommand(f"时钟只走 {_YEARS[0]} 到 {_YEARS[-1]} 年")
    return at


def _advise(rest: str) -> Command:
    name, _, words = rest.partition(" ")
    if name == "text" and words.strip():
        return Command(advisor="text", text=words.strip())
    if name in _BUTTONS:
        return Command(advisor=name)
    raise BadCommand("/advisor 后面写 accept、busy、open、close、done，或 text 内容")
