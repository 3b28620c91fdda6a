"""The keys of language version 1, place by place: which the engine does, and which it does not do yet.

What stands in `unbuilt` is refused with J090 and never ignored. Source: journey-language.md 2.2, 2.3, 2.5, 3.11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from bot.core.understood import SlotType


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of one kind of table. `place` names it in messages. `required` are all `built` too."""

    place: str
    built: frozenset[str]
    required: tuple[str, ...] = ()
    unbuilt: frozenset[str] = frozenset()


def _keys(place: str, built: str, *, required: str = "", unbuilt: str = "") -> Keys:
    return Keys(
        place=place,
        built=frozenset(built.split()) | frozenset(required.split()),
        required=tuple(required.split()),
        unbuilt=frozenset(unbuilt.split()),
    )


JOURNEY = _keys(
    "旅程",
    "release owner about labels enter audience key reentry focus vars slots limits holdout goal exit errors moved "
    "migrate rules",
    required="dsl journey name channel states",
)
ENTRY = _keys(
    "enter 的一项",
    "event keyword intent segment schedule api match min when interrupt with channels timezone spread",
)
REENTRY = _keys("reentry", "allow while_active")
FOCUS = _keys("focus", "priority resume_within floor")
LIMITS = _keys("limits", "quiet days cap max_age")
JOURNEY_CAP = _keys("limits 的 cap", "scope count", required="max per")
HOLDOUT = _keys("holdout", "unit", required="percent salt")
VAR = _keys("变量", "default options", required="type")
SLOT = _keys(
    "槽",
    "options options_from check retry confirm optional consent pii capture save prefill ttl of",
    required="type ask",
)
RETRY = _keys("retry", "max say")
GOAL = _keys("goal", "when event within exit", required="name")
EXIT = _keys("exit 的一项", "when event", required="goto")
MOVED = _keys("moved 的一项", "", required="from to")
WATCH = _keys("rules 的一项", "always never within")
STATE = _keys(
    "状态",
    "when else do ask wait branch split handoff call book webhook end then events timers timeout give_up fail group "
    "use",
)
GROUP = _keys("group", "resume events exit fail", required="states")
GROUP_EXIT = _keys("group 的 exit 的一项", "", required="when goto")
ASK = _keys("ask", "class outside", required="slot")
WAIT = _keys("wait", "for until forever spread late")
ARM = _keys("branch 的一项", "when goto else")
SPLIT = _keys("split", "unit", required="salt arms")
SPLIT_ARM = _keys("split 的一项", "", required="name percent goto")
HANDOFF = _keys("handoff", "note hours fallback", required="to accept_within")
GOTO = _keys("跳转", "", required="goto")
CALL = _keys("call", "with save", required="journey")
USE = _keys("use 的状态", "with", required="use")
START = _keys("start", "with", required="journey")
BOOK = _keys("book", "hold full fail", required="resource what start save")
WEBHOOK = _keys("webhook", "body save fail", required="call")
END = _keys("end", "return", required="label")
ON = _keys("events 的一项", "keyword intent when since set do goto stay reenter", required="event")
TIMER = _keys("timers 的一项", "at after when past late do goto", required="id")
TIMEOUT = _keys("timeout", "", required="after goto")
ON_ERROR = _keys("errors 的一项", "do", required="error goto")
ACTION = _keys(
    "do 的一项",
    "send tag -tag score set lead consent task points start note opt_out coupon cancel_journey cancel_booking emit "
    "stage",
)
SEND = _keys("send", "class outside window expire variant_by key", required="content")
CONSENT = _keys("consent", "grant withdraw text")
TASK = _keys("task", "due due_at overdue", required="to title")
OVERDUE = _keys("overdue", "", required="to")
POINTS = _keys("points", "", required="add reason")
COUPON = _keys("coupon", "once_per", required="grant")
EMIT = _keys("emit", "fields", required="event")

