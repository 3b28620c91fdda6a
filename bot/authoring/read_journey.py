"""A journey file to a journey. Source: journey-language.md 2.2."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Literal

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, bounded, chosen, fields_of, parsed
from bot.authoring.nodes import Node, Table
from bot.authoring.page import Page
from bot.authoring.read_actions import read_actions
from bot.authoring.read_slots import read_name, read_slots, read_vars
from bot.authoring.read_states import read_goto, read_keywords, read_state
from bot.authoring.suggest import meant
from bot.authoring.vocabulary import CHANNELS_UNBUILT
from bot.core.journey import Entry, EventEntry, Focus, Goal, Journey, KeywordEntry, OnError, Reentry, State

DSL = 1
STATES_MAX = 200
"""States of one journey. Source: journey-language.md 3.10."""

_MATCHES: Mapping[str, Literal["exact", "prefix", "contains"]] = {
    "exact": "exact",
    "prefix": "prefix",
    "contains": "contains",
}
_ENTRY_KINDS = ("event", "keyword", "intent", "segment", "schedule", "api")


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyDraft:
    """A journey as far as it could be read, with its tree for places and its page for what it refers to."""

    journey: Journey
    root: Table
    page: Page


def read_journey(page: Page, root: Node) -> JourneyDraft | None:
    """The journey in a file, None (after findings) when the file holds no table at all."""
    fields = fields_of(page, root, vocabulary.JOURNEY)
    if fields is None or not isinstance(root, Table):
        return None
    check_dsl(fields)
    _check_id(fields)
    before = fields.on(replace(page, entering=True))
    journey = Journey(
        journey=PurePosixPath(page.source.name).stem,
        name=fields.text("name"),
        channel=fields.one_of("channel", {"oa": "oa"}, default="oa", later=CHANNELS_UNBUILT),
        owner=fields.text("owner"),
        about=fields.text("about"),
        labels=fields.texts("labels"),
        enter=tuple(entry for entry in (_entry(before.page, node) for node in fields.nodes("enter")) if entry),
        audience=before.expression("audience", "guard"),
        key=before.template("key"),
        reentry=_reentry(fields),
        focus=_focus(fields),
        vars=read_vars(fields),
        slots=read_slots(fields),
        goal=_goal(fields),
        states=_states(fields),
        errors=tuple(one for one in (_on_error(page, node) for node in fields.nodes("errors")) if one),
    )
    return JourneyDraft(journey=journey, root=root, page=page)


def check_dsl(fields: Fields) -> None:
    """J011 when the file is written in another version of the language."""
    scalar = fields.scalar("dsl")
    version = parsed(fields.page, scalar, literals.whole) if scalar else DSL
    if scalar and version is not None and version != DSL:
        relation = "高于" if version > DSL else "低于"
        fields.page.say("J011", scalar, f"dsl: {version} {relation}本程序支持的 {DSL}", help=f"dsl: {DSL}")


def _check_id(fields: Fields) -> None:
    stem, scalar = PurePosixPath(fields.page.source.name).stem, fields.scalar("journey")
    if scalar and scalar.text != stem:
        help = f"改成 journey: {stem}，或把文件改名为 {scalar.text}.yaml"
        fields.page.say("J007", scalar, f"journey: {scalar.text} 与文件名 {stem} 不一致", help=help)


def _entry(page: Page, node: Node) -> Entry | None:
    fields = fields_of(page, node, vocabulary.ENTRY)
    if fields is None:
        return None
    kinds = [kind for kind in _ENTRY_KINDS if isinstance(node, Table) and node.entry(kind)]
    if len(kinds) != 1:
        rule = "J016" if kinds else "J014"
        page.say(rule, node, "enter 的一项要写 event 或 keyword 其中一个", help="- event: oa.follow")
        return None
    interrupt = fields.parsed("interrupt", literals.flag, False)
    when = fields.expression("when", "guard")
    event = fields.scalar("event")
    if event:
        if fields.has("match"):
            page.say("J016", fields.key("match"), "match 只用于 keyword")
        return EventEntry(event=page.refer("event", event.text, event, key="enter"), when=when, interrupt=interrupt)
    match = fields.one_of("match", _MATCHES, default="exact", later=("fuzzy",))
    keywords = read_keywords(fields)
    return KeywordEntry(keywords=keywords, match=match, when=when, interrupt=interrupt) if keywords else None


def _reentry(fields: Fields) -> Reentry:
    inner = fields.inner("reentry", vocabulary.REENTRY)
    if inner is None:
        return Reentry()
    inner.one_of("while_active", {"ignore": "ignore"}, default="ignore", later=("restart", "queue"))
    scalar = inner.scalar("allow")
    if scalar is None:
        return Reentry()
    after = scalar.text.removeprefix("after ")
    if after != scalar.text:
        length = parsed(fields.page, replace(scalar, text=after.strip()), literals.duration)
        return Reentry(allow=length) if length else Reentry()
    allows: dict[str, Literal["always", "never"]] = {"always": "always", "never": "never"}
    if scalar.text not in (*allows, "goal_missed"):
        help = "可用：always、never、after 30d"
        fields.page.say("J008", scalar, f"“{scalar.text}” 不是可用的值{meant(scalar.text, allows)}", help=help)
        return Reentry()
    return Reentry(allow=chosen(fields.page, scalar, allows, default="always", later=("goal_missed",)))


def _focus(fields: Fields) -> Focus:
    inner = fields.inner("focus", vocabulary.FOCUS)
    if inner is None:
        return Focus()
    priority = inner.parsed("priority", literals.whole, 50)
    if not 0 <= priority <= 100:
        fields.page.say("J008", inner.key("priority"), f"priority 要在 0 到 100 之间，得到 {priority}")
    length: timedelta | None = inner.parsed("resume_within", literals.duration, None)
    return Focus(priority=priority, resume_within=length)


def _goal(fields: Fields) -> Goal | None:
    inner = fields.inner("goal", vocabulary.GOAL)
    if inner is None:
        return None
    event = inner.scalar("event")
    if inner.has("when") == (event is not None):
        fields.page.say("J016", inner.key("name"), "goal 要写 when 或 event 其中一个", help="when: has(customer.phone)")
        return None
    return Goal(
        name=inner.text("name"),
        when=inner.expression("when", "guard"),
        event=fields.page.refer("event", event.text, event, key="goal") if event else "",
        within=inner.parsed("within", literals.duration, None),
    )


def _states(fields: Fields) -> dict[str, State]:
    states: dict[str, State] = {}
    entries = fields.entries("states")
    if len(entries) > STATES_MAX:
        fields.page.say(
            "J015", entries[STATES_MAX].key, f"一个旅程最多 {STATES_MAX} 个状态", help="拆成两个旅程，用 call 连起来"
        )
    if fields.has("states") and not entries:
        fields.page.say("J014", fields.key("states"), "states 里至少要有一个状态")
    for entry in bounded(fields.page, entries):
        name = read_name(fields.page, entry.key)
        state = read_state(replace(fields.page, state=entry.key.text), name, entry.value) if name else None
        if state:
            states[name] = state
    return states


def _on_error(page: Page, node: Node) -> OnError | None:
    fields = fields_of(page, node, vocabulary.ON_ERROR)
    error = fields.scalar("error") if fields else None
    if fields is None or error is None:
        return None
    return OnError(
        error=page.refer("error", error.text, error, key="error"),
        do=read_actions(page, fields.nodes("do")),
        goto=read_goto(page, fields.scalar("goto"), "errors"),
    )
