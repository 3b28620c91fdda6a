"""Callbacks of an official account: signature, decryption, reading. Source: delivery.md 1, wechat-api.md 1 and 2."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from wechatpy.crypto import WeChatCipher
from wechatpy.utils import WeChatSigner

from bot.channels.oa.events import events_of, level
from bot.channels.reading import Origin, event_id, read
from bot.channels.trust import Decipher, Nonces, Seal, check_age, reopened, signed, unseal
from bot.core.events import Event
from bot.errors import Untrusted
from bot.runtime.ports import Query

Mode = Literal["plain", "compatible", "safe"]
_PLATFORM = "oa"


class OaCallbacks:
    """The receiving half of an official account. `mode` is what the configuration says, whatever a query claims."""

    def __init__(self, *, account: str, app_id: str, token: str, aes_keys: tuple[str, ...], mode: Mode) -> None:
        """`aes_keys`: EncodingAESKeys, 43 characters each, the current one first; in plain mode there may be none.

        ValueError: the token is empty, a key is not 43 characters long, or an encrypted mode has none.
        """
        if not token:
            raise ValueError("an official account needs its callback token")
        if mode != "plain" and not aes_keys:
            raise ValueError(f"mode `{mode}` needs an AES key")
        self._account = account
        self._app_id = app_id
        self._mode = mode
        self._seal = Seal(
            token=token, receive_id=app_id, sign=_sign, deciphers=tuple(_decipher_with(key) for key in aes_keys)
        )
        self._nonces = Nonces()

    @property
    def account(self) -> str:
        return self._account

    @property
    def acknowledgement(self) -> str:
        return "success"

    def verify(self, query: Query, now: datetime) -> str:
        """The echo string as it came: an official account sends it in the clear in all modes."""
        check_age(query, now)
        if not signed(self._seal, query, claimed=query.signature):
            raise Untrusted("the signature does not match")
        return query.echostr

    def is_forged(self, query: Query) -> bool:
        """Whether `signature`, which covers the query in every mode, is there and wrong."""
        return bool(query.signature) and not signed(self._seal, query, claimed=query.signature)

    def decode(self, query: Query, body: bytes, now: datetime) -> tuple[Event, ...]:
        """The events in one push, several only for lists. Untrusted, Unreadable or Unsupported otherwise."""
        check_age(query, now)
        return self._events(self._trusted(query, body, now))

    def reread(self, body: bytes) -> tuple[Event, ...]:
        """The events in a body from the quarantine. Untrusted, Unreadable or Unsupported otherwise."""
        return self._events(reopened(self._seal, body))

    def _events(self, message: bytes) -> tuple[Event, ...]:
        tree, repaired = read(message)
        tree = level(tree)
        identity = event_id(_PLATFORM, self._app_id, tree)
        origin = Origin(account=self._account, identity=identity, body=message)
        return events_of(tree, origin, repaired=repaired)

    def _trusted(self, query: Query, body: bytes, now: datetime) -> bytes:
        if self._mode == "plain":
            return self._plain(query, body, now)
        if query.encrypt_type != "aes":
            raise Untrusted("this account takes encrypted messages only")
        return unseal(self._seal, query, body)

    def _plain(self, query: Query, body: bytes, now: datetime) -> bytes:
        if not signed(self._seal, query, claimed=query.signature):
            raise Untrusted("the signature does not match")
        self._nonces.admit(query, hashlib.sha256(body).digest(), now)
        return body


def _sign(parts: Sequence[bytes]) -> str:
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


def _decipher_with(aes_key: str) -> Decipher:
    cipher = WeChatCipher(_key_bytes(aes_key))

    def decipher(ciphertext: bytes) -> bytes:
        return bytes(cipher.decrypt(ciphertext))

    return decipher


def _key_bytes(aes_key: str) -> bytes:
    if len(aes_key) != 43:
        raise ValueError("an EncodingAESKey has 43 characters")
    return base64.b64decode(aes_key + "=")
