"""The whole sentences that say a keyword and nothing else."""

from bot.understanding.normal import normalise

_OPENINGS = ("", "请", "我要", "帮我", "请帮我", "我想", "麻烦", "给我", "请给我")
_CLOSINGS = ("", "一下", "谢谢", "，谢谢")


def keyword_forms(keyword: str) -> tuple[str, ...]:
    """The normalised texts that mean `keyword` as a whole sentence, the plain keyword first, none twice.

    For keywords that must not be missed, an opt-out above all: 请退订, 我要退订, 帮我退订一下. 不退订, 退定 and
    退订单 are none of them. Empty when nothing of `keyword` is left by `normalise`.
    Source: journey-language.md 3.11, "Match".
    """
    plain = normalise(keyword)
    if not plain:
        return ()
    forms = (normalise(f"{opening}{plain}{closing}") for opening in _OPENINGS for closing in _CLOSINGS)
    return tuple(dict.fromkeys((plain, *forms)))
