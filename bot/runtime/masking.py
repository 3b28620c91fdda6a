"""What makes a text fit for a log: phone numbers, ids of customers, queries, passwords and tokens made unreadable."""

import re
import unicodedata

TEXT_LENGTH_MAX = 8_000
"""Longer texts are cut before anything else is done to them, and say so."""
MASK = "***"

_QUERY = re.compile(r"""(?P<path>(?:https?://|/)[^\s?"'<>]*)\?[^\s"'<>]+""")
_CREDENTIALS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+]*://)[^\s/:]*:[^\s/]*@")
_BEARER = re.compile(r"\bBearer [A-Za-z0-9._~+/=-]+")
_ASSIGNED = re.compile(
    r"(?i)(?P<name>[a-z_]*(?:secret|token|passw(?:or)?d|aes_?key|api_?key|signature|nonce|echostr|ticket)"
    r"[\\\"']*\s*[=:]\s*[\\\"']*)[^\s\"'&,}\\]+"
)
# A character may be told by its escape, as a `repr` or JSON inside a text does; its last sign is not part of what
# follows it.
_NO_DIGIT_BEFORE = r"(?:(?<!\d)|(?<=\\x[0-9a-fA-F]{2})|(?<=\\u[0-9a-fA-F]{4}))"
_NO_WORD_BEFORE = (
    r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbfv])|(?<=\\x[0-9a-fA-F]{2})|(?<=\\u[0-9a-fA-F]{4})|(?<=%[0-9a-fA-F]{2}))"
)
_GAP = r"[\s.·•‧・_()（）/‐-―－\u00ad\u200b-\u200f\u2060\ufeff-]{0,3}"
"""What people put between the digits of a number. Colons and commas are not among it: moments have colons."""
_MOBILE = re.compile(rf"{_NO_DIGIT_BEFORE}(?:(?:\+|00)?86{_GAP})?(?P<number>1{_GAP}[3-9](?:{_GAP}\d){{9}})(?!\d)")
_LANDLINE = re.compile(rf"{_NO_DIGIT_BEFORE}(?P<number>0\d{{2,3}}[-‐-―－ ]\d{{7,8}})(?!\d)")
_EXTERNAL_ID = re.compile(
    rf"{_NO_WORD_BEFORE}(?P<head>(?:o[A-Za-z0-9_-]|w[mobk])[A-Za-z0-9_-]{{3}})[A-Za-z0-9_-]{{21,28}}(?![A-Za-z0-9_-])"
)
"""openid and unionid have 28 characters and begin with `o`; external_userid begins with `wm` or `wo` and has 32."""
_SPOKEN = {ord(sign): str(place) for place, sign in enumerate("零一二三四五六七八九")} | {
    ord("〇"): "0",
    ord("幺"): "1",
    ord("两"): "2",
}


def mask(text: str) -> str:
    """`text` without phone numbers, ids of customers, queries, passwords and tokens. Masked text stays as it is."""
    if len(text) > TEXT_LENGTH_MAX:
        text = f"{text[:TEXT_LENGTH_MAX]}… ({len(text)} characters)"
    text = _CREDENTIALS.sub(rf"\g<scheme>{MASK}@", text)
    text = _QUERY.sub(rf"\g<path>?{MASK}", text)
    text = _BEARER.sub(f"Bearer {MASK}", text)
    text = _ASSIGNED.sub(rf"\g<name>{MASK}", text)
    text = _EXTERNAL_ID.sub(rf"\g<head>{MASK}", text)
    return _without_phones(text)


def shortened_id(external_id: str) -> str:
    """The beginning of a platform's id of a person: enough to compare two lines by, too little to write to her."""
    return external_id if len(external_id) <= 5 else f"{external_id[:5]}{MASK}"


def _without_phones(text: str) -> str:
    """`text` with the middle of every phone number taken out, however its digits are written."""
    digits = "".join(_as_digit(sign) for sign in text)
    if digits.isascii() and not any(sign.isdigit() for sign in digits):
        return text
    for pattern in (_MOBILE, _LANDLINE):
        for found in reversed(list(pattern.finditer(digits))):
            places = [place for place in range(*found.span("number")) if digits[place].isdecimal()]
            masked = f"{_signs(text, places[:3])}****{_signs(text, places[-4:])}"
            text = text[: found.start()] + masked + text[found.end() :]
            digits = digits[: found.start()] + masked + digits[found.end() :]
    return text


def _signs(text: str, places: list[int]) -> str:
    return "".join(text[place] for place in places)


def _as_digit(sign: str) -> str:
    """The digit that `sign` stands for, wide, circled or spoken; other signs stay. Always one character."""
    if sign.isascii():
        return sign
    spoken = _SPOKEN.get(ord(sign))
    if spoken is not None:
        return spoken
    value = unicodedata.digit(sign, None)
    return sign if value is None else str(value)
