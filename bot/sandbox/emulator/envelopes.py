"""How a callback is packed and signed, and how an encrypted answer is unpacked. Source: wechat-api.md 1.2, 4.2."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from bot.sandbox.emulator.crypto import Broken, Lock, signature
from bot.sandbox.emulator.draws import digits, lead
from bot.sandbox.emulator.settings import OaSettings, WecomSettings
from bot.sandbox.emulator.wire import NotXml, compose, parse

_NONCE_DIGITS = 9


class BadAnswer(ValueError):
    """An answer to a callback that the platform cannot make sense of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """The body of a callback. `encrypt`: the ciphertext in it, empty in plain mode."""

    body: bytes
    encrypt: str = ""


class Envelope(Protocol):
    """What one account's callbacks are put into."""

    def pack(self, inner: str) -> Packed:
        """The body that carries the XML `inner`."""
        ...

    def sign(self, packed: Packed, *, sender: str, at: int) -> dict[str, str]:
        """A query, freshly signed for the second `at`."""
        ...

    def unpack(self, answer: str) -> Mapping[str, str]:
        """The fields of a passive reply. BadAnswer: it is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OaEnvelope:
    """The three modes of an official account."""

    account: OaSettings
    chance: Random

    def pack(self, inner: str) -> Packed:
        """The plain XML, the plain XML with its ciphertext, or the ciphertext alone."""
        if self.account.mode == "plain":
            return Packed(body=inner.encode())
        encrypt = self._lock().seal(inner.encode(), random=lead(self.chance))
        if self.account.mode == "compatible":
            both = inner.removesuffix("</xml>") + f"<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"
            return Packed(body=both.encode(), encrypt=encrypt)
        outer = compose({"ToUserName": self.account.gh_id, "Encrypt": encrypt})
        return Packed(body=outer.encode(), encrypt=encrypt)

    def sign(self, packed: Packed, *, sender: str, at: int) -> dict[str, str]:
        """`signature` in every mode; with a ciphertext also `encrypt_type` and `msg_signature`."""
        timestamp, nonce = str(at), digits(self.chance, _NONCE_DIGITS)
        query = {
            "signature": signature(self.account.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": sender,
        }
        if packed.encrypt:
            query["encrypt_type"] = "aes"
            query["msg_signature"] = signature(self.account.token, timestamp, nonce, packed.encrypt)
        return query

    def unpack(self, answer: str) -> Mapping[str, str]:
        """The reply's fields. Safe mode wants it encrypted, compatible mode takes both."""
        fields = _parsed(answer)
        if "Encrypt" in fields:
            if self.account.mode == "plain":
                raise BadAnswer("encrypted reply in plain mode")
            return _opened(fields, self._lock(), self.account.token)
        if self.account.mode == "safe":
            raise BadAnswer("plain reply in safe mode")
        return fields

    def _lock(self) -> Lock:
        return Lock(aes_key=self.account.aes_key, receiver=self.account.app_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class WecomEnvelope:
    """The always encrypted envelope of a WeCom application."""

    account: WecomSettings
    chance: Random

    def pack(self, inner: str) -> Packed:
        """Corp id, agent id and ciphertext."""
        encrypt = self.lock().seal(inner.encode(), random=lead(self.chance))
        outer = {"ToUserName": self.account.corp_id, "AgentID": str(self.account.agent_id), "Encrypt": encrypt}
        return Packed(body=compose(outer).encode(), encrypt=encrypt)

    def sign(self, packed: Packed, *, sender: str, at: int) -> dict[str, str]:
        """`msg_signature` over the ciphertext; the sender stands only inside it."""
        timestamp, nonce = str(at), digits(self.chance, _NONCE_DIGITS)
        signed = signature(self.account.token, timestamp, nonce, packed.encrypt)
        return {"msg_signature": signed, "timestamp": timestamp, "nonce": nonce}

    def unpack(self, answer: str) -> Mapping[str, str]:
        """The reply's fields; it must be encrypted."""
        return _opened(_parsed(answer), self.lock(), self.account.token)

    def lock(self) -> Lock:
        """The lock of this application; its receiver is the corp."""
        return Lock(aes_key=self.account.aes_key, receiver=self.account.corp_id)


def _parsed(text: str) -> dict[str, str]:
    try:
        return parse(text)
    except NotXml as error:
        raise BadAnswer(f"not XML: {error}") from error


def _opened(fields: Mapping[str, str], lock: Lock, token: str) -> dict[str, str]:
    missing = [name for name in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce") if not fields.get(name)]
    if missing:
        raise BadAnswer(f"reply envelope lacks {missing[0]}")
    expected = signature(token, fields["TimeStamp"], fields["Nonce"], fields["Encrypt"])
    if expected != fields["MsgSignature"]:
        raise BadAnswer("reply signature differs")
    try:
        return _parsed(lock.open(fields["Encrypt"]).decode())
    except (Broken, UnicodeDecodeError) as error:
        raise BadAnswer(f"reply does not open: {error}") from error
