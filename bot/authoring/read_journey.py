"""A journey file to a journey. Source: journey-language.md 2.2."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, fields_of, parsed
from bot.authoring.nodes import Node, Table
from bot.authoring.page import Page
from bot.authoring.read_actions import read_actions
from bot.authoring.read_entries import read_entries, read_focus, read_reentry
from bot.authoring.read_limits import read_exits, read_goal, read_holdout, read_limits
from bot.authoring.read_reactions import read_goto
from bot.authoring.read_slots import read_slots, read_vars
from bot.authoring.read_states import Places, read_states
from bot.authoring.read_watch import read_watch
from bot.core.journey import Journey, Watch
from bot.core.rules import OnError

DSL = 1
LABEL_MAX = 60
"""Characters of a `release`; a longer one is J008."""
# What `pin` means (journey-language.md 3.7) is not built: a run would need its old library.
MIGRATES: Mapping[str, Literal["follow", "pin"]] = {"follow": "follow"}
_WATCHES: tuple[Literal["always", "never", "within"], ...] = ("always", "never", "within")
_CHANNELS = {channel: channel for channel in vocabulary.JOURNEY_CHANNELS}


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyDraft:
    """A journey as far as it could be read, with its tree for places and its page for what it refers to.

    `places`, `group_places`: where each state and each group stands, those that could not be read too.
    `shipped`: it comes with the product and lies in no folder of the marketers.
    """

    journey: Journey
    root: Table
    page: Page
    places: Places
    group_places: Places
    shipped: bool = False


def _about(fields: Fields) -> str:
    """What the journey is for, as it is written: nobody reads it with a customer at hand, so nothing is put in."""
    written = fields.template("about") if fields.has("about") else None
    return written.source if written is not None else ""


def read_journey(page: Page, root: Node, *, shipped: bool = False) -> JourneyDraft | None:
    """The journey in a file, None (after findings) when the file holds no table at all."""
    fields = fields_of(page, root, vocabulary.JOURNEY)
    if fields is None or not isinstance(root, Table):
        return None
    check_dsl(fields)
    check_id(fields, "journey")
    before = fields.on(replace(page, entering=True))
    name = PurePosixPath(page.source.name).stem
    states = read_states(fields)
    journey = Journey(
        journey=name,
        name=fields.text("name"),
        channel=fields.one_of("channel", _CHANNELS, default="oa", later=("app", "sms")),
        label=fields.parsed("release", _label, ""),
        owner=fields.text("owner"),
        about=_about(before),
        labels=fields.texts("labels"),
        enter=read_entries(before.page, fields.nodes("enter"), name),
        audience=before.expression("audience", "guard"),
        key=before.template("key"),
        reentry=read_reentry(fields),
        focus=read_focus(fields),
        vars=read_vars(fields),
        slots=read_slots(fields),
        limits=read_limits(fields),
        holdout=read_holdout(before),
        goal=read_goal(fields),
        exits=read_exits(fields),
        states=states.states,
        groups=states.groups,
        errors=tuple(one for one in (_on_error(page, node) for node in fields.nodes("errors")) if one),
        moved=_moved(fields),
        migrate=fields.one_of("migrate", MIGRATES, default="follow", later=("pin",)),
        rules=tuple(one for one in (_watch(page, node) for node in fields.nodes("rules")) if one),
    )
    return JourneyDraft(
        journey=journey,
        root=root,
        page=page,
        places=states.places,
        group_places=states.group_places,
        shipped=shipped,
    )


def _label(text: str) -> str:
    """The name that people give this revision of the journey."""
    if len(text) > LABEL_MAX or "{{" in text:
        raise literals.LiteralFault(f"需要一个名字，最多 {LABEL_MAX} 个字，不能写 {{{{ }}}}")
    return text


def check_dsl(fields: Fields) -> None:
    """J011 when the file is written in another version of the language."""
    scalar = fields.scalar("dsl")
    version = parsed(fields.page, scalar, literals.whole) if scalar else DSL
    if scalar and version is not None and version != DSL:
        relation = "高于" if version > DSL else "低于"
        fields.page.say("J011", scalar, f"dsl: {version} {relation}本程序支持的 {DSL}", help=f"dsl: {DSL}")


def check_id(fields: Fields, key: str) -> None:
    """J007 when the file names itself otherwise than it is called."""
    stem, scalar = PurePosixPath(fields.page.source.name).stem, fields.scalar(key)
    if scalar and scalar.text != stem:
        suffix = PurePosixPath(fields.page.source.name).suffix
        help = f"改成 {key}: {stem}，或把文件改名为 {scalar.text}{suffix}"
        fields.page.say("J007", scalar, f"{key}: {scalar.text} 与文件名 {stem} 不一致", help=help)


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


def _moved(fields: Fields) -> dict[str, str]:
    """Old names to new ones. J002: an old name twice."""
    found: dict[str, str] = {}
    for node in fields.nodes("moved"):
        inner = fields_of(fields.page, node, vocabulary.MOVED)
        before, after = (inner.scalar("from"), inner.scalar("to")) if inner else (None, None)
        if before is None or after is None:
            continue
        fields.page.refer("moved", before.text, before, key="from")
        fields.page.refer("moved", after.text, after, key="to")
        if before.text in found:
            fields.page.say("J002", before, f"moved 里 “{before.text}” 写了两次", help="只留一个")
        found.setdefault(before.text, after.text)
    return found


def _watch(page: Page, node: Node) -> Watch | None:
    fields = fields_of(page, node, vocabulary.WATCH)
    if fields is None:
        return None
    written = [kind for kind in _WATCHES if fields.has(kind)]
    if len(written) != 1:
        page.say("J016" if written else "J014", node, "rules 的一项要写 always、never 或 within 其中一个")
        return None
    scalar = fields.scalar(written[0])
    if scalar is None or read_watch(page, written[0], scalar) is None:
        return None
    return Watch(kind=written[0], text=scalar.text)
