"""An emulator of the WeChat official-account server and the WeCom server, with its own crypto and wire format."""

from bot.sandbox.emulator.deeds import Impossible
from bot.sandbox.emulator.server import Emulator
from bot.sandbox.emulator.settings import Conduct, EmulatorSettings, OaSettings, Platform, Template, WecomSettings
from bot.sandbox.emulator.transcript import Bubble, Button
from bot.sandbox.emulator.verification import Verification

__all__ = [
    "Bubble",
    "Button",
    "Conduct",
    "Emulator",
    "EmulatorSettings",
    "Impossible",
    "OaSettings",
    "Platform",
    "Template",
    "Verification",
    "WecomSettings",
]
