"""What the operator decides: config.toml, the environment, and the keys that seal personal data."""

from bot.config.keyfile import KeyTexts, key_texts
from bot.config.loading import Declared, declared, load, load_storage
from bot.config.sections import Channels, Config, OfficialAccount, Server, StaffApp, Storage, is_loopback

__all__ = [
    "Channels",
    "Config",
    "Declared",
    "KeyTexts",
    "OfficialAccount",
    "Server",
    "StaffApp",
    "Storage",
    "declared",
    "is_loopback",
    "key_texts",
    "load",
    "load_storage",
]
