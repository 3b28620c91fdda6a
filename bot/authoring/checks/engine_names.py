"""What the engine itself calls things: the events that it hears and makes, and the errors that it raises.

Source: journey-language.md 3.10, core/events.py.
"""

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
    "lead.opened",
    "stage.changed",
    "task.done",
    "task.overdue",
    "handoff.accepted",
    "handoff.closed",
    "booking.created",
    "booking.moved",
    "booking.cancelled",
    "effect.done",
    "effect.failed",
    "stage.changed",
    "link.clicked",
)
"""Events of version 1 that a journey may wait for."""
EVENTS_UNBUILT = (
    "advisor.opened",
    "advisor.closed",
    "segment.entered",
    "campaign.started",
    "kf.enter_session",
    "wecom.friend_added",
    "wecom.friend_deleted",
)
"""Events of channels that are not connected, and those that nobody makes yet."""
ERRORS = (
    "*",
    "send.window_closed",
    "send.no_identity",
    "send.burst",
    "send.blocked",
    "send.rejected",
    "send.too_long",
    "consent.missing",
    "call.depth",
    "slot.no_options",
    "webhook",
    "book",
    "coupon",
    "points.short",
    "stage.no_lead",
    "errand",
    "handoff.nobody",
    "task.overdue",
    "reads",
    "expr.type",
    "expr.null",
    "expr.size",
    "loop",
)
"""Errors that the engine raises in a journey; `send.rejected` carries the platform's reason behind it, `webhook` and
`book` what went wrong with them."""
ERRORS_UNBUILT = ("migration",)
NOT_ENTERED_BY = {
    "oa.unfollow": "取消关注的客户发不到消息",
    "send.expired": "它只告诉发出那条消息的旅程",
    "effect.done": "它只告诉要做这件事的旅程",
    "effect.failed": "它只告诉要做这件事的旅程",
}
"""Events by which no journey is entered, and why."""
