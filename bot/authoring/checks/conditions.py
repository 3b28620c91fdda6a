"""Conditions that are settled before anybody asks: dead branches, and checks that refuse all or nothing.

Rules J108, J109, J209. What cannot be proved is left alone.
"""

from bot.authoring.checks import options
from bot.authoring.checks.certain import Certain, Domain, Domains, certain
from bot.authoring.checks.environment import Environments
from bot.authoring.drafts import Drafts
from bot.authoring.page import Formula
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.suggest import meant
from bot.core.expressions.analyse import nodes
from bot.core.expressions.tree import Expression, Node
from bot.core.expressions.types import Path, TypeEnv
from bot.core.journey import Journey
from bot.core.slots import Slot
from bot.core.states import Branch, State

_COUNT = Domain(least=0, whole=True, null=False)


def check(drafts: Drafts) -> None:
    """Report options that nobody can choose, and conditions that always or never hold."""
    environments = Environments(drafts)
    for draft in drafts.journeys.values():
        closed = {**options.attributes_of(drafts), **options.variables_of(draft)}
        domains = _domains(draft.journey, closed, _defaulted(drafts), environments.inside(draft))
        settled = {
            id(formula)
            for formula in draft.page.formulas
            if _no_such_option(draft, formula) or any(options.misnamed(formula, closed))
        }
        open_ = [formula for formula in draft.page.formulas if id(formula) not in settled and formula.wants == "guard"]
        for formula in open_:
            _alone(draft, formula, domains)
        for state in draft.journey.states.values():
            _in_state(draft, state, [one for one in open_ if one.state == state.name], domains)


def _in_state(draft: JourneyDraft, state: State, written: list[Formula], domains: Domains) -> None:
    """`written`: the conditions of the state, in the order of the file. Two may be the same, word for word."""
    for formula in _taken(written, state.when):
        _always(draft, formula, domains)
    arms = state.doing.arms if isinstance(state.doing, Branch) else ()
    # An `else` in the middle is reported as such, and all behind it with it.
    if all(arm.when for arm in arms[:-1]):
        asked = [(number, one) for number, arm in enumerate(arms, start=1) for one in _taken(written, arm.when)]
        _in_turn(draft, asked, domains)


def _taken(written: list[Formula], when: Expression | None) -> list[Formula]:
    """The first of `written` that is `when`, taken out of it; nothing when it is not among them."""
    place = next((at for at, one in enumerate(written) if when is not None and one.tree is when), None)
    return [] if place is None else [written.pop(place)]


def _defaulted(drafts: Drafts) -> frozenset[Path]:
    """Attributes that are never null."""
    declared = drafts.attributes.attributes if drafts.attributes else {}
    return frozenset(("customer", name) for name, one in declared.items() if one.default is not None)


def _domains(journey: Journey, closed: options.Options, defaulted: frozenset[Path], env: TypeEnv) -> Domains:
    def of(path: Path) -> Domain:
        match path:
            case ("customer" | "vars", _):
                values = closed.get(path)
                mixed = values is None and env.type_of(path) == "any"
                return Domain(values=values, null=path not in defaulted, mixed=mixed)
            case ("slots", name):
                slot = journey.slots.get(name)
                return Domain() if slot is None else _of_slot(slot)
            case ("counts", _) | ("window", "left"):
                return _COUNT
            case ("journey", "id"):
                return Domain(values=(journey.journey,), null=False)
            case _:
                return Domain(mixed=env.type_of(path) == "any")

    return of


def _of_slot(slot: Slot) -> Domain:
    known = _options(slot)
    return Domain(values=known) if known else Domain()


def _options(slot: Slot) -> tuple[str, ...]:
    """What it may be at all; empty: anything. What `prefill` and `options_from` come to, nobody knows beforehand."""
    fixed = slot.type == "choice" and slot.options_from is None and slot.prefill is None
    return tuple(slot.options) if fixed else ()


def _no_such_option(draft: JourneyDraft, formula: Formula) -> bool:
    """J108 for a comparison of a slot with what is none of its options."""
    found = False
    for node in nodes(formula.tree.tree if isinstance(formula.tree, Expression) else formula.tree):
        for (root, slot), word in options.compared(node):
            known = _options(draft.journey.slots[slot]) if root == "slots" and slot in draft.journey.slots else ()
            if known and word not in known:
                shown = "/".join(known[: options.SHOWN_MAX])
                message = f"slots.{slot} 只有 {shown}，没有 “{word}”：这个比较永远不会相等{meant(word, known)}"
                help = f"改成已有的选项，或在 slots.{slot}.options 里加上它"
                draft.page.say("J108", draft.page.inside(formula.span, word), message, help=help)
                found = True
    return found


def _alone(draft: JourneyDraft, formula: Formula, domains: Domains) -> None:
    """J209 for a check of a slot; J108 for any other condition that never holds."""
    if not isinstance(formula.tree, Expression):
        return
    source = formula.tree.source
    found = certain([formula.tree.tree], _answer(draft, formula.slot, domains) if formula.slot else domains)
    if found is None:
        return
    if formula.slot and (found.never[0] or found.always[0]):
        says = "恒假：什么回答都过不了" if found.never[0] else "恒真：什么回答都拦不住"
        draft.page.say("J209", formula.span, f"check {says}（{source}）", help="改正条件，或去掉 check")
    elif found.never[0]:
        draft.page.say("J108", formula.span, f"条件永远不成立：{source} 恒假", help="改正条件，或删掉这一项")


def _answer(draft: JourneyDraft, name: str, domains: Domains) -> Domains:
    """The same, and `value`, the answer to this question: it is there."""
    slot = draft.journey.slots.get(name)
    known = _options(slot) if slot else ()
    value = Domain(values=known, null=False) if known else Domain(null=False)
    return lambda path: value if path == ("value",) else domains(path)


def _in_turn(draft: JourneyDraft, asked: list[tuple[int, Formula]], domains: Domains) -> None:
    """J108, J109 for the branches of a state, of which each is asked where those before it are false."""
    trees = [one.tree.tree for _, one in asked if isinstance(one.tree, Expression)]
    found = certain(trees, domains)
    if found is None:
        return
    dead = next((at for at, always in enumerate(found.always) if always), len(asked))
    for at, (number, formula) in enumerate(asked[:dead]):
        if found.never[at] and not _alone_is(trees[at], domains).never[0]:
            message = f"分支 {number} 永远不会走：前面的分支已经包含 {_source(formula)}"
            draft.page.say("J108", formula.span, message, help="把它放到前面，或删掉")
    if dead < len(asked) and (dead + 1 < len(asked) or _alone_is(trees[dead], domains).always[0]):
        formula = asked[dead][1]
        message = f"走到这里时条件恒真（{_source(formula)}），后面的分支成为死代码"
        draft.page.say("J109", formula.span, message, help="改正条件；要是都该走这里，写成 else")


def _alone_is(tree: Node, domains: Domains) -> Certain:
    return certain([tree], domains) or Certain(never=(False,), always=(False,))


def _always(draft: JourneyDraft, formula: Formula, domains: Domains) -> None:
    if isinstance(formula.tree, Expression) and _alone_is(formula.tree.tree, domains).always[0]:
        message = f"when 恒真（{_source(formula)}），else 永远不会走"
        draft.page.say("J109", formula.span, message, help="改正条件，或去掉 when 和 else")


def _source(formula: Formula) -> str:
    return formula.tree.source
