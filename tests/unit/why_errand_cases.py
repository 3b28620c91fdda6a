"""The wording of errands, word for word: kind, detail, tone, text."""

from bot.core.events import Json

TEN = "2026-12-01T02:00:00+00:00"
"""10:00 in Shanghai."""

ERRAND_CASES: list[tuple[str, dict[str, Json], str, str]] = [
    (
        "operator",
        {"decision": "run_again", "name": "crm.create_lead"},
        "info",
        "运营决定再请求一次 crm.create_lead（先前不知道是否做成）",
    ),
    (
        "errand",
        {"errand": "book", "name": "试驾车", "dealer": "jingan", "start": TEN, "moves": True},
        "info",
        "改期：预约 试驾车（jingan，12月1日 10:00），等结果",
    ),
    ("errand", {"errand": "webhook", "name": "crm.create_lead"}, "info", "请求 crm.create_lead，等结果"),
    ("result", {"errand": "webhook", "name": "crm.create_lead", "late": False}, "ok", "请求 crm.create_lead 成功"),
    (
        "result",
        {"errand": "book", "name": "试驾车", "error": "book.full", "late": False},
        "no",
        "预约 试驾车 没有成功：这个时段已经约满（book.full）",
    ),
    (
        "result",
        {"errand": "webhook", "name": "crm.create_lead", "late": True},
        "info",
        "请求 crm.create_lead 成功；结果来得太晚，旅程已经往前走了",
    ),
    (
        "coupon",
        {"coupon": "试驾礼", "outcome": "had_already", "once_per": "customer"},
        "info",
        "不再发优惠券 试驾礼：已经发过（每位客户只发一次）",
    ),
    ("stage", {"stage": "qualified", "before": "new"}, "info", "线索阶段 new → qualified"),
]
