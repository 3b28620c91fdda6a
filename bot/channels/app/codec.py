"""Callbacks of a WeCom application: signature, decryption, reading. Source: delivery.md 1, wechat-api.md 2 and 4.2."""

import base64
from collections.abc import Sequence
from datetime import datetime

from wechatpy.utils import WeChatSigner
from wechatpy.work.crypto import PrpCrypto

from bot.channels.app.events import event_of
from bot.channels.reading import Origin, event_id, read
from bot.channels.trust import Decipher, Seal, check_age, open_sealed, reopened, signed, unseal
from bot.core.events import Event
from bot.errors import Unreadable, Untrusted
from bot.runtime.ports import Query

_PLATFORM = "wecom"


class AppCallbacks:
    """The receiving half of a WeCom application. WeCom always encrypts."""

    def __init__(self, *, account: str, corp_id: str, agent_id: int, token: str, aes_keys: tuple[str, ...]) -> None:
        """`aes_keys`: EncodingAESKeys, 43 characters each, the current one first.

        ValueError: the token is empty, there is no key, or one is not 43 characters long.
        """
        if not token or not aes_keys:
            raise ValueError("a WeCom application needs its callback token and an AES key")
        self._account = account
        self._corp_id = corp_id
        self._agent_id = str(agent_id)
        self._seal = Seal(
            token=token, receive_id=corp_id, sign=_sign, deciphers=tuple(_decipher_with(key) for key in aes_keys)
        )

    @property
    def account(self) -> str:
        return self._account

    @property
    def acknowledgement(self) -> str:
        return ""

    def verify(self, query: Query, now: datetime) -> str:
        """The decrypted echo string, without anything around it. Untrusted: not signed, not ours or not readable."""
        check_age(query, now)
        # A plus sign that came unescaped was read as a space by the query parser.
        sealed = query.echostr.replace(" ", "+").encode(errors="replace")
        if not signed(self._seal, query, claimed=query.msg_signature, sealed=sealed):
            raise Untrusted("the signature does not match")
        try:
            return open_sealed(self._seal, sealed, sealed).decode()
        except (Unreadable, UnicodeDecodeError):
            raise Untrusted("the echo string cannot be opened with the configured AES key") from None

    def is_forged(self, query: Query) -> bool:
        """Never known: the one signature that WeCom gives covers the ciphertext, too."""
        return False

    def decode(self, query: Query, body: bytes, now: datetime) -> tuple[Event, ...]:
        """The event in one push. Untrusted, Unreadable or Unsupported otherwise."""
        check_age(query, now)
        return self._events(unseal(self._seal, query, body))

    def reread(self, body: bytes) -> tuple[Event, ...]:
        """The events in a body from the quarantine. Untrusted, Unreadable or Unsupported otherwise."""
        return self._events(reopened(self._seal, body))

    def _events(self, message: bytes) -> tuple[Event, ...]:
        tree, repaired = read(message)
        identity = event_id(_PLATFORM, self._corp_id, tree)
        origin = Origin(account=self._account, identity=identity, body=message)
        return (event_of(tree, origin, agent_id=self._agent_id, repaired=repaired),)


def _sign(parts: Sequence[bytes]) -> str:
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


def _decipher_with(aes_key: str) -> Decipher:
    if len(aes_key) != 43:
        raise ValueError("an EncodingAESKey has 43 characters")
    cipher = PrpCrypto(base64.b64decode(aes_key + "=")).cipher

    def decipher(ciphertext: bytes) -> bytes:
        return bytes(cipher.decrypt(ciphertext))

    return decipher
