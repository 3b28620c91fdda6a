"""Wording of what goes to our own people, and of who has the floor."""

from bot.runtime.why.detail import Detail, Said, Words
from bot.runtime.why.line import Tone
from bot.runtime.why.names import BUTTONS, TASKS, member

CLICKED = "clicked_"


def _task(detail: Detail) -> Said:
    outcome = detail.text("outcome")
    what = TASKS.get(detail.text("task_kind"), "任务")
    if outcome.startswith(CLICKED):
        key = outcome.removeprefix(CLICKED)
        return Said(text=f"{_member(detail)} 在{what}卡片上点了“{BUTTONS.get(key, key)}”", tone="ok", outcome=outcome)
    text, tone = _task_words(detail, outcome, what)
    return Said(text=text, tone=tone, outcome=outcome)


def _task_words(detail: Detail, outcome: str, what: str) -> tuple[str, Tone]:
    to = detail.text("to")
    match outcome:
        case "offered":
            return f"{what}派给{_member(detail)}（{to}）", "ok"
        case "nobody":
            return f"{what}派不出去：没有可以接的人（{to}）", "no"
        case "contacted":
            return f"{_member(detail)} 已联系客户，不再算超时", "ok"
        case "overdue":
            return f"{what}超时，{_member(detail)} 还没有联系客户" + (f"；通知 {to}" if to else ""), "no"
        case "card_not_delivered":
            return f"{what}卡片没有送到{_member(detail)}，改派其他同事", "no"
        case "withdrawn":
            return f"给{_member(detail)} 的{what}撤回：客户未完成的任务太多", "no"
        case "click_too_late":
            key = detail.text("key")
            return f"{_member(detail)} 点“{BUTTONS.get(key, key)}”太晚：{what}已结束或已转给别人", "no"
        case _:
            return f"{what}：{outcome}", "info"


def _handoff(detail: Detail) -> Said:
    outcome = detail.text("outcome")
    words: dict[str, tuple[str, Tone]] = {
        "offered": (f"转人工：请{_member(detail)} 接入", "ok"),
        "off_hours": (f"不转人工：现在不在“{detail.text('hours')}”内，走 fallback", "no"),
        "nobody_on_duty": ("转人工失败：没有在岗或还没问过的同事，走 fallback", "no"),
        "forwarded": (f"客户在等{_member(detail)} 接受，来信先转给 TA", "ok"),
        "never_spoke": (f"{_member(detail)} 接受后一直没有发言，转给下一位同事", "no"),
        "unreachable": (f"{_member(detail)} 收不到消息，转给下一位同事", "no"),
        "not_accepted_in_time": ("转人工失败：没有人按时接受，走 fallback", "no"),
    }
    text, tone = words.get(outcome, (f"转人工：{outcome}", "info"))
    return Said(text=text, tone=tone, outcome=outcome)


def _floor(detail: Detail) -> Said:
    outcome = detail.text("outcome")
    words: dict[str, tuple[str, Tone]] = {
        "human": (f"{_member(detail)} 接手对话，机器人保持安静", "ok"),
        "human_left": (f"{_member(detail)} 结束对话，机器人可以说话了", "info"),
        "forwarded": (f"对话由{_member(detail)} 接手，来信转给 TA，机器人不回", "ok"),
        "queued": (
            f"{detail.journey} 的问题先排队：{detail.text('behind') or '另一方'} 正在和客户对话，说完就问",
            "no",
        ),
        "put_off": (f"{detail.journey} 的问题过几秒再问：这一次已经说得够多（_global.yaml 的 burst）", "no"),
        "paused": (f"{detail.journey} 的问题暂停，回答时限停表", "info"),
        "resumed": (f"{detail.journey} 轮到说话，重新问", "ok"),
        "too_late_to_resume": (f"{detail.journey} 停了太久，不再追问，按超时处理", "no"),
    }
    text, tone = words.get(outcome, (f"话语权：{outcome}", "info"))
    return Said(text=text, tone=tone, outcome=outcome)


def _member(detail: Detail) -> str:
    return member(detail.text("staff_id"))


WORDS: Words = {"task": _task, "handoff": _handoff, "floor": _floor}
