"""Records that guards and templates read, worked out when they are read: views of what the step is changing."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from bot.core import windows
from bot.core.step.copies import Run
from bot.core.step.draft import Draft
from bot.core.step.typed import Readers, readers_of, record_of


class _View(Mapping[str, object]):
    """A record whose fields are worked out when they are read. Absent fields are null, as everywhere."""

    __slots__ = ()
    names: ClassVar[tuple[str, ...]] = ()

    def __getitem__(self, name: str) -> object:
        found = self.get(name)
        if found is None and name not in self:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class CustomerView(_View):
    """`customer`: the attributes, what was declared for those that are not stored, and what the engine keeps."""

    __slots__ = ("attributes", "defaults", "draft")
    names = ("id", "score", "points", "source", "opted_out", "advisor")

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        readers = draft.program.kept(Readers, readers_of)
        self.attributes = record_of(draft.attributes, readers.attributes)
        self.defaults = readers.defaults

    def get(self, name: str, default: object = None) -> object:
        if name not in self.names:
            found = self.attributes.get(name)
            return self.defaults.get(name) if found is None else found
        draft = self.draft
        match name:
            case "id":
                return draft.base.customer_id
            case "score":
                return draft.score
            case "points":
                return draft.points
            case "source":
                return draft.source or None
            case "opted_out":
                return bool(draft.opt_outs)
            case _:
                member = draft.program.member(draft.advisor) if draft.advisor else None
                return member.name if member else None

    def __contains__(self, name: object) -> bool:
        return name in self.names or name in self.draft.attributes or name in self.defaults

    def __iter__(self) -> Iterator[str]:
        return iter({**self.defaults, **self.draft.attributes, **dict.fromkeys(self.names)})

    def __len__(self) -> int:
        return sum(1 for _ in self)


class WindowView(_View):
    """`window`: what the platform still allows in the conversation of an enrolment. Shut when it has none."""

    __slots__ = ("draft", "run")
    names = ("open", "left")

    def __init__(self, draft: Draft, run: Run) -> None:
        self.draft = draft
        self.run = run

    def get(self, name: str, default: object = None) -> object:
        if name not in self.names:
            return None
        draft, talk = self.draft, self.draft.talk_of(self.run)
        if talk is None:
            return False if name == "open" else 0
        if name == "left":
            return windows.left(talk, draft.now)
        return talk.reachable and windows.is_open(talk, draft.now, draft.program.rules)


class StateView(_View):
    """`state`: where an enrolment is."""

    __slots__ = ("run",)
    names = ("id", "previous", "entered_at", "visit")

    def __init__(self, run: Run) -> None:
        self.run = run

    def get(self, name: str, default: object = None) -> object:
        match name:
            case "id":
                return self.run.state
            case "previous":
                return self.run.previous or None
            case "entered_at":
                return self.run.state_entered_at
            case "visit":
                return self.run.visit
            case _:
                return None


class ErrorView(_View):
    """`error`: what went wrong last and was handled. Null before anything did."""

    __slots__ = ("run",)
    names = ("code",)

    def __init__(self, run: Run) -> None:
        self.run = run

    def get(self, name: str, default: object = None) -> object:
        return (self.run.error or None) if name == "code" else None


class Counts(_View):
    """`counts`: earlier visits of each state; of states never entered 0, not null."""

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts = counts

    def get(self, name: str, default: object = None) -> int:
        return self.counts.get(name, 0)

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)
