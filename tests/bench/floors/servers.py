"""Two servers that keep nothing: one that answers at once, and one that also reads, verifies and decrypts.

A process of its own: `python -m tests.bench.floors.servers noop|ingest PORT`.
"""

import asyncio
import base64
import hashlib
import hmac
import sys
from xml.parsers import expat

from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.bench.lines import say
from tests.bench.workload import AES_KEY, PATH, TOKEN

_KEY = base64.b64decode(AES_KEY + "=")


async def noop(request: web.Request) -> web.Response:
    """Nothing but the answer."""
    return web.Response(text="success")


async def ingest(request: web.Request) -> web.Response:
    """What nobody can avoid who takes an encrypted callback: read, parse, check the signature, decrypt, parse again."""
    sealed = _fields(await request.read())["Encrypt"]
    query = request.query
    parts = sorted((TOKEN, query["timestamp"], query["nonce"], sealed))
    signature = hashlib.sha1("".join(parts).encode()).hexdigest()
    if not hmac.compare_digest(signature, query["msg_signature"]):
        return web.Response(status=403)
    decryptor = Cipher(algorithms.AES(_KEY), modes.CBC(_KEY[:16])).decryptor()
    content = (decryptor.update(base64.b64decode(sealed)) + decryptor.finalize())[16:]
    length = int.from_bytes(content[:4], "big")
    return web.Response(text="success" if _fields(content[4 : 4 + length])["FromUserName"] else "")


def _fields(xml: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    name, parts = "", [""]

    def start(tag: str, _: object) -> None:
        nonlocal name
        name = tag
        parts.clear()

    def end(tag: str) -> None:
        if tag == name:
            found[tag] = "".join(parts)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = parts.append
    parser.Parse(xml, True)
    return found


async def serve(kind: str, port: int) -> None:
    """Listen until somebody ends the process."""
    application = web.Application()
    application.router.add_post(PATH, {"noop": noop, "ingest": ingest}[kind])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=512).start()
    say("ready")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
