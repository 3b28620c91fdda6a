"""The names that a test file may use: looked up, and when they are wrong, told with the one that was meant."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bot.authoring import literals
from bot.authoring.checks.references import EVENTS
from bot.authoring.drafts import Drafts, save_names, slot_names, state_names, var_names
from bot.authoring.fields import Fields
from bot.authoring.nodes import Listing, Node, Scalar, Table
from bot.authoring.page import Page
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.suggest import meant
from bot.authoring.trials import Words
from bot.core.events import Json
from bot.core.expressions.declared import FIELDS
from bot.core.slots import Var
from bot.core.states import Split, Webhook

OWN_EVENTS = ("card.clicked", "advisor.said", "send.refused", "send.unknown")
"""Events that only our own people and our own sends make: a test says `advisor` and `effect` instead."""
ADVISORS_WORDS = "@advisor"
API_CALLED = "api"
"""The event by which another system begins a journey; its field `entry` names the way in."""
_SHOWN_MAX = 12
_OF_MESSAGES: Mapping[str, str] = {**dict.fromkeys(("kind", "text", "media_id"), "text"), **FIELDS["location"]}
_NUMBER_TYPES = frozenset({"number", "money"})
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Names:
    """Everything there is to refer to. `journey` None: there is none by the name, so nothing of it is looked up."""

    page: Page
    drafts: Drafts
    journey: JourneyDraft | None = None

    def of(self, journey: str) -> "Names":
        """The same for a journey by this name."""
        return replace(self, journey=self.drafts.journeys.get(journey))

    def state(self, scalar: Scalar, *, key: str) -> str:
        """A state of the journey; J103 when there is none of this name."""
        if self.journey is not None:
            self._known("J103", scalar, state_names(self.journey), what=f"{key}: {scalar.text} 不存在")
        return scalar.text

    def slot(self, scalar: Scalar) -> str:
        """A slot of the journey; J203 when it declares none of this name."""
        if self.journey is not None:
            self._known("J203", scalar, slot_names(self.journey), what=f"slots.{scalar.text} 未声明")
        return scalar.text

    def var(self, scalar: Scalar) -> str:
        """A variable of the journey, or a name under which a call or the like keeps its result."""
        if self.journey is not None:
            known = (*var_names(self.journey), *save_names(self.journey))
            self._known("J203", scalar, known, what=f"vars.{scalar.text} 未声明")
        return scalar.text

    def attribute(self, scalar: Scalar) -> str:
        """An attribute of the customer; J206 when it is not declared."""
        declared = self.drafts.attributes
        if declared is not None:
            known = tuple(declared.attributes)
            self._known("J206", scalar, known, what=f"customer.{scalar.text} 不在 schema/customer.yaml")
        return scalar.text

    def content(self, scalar: Scalar) -> Words:
        """`content` or `content@variant`; J301 when there is no such content, or it has no such variant.

        `@advisor` stands for what an advisor wrote herself.
        """
        if scalar.text == ADVISORS_WORDS:
            return Words(content=scalar.text)
        name, _, variant = scalar.text.partition("@")
        self._known("J301", scalar, sorted(self.drafts.content_names), what=f"content/{name}.md 不存在", name=name)
        draft = self.drafts.contents.get(name)
        if variant and draft is not None:
            known = sorted(draft.content.variants)
            self._known("J301", scalar, known, what=f"内容 {name} 没有变体 {variant}", name=variant)
        return Words(content=name, variant=variant)

    def event(self, scalar: Scalar) -> str:
        """A type of event that can come from outside; J213 when it is none."""
        declared = tuple(self.declared_events())
        if scalar.text in OWN_EVENTS:
            help = "顾问的动作写 advisor，平台对发送的回答写 effect"
            self.page.say("J213", scalar, f"事件 {scalar.text} 由系统自己产生，测试里不能直接写", help=help)
        else:
            self._known("J213", scalar, (*EVENTS, API_CALLED, *declared), what=f"未声明的事件：{scalar.text}")
        return scalar.text

    def declared_events(self) -> Iterable[str]:
        """The events of `schema/events.yaml`, as far as it could be read."""
        return tuple(self.drafts.events.events) if self.drafts.events is not None else ()

    def fields_of_event(self, event: str) -> Mapping[str, str]:
        """The types of an event's fields, of those that are declared."""
        if event == "message":
            return _OF_MESSAGES
        declared = self.drafts.events.events.get(event) if self.drafts.events is not None else None
        return declared.fields if declared is not None else {}

    def webhook(self, scalar: Scalar) -> str:
        """`target.operation` of a webhook that some journey asks; J213 when none does."""
        doings = [state.doing for one in self.drafts.journeys.values() for state in one.journey.states.values()]
        known = sorted({f"{one.target}.{one.operation}" for one in doings if isinstance(one, Webhook)})
        if not self._journeys_are_broken():
            self._known("J213", scalar, known, what=f"没有旅程调用 webhook {scalar.text}")
        return scalar.text

    def arms(self, fields: Fields) -> dict[str, str]:
        """What was drawn, by the salt of the experiment; J203 when no journey has one of this salt, or no such arm."""
        known: dict[str, tuple[str, ...]] = {}
        for draft in self.drafts.journeys.values():
            if draft.journey.holdout is not None:
                known[draft.journey.holdout.salt] = ("holdout", "exposed")
            for state in draft.journey.states.values():
                if isinstance(state.doing, Split):
                    known[state.doing.salt] = tuple(arm.name for arm in state.doing.arms)
        found: dict[str, str] = {}
        is_sure = not self._journeys_are_broken()
        for entry in fields.entries("arms"):
            if is_sure:
                self._known("J203", entry.key, known, what=f"没有实验 salt: {entry.key.text}")
            if entry.key.text in known and isinstance(entry.value, Scalar):
                self._known("J203", entry.value, known[entry.key.text], what=f"实验没有这一组 {entry.value.text}")
                found[entry.key.text] = entry.value.text
        return found

    def _journeys_are_broken(self) -> bool:
        """Whether some journey could not be read whole: what it would have declared is then not missed here."""
        read = self.drafts.journeys
        has_errors = any(found.severity == "error" for one in read.values() for found in one.page.findings.all())
        return has_errors or not self.drafts.journey_names <= read.keys()

    def resource(self, scalar: Scalar) -> str:
        """Something that can be booked; J213 when nothing of this name can."""
        bookings = self.drafts.bookings
        if bookings is not None:
            known = sorted({one.resource for one in bookings.resources})
            self._known("J213", scalar, known, what=f"没有可以预约的 {scalar.text}")
        return scalar.text

    def journey_of_test(self, scalar: Scalar) -> str:
        """The journey that a file tests; J113 when there is none of this name."""
        self._known("J113", scalar, sorted(self.drafts.journey_names), what=f"旅程 {scalar.text} 不存在")
        return scalar.text

    def _known(self, rule: str, scalar: Scalar, known: Iterable[str], *, what: str, name: str = "") -> None:
        name, listed = name or scalar.text, list(known)
        if name not in listed:
            shown = "、".join(listed[:_SHOWN_MAX]) + ("…" if len(listed) > _SHOWN_MAX else "")
            self.page.say(rule, scalar, f"{what}{meant(name, listed)}", help=f"可用：{shown or '（没有）'}")

    def value_of_slot(self, name: str, node: Node) -> Json:
        """What is written as the value of this slot."""
        slot = self.journey.journey.slots.get(name) if self.journey is not None else None
        return json_of(self.page, node, kind=slot.type if slot else "")

    def value_of_var(self, name: str, node: Node) -> Json:
        """What is written as the value of this variable."""
        var: Var | None = self.journey.journey.vars.get(name) if self.journey is not None else None
        return json_of(self.page, node, kind=var.type if var else "")

    def value_of_attribute(self, name: str, node: Node) -> Json:
        """What is written as the value of this attribute."""
        declared = self.drafts.attributes.attributes.get(name) if self.drafts.attributes is not None else None
        value = json_of(self.page, node, kind=declared.type if declared else "")
        if declared is not None and declared.options and isinstance(node, Scalar) and value is not None:
            self._known("J214", node, declared.options, what=f"customer.{name} 没有 “{node.text}”")
        return value


