"""Every name that a file uses stands for something. Rules J103, J111, J113, J203, J206, J213."""

from collections.abc import Collection, Iterable
from typing import assert_never

from bot.authoring.checks.circles import circle, way_of_length
from bot.authoring.drafts import Drafts, slot_names, state_names, var_names
from bot.authoring.page import Page, Reference
from bot.authoring.read_journey import JourneyDraft
from bot.authoring.read_people import ATTRIBUTES_OF_THE_ENGINE
from bot.authoring.suggest import meant
from bot.core.journey import CallJourney

CALL_DEPTH_MAX = 3
"""Calls within calls that the engine makes. Source: journey-language.md 3.11."""
ADVISOR_ROLE = "顾问"
"""The role of those whom `to: advisor` may find."""
EVENTS = (
    "message",
    "oa.follow",
    "oa.scan",
    "oa.click",
    "oa.view",
    "oa.unfollow",
    "template.finished",
    "subscription.granted",
    "subscription.rejected",
    "subscription.sent",
    "send.expired",
)
"""Events of version 1 that a journey may wait for. Source: core/events.py."""
ERRORS = (
    "*",
    "send.window_closed",
    "send.no_identity",
    "send.burst",
    "send.rejected",
    "consent.missing",
    "call.depth",
    "expr.type",
    "expr.null",
    "expr.size",
)
"""Errors that the engine raises in a journey; `send.rejected` carries the platform's reason behind it."""
ERRORS_UNBUILT = (
    "send.blocked",
    "send.too_long",
    "webhook",
    "book.full",
    "handoff.nobody",
    "task.overdue",
    "migration",
    "loop",
)
EVENTS_UNBUILT = (
    "lead.opened",
    "task.done",
    "task.overdue",
    "handoff.accepted",
    "advisor.opened",
    "advisor.closed",
    "handoff.closed",
    "visit.checked_in",
    "booking.created",
    "booking.moved",
    "link.clicked",
    "effect.done",
    "effect.failed",
    "segment.entered",
    "campaign.started",
)


def check(drafts: Drafts) -> None:
    """Report every reference that leads nowhere."""
    for page in drafts.pages():
        for reference in page.references:
            if reference.kind not in ("state", "slot", "var", "purpose"):
                _outside(drafts, page, reference)
    for draft in drafts.journeys.values():
        for reference in draft.page.references:
            _inside(draft, reference)
    _recursion(drafts)


def _inside(draft: JourneyDraft, reference: Reference) -> None:
    match reference.kind:
        case "state":
            known = state_names(draft)
            if reference.name not in known:
                message = f"{reference.key}: {reference.name} 不存在{meant(reference.name, known)}"
                draft.page.say("J103", reference.span, message, help=f"本旅程的状态：{_some(known)}")
        case "slot":
            _declared(draft.page, reference, slot_names(draft), what="slots")
        case "var":
            _declared(draft.page, reference, var_names(draft), what="vars")
        case _:
            return


def _declared(page: Page, reference: Reference, known: tuple[str, ...], *, what: str) -> None:
    if reference.name not in known:
        message = f"{what}.{reference.name} 未声明{meant(reference.name, known)}"
        page.say("J203", reference.span, message, help=f"已声明：{_some(known)}")


def _some(names: Iterable[str]) -> str:
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
            _event(page, reference)
        case "error":
            _error(page, reference)
        case "argument":
            _argument(drafts, page, reference)
        case "state" | "slot" | "var" | "purpose":
            return
        case _:
            assert_never(reference.kind)


def _known(page: Page, reference: Reference, known: Collection[str], *, what: str) -> None:
    if reference.name not in known:
        page.say("J213", reference.span, f"{what}{meant(reference.name, known)}", help=f"已声明：{_some(known)}")


def _attribute(drafts: Drafts, page: Page, reference: Reference) -> None:
    if reference.name in ATTRIBUTES_OF_THE_ENGINE:
        message = f"customer.{reference.name} 由引擎维护，不能用 {reference.key} 改写"
        page.say("J206", reference.span, message, help="分数用 score，积分用 points，退订用 opt_out")
    elif drafts.attributes and reference.name not in drafts.attributes.attributes:
        known = tuple(drafts.attributes.attributes)
        message = f"customer.{reference.name} 不在 schema/customer.yaml{meant(reference.name, known)}"
        page.say("J206", reference.span, message, help=f"已声明：{_some(known)}")


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
        page.say(
            "J213", reference.span, f"未声明的角色：role:{name}{hint}", help=f"_staff.yaml 里的角色：{_some(roles)}"
        )
    ids = [member.staff_id for member in members]
    if kind == "staff" and name not in ids:
        hint = meant(f"staff:{name}", [f"staff:{one}" for one in ids])
        page.say(
            "J213", reference.span, f"未声明的成员：staff:{name}{hint}", help=f"_staff.yaml 里的成员：{_some(ids)}"
        )


def _event(page: Page, reference: Reference) -> None:
    if reference.name in EVENTS_UNBUILT:
        page.say("J090", reference.span, f"事件 “{reference.name}” 尚未实现", help=f"这一版可用：{_some(EVENTS)}")
    elif reference.key == "enter" and reference.name == "oa.unfollow":
        page.say("J090", reference.span, "由 “oa.unfollow” 进入旅程尚未实现：取消关注的客户发不到消息")
    elif reference.key == "enter" and reference.name == "send.expired":
        page.say("J090", reference.span, "由 “send.expired” 进入旅程尚未实现：它只告诉发出那条消息的旅程")
    else:
        _known(page, reference, EVENTS, what=f"未声明的事件：{reference.name}")


def _error(page: Page, reference: Reference) -> None:
    """`send.rejected.45015` belongs to `send.rejected`; `send.*` to every error of its family."""
    name = reference.name.removesuffix(".*")
    known = any(_same_family(name, one) for one in ERRORS)
    if not known and any(_same_family(name, one) for one in ERRORS_UNBUILT):
        page.say("J090", reference.span, f"错误 “{reference.name}” 尚未实现", help=f"这一版可用：{_some(ERRORS)}")
    elif not known:
        _known(page, reference, ERRORS, what=f"没有错误 “{reference.name}”")


def _same_family(name: str, known: str) -> bool:
    return name == known or f"{name}.".startswith(f"{known}.") or f"{known}.".startswith(f"{name}.")


def _argument(drafts: Drafts, page: Page, reference: Reference) -> None:
    """What is handed over by `with` must be a text variable of the journey that gets it."""
    target, name = drafts.journeys.get(reference.key), reference.name
    if target is None:
        return
    known = var_names(target)
    if name not in known:
        message = f"{reference.key} 没有变量 {name}{meant(name, known)}"
        page.say("J203", reference.span, message, help=f"它的 vars：{_some(known)}")
    elif name in target.journey.vars and target.journey.vars[name].type != "text":
        message = f"{reference.key} 的变量 {name} 不是文字，with 只能传文字"
        page.say("J207", reference.span, message, help=f"在 {reference.key} 里把它声明为 text")


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
