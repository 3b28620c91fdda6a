"""Wording of what an operator decided (`zhitu retry`)."""

from bot.runtime.why.detail import Detail, Said, Words
from bot.runtime.why.names import content_name
from bot.runtime.why.reasons import parked_because


def _operator(detail: Detail) -> Said:
    decision = detail.text("decision")
    content = content_name(detail.text("content"))
    stopped = parked_because(detail.text("reason"))
    words = {
        "unpark": f"运营让停住的泳道接着处理（当时停在：{stopped}；排队 {detail.text('held')} 件）",
        "send_again": f"运营决定再发一次 {content}（先前不知道是否送达）",
        "run_again": f"运营决定再请求一次 {detail.text('name')}（先前不知道是否做成）",
        "leave_errand": f"运营决定不再请求 {detail.text('name')}（不知道是否做成）",
        "leave": f"运营决定不再发 {content}（不知道是否送达）",
    }
    return Said(text=words.get(decision, f"运营：{decision}"), outcome=decision)


WORDS: Words = {"operator": _operator}
