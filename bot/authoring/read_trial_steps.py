"""The steps of a test: what the customer, her advisor, the platform and the clock do."""

import re
from collections.abc import Callable, Mapping
from typing import get_args

from bot.authoring import literals, trial_keys
from bot.authoring.fields import Fields, as_scalar, chosen, fields_of, parsed
from bot.authoring.nodes import Node, Scalar, Table
from bot.authoring.read_expect import read_expect
from bot.authoring.read_mocks import read_answer
from bot.authoring.trial_names import Names, json_of
from bot.authoring.trials import (
    Advise,
    AdvisorAct,
    Decide,
    Happen,
    Occupy,
    Pass,
    Place,
    Reply,
    Say,
    Tap,
    TrialStep,
    Turn,
    Verdict,
    WallMoment,
)

_ACTS: Mapping[str, AdvisorAct] = {act: act for act in get_args(AdvisorAct) if act != "text"}
_SAID = "text "
_KINDS = {kind: kind for kind in ("text", "image", "voice", "video", "file", "location", "link")}
_LATITUDE_MAX, _LONGITUDE_MAX = 90, 180
_VERDICTS: Mapping[str, Verdict] = {"refused": "refused", "unknown": "unknown", "later": "later"}
_REASONS = {reason: reason for reason in ("window", "count", "gone", "refused_by_user", "human_has_floor", "no_grant")}
_CODE = re.compile(r"\d{4,6}")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{1,2}:\d{2})")


def read_step(names: Names, node: Node) -> TrialStep | None:
    """One entry of `steps`, None after a finding."""
    fields = fields_of(names.page, node, trial_keys.STEP)
    if fields is None:
        return None
    kinds = [kind for kind in _READERS if fields.has(kind)]
    if len(kinds) != 1:
        rule = "J016" if kinds else "J014"
        strays = isinstance(node, Table) and len(node.entries) > len(kinds)
        if kinds or not strays:
            help = "每项一件事：- customer: 想看车"
            names.page.say(rule, node, f"steps 的一项要写 {'、'.join(_READERS)} 其中一个", help=help)
        return None
    value = fields.node(kinds[0])
    return _READERS[kinds[0]](names, fields, value) if value is not None else None


def _happen(names: Names, fields: Fields, node: Node) -> TrialStep | None:
    """`event: oa.follow`, or a table with `type` and the event's fields."""
    if isinstance(node, Table):
        entry = node.entry(trial_keys.EVENT_TYPE)
        if entry is None or not isinstance(entry.value, Scalar):
            names.page.say("J014", node, "event 缺少 “type”", help="event: {type: oa.click, key: MENU_ADVISOR}")
            return None
        kinds = names.fields_of_event(entry.value.text)
        told = {
            e.key.text: json_of(names.page, e.value, kind=kinds.get(e.key.text, ""))
            for e in node.entries
            if e.key.text != trial_keys.EVENT_TYPE
        }
        return Happen(span=entry.value.span, event=names.event(entry.value), fields=told)
    scalar = as_scalar(names.page, node)
    return Happen(span=scalar.span, event=names.event(scalar)) if scalar else None


def _say(names: Names, fields: Fields, node: Node) -> TrialStep | None:
    """`customer: 想看车`, `customer: {kind: image}`, or `customer: {kind: location, lat: 31.2, lng: 121.4}`."""
    if isinstance(node, Table):
        entry = node.entry("kind")
        if entry is not None and isinstance(entry.value, Scalar) and entry.value.text == "location":
            return _say_where(names, node)
        inner = fields_of(names.page, node, trial_keys.SAY)
        kind = inner.one_of("kind", _KINDS, default="text") if inner else "text"
        return Say(span=node.span, kind=kind)
    scalar = as_scalar(names.page, node)
    return Say(span=scalar.span, text=scalar.text) if scalar else None


def _say_where(names: Names, node: Table) -> TrialStep | None:
    inner = fields_of(names.page, node, trial_keys.SAY_PLACE)
    if inner is None or not (inner.has("lat") and inner.has("lng")):
        return None
    lat = inner.parsed("lat", _degrees(_LATITUDE_MAX), None)
    lng = inner.parsed("lng", _degrees(_LONGITUDE_MAX), None)
    if lat is None or lng is None:
        return None
    return Say(span=node.span, kind="location", place=Place(lat=lat, lng=lng, name=inner.text("name")))


def _degrees(most: int) -> Callable[[str], float]:
    def read(text: str) -> float:
        found = literals.number(text)
        if abs(found) > most:
            raise literals.LiteralFault(f"需要 -{most} 到 {most} 的度数")
        return float(found)

    return read


