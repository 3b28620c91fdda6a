"""Planning one message: which conversation, which form, rendered how, allowed by what, else which fallback."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from bot.core import policy
from bot.core.actions import Outside
from bot.core.departure import form_of, leaves_from, unsent_of
from bot.core.effects import Fallback, SendClass, SendMessage, WindowNeed
from bot.core.escaping import escape_for
from bot.core.expressions.values import EvaluationFault
from bot.core.ids import ConversationId, EffectId, StaffId, conversation_id
from bot.core.library import Content, Member
from bot.core.making import maker, quickly_made
from bot.core.messages import Image, Menu, MenuChoice, Message, TemplateMessage, Text
from bot.core.sizes import ALWAYS_FITS, bytes_max
from bot.core.step.catching import catcher
from bot.core.step.copies import Run, Talk
from bot.core.step.draft import Draft
from bot.core.step.scope import scope_of

EXPIRES_AFTER: Mapping[SendClass, timedelta] = {
    "transactional": timedelta(hours=24),
    "service": timedelta(hours=6),
    "reminder": timedelta(hours=24),
    "marketing": timedelta(hours=24),
    "staff": timedelta(hours=24),
}
"""After this a message that says nothing else about it is too late, counted from the moment it might leave: an answer
that comes the next day answers nothing, and what waits behind it in its conversation has waited long enough."""

WINDOW_REASONS = frozenset({"window_closed", "window_used", "window", "count"})
BLOCKED_REASONS = frozenset({"opted_out", "no_consent"})

Fate = Literal["planned", "replaced", "withheld", "failed"]
"""planned: it, or a template, will be sent. replaced: a task for an advisor instead. withheld: not sent, and the
journey goes on. failed: not sent, and an error was raised."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a journey wants to say. `templates_of`: the content whose templates stand in for it, itself if empty.

    `expires_at`: it stands in for a message that was to leave until then; otherwise `expire` counts from now.
    `numbered`: where the choices cannot be tapped, they stand below the text as a numbered list. `cause`: what of
    `_global.yaml` says it.
    """

    content: str
    variant: str = "normal"
    send_class: SendClass | None = None
    outside: tuple[Outside, ...] = ()
    window: WindowNeed = "auto"
    expire: timedelta | None = None
    expires_at: datetime | None = None
    choices: tuple[MenuChoice, ...] = ()
    numbered: bool = False
    templates_of: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What became of a wish. `not_before`: it was put off until then. `task_title`: a task is wanted instead.

    `error`: why it failed that belongs to no journey, which nobody was told of yet.
    """

    fate: Fate
    not_before: datetime | None = None
    task_title: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    talk: Talk
    wish: Wish
    message: Message
    fallbacks: tuple[Fallback, ...] = ()


make_wish = maker(Wish)
_PLANNED = Plan(fate="planned")
_make_offer, _make_send = maker(_Offer), maker(SendMessage)
_make_text, _make_menu, _make_request = maker(Text), maker(Menu), maker(policy.Request)


def plan(draft: Draft, run: Run, wish: Wish) -> Plan:
    """Plan `wish` for `run`: at most one message leaves. The journal says what was decided."""
    content = draft.program.content(wish.content)
    talk = _conversation_for(draft, run, content)
    if talk is None:
        return _not_sent(draft, run, wish, "send.no_identity")
    if not may_say_more(draft, talk):
        return _not_sent(draft, run, wish, "send.burst")
    message = render(draft, run, content, talk=talk, wish=wish)
    if is_too_long(message, talk.channel):
        return _not_sent(draft, run, wish, "send.too_long")
    fallbacks = _fallbacks(draft, run, content, wish) if wish.outside else ()
    return _try_message(draft, run, _make_offer(talk=talk, wish=wish, message=message, fallbacks=fallbacks))


def may_say_more(draft: Draft, talk: Talk) -> bool:
    """Whether this step may plan one more message in this conversation."""
    return draft.sent_now.get(talk.conversation_id, 0) < draft.program.rules.burst


