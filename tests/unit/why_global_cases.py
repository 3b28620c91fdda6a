"""The wording of what `_global.yaml` does without a journey, word for word: kind, detail, tone, text."""

from bot.core.events import Json

GLOBAL_CASES: list[tuple[str, dict[str, Json], str, str]] = [
    (
        "error",
        {"error": "points.short", "cause": "interrupt:swap", "outcome": "handled"},
        "no",
        "插话规则 swap 出错：积分不够扣（points.short）；按 _global.yaml 的 errors 处理",
    ),
    (
        "error",
        {"error": "book.several", "cause": "interrupt:away", "outcome": "journalled"},
        "no",
        "插话规则 away 出错：客户有几个这样的预约，不知道取消哪一个（book.several）；没有规则处理它，只记录",
    ),
    (
        "error",
        {"error": "points.short", "cause": "error:send.burst", "outcome": "journalled"},
        "no",
        "_global.yaml 对 send.burst 的处理 出错：积分不够扣（points.short）；没有规则处理它，只记录",
    ),
    (
        "floor",
        {"outcome": "put_off"},
        "no",
        "oa-welcome 的问题过几秒再问：这一次已经说得够多（_global.yaml 的 burst）",
    ),
]
