"""What things are called in a story: events, timers, contents of our own, forms of messages, buttons of cards."""

EVENTS = {
    "message": "客户来信",
    "oa.follow": "客户关注公众号",
    "oa.scan": "客户扫码",
    "oa.unfollow": "客户取消关注",
    "oa.click": "客户点公众号菜单",
    "oa.view": "客户打开公众号菜单里的网页",
    "template.finished": "模板消息有了结果",
    "subscription.granted": "客户同意接收订阅消息",
    "subscription.rejected": "客户不接收订阅消息",
    "subscription.sent": "订阅消息已送达",
    "card.clicked": "同事点卡片按钮",
    "advisor.said": "同事给客户写了一句话",
    "send.refused": "消息没有发出去",
    "send.unknown": "消息不知道是否送达",
    "send.expired": "消息过期，没有发出",
    "effect.done": "外部动作办成了",
    "effect.failed": "外部动作没有办成",
    "booking.created": "有了预约",
    "booking.moved": "预约改期",
    "booking.cancelled": "预约取消",
    "stage.changed": "线索阶段变了",
    "exit.check": "再看一次退出条件",
    "segment.entered": "客户进入人群",
    "schedule.due": "到了定时进入的时刻",
    "api": "其他系统触发",
    "lead.opened": "新建线索",
    "handoff.accepted": "同事接受了转人工",
    "handoff.closed": "同事结束了会话",
    "task.done": "任务完成",
    "task.overdue": "任务超时",
}
"""An event whose type is not here is called by its type."""

MESSAGES = {
    "text": "文字",
    "image": "图片",
    "voice": "语音",
    "video": "视频",
    "location": "位置",
    "link": "链接",
    "menu_tap": "点了消息里的选项",
}
"""Kinds of a customer's message."""

FORMS = {
    "text": "文字",
    "markdown": "图文文字",
    "image": "图片",
    "menu": "带选项的消息",
    "template": "模板消息",
    "card": "卡片",
}
"""Forms of what we send."""

TIMERS = {
    "goal_within": "对照组的目标期限到",
    "wait": "等待时间到",
    "timeout": "等客户回答的时限到",
    "ask": "刚才说得够多，现在轮到它提问",
    "accept": "同事接单的时限到",
    "max_age": "旅程的最长时间到",
}
TASK_OWNER, FLOOR_OWNER, ENTRY_OWNER = "_task", "_floor", "_entry"
OWNERS = {
    TASK_OWNER: "任务的截止时间到",
    FLOOR_OWNER: "同事和客户的会话静默到时",
    ENTRY_OWNER: "推迟进入旅程的时刻到",
}

BUTTONS = {"accept": "接受", "busy": "忙，转同事", "open": "打开会话", "close": "结束会话", "done": "已完成"}
TASKS = {"task": "任务", "handoff": "转人工"}
BUCKETS = {"message": "来信", "menu_click": "点菜单", "follow": "关注", "scan": "扫码"}

ADVISOR_CONTENT = "@advisor"
_OWN_CONTENTS = {
    "@advisor": "同事写给客户的话",
    "@task": "任务卡片",
    "@handoff": "转人工卡片",
    "@card": "卡片更新",
    "@forward": "转给同事的客户来信",
    "@forward_waiting": "转给同事的客户来信（等 TA 接受期间）",
    "@overdue": "任务超时通知",
    "@hold_over": "会话自动结束通知",
    "@back_to_bot": "客户已回到机器人的通知",
    "@customer_gone": "客户已离开的通知",
    "@not_delivered": "未送达通知",
    "@taken_over": "会话已由其他同事接手的通知",
    "@now_with": "打开会话的提示",
    "@sent_to": "发言去向的提示",
    "@nobody_else": "没有其他同事可接的通知",
    "@no_conversation": "“没有打开的会话”通知",
}


def event_name(kind: str) -> str:
    """What happened, in words; the type itself when there are none."""
    return EVENTS.get(kind, kind)


def timer_name(owner: str, timer_id: str) -> str:
    """What a timer is for, in words."""
    return OWNERS.get(owner) or TIMERS.get(timer_id) or f"定时器 {timer_id.removeprefix('@')} 到点"


def content_name(content: str) -> str:
    """A content of the marketer's by its id; one of our own (`@task`, `@card/ID`) in words."""
    return _OWN_CONTENTS.get(content.partition("/")[0], content) if content.startswith("@") else content


def member(staff_id: str) -> str:
    """One of our people."""
    return f"同事 {staff_id}" if staff_id else "（没有指定同事）"
