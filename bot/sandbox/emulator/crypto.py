"""The platforms' message encryption, written anew so that no mistake is shared with the side under test.

Source: wechat-api.md 2.1.
"""

import base64
import binascii
import hashlib
import secrets
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

RANDOM_BYTES = 16
_LENGTH_BYTES = 4
_BLOCK_BYTES = 32


class Broken(ValueError):
    """A ciphertext that does not open. `code` is the reference library's (wechat-api.md 2.2)."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{code} {why}")
        self.code = code


def signature(*parts: str) -> str:
    """Hex SHA-1 over `parts`, sorted as strings and joined with nothing."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One EncodingAESKey with the receiver id (app id or corp id) that every ciphertext carries."""

    aes_key: str = field(repr=False)
    receiver: str

    def seal(self, message: bytes, *, random: bytes | None = None) -> str:
        """The base64 ciphertext of `message`. `random`: the 16 leading bytes, drawn unless given."""
        lead = random if random is not None else secrets.token_bytes(RANDOM_BYTES)
        plain = lead + struct.pack(">I", len(message)) + message + self.receiver.encode()
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(_pad(plain)) + encryptor.finalize()).decode()

    def open(self, encrypted: str) -> bytes:
        """The message inside `encrypted`. Broken: it is not base64, not ours, or not for this receiver."""
        plain = _unpad(self._decrypt(encrypted))
        start = RANDOM_BYTES + _LENGTH_BYTES
        if len(plain) < start:
            raise Broken(-40008, "buffer too short")
        (length,) = struct.unpack(">I", plain[RANDOM_BYTES:start])
        if start + length > len(plain):
            raise Broken(-40008, "length goes beyond the buffer")
        if plain[start + length :] != self.receiver.encode():
            raise Broken(-40005, "receiver differs")
        return plain[start : start + length]

    def _decrypt(self, encrypted: str) -> bytes:
        try:
            raw = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Broken(-40010, "not base64") from error
        if not raw or len(raw) % RANDOM_BYTES:
            raise Broken(-40007, "not whole blocks")
        decryptor = self._cipher().decryptor()
        return decryptor.update(raw) + decryptor.finalize()

    def _cipher(self) -> Cipher[modes.CBC]:
        # The 43rd character holds two spare bits that public keys do not always leave at zero: decode leniently.
        key = base64.b64decode(self.aes_key + "=")
        return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def _pad(plain: bytes) -> bytes:
    count = _BLOCK_BYTES - len(plain) % _BLOCK_BYTES
    return plain + bytes([count]) * count


def _unpad(plain: bytes) -> bytes:
    count = plain[-1]
    return plain[:-count] if 1 <= count <= _BLOCK_BYTES else plain
