"""Every name that a file uses stands for something. Rules J103, J111, J113, J203, J206, J213, J704."""

from collections.abc import Collection, Iterable
from typing import assert_never

from bot.authoring.checks.circles import circle, way_of_length
from bot.authoring.checks.engine_names import ERRORS, ERRORS_UNBUILT, EVENTS, EVENTS_UNBUILT, NOT_ENTERED_BY
from bot.authoring.drafts import Drafts, save_names, slot_names, target_names, var_names
from bot.authoring.page import Page, Reference
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.read_people import ATTRIBUTES_OF_THE_ENGINE
from bot.authoring.shelf import BOOKINGS
from bot.authoring.shelf import EVENTS as EVENTS_FILE
from bot.authoring.shelf import INTENTS as INTENTS_FILE
from bot.authoring.suggest import meant
from bot.core.expressions.declared import TYPES
from bot.core.library import Attribute
from bot.core.slots import Slot
from bot.core.states import Book, CallJourney

CALL_DEPTH_MAX = 3
"""Calls within calls that the engine makes. Source: journey-language.md 3.11."""
ADVISOR_ROLE = "顾问"
"""The role of those whom `to: advisor` may find."""

__all__ = ["ADVISOR_ROLE", "EVENTS", "check", "known_events", "some"]


def check(drafts: Drafts) -> None:
    """Report every reference that leads nowhere."""
    shipped = [draft.page for draft in drafts.journeys.values() if draft.shipped]
    for page in drafts.pages():
        for reference in page.references:
            # What comes with the product finds whoever there is, or nobody.
            if reference.kind != "person" or not any(page is one for one in shipped):
                _outside(drafts, page, reference)
    if drafts.rules:
        _anybodys_bookings(drafts, drafts.rules.page)
    for draft in drafts.journeys.values():
        for reference in draft.page.references:
            _inside(draft, reference)
            if reference.kind == "attribute" and reference.key == "save":
                _kept(drafts, draft, reference)
    _recursion(drafts)


def _anybodys_bookings(drafts: Drafts, page: Page) -> None:
    """What `_global.yaml` cancels must be kept by some journey; where one could not be read, anything may be."""
    doings = [state.doing for draft in drafts.journeys.values() for state in draft.journey.states.values()]
    kept = tuple(dict.fromkeys(doing.save for doing in doings if isinstance(doing, Book)))
    all_read = drafts.journeys.keys() == drafts.journey_names
    for reference in page.references:
        if reference.kind == "saved" and reference.name not in kept and all_read:
            message = f"没有一段旅程的 book 把预约存成 “{reference.name}”{meant(reference.name, kept)}"
            page.say("J203", reference.span, message, help=f"存过的名字：{some(kept)}")


def _inside(draft: JourneyDraft, reference: Reference) -> None:
    match reference.kind:
        case "state":
            known = target_names(draft)
            if reference.name not in known:
                message = f"{reference.key}: {reference.name} 不存在{meant(reference.name, known)}"
                draft.page.say("J103", reference.span, message, help=f"本旅程的状态：{some(known)}")
        case "slot":
            _declared(draft.page, reference, slot_names(draft), what="slots.")
        case "var":
            _declared(draft.page, reference, var_names(draft), what="vars.")
        case "saved":
            _declared(draft.page, reference, save_names(draft), what="save 里的 ")
        case "moved":
            _moved(draft, reference)
        case _:
            return


def _kept(drafts: Drafts, draft: JourneyDraft, reference: Reference) -> None:
    """What a slot is saved under can hold its answers."""
    attribute = drafts.attributes.attributes.get(reference.name) if drafts.attributes else None
    if attribute is None or (drafts.attributes and reference.name in drafts.attributes.untyped):
        return
    saved = [slot for slot in draft.journey.slots.values() if slot.save == f"customer.{reference.name}"]
    for slot in saved:
        if not _holds(attribute, slot):
            message = f"类型不符：槽 {slot.name} 是 {slot.type}，不能存到 customer.{reference.name}（{attribute.type}）"
            draft.page.say("J207", reference.span, message, help="把属性或槽改成同一类型")
        elif attribute.type == "choice":
            _kept_option(draft, reference, slot, attribute)


def _holds(attribute: Attribute, slot: Slot) -> bool:
    """Whether an answer to `slot` is a value of `attribute`: a text holds whatever is a text or a number."""
    match attribute.type:
        case "choice" | "location" | "image":
            return slot.type == attribute.type
        case "file":
            return slot.type in ("file", "image")
        case _ if slot.type in ("location", "image", "file"):
            return False
        case _:
            return TYPES[attribute.type] in ("text", TYPES[slot.type])