def plan_global(draft: Draft, talk: Talk, wish: Wish) -> Plan:
    """Plan a message that belongs to no journey: the answer to an interrupt, or to nothing understood."""
    content = draft.program.content(wish.content)
    if talk.channel not in content.forms:
        return _unsaid(draft, wish, "send.no_identity")
    if not may_say_more(draft, talk):
        return _unsaid(draft, wish, "send.burst")
    try:
        message = render(draft, None, content, talk=talk, wish=wish)
        fallbacks = _fallbacks(draft, None, content, wish)
    except EvaluationFault as fault:
        return _unsaid(draft, wish, fault.code)
    if is_too_long(message, talk.channel):
        return _unsaid(draft, wish, "send.too_long")
    found = _judge_and_plan(draft, None, _make_offer(talk=talk, wish=wish, message=message, fallbacks=fallbacks))
    found = found or offer_fallbacks(draft, None, talk, wish, fallbacks)
    return Plan(fate="failed", error="send.window_closed") if found.fate == "failed" else found


def _unsaid(draft: Draft, wish: Wish, error: str) -> Plan:
    draft.trace("not_sent", content=wish.content, reason=error)
    return Plan(fate="failed", error=error)


def offer_fallbacks(draft: Draft, run: Run | None, talk: Talk, wish: Wish, fallbacks: tuple[Fallback, ...]) -> Plan:
    """Plan the first of `fallbacks` that may go; none: the send is withheld, and the caller raises the error."""
    for position, fallback in enumerate(fallbacks):
        match fallback.way:
            case "task":
                draft.trace("planned", run, content=wish.content, way="task")
                return Plan(fate="replaced", task_title=fallback.title)
            case "drop":
                draft.trace("not_sent", run, content=wish.content, reason="dropped_outside_window")
                return Plan(fate="withheld")
            case "template":
                assert fallback.message is not None, "a template fallback is rendered when it is planned"
                rest = fallbacks[position + 1 :]
                offer = _Offer(talk=talk, wish=wish, message=fallback.message, fallbacks=rest)
                found = _judge_and_plan(draft, run, offer)
                if found is not None:
                    return found
            case "sms" | "group_send":
                draft.trace("not_sent", run, content=wish.content, reason="way_without_account", way=fallback.way)
    return Plan(fate="failed")


def _try_message(draft: Draft, run: Run, offer: _Offer) -> Plan:
    """Plan the message itself, else its fallbacks, else raise `send.window_closed`."""
    found = _judge_and_plan(draft, run, offer)
    if found is not None:
        return found
    found = offer_fallbacks(draft, run, offer.talk, offer.wish, offer.fallbacks)
    if found.fate == "failed":
        draft.fail(run, "send.window_closed")
    return found


def _judge_and_plan(draft: Draft, run: Run | None, offer: _Offer) -> Plan | None:
    """Ask the policy. None: the window is shut and something else has to be tried."""
    wish, talk = offer.wish, offer.talk
    send_class = wish.send_class or "service"
    place = f"{run.state if run else wish.cause}/{wish.content}"
    effect_id = draft.new_effect_id(run.enrolment_id if run else None, place)
    request = _make_request(
        effect_id=effect_id,
        send_class=send_class,
        conversation_id=talk.conversation_id,
        channel=talk.channel,
        form=form_of(offer.message),
        reply=draft.replying,
        planning=True,
        window=wish.window,
        journey=run.journey if run else "",
    )
    verdict = policy.judge(request, customer=draft, rules=draft.program.rules, now=draft.now)
    not_before, deferred = None, ""
    if isinstance(verdict, policy.Allow):
        looked_at = verdict.trace
    elif isinstance(verdict, policy.Defer):
        looked_at, deferred = verdict.values, verdict.reason
        not_before = leaves_from(verdict, draft.base.customer_id)
    else:
        reason = verdict.reason
        draft.trace("not_sent", run, content=wish.content, reason=reason, values=dict(verdict.values))
        if reason in WINDOW_REASONS:
            return None
        return _blocked(draft, run) if reason in BLOCKED_REASONS else Plan(fate="withheld")
    _emit(draft, run, offer, request=request, not_before=not_before)
    draft.trace(
        "planned",
        run,
        content=wish.content,
        variant=wish.variant,
        effect=effect_id,
        way=offer.message.kind,
        send_class=send_class,
        deferred=deferred,
        not_before=not_before.isoformat() if not_before else None,
        values=dict(looked_at),
    )
    return _PLANNED if not_before is None else Plan(fate="planned", not_before=not_before)


