"""What an error code means where platforms and endpoints differ. All codes: tests/contract/error_codes.md."""

import pytest

from bot.channels.endpoints import CUSTOM_SEND, GETTOKEN, MESSAGE_SEND, STABLE_TOKEN, TEMPLATE_SEND, UPDATE_CARD
from bot.channels.tokens import LEASE_FOR
from bot.channels.verdicts import Endpoint, verdict
from bot.channels.wire import CALL_TIMEOUT_S, CONNECT_TIMEOUT_S
from bot.errors import ChannelError, Forbidden, Refused, TryLater, Unauthorised, Unknown, Unreachable
from bot.runtime.outbox import LEASE_FOR as ROW_LEASE_FOR


@pytest.mark.parametrize("endpoint", [CUSTOM_SEND, MESSAGE_SEND])
def test_a_code_that_nobody_knows_is_refused(endpoint: Endpoint) -> None:
    assert type(verdict(endpoint, 999_999)) is Refused


@pytest.mark.parametrize(
    ("endpoint", "decision"),
    [(CUSTOM_SEND, Unknown), (MESSAGE_SEND, Unknown), (TEMPLATE_SEND, TryLater), (UPDATE_CARD, TryLater)],
)
def test_a_busy_platform_may_have_acted_where_a_repeat_would_not_be_recognised(
    endpoint: Endpoint, decision: type[ChannelError]
) -> None:
    for code in (-1, 6000, 61450):
        assert type(verdict(endpoint, code)) is decision


def test_48002_is_a_fan_who_refuses_on_one_platform_and_a_missing_right_on_the_other() -> None:
    assert isinstance(verdict(CUSTOM_SEND, 48002), Unreachable)
    assert isinstance(verdict(MESSAGE_SEND, 48002), Forbidden)


def test_40001_is_an_old_token_on_one_platform_and_a_wrong_secret_on_the_other() -> None:
    assert isinstance(verdict(CUSTOM_SEND, 40001), Unauthorised)
    assert isinstance(verdict(MESSAGE_SEND, 40001), Forbidden)
    assert isinstance(verdict(GETTOKEN, 40001), Unauthorised)


def test_a_wrong_app_id_is_a_matter_of_credentials_where_tokens_are_given_out() -> None:
    assert isinstance(verdict(STABLE_TOKEN, 40013), Unauthorised)
    assert isinstance(verdict(CUSTOM_SEND, 40013), Forbidden)


@pytest.mark.parametrize("code", [50002, 60011, 60021])
def test_one_member_out_of_scope_does_not_open_the_circuit_of_her_application(code: int) -> None:
    for endpoint in (MESSAGE_SEND, UPDATE_CARD):
        assert isinstance(verdict(endpoint, code), Unreachable)


def test_a_used_code_is_refused_on_a_first_attempt_though_it_sounds_done() -> None:
    error = verdict(UPDATE_CARD, 41051)
    assert isinstance(error, Unreachable)
    assert error.reason == "window"


def test_a_verdict_names_the_endpoint_the_code_and_the_platforms_trace() -> None:
    told = verdict(CUSTOM_SEND, 45015, trace="abc-1").what
    assert told == "oa /cgi-bin/message/custom/send answered 45015 (rid abc-1)"


def test_leases_outlast_the_requests_that_they_are_taken_for() -> None:
    assert CONNECT_TIMEOUT_S < CALL_TIMEOUT_S
    assert ROW_LEASE_FOR.total_seconds() >= 2 * CALL_TIMEOUT_S
    assert LEASE_FOR.total_seconds() >= 2 * CALL_TIMEOUT_S  # a normal request for a token, then a forced one
