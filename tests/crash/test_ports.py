"""Runs that are played side by side on one machine stay out of each other's way."""

import asyncio
import socket
from contextlib import closing

from tests.crash.products import free_ports


def listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


async def test_a_port_is_kept_for_its_run_while_the_product_lives_and_while_it_is_dead() -> None:
    """Before: of two runs begun at the same time, one took the ports of the other's dead products."""
    with closing(free_ports()) as ours, closing(free_ports()) as theirs:
        port = next(ours)
        assert next(theirs) != port
        async with await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", port):
            assert await asyncio.to_thread(listens, port)
        assert not await asyncio.to_thread(listens, port)
        with closing(free_ports()) as others:
            assert port not in [next(others) for _ in range(3)]
