"""What the platforms draw: opaque texts and numbers, from a source that a simulation can seed."""

import base64
from random import Random

from bot.sandbox.emulator.crypto import RANDOM_BYTES


def opaque(chance: Random, size_bytes: int) -> str:
    """A text of so many drawn bytes, safe in a URL."""
    return base64.urlsafe_b64encode(chance.randbytes(size_bytes)).rstrip(b"=").decode()


def digits(chance: Random, count: int) -> str:
    """A number of at most `count` digits, as text."""
    return str(chance.randrange(10**count))


def lead(chance: Random) -> bytes:
    """The leading bytes of a ciphertext."""
    return chance.randbytes(RANDOM_BYTES)


def trace(chance: Random, length: int) -> str:
    """So many hexadecimal digits."""
    return chance.randbytes(length // 2).hex()
