"""Requests of strangers, each prepared once and sent again and again: none of them bears a signature that holds."""

import time

from tests.bench import workload

BODY_BYTES = 1024
_FORGED = "0123456789abcdef0123456789abcdef01234567"


def bodies(kind: str) -> list[bytes]:
    """The one request of this kind, 1 KiB long."""
    return [workload.post(_targets()[kind], _body())]


def _targets() -> dict[str, str]:
    now = int(time.time())
    signed = f"signature={_FORGED}&nonce=1234567&openid=o&encrypt_type=aes&msg_signature={_FORGED}"
    return {
        "bare": workload.PATH,
        "forged": f"{workload.PATH}?{signed}&timestamp={now}",
        "stale": f"{workload.PATH}?{signed}&timestamp={now - 3600}",
        "nowhere": "/wp-login.php",
        NOOP: workload.PATH,
    }


NOOP = "noop"
KINDS = ("bare", "forged", "stale", "nowhere")
"""No query at all; a signature made up; the same an hour old; an address that nobody has."""


def _body() -> bytes:
    envelope = "<xml><ToUserName><![CDATA[gh]]></ToUserName><Encrypt><![CDATA[{}]]></Encrypt></xml>"
    return envelope.format("A" * (BODY_BYTES - len(envelope) + 2)).encode()
