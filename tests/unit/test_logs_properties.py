"""Whatever is logged, however it is nested and spelled: no phone number, id, text or token comes out."""

import io
import json
import logging
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.runtime import logs

OPENID = "oGFtU6aBcDeFgHiJkLmNoPqRsTuV"
EXTERNAL = "wmGFtU6aBcDeFgHiJkLmNoPqRsTuVwXy"
TOKEN = "T0KENT0KENT0KEN"
HEARD = "我想买车但是太贵了"
SPELLINGS = ("0123456789", "０１２３４５６７８９", "零一二三四五六七八九", "〇①②③④⑤⑥⑦⑧⑨", "٠١٢٣٤٥٦٧٨٩")
GAPS = ("", "", "", " ", "-", "—", " - ", ".", "\u200b", "\u3000")
DIGITS = {ord(sign): str(value) for spelling in SPELLINGS for value, sign in enumerate(spelling)}
GAP_SIGNS = dict.fromkeys(map(ord, " -—.\u200b\u3000"))


@dataclass(frozen=True)
class Heard:
    """An object of ours whose `repr` tells everything."""

    text: str


@st.composite
def phones(draw: st.DrawFn) -> tuple[str, str]:
    """A mobile number in plain digits, and a spelling of it."""
    plain = "1" + draw(st.sampled_from("3456789")) + draw(st.text("0123456789", min_size=9, max_size=9))
    spelling = draw(st.sampled_from(SPELLINGS))
    written = [(spelling if draw(st.booleans()) else SPELLINGS[0])[int(digit)] for digit in plain]
    return plain, "".join(sign + draw(st.sampled_from(GAPS)) for sign in written[:-1]) + written[-1]


def _dressed(secret: str) -> st.SearchStrategy[object]:
    """A text, a query, an assignment, an object or an exception with the secret in it."""
    return st.sampled_from(
        [
            secret,
            f"请回电 {secret} 谢谢",
            f"[{secret}]",
            f"https://api.weixin.qq.com/cgi-bin/x?openid={secret}&access_token={TOKEN}",
            f'{{"access_token": "{TOKEN}", "to": "{secret}"}}',
            json.dumps({"inner": json.dumps({"secret": TOKEN, "to": secret})}),
            Heard(f"{HEARD} {secret}"),
            ValueError(f"{HEARD} {secret}"),
            f"{HEARD} {secret}".encode(),
            (secret, {secret: secret}),
        ]
    )


NAMES = st.sampled_from(["to", "why", "effect", "count", "openid", "nested", "Phone", "ｐｈｏｎｅ", "text", "x-token"])
NOISE = st.none() | st.booleans() | st.integers() | st.floats() | st.text("abc 中文,;", max_size=8)


def _nested(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text("abc", max_size=3), inner, max_size=4)
        ),
        max_leaves=8,
    )


@contextmanager
def logged_to(stream: io.StringIO, form: logs.Form) -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    logs.configure(form, stream=stream)
    try:
        yield
    finally:
        root.handlers[:], root.level = before
        structlog.reset_defaults()


@pytest.mark.parametrize("form", ["json", "console"])
@given(data=st.data(), phone=phones())
@settings(max_examples=150, deadline=None)
def test_nothing_personal_or_secret_leaves_through_any_field(
    form: logs.Form, data: st.DataObject, phone: tuple[str, str]
) -> None:
    plain, written = phone
    leaves = NOISE | st.sampled_from([written, OPENID, EXTERNAL, int(plain)]).flatmap(
        lambda secret: st.just(secret) if isinstance(secret, int) else _dressed(secret)
    )
    fields = data.draw(st.dictionaries(NAMES, _nested(leaves), max_size=5))
    stream = io.StringIO()
    with logged_to(stream, form):
        structlog.get_logger("bot.test").info("sent", **({"text": HEARD} | fields))
        logging.getLogger("some.library").warning("got %s for %s", written, OPENID)
        try:
            raise LookupError(f"{HEARD} {written}")
        except LookupError:
            structlog.get_logger("bot.test").exception("failed", **fields)
    told = unicodedata.normalize("NFKC", stream.getvalue().translate(DIGITS)).translate(GAP_SIGNS)
    assert told.count("sent") >= 1
    assert [secret for secret in (plain, OPENID, EXTERNAL, TOKEN, HEARD) if secret in told] == []