def json_of(page: Page, node: Node, *, kind: str = "") -> Json:
    """A value as it is written. `kind`: the type that is declared for it; empty: none.

    Without one, `true`, `false`, `null` and whole numbers mean themselves unless they are quoted.
    """
    match node:
        case Table(entries=entries):
            fields = FIELDS.get(kind, {})
            return {one.key.text: json_of(page, one.value, kind=fields.get(one.key.text, "")) for one in entries}
        case Listing(nodes=nodes):
            return [json_of(page, one) for one in nodes]
        case Scalar():
            return _typed(page, node, kind)


def _typed(page: Page, scalar: Scalar, kind: str) -> Json:
    text = scalar.text
    if scalar.plain and text in ("null", ""):
        return None
    if kind == "bool" or (not kind and scalar.plain and text in ("true", "false")):
        return _flag(page, scalar)
    if kind in _NUMBER_TYPES or (not kind and scalar.plain and _WHOLE.fullmatch(text)):
        return _number(page, scalar)
    return text


def _flag(page: Page, scalar: Scalar) -> Json:
    try:
        return literals.flag(scalar.text)
    except literals.LiteralFault as fault:
        page.say("J008", scalar, f"{fault}，得到 “{scalar.text[:40]}”")
        return None


def _number(page: Page, scalar: Scalar) -> Json:
    try:
        return int(scalar.text) if scalar.text.lstrip("+-").isdigit() else float(scalar.text)
    except ValueError:
        page.say("J008", scalar, f"需要数字，得到 “{scalar.text[:40]}”")
        return None
