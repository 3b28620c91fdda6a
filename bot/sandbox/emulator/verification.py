"""The check a platform makes when somebody enters a callback URL in its console (wechat-api.md 1.1, 4.2)."""

import secrets
from dataclasses import dataclass

from bot.sandbox.emulator.courier import Answered, Courier, Outcome
from bot.sandbox.emulator.crypto import signature
from bot.sandbox.emulator.envelopes import WecomEnvelope
from bot.sandbox.emulator.oa_account import OfficialAccount
from bot.sandbox.emulator.wecom_app import WecomApp

WECOM_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether the platform accepts the URL; `why` not, else empty."""

    accepted: bool
    why: str = ""


async def verify_oa(courier: Courier, account: OfficialAccount, *, at: int) -> Verification:
    """Send the plain `echostr`, expect it back byte by byte."""
    echo, timestamp, nonce = _digits(), str(at), _digits()
    query = {
        "signature": signature(account.settings.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": echo,
    }
    outcome = await courier.get(account.callback_url, query, account.conduct.reply_within_s)
    return _verdict(outcome, echo)


async def verify_wecom(courier: Courier, app: WecomApp, *, at: int) -> Verification:
    """Send an encrypted `echostr`, expect its plain text back within a second."""
    echo, timestamp, nonce = _digits(), str(at), _digits()
    sealed = WecomEnvelope(account=app.settings).lock().seal(echo.encode())
    query = {
        "msg_signature": signature(app.settings.token, timestamp, nonce, sealed),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": sealed,
    }
    outcome = await courier.get(app.callback_url, query, WECOM_WITHIN_S)
    return _verdict(outcome, echo)


def _verdict(outcome: Outcome, echo: str) -> Verification:
    if not isinstance(outcome, Answered):
        return Verification(accepted=False, why=outcome.why)
    if outcome.body != echo.encode():
        return Verification(accepted=False, why="the body is not the echo string")
    return Verification(accepted=True)


def _digits() -> str:
    return str(secrets.randbelow(10**18))
