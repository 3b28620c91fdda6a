"""Every rule of the checker, with its severity and what it is about. Source: journey-language.md 4.2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`about` is one line in Chinese, for lists of rules."""

    severity: Severity
    about: str


def _error(about: str) -> Rule:
    return Rule(severity="error", about=about)


def _warning(about: str) -> Rule:
    return Rule(severity="warning", about=about)


RULES: Mapping[str, Rule] = {
    "J001": _error("用了制表符，或缩进里有全角空格"),
    "J002": _error("同一个键写了两次"),
    "J003": _error("把英文的冒号、逗号、引号或方括号写成了全角"),
    "J004": _error("花括号里的表达式被逗号拆开"),
    "J005": _error("文字以特殊符号开头却没有加引号"),
    "J006": _error("未知的键"),
    "J007": _error("id 与文件名不一致，或文件名不合规"),
    "J008": _error("值的类型或写法不对"),
    "J009": _warning("时间没有补零"),
    "J010": _error("用了 YAML 的锚点、别名、合并、标签或多文档"),
    "J011": _error("dsl 版本不受支持"),
    "J012": _error("条件里写了 {{ }}"),
    "J013": _error("文件不是合法的 YAML，或读不出来"),
    "J014": _error("缺少必填的键"),
    "J015": _error("超出文件大小、深度或数量的上限"),
    "J016": _error("几个互斥的键写在了一起"),
    "J017": _error("表达式或模板写法有误"),
    "J018": _error("缺少必需的文件"),
    "J019": _error("要写成固定的文字，不能用 {{ }}"),
    "J090": _error("语言里有，但引擎尚未实现"),
    "J101": _error("状态无法到达"),
    "J102": _error("状态没有出口"),
    "J103": _error("跳转的状态不存在"),
    "J104": _error("不等待的死循环"),
    "J105": _warning("靠时间推动的循环没有上限"),
    "J106": _error("从这个状态永远到不了 end"),
    "J107": _error("branch 最后一项必须是 else"),
    "J108": _warning("条件永远不成立，或选项里没有这个值"),
    "J109": _warning("条件恒真，后面的分支成为死代码"),
    "J110": _error("后面的 events 永远轮不到"),
    "J111": _error("call 或 use 形成递归，或嵌套超过 3 层"),
    "J112": _warning("goal 在进入前就可能已经满足"),
    "J113": _error("要调用、开始、取消的旅程或用到的片段不存在"),
    "J201": _error("ask 缺 give_up"),
    "J202": _error("ask 缺 timeout"),
    "J203": _error("用到的名字没有声明"),
    "J204": _warning("槽声明了却从未询问"),
    "J205": _warning("用到的槽在走到这里的任何一条路上都没有问过"),
    "J206": _error("客户属性没有在 schema/customer.yaml 声明"),
    "J207": _error("类型不符"),
    "J208": _error("条件的结果不是真或假"),
    "J209": _warning("check 恒真或恒假"),
    "J210": _error("同一个说法属于两个选项或两个车型"),
    "J211": _warning("自由文本槽与触发词可能混淆"),
    "J212": _error("转人工的备注里有个人信息的明文"),
    "J213": _error("事件、意图、人群、角色、成员、营业时间、webhook 或授权用途没有声明"),
    "J214": _error("选项里没有这个值"),
    "J221": _error("按人群查询的条件里有数据库算不了的部分"),
    "J222": _error("count() 缺 within"),
    "J301": _error("引用的内容不存在"),
    "J302": _warning("内容没有被任何旅程用到"),
    "J303": _error("文字最坏情况下超过平台的字节上限"),
    "J304": _error("菜单的选项太多"),
    "J305": _warning("模板消息的字段太长，会被截断"),
    "J307": _error("内容没有旅程所在渠道可用的形式"),
    "J308": _error("内容用到的变量没有声明"),
    "J309": _error("内容里的链接不是 https"),
    "J310": _warning("两个变体文字相同"),
    "J311": _warning("文案含营销敏感词"),
    "J312": _error("模板消息没有登记，或内容没有写它的字段"),
    "J313": _warning("读到的价格已经过期，或没有价格"),
    "J402": _error("一次推进说的话太多"),
    "J405": _error("定时器可能早于进入状态"),
    "J406": _error("定时器或超时永远不响"),
    "J409": _warning("定时进入落在静默时段"),
    "J410": _error("cron 写得不对"),
    "J411": _error("欢迎语前面有 webhook，等它回来时段已过"),
    "J412": _warning("整点进入会拥堵"),
    "J413": _warning("没有正式的放假安排"),
    "J501": _error("同一个触发词属于两个优先级相同的旅程"),
    "J502": _warning("触发词被另一个更短的覆盖"),
    "J503": _error("触发词与全局打断词冲突"),
    "J504": _warning("interrupt 的优先级太低，打断不了谁"),
    "J505": _warning("等待 message 的状态可能听不到客户"),
    "J601": _error("收集个人信息之前没有授权"),
    "J602": _error("营销内容用了不受退订约束的 class"),
    "J603": _error("handoff 没有 fallback"),
    "J604": _warning("任务没有期限"),
    "J605": _error("个人信息写入没有登记的 webhook"),
    "J606": _warning("优惠券没有 once_per"),
    "J607": _error("金融旅程没有风险说明"),
    "J608": _error("不在客户来信引起的步骤里的发送没有写 class"),
    "J701": _error("split 各组合计不是 100"),
    "J702": _warning("两个实验用了相同的 salt"),
    "J704": _error("moved.from 现在仍存在"),
}
