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
    "J001": _error("缩进或行内用了制表符"),
    "J002": _error("同一个键写了两次"),
    "J003": _error("把英文冒号写成了全角冒号"),
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
    "J090": _error("语言里有，但引擎尚未实现"),
    "J101": _error("状态无法到达"),
    "J102": _error("状态没有出口"),
    "J103": _error("跳转的状态不存在"),
    "J104": _error("不等待的死循环"),
    "J106": _error("从这个状态永远到不了 end"),
    "J107": _error("branch 最后一项必须是 else"),
    "J111": _error("call 形成递归，或嵌套超过 3 层"),
    "J113": _error("要调用或开始的旅程不存在"),
    "J201": _error("ask 缺 give_up"),
    "J202": _error("ask 缺 timeout"),
    "J203": _error("用到的名字没有声明"),
    "J204": _warning("槽声明了却从未询问"),
    "J206": _error("客户属性没有在 schema/customer.yaml 声明"),
    "J207": _error("类型不符"),
    "J208": _error("条件的结果不是真或假"),
    "J210": _error("同一个同义词属于两个选项"),
    "J213": _error("事件、角色、成员、营业时间或授权用途没有声明"),
    "J222": _error("count() 缺 within"),
    "J301": _error("引用的内容不存在"),
    "J302": _warning("内容没有被任何旅程用到"),
    "J303": _error("文字最坏情况下超过平台的字节上限"),
    "J307": _error("内容没有旅程所在渠道可用的形式"),
    "J308": _error("内容用到的变量没有声明"),
    "J312": _error("模板消息没有登记，或内容没有写它的字段"),
    "J501": _error("同一个触发词属于两个优先级相同的旅程"),
    "J503": _error("触发词与全局打断词冲突"),
    "J603": _error("handoff 没有 fallback"),
    "J604": _warning("任务没有期限"),
    "J608": _error("不在客户来信引起的步骤里的发送没有写 class"),
}
