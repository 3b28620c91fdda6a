"""What is outside of the product while a test is played: the platforms, and the phones of buyer and advisors.

It takes every message, unless the test has said otherwise, and remembers all of them: it does not die with the product.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bot.authoring.trials import Decide
from bot.core.effects import SendMessage
from bot.core.messages import Card, Image, Markdown, Menu, MenuChoice, TemplateMessage, Text
from bot.errors import ChannelError, Refused, TryLater, Unknown, Unreachable
from bot.runtime.ports import Accepted

LATER_S = 30.0
"""After `later: true` the platform is asked again after so many seconds."""
STAFF = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message that came to the platform. `refused`: why it was not taken, empty when it was."""

    at: datetime
    effect: SendMessage
    refused: str = ""

    @property
    def to_buyer(self) -> bool:
        """Whether it went to the customer and not to one of our people."""
        return self.effect.channel != STAFF

    @property
    def text(self) -> str:
        """What can be read on the phone."""
        return text_of(self.effect)


@dataclass(slots=True, kw_only=True)
class Outside:
    """`templates`: names of the template messages that the platform has granted, None: all."""

    templates: frozenset[str] | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    _decided: dict[str, deque[Decide]] = field(default_factory=dict)

    def decide(self, verdict: Decide) -> None:
        """Give this verdict to the next message of its content."""
        self._decided.setdefault(verdict.content, deque()).append(verdict)

    def take(self, effect: SendMessage, now: datetime) -> Accepted:
        """The platform's answer to one message. ChannelError: it was refused, or nobody knows."""
        failure = self._failure(effect)
        refused = "" if failure is None else _word(failure)
        self.deliveries.append(Delivery(at=now, effect=effect, refused=refused))
        if failure is not None:
            raise failure
        number = len(self.deliveries)
        code = f"code-{number}" if isinstance(effect.message, Card) else ""
        return Accepted(provider_id=f"message-{number}", response_code=code)

    def _failure(self, effect: SendMessage) -> ChannelError | None:
        message = effect.message
        if (
            isinstance(message, TemplateMessage)
            and self.templates is not None
            and message.template not in self.templates
        ):
            return Refused("this template is not registered")
        waiting = self._decided.get(effect.content)
        return _failure_of(waiting.popleft()) if waiting else None

    def taken(self, *, since: int = 0) -> Iterator[Delivery]:
        """Messages that the customer has got, in order; `since`: only those behind so many deliveries."""
        return (one for one in self.deliveries[since:] if one.to_buyer and not one.refused)

    def newest_choice(self, text: str, *, content: str = "") -> MenuChoice | None:
        """The line that reads `text` in the newest menu that has it, of `content` if that is named."""
        for one in reversed([*self.taken()]):
            message = one.effect.message
            if isinstance(message, Menu) and content in ("", one.effect.content):
                found = next((choice for choice in message.choices if choice.text == text), None)
                if found is not None:
                    return found
        return None

    def newest_choices(self) -> tuple[str, ...]:
        """The lines of the newest menu, as they read; none: there is no menu."""
        menus = (one.effect.message for one in reversed([*self.taken()]) if isinstance(one.effect.message, Menu))
        newest = next(menus, None)
        return tuple(choice.text for choice in newest.choices) if newest is not None else ()

    def newest_card(self, key: str) -> Delivery | None:
        """The newest card with this button that an advisor has got."""
        cards = (one for one in reversed(self.deliveries) if not one.to_buyer and not one.refused)
        return next((one for one in cards if _has_button(one.effect, key)), None)

    def newest_to_staff(self) -> Delivery | None:
        """What an advisor has got last."""
        return next((one for one in reversed(self.deliveries) if not one.to_buyer and not one.refused), None)


def _failure_of(verdict: Decide) -> ChannelError:
    match verdict.verdict:
        case "later":
            return TryLater("asked to come again", after_s=LATER_S)
        case "unknown":
            return Unknown("no answer came")
        case "refused":
            match verdict.reason:
                case "window" | "count" | "gone" | "refused_by_user" | "human_has_floor" | "no_grant":
                    return Unreachable("refused by the test", reason=verdict.reason)
                case code:
                    return Refused("refused by the test", vendor_code=int(code) if code.isdigit() else None)


def _word(failure: ChannelError) -> str:
    if isinstance(failure, Unreachable):
        return failure.reason
    return str(failure.vendor_code) if failure.vendor_code is not None else failure.code


def _has_button(effect: SendMessage, key: str) -> bool:
    return isinstance(effect.message, Card) and any(button.key == key for button in effect.message.buttons)


def text_of(effect: SendMessage) -> str:
    """What a message reads like."""
    match effect.message:
        case Text(text=text) | Markdown(text=text):
            return text
        case Image(media_id=media_id):
            return f"[图片 {media_id}]"
        case Menu(head=head, choices=choices):
            return "\n".join((head, *(f"▸ {choice.text}" for choice in choices)))
        case TemplateMessage(template=template, fields=fields):
            return f"[模板 {template}] {'；'.join(f'{name}={value}' for name, value in fields)}"
        case Card(title=title, done=done):
            return title or done
