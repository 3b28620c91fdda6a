"""The journeys and contents of the folders, loaded, and what a start says about them."""

from collections.abc import Callable, Collection
from pathlib import Path

import structlog

from bot import authoring
from bot.config import Config, Declared
from bot.core.program import Program, compile_library
from bot.errors import AuthoringError

log = structlog.get_logger(__name__)


def load_program(journeys: Path, content: Path, settings: Config) -> Program:
    """The journeys and contents in these folders, ready to run. AuthoringError: they have errors, all are told."""
    templates = {name for account in settings.channels.oa.values() for name in account.templates}
    webhooks = {name: target.recipient for name, target in settings.webhooks.items()}
    return program_of(authoring.load(journeys, content, templates=templates, webhooks=webhooks))


def program_of(loaded: authoring.Loaded) -> Program:
    """What was loaded, ready to run. AuthoringError: it has errors, all are told."""
    if loaded.library is None:
        raise AuthoringError(authoring.as_text(loaded.diagnostics, lang="zh"), hint="zhitu check")
    return compile_library(loaded.library)


def reload_program(journeys: Path, content: Path, settings: Config, *, now: Callable[[], Declared]) -> Program:
    """Like `load_program`, while the product runs. `now`: what the configuration names by now.

    AuthoringError: the files have errors; it says too what the configuration got since the start, which takes a start
    to be in force. ConfigError: the configuration cannot be read any more.
    """
    try:
        return load_program(journeys, content, settings)
    except AuthoringError as error:
        named = now()
        known = {name for account in settings.channels.oa.values() for name in account.templates}
        late = [f"[webhooks.{name}]" for name in sorted(set(named.webhooks) - set(settings.webhooks))]
        late += [f"模板 {name}" for name in sorted(named.templates - known)]
        if not late:
            raise
        note = f"config.toml 在启动之后多了 {'、'.join(late)}：重启 zhitu run 才生效\n"
        raise AuthoringError(f"{error.what}{note}", hint=error.hint) from error


def warn_of_templates(settings: Config) -> None:
    """A template without an id satisfies the checker and is passed over when its turn comes (DECISIONS.md)."""
    for name, account in settings.channels.oa.items():
        for template, template_id in account.templates.items():
            if not template_id:
                where = f"[channels.oa.{name}.templates]"
                log.warning("template_without_id", account=name, template=template, hint=f"write its id into {where}")


def without_account(program: Program, *, connected: Collection[str]) -> dict[str, list[str]]:
    """The journeys whose channel has no account, by channel: they are checked, and nobody enters them."""
    waiting: dict[str, list[str]] = {}
    for name, journey in program.library.journeys.items():
        if journey.channel not in connected:
            waiting.setdefault(journey.channel, []).append(name)
    return dict(sorted(waiting.items()))


def warn_of_channels(program: Program, *, connected: Collection[str]) -> None:
    """Log which journeys wait for a channel."""
    for channel, names in without_account(program, connected=connected).items():
        log.warning("channel_without_account", channel=channel, journeys=names, hint="they wait until it has one")
