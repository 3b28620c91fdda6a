"""Whether a callback really comes from its platform, decided before anything in it is parsed.

Only the query and the ciphertext are looked at here; what comes out is the plaintext of a signed body.
Source: delivery.md 1.1 and 1.2, wechat-api.md section 2.
"""

import base64
import binascii
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from bot.errors import Unreadable, Untrusted
from bot.runtime.ports import Query, looks_signed

CANDIDATES_MAX = 4
"""Ciphertexts tried in one body: in compatible mode a buyer's own text may look like the element."""
NONCES_MAX = 20_000
"""Plain mode: pairs remembered. At the maximum the oldest is forgotten, and its replay would be deduplicated only."""

_NONCE = re.compile(r"[!-~]{0,128}")
_OPENING, _CLOSING = b"<Encrypt>", b"</Encrypt>"
_CDATA, _CDATA_END = b"<![CDATA[", b"]]>"
_OPENING_JSON = re.compile(rb'"Encrypt"[ \t\r\n]{0,8}:[ \t\r\n]{0,8}"')
_RANDOM_BYTES = 16
_LENGTH_BYTES = 4
_PAD_MAX = 32

Sign = Callable[[Sequence[bytes]], str]
"""Hex SHA-1 over the sorted, joined parts."""
Decipher = Callable[[bytes], bytes]
"""AES-256-CBC without unpadding. ValueError: not whole blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The secrets of one account's callbacks. `deciphers`: one per AES key, the current one first."""

    token: str = field(repr=False)
    receive_id: str
    sign: Sign = field(repr=False)
    deciphers: tuple[Decipher, ...] = field(repr=False)


def check_age(query: Query, now: datetime) -> None:
    """Untrusted unless the query's timestamp is within its `age_max` of `now`, either way."""
    if not query.is_dated or not _NONCE.fullmatch(query.nonce):
        raise Untrusted("the query has no proper timestamp and nonce")
    if query.is_stale(now):
        raise Untrusted("the request is older or newer than allowed")


def signed(seal: Seal, query: Query, *, claimed: str, sealed: bytes = b"") -> bool:
    """Whether `claimed` is the signature over token, timestamp, nonce and `sealed`. Constant time."""
    if not looks_signed(claimed):
        return False
    parts = (seal.token.encode(), query.timestamp.encode(), query.nonce.encode(), sealed)
    return hmac.compare_digest(seal.sign(parts), claimed)


def unseal(seal: Seal, query: Query, body: bytes) -> bytes:
    """The plaintext of a signed and encrypted body.

    Untrusted: no ciphertext in it bears `msg_signature`, or it is addressed to somebody else.
    Unreadable: rightly signed, yet no AES key of ours opens it.
    """
    for sealed in _candidates(body):
        if signed(seal, query, claimed=query.msg_signature, sealed=sealed):
            return open_sealed(seal, sealed, body)
    raise Untrusted("the signature does not match")


def reopened(seal: Seal, body: bytes) -> bytes:
    """The message in a body whose signature was checked when it came; `body` itself where nothing is encrypted.

    Unreadable: still no AES key of ours opens it. Untrusted: it is addressed to somebody else.
    """
    sealed = next(_candidates(body), None)
    return body if sealed is None else open_sealed(seal, sealed, body)


def open_sealed(seal: Seal, sealed: bytes, body: bytes) -> bytes:
    """The message in one ciphertext, tried with every key. Call it only after the signature was checked."""
    try:
        ciphertext = base64.b64decode(sealed, validate=True)
    except binascii.Error:
        raise Unreadable("the ciphertext is not base64", body=body) from None
    misdirected = False
    for decipher in seal.deciphers:
        opened = _open(decipher, ciphertext)
        if opened is None:
            continue
        message, receive_id = opened
        if hmac.compare_digest(receive_id, seal.receive_id.encode()):
            return message
        misdirected = True
    if misdirected:
        raise Untrusted("the message is addressed to another account")
    raise Unreadable("no AES key of this account opens the ciphertext", body=body)


def _candidates(body: bytes) -> Iterator[bytes]:
    """What may be the platform's ciphertext, the likeliest first. `body` is not trusted yet: one look, no parsing."""
    found = _in_json(body) if body.lstrip()[:1] == b"{" else _in_xml(body)
    return islice(found, CANDIDATES_MAX)


def _in_xml(body: bytes) -> Iterator[bytes]:
    # Backwards: in compatible mode the platform's element comes after the buyer's own text.
    end = len(body)
    while (end := body.rfind(_CLOSING, 0, end)) >= 0 and (start := body.rfind(_OPENING, 0, end)) >= 0:
        yield body[start + len(_OPENING) : end].strip().removeprefix(_CDATA).removesuffix(_CDATA_END)
        end = start


def _in_json(body: bytes) -> Iterator[bytes]:
    for opening in _OPENING_JSON.finditer(body):
        end = body.find(b'"', opening.end())
        if end < 0:
            return
        yield body[opening.end() : end].replace(b"\\/", b"/")


def _open(decipher: Decipher, ciphertext: bytes) -> tuple[bytes, bytes] | None:
    """Message and receive-id, or None when the plaintext has not the agreed layout (another key)."""
    try:
        padded = decipher(ciphertext)
    except ValueError:
        return None
    pad = padded[-1] if padded else 0
    if not 1 <= pad <= _PAD_MAX:
        return None
    content = padded[_RANDOM_BYTES:-pad]
    length = int.from_bytes(content[:_LENGTH_BYTES], "big")
    rest = content[_LENGTH_BYTES:]
    if len(content) < _LENGTH_BYTES or length > len(rest):
        return None
    return rest[:length], rest[length:]


class Nonces:
    """Remembers which body came with a (timestamp, nonce), for plain mode, where the signature leaves the body out."""

    def __init__(self) -> None:
        self._digests: OrderedDict[tuple[str, str], tuple[datetime, bytes]] = OrderedDict()

    def admit(self, query: Query, digest: bytes, now: datetime) -> None:
        """Untrusted when the pair was used with another body before; the same body again is welcome."""
        pair = (query.timestamp, query.nonce)
        known = self._digests.get(pair)
        if known is not None and not hmac.compare_digest(known[1], digest):
            raise Untrusted("the nonce was used with another body")
        if known is None:
            self._digests[pair] = (now, digest)
        self._forget(now - 2 * query.age_max)

    def _forget(self, before: datetime) -> None:
        while self._digests:
            oldest_at, _ = next(iter(self._digests.values()))
            if len(self._digests) <= NONCES_MAX and oldest_at >= before:
                return
            self._digests.popitem(last=False)