def _kept_option(draft: JourneyDraft, reference: Reference, slot: Slot, attribute: Attribute) -> None:
    """Every option of a slot is one of the attribute that it is saved under."""
    name = f"customer.{attribute.name}"
    if slot.options_from is not None:
        message = f"槽 {slot.name} 的选项要到问的时候才知道，不能存到只有 {'/'.join(attribute.options)} 的 {name}"
        draft.page.say("J207", reference.span, message, help=f"给槽写出 options，或把 {name} 的类型改成 text")
    for option in slot.options:
        if attribute.options and option not in attribute.options:
            message = f"{name} 没有槽 {slot.name} 的选项 “{option}”{meant(option, attribute.options)}"
            help = f"在 schema/customer.yaml 里给 {attribute.name} 加上它"
            draft.page.say("J214", reference.span, message, help=help)


def _declared(page: Page, reference: Reference, known: tuple[str, ...], *, what: str) -> None:
    if reference.name not in known:
        message = f"{what}{reference.name} 未声明{meant(reference.name, known)}"
        page.say("J203", reference.span, message, help=f"已声明：{some(known)}")


def _moved(draft: JourneyDraft, reference: Reference) -> None:
    """An old name is gone, a new one is there, or was moved on in its turn."""
    here = (*target_names(draft), *slot_names(draft))
    if reference.key == "from" and reference.name in here:
        message = f"moved.from “{reference.name}” 现在仍存在"
        draft.page.say("J704", reference.span, message, help="删掉这一项，或把那个状态、槽改名")
    if reference.key == "to" and reference.name not in (*here, *draft.journey.moved):
        message = f"moved.to: {reference.name} 不存在{meant(reference.name, here)}"
        draft.page.say("J103", reference.span, message, help=f"本旅程的状态和槽：{some(here)}")


def some(names: Iterable[str]) -> str:
    """The first of `names`, for the help of a finding."""
    listed = list(names)
    return "、".join(listed[:12]) + ("…" if len(listed) > 12 else "") if listed else "（没有）"


def _outside(drafts: Drafts, page: Page, reference: Reference) -> None:
    match reference.kind:
        case "journey":
            if reference.name not in drafts.journey_names:
                hint = meant(reference.name, sorted(drafts.journey_names))
                page.say("J113", reference.span, f"{reference.key}: {reference.name} 不存在{hint}")
        case "attribute":
            _attribute(drafts, page, reference)
        case "person":
            _person(drafts, page, reference)
        case "hours":
            if drafts.rules:
                known = tuple(drafts.rules.rules.working_hours)
                _known(page, reference, known, what=f"营业时间 “{reference.name}” 没有在 _global.yaml 声明")
        case "event":
            _event(drafts, page, reference)
        case "error":
            _error(page, reference)
        case "argument":
            _argument(drafts, page, reference)
        case "intent":
            if INTENTS_FILE not in drafts.unread:
                intents = drafts.intents.intents if drafts.intents else {}
                _known(page, reference, intents, what=f"意图 “{reference.name}” 没有在 {INTENTS_FILE} 声明")
        case "segment":
            _known(page, reference, drafts.segments, what=f"没有人群 segments/{reference.name}.yaml")
        case "webhook":
            if drafts.webhooks is not None:
                what = f"webhook 目标 “{reference.name}” 没有在 config.toml 登记"
                if drafts.webhooks:
                    _known(page, reference, drafts.webhooks, what=what)
                else:
                    help = f"在 config.toml 写 [webhooks.{reference.name}]，加上它的 url 和 key"
                    page.say("J213", reference.span, what, help=help)
        case "resource":
            resources = {one.resource for one in drafts.bookings.resources} if drafts.bookings else set[str]()
            if BOOKINGS not in drafts.unread:
                _known(page, reference, resources, what=f"“{reference.name}” 没有在 {BOOKINGS} 里声明")
        case "state" | "slot" | "var" | "saved" | "moved" | "purpose":
            return
        case _:
            assert_never(reference.kind)


def _known(page: Page, reference: Reference, known: Collection[str], *, what: str) -> None:
    if reference.name not in known:
        hint = meant(reference.name, sorted(known))
        page.say("J213", reference.span, f"{what}{hint}", help=f"已声明：{some(known)}")


def _attribute(drafts: Drafts, page: Page, reference: Reference) -> None:
    if reference.name in ATTRIBUTES_OF_THE_ENGINE:
        message = f"customer.{reference.name} 由引擎维护，不能用 {reference.key} 改写"
        page.say("J206", reference.span, message, help="分数用 score，积分用 points，退订用 opt_out")
    elif drafts.attributes and reference.name not in drafts.attributes.attributes:
        known = tuple(drafts.attributes.attributes)
        message = f"customer.{reference.name} 不在 schema/customer.yaml{meant(reference.name, known)}"
        page.say("J206", reference.span, message, help=f"已声明：{some(known)}")


