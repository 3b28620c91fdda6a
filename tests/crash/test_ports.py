"""Runs that are played side by side on one machine stay out of each other's way."""

import socket
from contextlib import closing

from tests.crash.products import free_ports


def listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def test_a_port_is_kept_for_its_run_while_the_product_lives_and_while_it_is_dead() -> None:
    """Before: of two runs begun at the same time, one took the ports of the other's dead products."""
    with closing(free_ports()) as ours, closing(free_ports()) as theirs:
        port = next(ours)
        assert next(theirs) != port
        # It asks to reuse addresses, as the servers of asyncio do.
        with socket.create_server(("127.0.0.1", port)):
            assert listens(port)
        assert not listens(port)
        with closing(free_ports()) as others:
            assert port not in [next(others) for _ in range(3)]
