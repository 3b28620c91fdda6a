"""What the running product does with callbacks that are wrong: what is not from a platform leaves no trace."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from .posting import NOW, Push, fixture, oa_safe, wecom
from .product_rig import Product, product

TEXT = fixture("oa_text.xml")
BODY_BYTES_MAX = 256 * 1024
STALE = str(int((NOW - timedelta(seconds=601)).timestamp()))


@pytest.fixture
async def ours(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    "push",
    [
        replace(oa_safe(TEXT), query={**oa_safe(TEXT).query, "msg_signature": "0" * 40}),
        oa_safe(TEXT, timestamp=STALE),
        replace(wecom(TEXT), query={**wecom(TEXT).query, "msg_signature": "0" * 40}),
        wecom(TEXT, timestamp=STALE),
    ],
    ids=["wrong", "stale", "wrong to an application", "stale to an application"],
)
async def test_a_signature_that_is_wrong_or_stale_is_refused_and_nothing_is_stored(ours: Product, push: Push) -> None:
    assert (await ours.post(push))[0] == 403
    assert ours.count("inbox") == ours.count("quarantine") == 0
    assert ours.counted("untrusted", channel="app" if "wecom" in push.path else "oa") == 1


async def test_the_identical_request_again_is_acknowledged_and_stored_once(ours: Product) -> None:
    assert [await ours.post(oa_safe(TEXT)) for _ in range(3)] == [(200, "success")] * 3
    await ours.world.settle()
    assert ours.count("inbox", "actor <> ''") == 1
    assert ours.counted("accepted") == 3


async def test_what_is_rightly_signed_and_unreadable_is_kept_sealed_and_acknowledged(ours: Product) -> None:
    assert await ours.post(oa_safe(b"not a message")) == (200, "success")
    assert ours.rows("SELECT channel, account FROM quarantine") == [("oa", "main")]
    assert ours.count("quarantine", "instr(sealed, 'not a message') > 0") == 0
    kept = await ours.running.storage.read(lambda tx: tx.reading.quarantined())
    assert [one.body for one in kept] == [b"not a message"]
    assert ours.count("inbox") == 0
    assert ours.counted("unreadable") == 1


async def test_an_event_of_an_unknown_kind_is_acknowledged_and_counted(ours: Product) -> None:
    strange = fixture("oa_event_click.xml").replace(b"CLICK", b"user_authorize_invoice_2031")
    assert await ours.post(oa_safe(strange)) == (200, "success")
    assert ours.count("inbox") == ours.count("quarantine") == 0
    assert ours.counted("unsupported") == 1
    assert ours.running.metrics.value("zhitu_callbacks_unsupported_total", kind="oa.event.other") == 1


async def test_a_body_over_the_limit_is_turned_down(ours: Product) -> None:
    assert (await ours.post(replace(oa_safe(TEXT), body=b"x" * (BODY_BYTES_MAX + 1))))[0] == 413
    assert ours.count("inbox") == ours.count("quarantine") == 0
    assert ours.counted("too_large") == 1
