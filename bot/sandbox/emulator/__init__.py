"""An emulator of the WeChat official-account server and the WeCom server, with its own crypto and wire format."""

from bot.sandbox.emulator.carrier import Answered, Carrier, GaveUp, Letter, Outcome
from bot.sandbox.emulator.deeds import Impossible, NotPlayed
from bot.sandbox.emulator.exchange import Reply
from bot.sandbox.emulator.server import ConnectionCut, Emulator
from bot.sandbox.emulator.settings import Conduct, EmulatorSettings, OaSettings, Platform, Template, WecomSettings
from bot.sandbox.emulator.surroundings import Surroundings
from bot.sandbox.emulator.transcript import Bubble, Button
from bot.sandbox.emulator.verification import Verification

__all__ = [
    "Answered",
    "Bubble",
    "Button",
    "Carrier",
    "Conduct",
    "ConnectionCut",
    "Emulator",
    "EmulatorSettings",
    "GaveUp",
    "Impossible",
    "Letter",
    "NotPlayed",
    "OaSettings",
    "Outcome",
    "Platform",
    "Reply",
    "Surroundings",
    "Template",
    "Verification",
    "WecomSettings",
]
