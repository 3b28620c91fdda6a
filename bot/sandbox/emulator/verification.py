"""The check a platform makes when somebody enters a callback URL in its console (wechat-api.md 1.1, 4.2)."""

from dataclasses import dataclass
from random import Random

from bot.sandbox.emulator.carrier import Answered, Carrier, Letter, Outcome
from bot.sandbox.emulator.crypto import signature
from bot.sandbox.emulator.draws import digits, lead
from bot.sandbox.emulator.envelopes import WecomEnvelope
from bot.sandbox.emulator.oa_account import OfficialAccount
from bot.sandbox.emulator.wecom_app import WecomApp

WECOM_WITHIN_S = 1.0
_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether the platform accepts the URL; `why` not, else empty."""

    accepted: bool
    why: str = ""


async def verify_oa(carrier: Carrier, account: OfficialAccount, *, at: int, chance: Random) -> Verification:
    """Send the plain `echostr`, expect it back byte by byte."""
    echo, timestamp, nonce = digits(chance, _DIGITS), str(at), digits(chance, _DIGITS)
    query = {
        "signature": signature(account.settings.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": echo,
    }
    within_s = account.conduct.reply_within_s
    letter = Letter(method="GET", url=account.callback_url, query=query, within_s=within_s)
    return _verdict(await carrier(letter), echo)


async def verify_wecom(carrier: Carrier, app: WecomApp, *, at: int, chance: Random) -> Verification:
    """Send an encrypted `echostr`, expect its plain text back within a second."""
    echo, timestamp, nonce = digits(chance, _DIGITS), str(at), digits(chance, _DIGITS)
    sealed = WecomEnvelope(account=app.settings, chance=chance).lock().seal(echo.encode(), random=lead(chance))
    query = {
        "msg_signature": signature(app.settings.token, timestamp, nonce, sealed),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": sealed,
    }
    letter = Letter(method="GET", url=app.callback_url, query=query, within_s=WECOM_WITHIN_S)
    return _verdict(await carrier(letter), echo)


def _verdict(outcome: Outcome, echo: str) -> Verification:
    if not isinstance(outcome, Answered):
        return Verification(accepted=False, why=outcome.why)
    if outcome.body != echo.encode():
        return Verification(accepted=False, why="the body is not the echo string")
    return Verification(accepted=True)
