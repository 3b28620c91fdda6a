"""The keys of language version 1, place by place: which the engine does, and which it does not do yet.

What stands in `unbuilt` is refused with J090 and never ignored. Source: journey-language.md 2.2, 2.3, 2.5, 3.11.
"""

from collections.abc import Mapping
from dataclasses import dataclass


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
    "owner about labels enter audience key reentry focus vars slots goal errors",
    required="dsl journey name channel states",
    unbuilt="limits holdout exit moved migrate rules release use with",
)
ENTRY = _keys(
    "enter",
    "event keyword match when interrupt",
    unbuilt="intent min segment schedule api with timezone spread channels",
)
REENTRY = _keys("reentry", "allow while_active")
FOCUS = _keys("focus", "priority resume_within", unbuilt="floor")
VAR = _keys("变量", "default", required="type")
SLOT = _keys(
    "槽",
    "options check retry confirm optional consent pii capture save",
    required="type ask",
    unbuilt="options_from prefill ttl of",
)
RETRY = _keys("retry", "max say")
GOAL = _keys("goal", "when event within", required="name", unbuilt="exit")
STATE = _keys(
    "状态",
    "when else do ask wait branch handoff call end then events timeout give_up",
    unbuilt="split book webhook timers group states exit resume fail full use with",
)
ASK = _keys("ask", "class outside", required="slot")
WAIT = _keys("wait", "", required="for", unbuilt="until forever spread max_age late")
ARM = _keys("branch 的一项", "when goto else")
HANDOFF = _keys("handoff", "note hours fallback", required="to accept_within")
GOTO = _keys("跳转", "", required="goto")
CALL = _keys("call", "with save", required="journey")
START = _keys("start", "with", required="journey")
END = _keys("end", "return", required="label")
ON = _keys("events 的一项", "keyword when set do goto stay", required="event", unbuilt="intent reenter")
TIMEOUT = _keys("timeout", "", required="after goto")
ON_ERROR = _keys("errors 的一项", "do", required="error goto")
ACTION = _keys(
    "do 的一项",
    "send tag -tag score set lead consent task points start note opt_out",
    unbuilt="coupon cancel_journey cancel_booking emit stage",
)
SEND = _keys("send", "class outside window expire", required="content", unbuilt="variant_by key")
CONSENT = _keys("consent", "grant withdraw text")
TASK = _keys("task", "due due_at overdue", required="to title")
OVERDUE = _keys("overdue", "", required="to")
POINTS = _keys("points", "", required="add reason")

GLOBAL = _keys(
    "_global.yaml",
    "working_hours caps interrupts platform_windows",
    required="dsl defaults class_rules",
    unbuilt="errors limits timers burst",
)
DEFAULTS = _keys("defaults", "quiet", required="timezone human_hold", unbuilt="migrate")
HOURS = _keys("working_hours", "", required="days hours", unbuilt="holidays")
CAP = _keys("caps 的一项", "", required="name class max per", unbuilt="scope count")
CLASS_RULE = _keys("class_rules", "consent", required="opt_out quiet cap delivery")
WINDOW = _keys("platform_windows", "", required="max for", unbuilt="once codes")
INTERRUPT_CALL = _keys("interrupts 的 call", "", required="journey", unbuilt="with save")
INTERRUPT_SEND = _keys(
    "interrupts 的 send", "class", required="content", unbuilt="outside window expire variant_by key"
)
INTERRUPT_ACTION = _keys(
    "interrupts 的 do",
    "send tag -tag opt_out",
    unbuilt="score set lead consent task points start note coupon cancel_journey cancel_booking emit stage",
)
INTERRUPT = _keys("interrupts 的一项", "keyword priority do call", required="id effect", unbuilt="intent faq min")

STAFF = _keys("_staff.yaml", "", required="dsl dealers staff", unbuilt="duty dispatch")
DEALER = _keys("dealers 的一项", "city", required="dealer name", unbuilt="hours territory")
MEMBER = _keys("staff 的一项", "hours", required="id name roles dealer account")

ATTRIBUTES = _keys("schema/customer.yaml", "", required="dsl attributes", unbuilt="segments events")
ATTRIBUTE = _keys("客户属性", "pii label", required="type", unbuilt="source options default")

CONTENT = _keys(
    "内容",
    "vars variants templates media",
    required="content channels",
    unbuilt="locale title description card quote url articles miniprogram",
)

SLOT_TYPES_UNBUILT = [
    "number",
    "money",
    "date",
    "time",
    "datetime",
    "plate_cn",
    "vin",
    "id_cn",
    "city",
    "bool",
    "image",
    "location",
    "entity",
    "file",
]
VAR_TYPES_UNBUILT = ("money", "date", "time", "datetime", "choice", "list")
CHANNELS_UNBUILT = ("kf", "wecom", "app", "sms")
FOLDERS_UNBUILT: Mapping[str, str] = {
    "_repair": "自定义修复旅程",
    "_fragments": "可复用片段",
    "segments": "人群",
    "tests": "旅程测试",
    "behaviour": "行为模型",
}
FILES_UNBUILT: Mapping[str, str] = {"_leads.yaml": "线索规则", "schema/events.yaml": "自定义事件"}

ALL_KEYS: frozenset[str] = frozenset().union(
    *(keys.built | keys.unbuilt for keys in list(globals().values()) if isinstance(keys, Keys))
)
"""Every key of the language, wherever it stands: a full-width colon behind one of these is a slip (J003)."""
EXPRESSION_KEYS = frozenset({"when", "check", "due_at", "at", "until", "set", "lead", "return", "prefill"})
