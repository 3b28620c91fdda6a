"""A loopback address that answers, and that can be shut and opened again."""

import asyncio
from ipaddress import ip_address

from aiohttp import web

_NOTICED_WITHIN_S = 0.02


class Listener:
    """Serves one application on one loopback port."""

    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        self._site: web.TCPSite | None = None
        self._host = ""
        self._port = 0

    @property
    def base_url(self) -> str:
        """`http://host:port`, without a slash at the end."""
        return f"http://{self._host}:{self._port}"

    async def start(self, host: str, port: int = 0) -> None:
        """Begin to listen. Port 0: any free one. ValueError: `host` is not a loopback address."""
        if not ip_address(host).is_loopback:
            raise ValueError(f"`{host}` is not a loopback address: the emulator is not for other machines")
        self._host, self._port = host, port
        await self._runner.setup()
        await self.reopen()

    async def reopen(self) -> None:
        """Listen again, on the port it had. Nothing happens when it listens already."""
        if self._site is not None:
            return
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._site = site
        # The socket of a TCPSite is the only place that knows the port the system chose for port 0.
        self._port = self._runner.addresses[0][1]

    async def shut(self) -> None:
        """Refuse new connections and cut the open ones, so that nobody finds an old one still usable."""
        if self._site is None:
            return
        await self._site.stop()
        self._site = None
        server = self._runner.server
        for connection in server.connections if server is not None else ():
            connection.force_close()
        # A client in this very process learns of its cut connections only when the loop gets to turn.
        await asyncio.sleep(_NOTICED_WITHIN_S)

    async def stop(self) -> None:
        """End for good."""
        self._site = None
        await self._runner.cleanup()
