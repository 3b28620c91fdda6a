"""`zhitu talk --journey FILE --events`: one journey, driven by a program with events and time instead of words.

Each line of input is one JSON object, each line of output what followed from it. Interpreter, storage and the way of a
message are the product's own, in virtual time; nothing else of the folder is entered, though it may be called.
"""

import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import orjson

from bot import authoring
from bot.authoring import literals
from bot.authoring.checks.references import EVENTS, known_events
from bot.authoring.source import START
from bot.authoring.suggest import meant
from bot.authoring.trials import Trial, TrialFile
from bot.core.customer import Enrolment
from bot.core.effects import Trace
from bot.core.events import CONVERSATIONAL, Event, Json
from bot.core.ids import EventId
from bot.core.library import Library
from bot.core.program import Program, compile_library
from bot.errors import AuthoringError, BotError
from bot.sandbox.lines import LENGTH_MAX, lines
from bot.sandbox.trials import play, setting
from bot.sandbox.trials.fuse import Fuse
from bot.sandbox.trials.outside import Delivery
from bot.storage import JournalLine

HERS = "oa."
"""Events of these names are acts of the customer's, as are messages; all others come from elsewhere."""
LINES_AT_ONCE = 500
TOLD = frozenset(
    {"entered", "entry_refused", "entry_waits", "moved", "exit", "goal", "ended", "error", "split", "timer"}
)
"""Kinds of decisions that are told."""

Told = dict[str, Json]


class BadLine(BotError):
    """A line of input is no request."""

    code = "bad_line"


