"""The wording of what became of a message: who took it, what it corrected, what was offered."""

from bot.core.events import Json

HEARING: list[tuple[str, dict[str, Json], str, str]] = [
    ("taken", {"by": "answer", "step": 4}, "info", "第 4 步接下：正在等回答的问题"),
    ("taken", {"by": "fallback", "step": 11}, "info", "第 11 步接下：没有谁认得它"),
    ("corrected", {"slot": "need", "outcome": "right"}, "ok", "客户更正了 need，新的值符合要求"),
    (
        "corrected",
        {"slot": "need", "outcome": "check"},
        "no",
        "客户更正了 need，但新的值不符合 check 或不在选项里，保留原来的",
    ),
    (
        "corrected",
        {"slot": "need", "outcome": "applied", "value": "养车", "forgotten": ["day"], "goto": "care"},
        "ok",
        "need 改成 '养车'；受影响、要重新问的：day；改从 care 继续",
    ),
    (
        "corrected",
        {"slot": "phone", "outcome": "applied", "value": "•••", "forgotten": [], "goto": None},
        "ok",
        "phone 改成 •••；其余不变，接着问",
    ),
    ("offered", {"slot": "time", "count": 3, "left_out": 0}, "info", "问题 time 现在有 3 个选项"),
    ("offered", {"slot": "time", "count": 10, "left_out": 2}, "info", "问题 time 现在有 10 个选项，另有 2 个放不下"),
    (
        "answered",
        {"slot": "model", "outcome": "prefilled", "value": "ES6"},
        "ok",
        "问题 model：由 prefill 得到，不用问",
    ),
    ("answered", {"slot": "city", "outcome": "remembered"}, "ok", "问题 city：先前回答过，还在有效期内，不再问"),
    (
        "unparsed",
        {"slot": "time", "why": "not_offered", "failures": 1, "allowed": 2},
        "no",
        "问题 time：不在给出的选项里（第 1 次，最多重问 2 次），再问一次",
    ),
    ("interrupt", {"interrupt": "cancel", "effect": "repair"}, "ok", "触发插话规则 cancel：交给修复旅程处理"),
    (
        "interrupt",
        {"interrupt": "faq", "effect": "answer", "faq": "hours"},
        "ok",
        "触发插话规则 faq（常见问题 hours）：回答后再问一遍原来的问题",
    ),
    ("entered", {"cause": "repair:cancel"}, "ok", "进入旅程 oa-welcome（对话需要修复：cancel）"),
    ("entered", {"cause": "intent"}, "ok", "进入旅程 oa-welcome（客户的话是这个意思）"),
    (
        "error",
        {"error": "expr.type", "outcome": "repair_ended"},
        "no",
        "oa-welcome 出错：表达式的值类型不对（expr.type）；修复旅程到此为止，原来的问题不受影响",
    ),
]
