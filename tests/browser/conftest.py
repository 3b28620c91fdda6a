"""Chromium for the tests of this directory, started once.

Where Chromium or a Chinese font is missing, the tests skip and say how to get it; with `CI` set they fail.
Tests that use these fixtures carry `pytest.mark.asyncio(loop_scope="session")`.
"""

import os
import shutil
from collections.abc import AsyncIterator
from typing import NoReturn

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright, expect

from .phone import Phone

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 120_000
"""A wait ends when it sees what it waits for; this is only for what never comes, and no measure of a machine."""

# Without a font for them, all Chinese characters are drawn as one and the same box.
DRAWS_CHINESE = """() => {
  const drawn = (letter) => {
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d");
    pen.font = "40px sans-serif";
    pen.fillText(letter, 10, 60);
    return canvas.toDataURL();
  };
  return drawn("车") !== drawn("澜");
}"""


def missing(what: str, cure: str) -> NoReturn:
    """Fail where everything has to be there, skip on a newcomer's machine."""
    message = f"{what}\n  {cure}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def executable() -> str:
    found = next(filter(None, map(shutil.which, EXECUTABLES)), None)
    if found is None:
        missing("no Chromium on this machine", "Debian, Ubuntu: apt install chromium fonts-noto-cjk")
    return found


async def launched(playwright: Playwright) -> Browser:
    browser = await playwright.chromium.launch(executable_path=executable(), args=list(FLAGS), headless=True)
    page = await browser.new_page()
    draws_chinese = await page.evaluate(DRAWS_CHINESE)
    await page.close()
    if not draws_chinese:
        await browser.close()
        missing("no font for Chinese on this machine", "Debian, Ubuntu: apt install fonts-noto-cjk")
    return browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The one browser."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await launched(playwright)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser session of its own, the size of a small laptop's screen."""
    context = await chromium.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def phone(context: BrowserContext) -> AsyncIterator[Phone]:
    """An empty page. `await phone.open(address)` begins; errors in the page's console fail the test."""
    phone = Phone(await context.new_page())
    yield phone
    assert phone.console_errors == []