def _blocked(draft: Draft, run: Run | None) -> Plan:
    """She does not want it: an error only for a journey that has a rule for just that."""
    if run is None or catcher(draft, run, "send.blocked") is None:
        return Plan(fate="withheld")
    draft.fail(run, "send.blocked")
    return Plan(fate="failed")


def _emit(
    draft: Draft, run: Run | None, offer: _Offer, *, request: policy.Request, not_before: datetime | None
) -> None:
    talk, wish = offer.talk, offer.wish
    draft.sent_now[talk.conversation_id] = draft.sent_now.get(talk.conversation_id, 0) + 1
    effect = _make_send(
        effect_id=request.effect_id,
        conversation_id=talk.conversation_id,
        channel=talk.channel,
        account=talk.account,
        to=talk.external_id,
        message=offer.message,
        content=wish.content,
        send_class=request.send_class,
        delivery=draft.program.rules.class_rules[request.send_class].delivery,
        sequence=len(draft.effects),
        enrolment_id=run.enrolment_id if run else None,
        journey=run.journey if run else "",
        state=run.state if run else "",
        visit=run.visit if run else 0,
        not_before=not_before,
        expires_at=_expiry(wish, request.send_class, now=draft.now, not_before=not_before),
        reply=request.reply,
        urgent=draft.event is not None and draft.event.urgent,
        window=wish.window,
        fallbacks=offer.fallbacks,
        cause=wish.cause,
    )
    draft.effects.append(effect)
    talk.unsent.append(unsent_of(effect, not_before=not_before))


def _expiry(wish: Wish, send_class: SendClass, *, now: datetime, not_before: datetime | None) -> datetime:
    if wish.expires_at is not None:
        return wish.expires_at
    return now + wish.expire if wish.expire else (not_before or now) + EXPIRES_AFTER[send_class]


def _not_sent(draft: Draft, run: Run, wish: Wish, error: str) -> Plan:
    draft.trace("not_sent", run, content=wish.content, reason=error)
    draft.fail(run, error)
    return Plan(fate="failed")


def _conversation_for(draft: Draft, run: Run, content: Content) -> Talk | None:
    """The run's own conversation if the content has its channel, else the latest of the journey's channel."""
    own = draft.talk_of(run)
    if own is not None and own.channel in content.forms:
        return own
    wanted = draft.program.journey(run.journey).channel
    if wanted not in content.forms:
        return None
    return draft.latest_talk(wanted)


def render(draft: Draft, run: Run | None, content: Content, *, talk: Talk, wish: Wish) -> Message:
    """The message that `wish` makes in this conversation, as the customer will see it."""
    form = content.forms[talk.channel]
    if form == "image":
        return Image(media_id=content.media)
    template = content.wording(wish.variant, talk.channel)
    scope = scope_of(draft, run, wish.extra)
    text = draft.program.text(template, scope, escape=escape_for(talk.channel)).strip()
    if form == "menu" and wish.choices:
        return _make_menu(head=text, choices=wish.choices)
    return _make_text(text=_listed(text, wish, talk.channel) if wish.numbered else text)


def _listed(text: str, wish: Wish, channel: str) -> str:
    escape = escape_for(channel)
    lines = [f"{number}. {escape(choice.text)}" for number, choice in enumerate(wish.choices, start=1)]
    return "\n".join([text, *lines])


