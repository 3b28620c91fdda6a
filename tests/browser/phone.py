"""The phone page as a test sees it: what a person can do there, and what she can read.

Everything waits for what it needs; nothing sleeps. `bubbles()` reads what is there now, `shows(text)` waits.
"""

import re
from dataclasses import dataclass
from typing import Self

from playwright.async_api import ConsoleMessage, Locator, Page, expect


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A bubble. `side`: me, them or system; `text` is all that can be read in it."""

    side: str
    kind: str
    text: str


class Chat:
    """One of the two phones."""

    def __init__(self, root: Locator, name: str) -> None:
        self.root = root
        self._name = name

    def bubble(self, text: str) -> Locator:
        """The newest bubble in which `text` can be read."""
        return self.root.get_by_test_id(f"{self._name}-bubble").filter(has_text=text).last

    async def bubbles(self) -> list[Seen]:
        """All bubbles, oldest first, as they are now."""
        rows = await self.root.get_by_test_id(f"{self._name}-bubble").all()
        return [await _seen(row) for row in rows]

    async def shows(self, text: str) -> Seen:
        """The newest bubble with `text`, waited for."""
        found = self.bubble(text)
        await expect(found).to_be_visible()
        return await _seen(found)

    async def say(self, text: str) -> None:
        """Type and send."""
        await self.root.get_by_test_id(f"{self._name}-input").fill(text)
        await self.root.get_by_test_id(f"{self._name}-send").click()


class Buyer(Chat):
    async def tap(self, text: str) -> None:
        """Tap the newest menu line that says just `text`: 同意 is not 不同意."""
        exactly = re.compile(rf"^\s*{re.escape(text)}\s*$")
        await self.root.get_by_test_id("buyer-choice").filter(has_text=exactly).last.click()

    async def menu(self, key: str) -> None:
        """Press the button of the custom menu with this key, opening its parent if it has one."""
        button = self.root.locator(f'[data-menu-key="{key}"]')
        if not await button.is_visible():
            cell = self.root.locator(".menu-cell").filter(has=self.root.page.locator(f'[data-menu-key="{key}"]'))
            await cell.get_by_test_id("menu-parent").click()
        await button.click()


class Advisor(Chat):
    async def select(self, staff_id: str) -> None:
        """Look at this advisor's phone."""
        await self.root.locator(f'[data-staff-id="{staff_id}"]').click()

    def card(self, text: str = "") -> Locator:
        """The newest card, or the newest in which `text` can be read."""
        return self.root.get_by_test_id("card").filter(has_text=text).last

    def button(self, key: str) -> Locator:
        """The newest card button with this key that can still be pressed."""
        return self.root.locator(f'[data-testid="card-button"][data-key="{key}"]:enabled').last

    async def click(self, key: str) -> None:
        """Press the newest button with this key, waited for."""
        await self.button(key).click()


class Phone:
    """The whole page: `buyer` left, `advisor` right, and what stands between them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.buyer = Buyer(page.get_by_test_id("buyer"), "buyer")
        self.advisor = Advisor(page.get_by_test_id("advisor"), "advisor")
        self.console_errors: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        # A refusal by the server is logged by Chromium itself; the page shows it, and tests look for it there.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.console_errors.append(message.text)

    async def open(self, address: str) -> Self:
        """Go to `address` (scheme, host, port) and wait until the page lives."""
        await self.page.goto(f"{address}/phone")
        await self.idle()
        return self

    async def idle(self) -> None:
        """Wait until no action is running."""
        await expect(self.page.get_by_test_id("stage")).to_have_attribute("aria-busy", "false")

    async def press(self, test_id: str) -> None:
        await self.page.get_by_test_id(test_id).click()

    async def follow(self) -> None:
        await self.press("follow")
        await expect(self.page.get_by_test_id("unfollow")).to_be_visible()

    async def unfollow(self) -> None:
        await self.press("unfollow")
        await expect(self.page.get_by_test_id("follow")).to_be_visible()

    async def scan(self, scene: str) -> None:
        await self.page.get_by_test_id("scene").fill(scene)
        await self.press("scan")

    async def turn(self, seconds: int) -> None:
        """Turn the clock by 60, 3600 or 86400 seconds and wait until all that came due is done."""
        button = self.page.get_by_test_id(f"turn-{seconds}")
        await button.click()
        await expect(button).to_be_enabled()

    async def new_buyer(self) -> None:
        stage = self.page.get_by_test_id("stage")
        before = await stage.get_attribute("data-openid") or ""
        await self.press("new-buyer")
        await expect(stage).not_to_have_attribute("data-openid", before)

    async def shows_buyer(self, openid: str) -> None:
        """Wait until the page shows this buyer."""
        await expect(self.page.get_by_test_id("stage")).to_have_attribute("data-openid", openid)

    async def clock(self) -> str:
        return await self.page.get_by_test_id("clock").inner_text()

    def journey(self, journey: str) -> Locator:
        """The enrolment in `journey`; its attribute `data-state` is the state."""
        return self.page.locator(f'[data-testid="journey"][data-journey="{journey}"]')

    async def in_state(self, journey: str, state: str) -> None:
        """Wait until the buyer stands there."""
        await expect(self.journey(journey)).to_have_attribute("data-state", state)

    async def reasons(self) -> list[str]:
        return await self.page.get_by_test_id("reason").locator(".reason-text").all_inner_texts()

    async def toast(self) -> str:
        """What the newest note says, waited for."""
        return await self.page.get_by_test_id("toast").last.inner_text()


async def _seen(row: Locator) -> Seen:
    body = row.locator(".bubble, .card, .template, .picture, span").first
    return Seen(
        side=await row.get_attribute("data-side") or "",
        kind=await row.get_attribute("data-kind") or "",
        text=await body.inner_text(),
    )