GLOBAL = _keys(
    "_global.yaml",
    "working_hours caps interrupts platform_windows errors burst",
    required="dsl defaults class_rules",
)
DEFAULTS = _keys("defaults", "quiet migrate", required="timezone human_hold")
HOURS = _keys("working_hours", "holidays", required="days hours")
CAP = _keys("caps 的一项", "scope count", required="name class max per")
CLASS_RULE = _keys("class_rules", "consent", required="opt_out quiet cap delivery")
WINDOW = _keys("platform_windows", "", required="max for")
CODE = _keys("platform_windows 的 codes", "", required="once")
INTERRUPT_CALL = _keys("interrupts 的 call", "with", required="journey")
INTERRUPT_ACTION = _keys(
    "interrupts 的 do",
    "send tag -tag score set lead consent task points start note opt_out coupon cancel_journey cancel_booking emit "
    "stage",
)
INTERRUPT = _keys("interrupts 的一项", "keyword intent faq min priority do call", required="id effect")
ERROR_EVERYWHERE = _keys("_global.yaml 的 errors 的一项", "do", required="error")
ERROR_ACTION = _keys(
    "_global.yaml 的 errors 的 do",
    "send tag -tag score set lead consent task points start note opt_out coupon cancel_journey cancel_booking emit "
    "stage",
)

BOOKINGS = _keys("_bookings.yaml", "", required="dsl resources")
RESOURCE = _keys("resources 的一项", "dealers ahead", required="resource hours each capacity")
STAFF = _keys("_staff.yaml", "", required="dsl dealers staff")
DEALER = _keys("dealers 的一项", "city hours", required="dealer name")
MEMBER = _keys("staff 的一项", "hours", required="id name roles dealer account")

ATTRIBUTES = _keys("schema/customer.yaml", "", required="dsl attributes")
ATTRIBUTE = _keys("客户属性", "pii label source options default", required="type")
EVENTS = _keys("schema/events.yaml", "", required="dsl events")
EVENT = _keys("事件", "label fields")
INTENTS = _keys("schema/intents.yaml", "", required="dsl intents")
INTENT = _keys("意图", "without label", required="patterns")
HOLIDAYS = _keys("holidays.yaml", "", required="dsl years")
YEAR = _keys("一年的放假安排", "work official", required="off")
SEGMENT = _keys("人群", "name about", required="dsl segment when")
FRAGMENT = _keys("片段", "about with", required="dsl fragment states")

CONTENT = _keys(
    "内容",
    "vars variants templates media",
    required="content channels",
    unbuilt="locale card url miniprogram",
)
FAQ = _keys(
    "常见问题",
    "vars variants media",
    required="faq questions channels",
    unbuilt="locale card url miniprogram",
)
MODELS = _keys("models.yaml", "", required="dsl models")
MODEL = _keys("车型", "aliases trims prices valid_from valid_to")
PRICE = _keys("价格", "valid_to", required="amount basis as_of")

SLOT_TYPES: tuple[SlotType, ...] = get_args(SlotType)
"""Every type of slot that the language has."""
CHANNELS = ("oa", "kf", "wecom", "app", "sms")
"""Every channel of the language. `app` reaches our own people, `sms` only stands in for others."""
JOURNEY_CHANNELS = ("oa", "kf", "wecom")
"""Channels in which a journey can talk with a customer."""
FOLDERS_UNBUILT: Mapping[str, str] = {"behaviour": "行为模型"}
FILES_UNBUILT: Mapping[str, str] = {"_leads.yaml": "线索规则"}

ALL_KEYS: frozenset[str] = frozenset().union(
    *(keys.built | keys.unbuilt for keys in list(globals().values()) if isinstance(keys, Keys))
)
"""Every key of the language, wherever it stands: a full-width colon behind one of these is a slip (J003)."""
EXPRESSION_KEYS = frozenset(
    {"when", "check", "due_at", "at", "until", "set", "lead", "return", "prefill", "options_from", "unit", "variant_by"}
)