def _tap(names: Names, fields: Fields, node: Node) -> TrialStep | None:
    """`tap: 看车`, or `tap: {text: 看车, of: ask-need}` for a menu that is not the newest."""
    if isinstance(node, Table):
        inner = fields_of(names.page, node, trial_keys.TAP)
        text = inner.scalar("text") if inner else None
        menu = inner.scalar("of") if inner else None
        return Tap(span=text.span, text=text.text, of=names.content(menu).content if menu else "") if text else None
    scalar = as_scalar(names.page, node)
    return Tap(span=scalar.span, text=scalar.text) if scalar else None


def _pass(names: Names, fields: Fields, node: Node) -> TrialStep | None:
    scalar = as_scalar(names.page, node)
    length = parsed(names.page, scalar, literals.duration) if scalar else None
    return Pass(span=node.span, length=length) if length else None


def _turn(names: Names, fields: Fields, node: Node) -> TrialStep | None:
    to = read_moment(fields, "at")
    return Turn(span=node.span, to=to) if to else None


def _advise(names: Names, fields: Fields, node: Node) -> TrialStep | None:
    """`advisor: accept`, or `advisor: text 您好` and `advisor: {text: 您好}` for what she writes."""
    if isinstance(node, Table):
        inner = fields_of(names.page, node, trial_keys.ADVISE)
        said = inner.scalar("text") if inner else None
        return Advise(span=node.span, act="text", text=said.text) if said else None
    scalar = as_scalar(names.page, node)
    if scalar is None:
        return None
    if scalar.text.startswith(_SAID):
        return Advise(span=scalar.span, act="text", text=scalar.text.removeprefix(_SAID).strip())
    return Advise(span=scalar.span, act=chosen(names.page, scalar, _ACTS, default="accept"))


def _decide(names: Names, fields: Fields, node: Node) -> TrialStep | None:
    """`effect: {send: nudge-phone, refused: window}`: what the platform says to the next message of this content.

    `effect: {webhook: crm.create_lead, fail: 500}`: what another system answers from now on.
    """
    inner = fields_of(names.page, node, trial_keys.DECIDE)
    if inner is None:
        return None
    if inner.has("webhook"):
        return _reply(names, inner, node)
    if inner.has("book"):
        return _occupy(names, inner)
    scalar = inner.scalar("send")
    given = [verdict for verdict in _VERDICTS if inner.has(verdict)]
    if scalar is None or len(given) != 1:
        help = "effect: {send: welcome, refused: window}；unknown: true 是没有答复，later: true 是请稍后再试"
        names.page.say("J014", node, "effect 要写 send 和 refused、unknown、later 其中一个，或写 webhook", help=help)
        return None
    content, verdict = names.content(scalar).content, _VERDICTS[given[0]]
    return Decide(span=scalar.span, content=content, verdict=verdict, reason=_reason(inner, verdict))


def _occupy(names: Names, fields: Fields) -> TrialStep | None:
    scalar = fields.scalar("book")
    if fields.has("full") == fields.has("fail"):
        fields.page.say("J014", fields.key("book"), "effect 的 book 要写 full: true 或 fail: true 其中一个")
        return None
    key = "full" if fields.has("full") else "fail"
    fields.parsed(key, literals.flag, True)
    return Occupy(span=scalar.span, resource=names.resource(scalar), fails=key == "fail") if scalar else None


def _reply(names: Names, fields: Fields, node: Node) -> TrialStep | None:
    scalar = fields.scalar("webhook")
    answer = read_answer(fields, node)
    return Reply(span=scalar.span, call=names.webhook(scalar), answer=answer) if scalar and answer is not None else None


def _reason(fields: Fields, verdict: Verdict) -> str:
    if verdict != "refused":
        fields.parsed(verdict, literals.flag, True)
        return ""
    scalar = fields.scalar("refused")
    if scalar is None or _CODE.fullmatch(scalar.text):
        return scalar.text if scalar else ""
    return chosen(fields.page, scalar, _REASONS, default="window")


def _expected(names: Names, fields: Fields, node: Node) -> TrialStep | None:
    return read_expect(names, node, fields.key("expect").span)


def read_moment(fields: Fields, key: str) -> WallMoment | None:
    """`2026-12-01 10:00`, or `22:30`: the next time that clocks show it. None: after a finding, or it is missing."""
    scalar = fields.scalar(key)
    return parsed(fields.page, scalar, moment) if scalar else None


def moment(text: str) -> WallMoment:
    """The moment written so. LiteralFault: it is none."""
    found = _MOMENT.fullmatch(text.strip())
    if found is not None:
        return WallMoment(day=literals.day(found.group(1)), at=literals.time_of_day(found.group(2)))
    try:
        return WallMoment(at=literals.time_of_day(text))
    except literals.LiteralFault as fault:
        raise literals.LiteralFault("需要时刻，例如 2026-12-01 22:30，或 22:30") from fault


_READERS: Mapping[str, Callable[[Names, Fields, Node], TrialStep | None]] = {
    "event": _happen,
    "customer": _say,
    "tap": _tap,
    "wait": _pass,
    "at": _turn,
    "advisor": _advise,
    "effect": _decide,
    "expect": _expected,
}