def is_too_long(message: Message, channel: str) -> bool:
    """Whether `channel` would refuse, or cut, a message of such a length."""
    if isinstance(message, Text):
        return len(message.text) > ALWAYS_FITS and len(message.text.encode()) > bytes_max(channel, "text")
    if isinstance(message, Menu):
        return len(message.head) > ALWAYS_FITS and len(message.head.encode()) > bytes_max(channel, "menu")
    return False


def template_message(draft: Draft, run: Run | None, content: Content, name: str) -> TemplateMessage:
    """The template message `name` with the fields that `content` gives it."""
    scope = scope_of(draft, run)
    fields = tuple((field, draft.program.text(value, scope).strip()) for field, value in content.templates[name])
    return TemplateMessage(template=name, fields=fields)


def _fallbacks(draft: Draft, run: Run | None, content: Content, wish: Wish) -> tuple[Fallback, ...]:
    stand_in = draft.program.content(wish.templates_of) if wish.templates_of else content
    return tuple(_fallback(draft, run, stand_in, outside) for outside in wish.outside)


def _fallback(draft: Draft, run: Run | None, content: Content, outside: Outside) -> Fallback:
    match outside.way:
        case "template":
            return Fallback(way="template", message=template_message(draft, run, content, outside.name))
        case "task":
            return Fallback(way="task", title=f"请联系客户（{content.content} 未能送达）")
        case "drop" | "sms" | "group_send":
            return Fallback(way=outside.way)


def to_staff(draft: Draft, staff_id: StaffId, message: Message, *, path: str) -> None:
    """Plan a message to one of our people; nothing limits it but the platform."""
    member = draft.program.member(staff_id)
    if member is None:
        draft.trace("not_sent", content=f"@{path}", reason="unknown_member", staff_id=staff_id)
        return
    emit_to_staff(draft, member, message, effect_id=draft.new_effect_id(None, path), path=path)


def emit_to_staff(draft: Draft, member: Member, message: Message, *, effect_id: EffectId, path: str) -> None:
    """The same with an identity made before, for cards whose clicks must find their way back."""
    draft.effects.append(
        SendMessage(
            effect_id=effect_id,
            conversation_id=staff_conversation(member.account, member.staff_id),
            channel="app",
            account=member.account,
            to=member.staff_id,
            message=message,
            content=f"@{path}",
            send_class="staff",
            delivery="at_least_once",
            sequence=len(draft.effects),
            expires_at=draft.now + EXPIRES_AFTER["staff"],
            urgent=True,
        )
    )


def staff_conversation(account: str, staff_id: StaffId) -> ConversationId:
    """The conversation of one of our people with the application."""
    return conversation_id("app", account, staff_id)


ADVISOR_CONTENT = "@advisor"
"""Stands for the content of what an advisor typed herself."""


def say_for_advisor(draft: Draft, talk: Talk, text: str) -> str:
    """Plan an advisor's own words to the customer. The reason why not, empty when they will be sent."""
    effect_id = draft.new_effect_id(None, ADVISOR_CONTENT)
    request = policy.Request(
        effect_id=effect_id,
        send_class="transactional",
        conversation_id=talk.conversation_id,
        channel=talk.channel,
        form="free",
        reply=True,
        planning=True,
        window="auto",
    )
    verdict = policy.judge(request, customer=draft, rules=draft.program.rules, now=draft.now)
    if isinstance(verdict, policy.Refuse):
        draft.trace("not_sent", content=ADVISOR_CONTENT, reason=verdict.reason, values=dict(verdict.values))
        return verdict.reason
    message = Text(text=escape_for(talk.channel)(text))
    wish = Wish(content=ADVISOR_CONTENT, send_class="transactional")
    offer = _make_offer(talk=talk, wish=wish, message=message)
    _emit(draft, None, offer, request=request, not_before=verdict.until if isinstance(verdict, policy.Defer) else None)
    draft.trace("planned", content=ADVISOR_CONTENT, effect=effect_id, way="text")
    return ""
