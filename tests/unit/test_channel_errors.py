"""The table of error codes: every code of the reference has its decision, and the platforms differ where they do."""

import pytest

from bot.channels.cutting import cut_bytes, cut_characters, cut_markup
from bot.channels.verdicts import Endpoint, Platform, listed, verdict
from bot.errors import (
    AlreadyDone,
    ChannelError,
    Forbidden,
    Refused,
    TryLater,
    Unauthorised,
    Unknown,
    Unreachable,
)

CUSTOM = Endpoint(platform="oa", path="/cgi-bin/message/custom/send")
TEMPLATE = Endpoint(platform="oa", path="/cgi-bin/message/template/send", keyed=True)
STABLE_TOKEN = Endpoint(platform="oa", path="/cgi-bin/stable_token", keyed=True, grants_tokens=True)
SEND = Endpoint(platform="wecom", path="/cgi-bin/message/send")
UPDATE = Endpoint(platform="wecom", path="/cgi-bin/message/update_template_card", keyed=True)
GETTOKEN = Endpoint(platform="wecom", path="/cgi-bin/gettoken", method="GET", keyed=True, grants_tokens=True)

DECISIONS: list[tuple[Endpoint, type[ChannelError], list[int]]] = [
    (CUSTOM, Unknown, [-1]),
    (TEMPLATE, TryLater, [-1, 45009, 45011, 45033, 45066]),
    (CUSTOM, TryLater, [45009, 45011, 45033, 6000, 61450]),
    (CUSTOM, Unauthorised, [40001, 40014, 42001]),
    (CUSTOM, AlreadyDone, [45065]),
    (CUSTOM, Forbidden, [40013, 40125, 40164, 89501, 89507, 48001, 48004, 48006, 45103, 50001, 50002, 50004]),
    (CUSTOM, Refused, [40032, 40033, 40035, 40037, 40038, 41001, 44002, 44004, 45001, 45008, 47001, 47003, 48008]),
    (CUSTOM, Refused, [40029, 40050, 40051, 40163, 42003, 42007, 45067, 45157, 45159, 61451, 61459, 65301, 65317]),
    (STABLE_TOKEN, Unauthorised, [40001, 40002, 40013, 40125, 41002, 41004]),
    (STABLE_TOKEN, TryLater, [-1, 45009, 45011]),
    (STABLE_TOKEN, Forbidden, [40164, 89503, 50004]),
    (SEND, Unknown, [-1]),
    (UPDATE, TryLater, [-1]),
    (SEND, Unauthorised, [40014, 42001]),
    (SEND, TryLater, [6000, 45009, 45033, 41063, 41079, 90313]),
    (SEND, AlreadyDone, [41051, 45065]),
    (SEND, Forbidden, [40001, 40056, 40091, 43012, 48002, 48005, 48006, 48007, 50001, 50003, 60011, 60020, 60021]),
    (SEND, Forbidden, [84074, 301002, 701001]),
    (SEND, Refused, [40058, 40063, 40068, 40071, 40072, 40073, 40097, 40100, 40126, 40128, 40131, 40143, 40201]),
    (SEND, Refused, [40204, 41001, 41002, 41004, 41035, 41045, 41046, 41048, 41049, 41053, 41059, 41090, 41093]),
    (SEND, Refused, [41094, 41096, 42014, 42016, 42027, 42052, 43004, 45024, 45029, 60251, 60253, 82001, 82004]),
    (SEND, Refused, [90500, 90511, 600018]),
    (GETTOKEN, Unauthorised, [40001, 40013, 40091, 41002, 41004]),
    (GETTOKEN, Forbidden, [60020, 50003]),
    (GETTOKEN, TryLater, [-1, 45009, 45033]),
]
CASES = [(endpoint, decision, code) for endpoint, decision, codes in DECISIONS for code in codes]

REASONS: list[tuple[Endpoint, int, str]] = [
    (CUSTOM, 45015, "window"),
    (CUSTOM, 45047, "count"),
    (CUSTOM, 43004, "gone"),
    (CUSTOM, 50005, "gone"),
    (CUSTOM, 40003, "gone"),
    (CUSTOM, 48002, "refused_by_user"),
    (CUSTOM, 43019, "refused_by_user"),
    (TEMPLATE, 43101, "no_grant"),
    (SEND, 81013, "gone"),
    (SEND, 60111, "gone"),
    (SEND, 40003, "gone"),
    (SEND, 40096, "gone"),
    (SEND, 41054, "gone"),
    (SEND, 46004, "gone"),
    (SEND, 84061, "gone"),
    (UPDATE, 60140, "window"),
]


@pytest.mark.parametrize(("endpoint", "decision", "code"), CASES)
def test_a_code_leads_to_its_decision(endpoint: Endpoint, decision: type[ChannelError], code: int) -> None:
    error = verdict(endpoint, code)
    assert type(error) is decision
    assert error.vendor_code == code


@pytest.mark.parametrize(("endpoint", "code", "reason"), REASONS)
def test_an_unreachable_customer_has_a_reason(endpoint: Endpoint, code: int, reason: str) -> None:
    error = verdict(endpoint, code)
    assert isinstance(error, Unreachable)
    assert error.reason == reason


@pytest.mark.parametrize("platform", ["oa", "wecom"])
def test_no_code_of_these_tests_is_decided_by_the_default_alone(platform: Platform) -> None:
    tested = {code for endpoint, _, code in CASES if endpoint.platform == platform}
    tested |= {code for endpoint, code, _ in REASONS if endpoint.platform == platform}
    assert tested <= listed(platform)


@pytest.mark.parametrize("endpoint", [CUSTOM, SEND])
def test_a_code_that_nobody_knows_is_refused(endpoint: Endpoint) -> None:
    assert type(verdict(endpoint, 999_999)) is Refused


def test_48002_is_a_fan_who_refuses_on_one_platform_and_a_missing_right_on_the_other() -> None:
    assert isinstance(verdict(CUSTOM, 48002), Unreachable)
    assert isinstance(verdict(SEND, 48002), Forbidden)


def test_a_verdict_names_the_endpoint_the_code_and_the_platforms_trace() -> None:
    assert verdict(CUSTOM, 45015, trace="abc-1").what == "oa /cgi-bin/message/custom/send answered 45015 (rid abc-1)"


@pytest.mark.parametrize(
    ("text", "bytes_max", "cut"),
    [
        ("看车", 6, "看车"),
        ("看车吗", 8, "看…"),
        ("看车吗", 6, "看…"),
        ("abcd", 4, "abcd"),
        ("abcde", 4, "a…"),
        ("车👨\u200d👩\u200d👧去", 14, "车👨…"),
    ],
)
def test_a_text_is_cut_between_characters(text: str, bytes_max: int, cut: str) -> None:
    assert cut_bytes(text, bytes_max) == cut
    assert len(cut.encode()) <= bytes_max


@pytest.mark.parametrize(
    ("text", "bytes_max", "cut"),
    [
        ('看<a href="u">车</a>', 100, '看<a href="u">车</a>'),
        ('看<a href="u">车</a>去', 22, "看…"),
        ('看<a href="u">车</a>去去去', 26, '看<a href="u">车</a>…'),
        ('看看看<a href="u', 17, "看看看…"),
    ],
)
def test_a_link_is_cut_whole(text: str, bytes_max: int, cut: str) -> None:
    assert cut_markup(text, bytes_max) == cut


def test_a_field_is_cut_to_its_number_of_characters() -> None:
    assert cut_characters("预约成功", 4) == "预约成功"
    assert cut_characters("预约成功了", 4) == "预约成…"