def _person(drafts: Drafts, page: Page, reference: Reference) -> None:
    if drafts.staff is None:
        return
    members = drafts.staff.members
    roles = sorted({role for member in members for role in member.roles})
    kind, _, name = reference.name.partition(":")
    if kind == "advisor" and ADVISOR_ROLE not in roles:
        page.say("J213", reference.span, f"to: advisor 找不到人：_staff.yaml 里没有人的角色是 {ADVISOR_ROLE}")
    if kind == "role" and name not in roles:
        hint = meant(f"role:{name}", [f"role:{role}" for role in roles])
        message = f"未声明的角色：role:{name}{hint}"
        page.say("J213", reference.span, message, help=f"_staff.yaml 里的角色：{some(roles)}")
    ids = [member.staff_id for member in members]
    if kind == "staff" and name not in ids:
        hint = meant(f"staff:{name}", [f"staff:{one}" for one in ids])
        message = f"未声明的成员：staff:{name}{hint}"
        page.say("J213", reference.span, message, help=f"_staff.yaml 里的成员：{some(ids)}")


def known_events(drafts: Drafts) -> tuple[str, ...]:
    """Every event that a journey may name: the engine's, and those that are declared."""
    return (*EVENTS, *(drafts.events.events if drafts.events else ()))


def _event(drafts: Drafts, page: Page, reference: Reference) -> None:
    declared = drafts.events.events if drafts.events else {}
    name = reference.name
    if name in EVENTS_UNBUILT and name not in declared:
        page.say("J090", reference.span, f"事件 “{name}” 尚未实现", help=f"这一版可用：{some(EVENTS)}")
    elif reference.key == "enter" and name in NOT_ENTERED_BY:
        page.say("J090", reference.span, f"由 “{name}” 进入旅程尚未实现：{NOT_ENTERED_BY[name]}")
    elif reference.key == "emit" and name in EVENTS:
        page.say("J213", reference.span, f"“{name}” 由引擎发出，不能 emit", help=f"在 {EVENTS_FILE} 声明一个自己的事件")
    elif EVENTS_FILE not in drafts.unread:
        help = f"引擎的事件：{some(EVENTS)}；自己的事件在 {EVENTS_FILE} 声明：{some(declared)}"
        if name not in (*EVENTS, *declared):
            hint = meant(name, (*EVENTS, *declared))
            page.say("J213", reference.span, f"未声明的事件：{name}{hint}", help=help)


def _error(page: Page, reference: Reference) -> None:
    """`send.rejected.45015` belongs to `send.rejected`; `send.*` to every error of its family."""
    name = reference.name.removesuffix(".*")
    known = any(_same_family(name, one) for one in ERRORS)
    if not known and any(_same_family(name, one) for one in ERRORS_UNBUILT):
        page.say("J090", reference.span, f"错误 “{reference.name}” 尚未实现", help=f"这一版可用：{some(ERRORS)}")
    elif not known:
        _known(page, reference, ERRORS, what=f"没有错误 “{reference.name}”")


def _same_family(name: str, known: str) -> bool:
    return name == known or f"{name}.".startswith(f"{known}.") or f"{known}.".startswith(f"{name}.")


def _argument(drafts: Drafts, page: Page, reference: Reference) -> None:
    """What is handed over by `with` must be a variable of the journey that gets it."""
    target, name = drafts.journeys.get(reference.key), reference.name
    if target is None:
        return
    known = var_names(target)
    if name not in known:
        message = f"{reference.key} 没有变量 {name}{meant(name, known)}"
        page.say("J203", reference.span, message, help=f"它的 vars：{some(known)}")


def _recursion(drafts: Drafts) -> None:
    calls = {name: _calls(draft) for name, draft in drafts.journeys.items()}
    for name, draft in drafts.journeys.items():
        cycle = circle(name, calls)
        deep = () if cycle else way_of_length(name, calls, CALL_DEPTH_MAX + 1)
        what = "call 形成递归" if cycle else f"call 嵌套超过 {CALL_DEPTH_MAX} 层"
        way = cycle or deep
        if way:
            found = next(one for one in draft.page.references if one.kind == "journey" and one.name == way[1])
            help = "改用 start（开始后不等待），或把公共部分拆成第三个旅程"
            draft.page.say("J111", found.span, f"{what}：{' → '.join(way)}", help=help)


def _calls(draft: JourneyDraft) -> tuple[str, ...]:
    doings = (state.doing for state in draft.journey.states.values())
    return tuple(dict.fromkeys(doing.journey for doing in doings if isinstance(doing, CallJourney)))
