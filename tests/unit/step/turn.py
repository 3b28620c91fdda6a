"""What one act of a play led to, in the words of a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.effects import Effect, SaveTask, SendMessage, SuppressSends, Trace
from bot.core.events import Json
from bot.core.messages import Card, Image, Markdown, Menu, TemplateMessage, Text


@dataclass(slots=True)
class Turn:
    """What one act led to."""

    effects: list[Effect] = field(default_factory=list)
    journal: list[Trace] = field(default_factory=list)

    def sends(self) -> list[SendMessage]:
        return [effect for effect in self.effects if isinstance(effect, SendMessage)]

    def said(self) -> list[str]:
        """The texts of messages planned for the customer; those for later begin with 稍后."""
        return [_shown(send) for send in self.sends() if send.send_class != "staff"]

    def to(self, staff_id: str) -> list[str]:
        """What one of our people gets: texts, and cards as `title [buttons]`, or what a closed card says."""
        return [_text(send) for send in self.sends() if send.send_class == "staff" and send.to == staff_id]

    def traced(self, kind: str, **detail: Json) -> list[Mapping[str, Json]]:
        """Details of the journal's lines of this kind that hold at least `detail`."""
        found = [trace.detail for trace in self.journal if trace.kind == kind]
        return [one for one in found if all(name in one and one[name] == value for name, value in detail.items())]

    def suppressed(self) -> list[tuple[str, int]]:
        """Reason and number of what was held back."""
        return [(e.reason, len(e.effect_ids)) for e in self.effects if isinstance(e, SuppressSends)]

    def tasks(self) -> list[tuple[str, str | None, str]]:
        """Status, owner and title of the tasks that were written."""
        return [(e.status, e.staff_id, e.title) for e in self.effects if isinstance(e, SaveTask)]


def _shown(send: SendMessage) -> str:
    return f"稍后 {_text(send)}" if send.not_before else _text(send)


def _text(send: SendMessage) -> str:
    match send.message:
        case Text(text=text) | Markdown(text=text):
            return text
        case Menu(head=head):
            return head
        case Image(media_id=media_id):
            return f"image:{media_id}"
        case TemplateMessage(template=template):
            return f"template:{template}"
        case Card() as card:
            return card.done or f"{card.title} [{' '.join(button.key for button in card.buttons)}]"
