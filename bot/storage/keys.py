"""Keys for what is personal: sealing with AES-GCM, and a blind index for looking up a phone number.

A key text is `VERSION:BASE64`, the version 1 to 255 and 32 bytes of key. The highest version seals; all of them
open, so that a key is changed by adding a new one and the old rows stay readable. A sealed value is
version (1 byte), nonce (12), ciphertext with tag (16). Source: design.md 5.
"""

import base64
import binascii
import hashlib
import hmac
import os
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import Complaint, ConfigError, Spoilt

KEY_BYTES = 32
VERSION_MAX = 255
_NONCE_BYTES = 12
_DRAWN_AT_ONCE = 256
_TAG_BYTES = 16
_INDEX_BYTES = 16
_PHONE_DIGITS_MAX = 11
_HINT = "密钥写成 `版本:BASE64`，例如 `1:` 加 32 个随机字节的 base64"


class _Nonces:
    """Random nonces, drawn many at once: each call of the system gives the interpreter up to other threads.

    For several threads at once. A process that was forked off draws its own: a nonce must never serve twice.
    """

    __slots__ = ("_drawn", "_process")

    def __init__(self) -> None:
        self._drawn: list[bytes] = []
        self._process = os.getpid()

    def next(self) -> bytes:
        """One that was never given out. Taking from a list is one step, so no two threads get the same."""
        if self._process != os.getpid():
            self._drawn, self._process = [], os.getpid()
        while True:
            try:
                return self._drawn.pop()
            except IndexError:
                many = os.urandom(_NONCE_BYTES * _DRAWN_AT_ONCE)
                self._drawn += [many[at : at + _NONCE_BYTES] for at in range(0, len(many), _NONCE_BYTES)]


class KeyRing:
    """Seals and opens. The keys themselves never show in `repr`, messages or logs."""

    __slots__ = ("_ciphers", "_current", "_index_key", "_nonces")

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._ciphers = {version: AESGCM(_derived(key, "seal")) for version, key in keys.items()}
        self._current = max(keys)
        self._nonces = _Nonces()
        # The blind index must stay the same when a key is added, so it hangs on the oldest one.
        self._index_key = _derived(keys[min(keys)], "blind index")

    def __repr__(self) -> str:
        return f"KeyRing(versions={sorted(self._ciphers)})"

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> Self:
        """The ring of these key texts. ConfigError names the position of every wrong one, never its value."""
        keys: dict[int, bytes] = {}
        complaints = []
        for position, text in enumerate(texts):
            try:
                version, key = _parsed(text)
            except ValueError as error:
                complaints.append(_complaint(position, str(error)))
                continue
            if version in keys:
                complaints.append(_complaint(position, f"版本 {version} 写了两次"))
            keys[version] = key
        if not texts:
            complaints.append(Complaint(where="[storage] keys", what="一个密钥也没有", hint=_HINT))
        if complaints:
            raise ConfigError(complaints)
        return cls(keys)

    @classmethod
    def generate(cls) -> Self:
        """A ring with one new random key, for tests and throw-away databases."""
        return cls({1: os.urandom(KEY_BYTES)})

    def seal(self, value: bytes, *, place: str) -> bytes:
        """`value` encrypted for `place`, which is `table.column:row` and must be given again to open it."""
        nonce = self._nonces.next()
        sealed = self._ciphers[self._current].encrypt(nonce, value, place.encode())
        return bytes((self._current,)) + nonce + sealed

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """What was sealed for `place`. Spoilt: no such key, another place, or the bytes were changed."""
        if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES:
            raise Spoilt("a sealed value is cut short", kind="damaged", where=place)
        cipher = self._ciphers.get(sealed[0])
        if cipher is None:
            raise Spoilt(
                f"sealed with key version {sealed[0]}, which is not configured",
                kind="key",
                key_version=sealed[0],
                where=place,
                hint="add the key of that version to [storage] keys",
            )
        try:
            return cipher.decrypt(sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :], place.encode())
        except InvalidTag as error:
            raise Spoilt(
                f"the sealed value does not open with key version {sealed[0]}",
                kind="damaged",
                key_version=sealed[0],
                where=place,
                hint="either the key is another one than the database was written with, or the row was changed by hand",
            ) from error

    def blind(self, phone: str) -> str:
        """What a phone number is looked up by: equal for all its spellings, and no way back to the digits."""
        digits = "".join(c for c in unicodedata.normalize("NFKC", phone) if c in "0123456789")[-_PHONE_DIGITS_MAX:]
        return hmac.new(self._index_key, digits.encode(), hashlib.sha256).hexdigest()[: 2 * _INDEX_BYTES]


def new_key_text(version: int = 1) -> str:
    """A key text with a fresh random key."""
    return f"{version}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"zhitu {purpose}".encode()).derive(key)


def _complaint(position: int, what: str) -> Complaint:
    return Complaint(where=f"[storage] keys[{position}]", what=what, hint=_HINT)


def _parsed(text: str) -> tuple[int, bytes]:
    version, colon, encoded = text.strip().partition(":")
    if not colon or not (version.isascii() and version.isdigit()) or not 1 <= int(version) <= VERSION_MAX:
        raise ValueError(f"冒号前面没有 1 到 {VERSION_MAX} 的版本")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError("冒号后面不是 base64") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"密钥有 {len(key)} 个字节，应为 {KEY_BYTES} 个")
    return int(version), key