def program_of(file: Path, journeys: Path, content: Path) -> Program:
    """The journey in `file` among those of the folder, of which nothing else is entered.

    What it waits for counts as declared. AuthoringError: it cannot be applied, with every finding.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "journeys"
        shutil.copytree(journeys, copy)
        shutil.copyfile(file, copy / file.name)
        loaded = authoring.load(copy, content)
        own = loaded.drafts.journeys.get(file.stem)
        known = known_events(loaded.drafts)
        named = [one.name for one in own.page.references if one.kind == "event"] if own is not None else []
        missing = [name for name in dict.fromkeys(named) if name not in known]
        if missing:
            _declare(
                copy / "schema" / "events.yaml", loaded.drafts.events.events if loaded.drafts.events else {}, missing
            )
            loaded = authoring.load(copy, content)
    if loaded.library is None:
        raise AuthoringError(authoring.as_text(loaded.diagnostics, "zh", colour=False).rstrip(), where=file.as_posix())
    return compile_library(_only(loaded.library, file.stem))


def _declare(file: Path, declared: Mapping[str, object], missing: list[str]) -> None:
    """Declare all events anew: those that were, and those that the journey names besides. Their fields are open."""
    file.parent.mkdir(parents=True, exist_ok=True)
    names = "".join(f"  {name}: {{}}\n" for name in (*declared, *missing))
    file.write_text(f"dsl: 1\nevents:\n{names}", encoding="utf-8")


def _only(library: Library, name: str) -> Library:
    journeys = {key: one if key == name else replace(one, enter=()) for key, one in library.journeys.items()}
    return replace(library, journeys=journeys)


@dataclass(slots=True)
class Drive:
    """One customer in one journey, and a program that makes things happen to her."""

    stage: play.Play
    known: tuple[str, ...]
    seen_seq: int = 0
    seen_deliveries: int = 0
    events: int = 0

    @classmethod
    def begin(cls, program: Program, journey: str) -> "Drive":
        """Ten in the morning of a working day; nothing has happened."""
        theatre = play.Theatre.build(program)
        stage = play.begin(theatre, TrialFile(file="", journey=journey), Trial(name=journey, span=START), Fuse())
        return cls(stage, tuple(dict.fromkeys((*sorted(program.library.events), *EVENTS))))

    def take(self, line: str) -> Told:
        """Do what the line asks for, and tell what followed. A line that asks for nothing is told as `error`."""
        try:
            self._do(_request(line))
        except (BotError, literals.LiteralFault) as error:
            return {"error": str(error), **self._standing()}
        return self._told()

    def _do(self, request: Mapping[str, Json]) -> None:
        match request:
            case {"event": str(kind), **rest}:
                fields = rest.get("fields") or {}
                if not isinstance(fields, dict) or set(rest) - {"fields"}:
                    raise BadLine('一行是 {"event": 名字, "fields": {…}}')
                self._happen(kind, fields)
            case {"advance": str(length), **rest} if not rest:
                self.stage.house.turn_to(self.stage.now + _length(length))
            case _:
                raise BadLine('一行是 {"event": "message", "fields": {"text": "你好"}} 或 {"advance": "2h"}')

    def _happen(self, kind: str, fields: Mapping[str, Json]) -> None:
        if kind not in self.known:
            shown = "、".join(self.known)
            raise BadLine(f"没有事件 “{kind}”{meant(kind, self.known)} 已知的有：{shown}")
        self.events += 1
        is_hers = kind in CONVERSATIONAL or kind.startswith(HERS)
        journey = self.stage.program.journey(self.stage.file.journey)
        standard: Told = {"kind": "text", "text": ""} if kind == "message" else {}
        event = Event(
            event_id=EventId(f"driven-{self.events}"),
            type=kind,
            channel=journey.channel if is_hers else "",
            account=setting.ACCOUNT if is_hers else "",
            sender=setting.BUYER if is_hers else "",
            occurred_at=self.stage.now,
            fields={**standard, **fields},
        )
        if is_hers:
            self.stage.house.accept((event,))
        else:
            self.stage.house.accept((), addressed=((self.stage.customer_id, event),))

    def _told(self) -> Told:
        traces = [trace for line in self._fresh() for trace in line.entries if trace.kind in TOLD]
        sent = self.stage.outside.deliveries[self.seen_deliveries :]
        self.seen_deliveries += len(sent)
        return {**self._standing(), "happened": [_of(one) for one in traces], "sent": [_sent(one) for one in sent]}

    def _fresh(self) -> list[JournalLine]:
        found: list[JournalLine] = []
        while True:
            with self.stage.theatre.database.reading() as tx:
                more = tx.reading.journal_after(self.stage.customer_id, self.seen_seq, limit=LINES_AT_ONCE)
            found += more
            self.seen_seq = found[-1].seq if found else self.seen_seq
            if len(more) < LINES_AT_ONCE:
                return found

    def _standing(self) -> Told:
        states: list[Json] = [_state(one) for one in self.stage.customer().enrolments.values()]
        return {"at": self.stage.now.isoformat(), "states": states}


def _request(line: str) -> Mapping[str, Json]:
    if len(line) > LENGTH_MAX:
        raise BadLine(f"一行最多 {LENGTH_MAX} 字")
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        cure = "一行要是一个完整的对象，名字和文字用英文双引号"
        raise BadLine(f"不是 JSON：从第 {error.colno} 个字符起读不懂；{cure}") from error
    if not isinstance(found, dict):
        raise BadLine("一行要是一个 JSON 对象")
    return found


def _length(text: str) -> timedelta:
    return literals.duration(text)


def _state(one: Enrolment) -> Json:
    return {
        "journey": one.journey,
        "key": one.key,
        "state": one.state,
        "status": one.status,
        "visit": one.visit,
        "arm": one.arm,
        "asks": one.pending.slot if one.pending else None,
        "vars": dict(one.values),
        "slots": dict(one.slots),
    }


def _of(trace: Trace) -> Json:
    return {"kind": trace.kind, "journey": trace.journey, "state": trace.state, **trace.detail}


def _sent(one: Delivery) -> Json:
    return {"to": one.effect.to, "content": one.effect.content, "text": one.text, "refused": one.refused}


async def drive(file: Path, journeys: Path, content: Path) -> None:
    """Answer each line of standard input by one on standard output, until it ends. BotError: it cannot begin."""
    if sys.stdin is None:
        raise BotError("标准输入是关着的", hint="把事件用管道传进来，一行一个 JSON")
    driven = Drive.begin(program_of(file, journeys, content), file.stem)
    async for line in lines(sys.stdin.fileno()):
        if line.strip():
            sys.stdout.buffer.write(orjson.dumps(driven.take(line), option=orjson.OPT_APPEND_NEWLINE))
            sys.stdout.flush()
