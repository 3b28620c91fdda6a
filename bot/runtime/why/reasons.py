"""Why something was not done, in words: reasons of the policy, of the platform, of a step, of a dispatch."""

import re
from collections.abc import Callable, Mapping

from bot.core.events import Json
from bot.errors import Spoilt
from bot.runtime.why.line import Wall, read_moment, span

CLASSES = {
    "all": "全部消息",
    "transactional": "事务消息",
    "service": "服务消息",
    "reminder": "提醒",
    "marketing": "营销消息",
    "staff": "给同事的消息",
}
_REASONS = {
    # the contact policy; those with figures stand in _MEASURED
    "unreachable": "客户已取消关注，或这个会话已不可达",
    "opted_out": "客户已退订",
    "no_consent": "没有客户的授权",
    "human_has_floor": "同事正在和客户对话",
    "quiet_hours": "现在是免打扰时段",
    "day_off": "今天不是工作日，这个旅程只在工作日打扰客户",
    "cap": "频控次数已满",
    "window_closed": "可回复时段已关闭",
    "window_used": "可回复时段内的条数已用完",
    # the platform's verdict
    "window": "平台说可回复时段已关闭",
    "count": "平台说可回复的条数已用完",
    "gone": "平台说对方已取消关注，或账号不存在",
    "refused_by_user": "平台说对方拒收消息",
    "no_grant": "没有剩下的订阅授权",
    "refused": "平台认为消息本身有误",
    # the outbox
    "expired": "过了最晚发送时间",
    "no_verdict": "请求发出后没有等到平台的答复",
    "lease over": "请求发出后没有等到平台的答复",
    "process ended": "请求发出时程序中断，没有收到平台的答复",
    "bug": "我们的程序出错，没有发出",
    "try_later": "平台要求稍后再试，或暂时连不上",
    "unauthorised": "访问凭证被拒绝",
    "forbidden": "平台没有给这个权限",
    "unreadable": "记录打不开（密钥不对，或数据损坏），这一次没有发出",
    "unreadable_begun": "记录打不开（密钥不对，或数据损坏），不知道是否送达",
    "rate": "平台限制每位成员的条数（每分钟和每小时），超出的会被平台悄悄丢掉",
    "operator": "运营决定再发一次",
    "catching_up": "泳道刚放开，先处理完客户之前的来信，再看这一条还能不能发",
    "left": "运营决定不再发",
    # what the platform reported later about a template message
    "user_block": "平台报告：客户拒收",
    "failed": "平台报告：没有送达",
    # the step
    "left_state": "客户已离开计划它的状态",
    "exit": "旅程的退出条件已满足，或目标已达成，不再发送",
    "repeat_not_wanted": "不知道是否送达，而客户已经往前走了，不再重发",
    "dropped_outside_window": "旅程写明：发不出去就放弃（outside: drop）",
    "way_without_account": "短信和企业微信群发还没有接入账号，这一种备选跳过",
    "said_already": "这次旅程里用同一个 key 已经说过，不再说",
    "said_already_to_her": "打断词用同一个 key 已经对这位客户说过，不再说",
    "send.burst": "这一次推进在同一会话里能发的条数已用完（_global.yaml 的 burst，最多 3 条）",
    "send.no_identity": "没有可以发送的会话",
    "unknown_member": "成员名单（_staff.yaml）里没有这位同事",
}
_ERRORS = {
    "send.window_closed": "可回复时段已关闭，也没有能用的备选",
    "send.blocked": "客户已退订，或没有授权",
    "send.too_long": "文字超过平台允许的长度",
    "handoff.nobody": "没有同事可以接待，旅程也没有写 fallback",
    "task.overdue": "任务过了截止时间",
    "slot.no_options": "没有可以给客户选的选项",
    "consent.missing": "还没有收集它所需的授权",
    "expr.type": "表达式的值类型不对",
    "expr.null": "表达式用到的值是空的",
    "expr.size": "表达式的值太大",
    "loop": "一次推进走的步数太多，可能在循环",
    "too_many_steps_today": "今天推进的次数太多",
    "call.depth": "旅程互相调用的层数太深",
    "webhook.timeout": "外部系统一直没有答复",
    "webhook.3xx": "外部系统要求转到别处，没有照做",
    "webhook.4xx": "外部系统拒绝了请求",
    "webhook.5xx": "外部系统出错",
    "webhook.no_target": "config.toml 里没有这个 webhook",
    "webhook.bad_answer": "外部系统答复的不是 JSON，或者太长",
    "book.full": "这个时段已经约满",
    "book.lapsed": "位子保留超时，已经放掉",
    "book.no_slot": "没有这个时段，或不在可预约的时间内",
    "book.no_booking": "没有可以取消的预约",
    "book.several": "客户有几个这样的预约，不知道取消哪一个",
    "book.failed": "预约没有办成",
    "coupon.already": "已经发过，不再发",
    "points.short": "积分不够扣",
    "errand.failed": "委托没有办成，而且没有说明原因",
    "stage.no_lead": "客户还没有线索，不能改阶段",
}
_UNOPENED = {
    "key": "它是用密钥版本 {version} 加密的，配置里没有这个版本",
    "damaged": "密钥版本 {version} 解不开它：密钥不是当时的那一个，或数据损坏",
    "form": "解开后不是这个版本的程序认得的内容：由更新的程序写入，或被人改过",
}
_SPOILT_LANE = re.compile(r"Spoilt: (?P<kind>key|damaged|form) (?P<version>\d+) at ")
_REJECTED = "send.rejected."


