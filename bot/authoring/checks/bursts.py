"""How much one step says for certain: more than `burst` allows, and its last words are an error. Rule J402.

Counted is what is said on every way that the step may take; a message with a `key` may have been said before.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.authoring.checks.graph import known, reached
from bot.authoring.drafts import Drafts
from bot.authoring.read_journey import JourneyDraft
from bot.core.actions import Action, Send
from bot.core.journey import Journey
from bot.core.rules import GlobalRules
from bot.core.states import Ask, Branch, Split, State

_ALLOWED = "允许的条数是 _global.yaml 的 burst"
_HELP = f"合成一条，或在中间加一个 wait；{_ALLOWED}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """States that are entered in one step, with what is said at least."""

    states: tuple[str, ...] = ()
    said: int = 0


_NOTHING = _Way()


def check(drafts: Drafts) -> None:
    """Report steps that say too much whatever happens."""
    if drafts.rules is None:
        return
    rules = drafts.rules.rules
    for draft in drafts.journeys.values():
        if known(draft):
            _states(draft, rules)
    page = drafts.rules.page
    said = {use.content: use.span for use in page.contents if use.how == "send"}
    for one in rules.interrupts:
        sends = [action for action in one.do if isinstance(action, Send)]
        if _said(sends) > rules.burst and sends[-1].content in said:
            message = f"一次推进最多发 {rules.burst} 条：打断词 {one.interrupt} 会发 {_said(sends)} 条"
            page.say("J402", said[sends[-1].content], message, help=f"合成一条；{_ALLOWED}")


def _said(actions: Iterable[Action]) -> int:
    return sum(isinstance(action, Send) and action.key is None for action in actions)


def _states(draft: JourneyDraft, rules: GlobalRules) -> None:
    """Report the first state of each step that says too much, and none that only follows in it."""
    counting = _Counting(journey=draft.journey, found={})
    ways = {name: counting.way(name) for name in reached(draft) if name in draft.journey.states}
    loud = {name for name, way in ways.items() if way.said > rules.burst}
    following = {name for one in loud for name in ways[one].states[1:]}
    for name in draft.journey.states:
        if name in loud - following:
            way = ways[name]
            message = f"一次推进最多发 {rules.burst} 条：{' → '.join(way.states)} 至少会发 {way.said} 条"
            draft.page.say("J402", draft.places[name].key, message, help=_HELP)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counting:
    """`found`: the ways from the states that were looked at; of one that is being looked at, nothing: it is a loop."""

    journey: Journey
    found: dict[str, _Way]

    def way(self, name: str) -> _Way:
        """The way from `name` that says least."""
        group = self.journey.groups.get(name)
        state = self.journey.states.get(group.initial if group else name)
        if state is None:
            return _NOTHING
        if state.name not in self.found:
            self.found[state.name] = _NOTHING
            self.found[state.name] = self._from(state)
        return self.found[state.name]

    def _from(self, state: State) -> _Way:
        own = _Way(states=(state.name,), said=_said(state.do))
        ways = [_after(own, way) for way in self._on(state)]
        if state.when is not None:
            ways.append(_after(_Way(states=(state.name,)), self.way(state.otherwise)))
        return min(ways, key=lambda way: way.said)

    def _on(self, state: State) -> list[_Way]:
        match state.doing:
            case None:
                return [self.way(state.then)]
            case Branch(arms=arms):
                return [self.way(arm.goto) for arm in arms]
            case Split(arms=split_arms):
                return [self.way(arm.goto) for arm in split_arms]
            case Ask() as ask:
                return [_Way(said=1), *([self.way(state.then)] if self._may_be_known(ask) else [])]
            case _:
                return [_NOTHING]

    def _may_be_known(self, ask: Ask) -> bool:
        """Whether it may be answered without being asked: by the message that leads here, or from before."""
        slot = self.journey.slots.get(ask.slot)
        if slot is None or slot.type != "text":
            return True
        return slot.prefill is not None or slot.ttl is not None or bool(slot.consent)


def _after(first: _Way, then: _Way) -> _Way:
    return _Way(states=(*first.states, *then.states), said=first.said + then.said)