def because(reason: str, values: Mapping[str, Json], wall: Wall) -> str:
    """The reason in words, with the values it was decided by. A reason without words is shown as it is."""
    measured = _MEASURED.get(reason)
    if measured is not None and values:
        return measured(values, wall)
    if reason.isascii() and reason.isdigit():
        return f"平台错误码 {reason}"
    plain = _REASONS.get(reason) or _ERRORS.get(reason) or reason or "没有记录原因"
    return f"{plain}（{wall.pairs(values)}）" if values else plain


def error_words(code: str) -> str:
    """An error of a journey in words, its code behind it."""
    if code.startswith(_REJECTED):
        return f"{because(code.removeprefix(_REJECTED), {}, Wall())}（{code}）"
    plain = _ERRORS.get(code) or _REASONS.get(code)
    return f"{plain}（{code}）" if plain else code


def unopened(error: Spoilt) -> str:
    """Why a row does not open, in words."""
    return _unopened(error.kind, str(error.key_version))


def parked_because(reason: str) -> str:
    """Why a lane stands still: in words where a row does not open, as it is stored where it was a bug."""
    found = _SPOILT_LANE.match(reason)
    return _unopened(found["kind"], found["version"]) if found else reason


def _unopened(kind: str, version: str) -> str:
    if kind == "damaged" and version == "0":
        return "数据不完整"
    return _UNOPENED[kind].format(version=version)


def known(reason: str) -> bool:
    """Whether there are words for this reason or error."""
    return reason in _REASONS or reason in _ERRORS


def _unreachable(values: Mapping[str, Json], wall: Wall) -> str:
    return _REASONS["unreachable"] if values.get("known") else "和客户还没有这个会话"


def _opted_out(values: Mapping[str, Json], wall: Wall) -> str:
    scope = str(values.get("scope"))
    return f"客户已退订{CLASSES.get(scope, scope)}（{wall.written(values.get('since'))}起）"


def _no_consent(values: Mapping[str, Json], wall: Wall) -> str:
    purpose = values.get("purpose")
    return f"客户撤回了“{purpose}”授权" if values.get("withdrawn") else f"没有客户的“{purpose}”授权"


def _human(values: Mapping[str, Json], wall: Wall) -> str:
    staff_ids = values.get("staff_ids")
    names = "、".join(str(name) for name in staff_ids) if isinstance(staff_ids, list) else ""
    return f"同事 {names} 正在和客户对话"


def _quiet(values: Mapping[str, Json], wall: Wall) -> str:
    whose = f"旅程 {values['journey']} 的" if values.get("journey") else ""
    return f"{whose}免打扰时段，到 {wall.written(values.get('until'))} 为止"


def _day_off(values: Mapping[str, Json], wall: Wall) -> str:
    return f"今天不是工作日，旅程 {values.get('journey')} 只在工作日打扰客户，等到 {wall.written(values.get('until'))}"


def _cap(values: Mapping[str, Json], wall: Wall) -> str:
    per_s = values.get("per_s")
    within = span(per_s) if isinstance(per_s, int | float) else "?"
    return f"频控“{values.get('cap')}”已满：{within}内 {values.get('counted')} 条，上限 {values.get('max')} 条"


def _window_closed(values: Mapping[str, Json], wall: Wall) -> str:
    if read_moment(values.get("closed_at")) is None:
        return "没有打开的可回复时段（要等客户来信或点菜单）"
    return f"可回复时段已关闭（剩 {values.get('left')} 条，关闭于 {wall.written(values.get('closed_at'))}）"


def _window_used(values: Mapping[str, Json], wall: Wall) -> str:
    ahead = values.get("ahead")
    queue = f"，排在前面的有 {ahead} 条" if ahead else ""
    closes = wall.written(values.get("closed_at"))
    return f"可回复时段内的条数已用完（剩 {values.get('left')} 条{queue}，关闭于 {closes}）"


_MEASURED: Mapping[str, Callable[[Mapping[str, Json], Wall], str]] = {
    "unreachable": _unreachable,
    "opted_out": _opted_out,
    "no_consent": _no_consent,
    "human_has_floor": _human,
    "quiet_hours": _quiet,
    "day_off": _day_off,
    "cap": _cap,
    "window_closed": _window_closed,
    "window_used": _window_used,
}
