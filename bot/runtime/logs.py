"""The log for operators: one line an occurrence, as JSON or for a console, with everything personal or secret masked.

The log is not the journal: what became of a customer is told by `zhitu why`, from the database.
"""

import logging
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import Any, Literal, TextIO, TypeAlias
from uuid import UUID

import structlog

from bot.runtime.bugs import kind_of, trace_of
from bot.runtime.masking import MASK, mask, shortened_id

Form: TypeAlias = Literal["json", "console"]
Fields: TypeAlias = MutableMapping[str, Any]  # Any: structlog's own type of what a caller may log

NESTING_MAX = 6
"""What lies deeper in a logged value is left out, and says so."""
ENTRIES_MAX = 100
"""Entries of a logged list or record that are told; the rest is left out, and says so."""
CAUSES_MAX = 5
"""Exceptions of one chain that are told, the last one first."""
_SECRET_NAMES = re.compile(
    r"secret|token|passw|aes_?key|authorization|cookie|api_?key|storage_key|signature|nonce|echostr|ticket|query"
    r"|credential|response_code"
)
_SPOKEN_NAMES = frozenset({"text", "texts", "body", "message", "messages", "content_text", "answer", "said", "payload"})
_PERSONAL_NAMES = _SPOKEN_NAMES | {"fields", "xml", "phone", "mobile", "nick", "nickname", "name", "plate", "vin"}
_ID_NAMES = frozenset({"openid", "unionid", "external_id", "external_userid", "fromusername", "tousername"})
_TELLING = (Enum, PurePath, UUID, Decimal, date, time, timedelta)
"""Types whose text is a value. Of other objects only the class is told: their text may hold what somebody wrote."""
# asyncio goes on after these with the values that a task or a callback was given.
_ASYNCIO_VALUES = re.compile(r"[\n<(]")


def redact(_logger: object, _method: str, fields: Fields) -> Fields:
    """A structlog processor: every field masked, and those whose name says that they are secret or personal removed."""
    return {mask(str(name)): _masked_field(str(name), value, NESTING_MAX) for name, value in fields.items()}


def _masked_field(name: str, value: object, depth: int) -> object:
    plain = unicodedata.normalize("NFKC", name).casefold()
    if _SECRET_NAMES.search(plain) or plain in _PERSONAL_NAMES:
        return MASK
    if plain in _ID_NAMES and isinstance(value, str):
        return shortened_id(mask(value))
    return _masked(value, depth)


def _masked(value: object, depth: int) -> object:
    match value:
        case None | bool():
            return value
        case str():
            return mask(str(value))
        case int() | float():
            # A phone number is a number, too.
            told = mask(str(value))
            return value if told == str(value) else told
        case BaseException():
            return mask(kind_of(value))
        case _ if depth == 0:
            return f"… ({type(value).__name__})"
        case Mapping():
            return _masked_record(value, depth)
        case list() | tuple() | set() | frozenset():
            told_ones = [_masked(one, depth - 1) for one in islice(value, ENTRIES_MAX)]
            return [*told_ones, f"… ({len(value)} entries)"] if len(value) > ENTRIES_MAX else told_ones
        case datetime():
            return value.isoformat()
        case _:
            return mask(str(value)) if isinstance(value, _TELLING) else f"<{type(value).__name__}>"


def _masked_record(record: Mapping[object, object], depth: int) -> dict[str, object]:
    told = {
        mask(str(_masked(name, 1))): _masked_field(str(name), value, depth - 1)
        for name, value in islice(record.items(), ENTRIES_MAX)
    }
    return told | {"…": f"{len(record)} entries"} if len(record) > ENTRIES_MAX else told


def _tell_exception(_logger: object, _method: str, fields: Fields) -> Fields:
    """Says of an exception its kind and its lines of code. The usual form adds its text, which may quote a customer."""
    raised = fields.pop("exc_info", None)
    error = raised[1] if isinstance(raised, tuple) else sys.exception() if raised is True else raised
    if isinstance(error, BaseException):
        fields["exception"] = "".join(_chain(error))
    return fields


def _chain(error: BaseException) -> Iterator[str]:
    found: BaseException | None = error
    for _ in range(CAUSES_MAX):
        if found is None:
            return
        yield f"{kind_of(found)}\n{trace_of(found)}"
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
        if found is not None:
            yield "caused by "


def _without_values(_logger: object, _method: str, fields: Fields) -> Fields:
    """Cuts what asyncio says of a task or a callback before the values that it was given."""
    if fields.get("logger") == "asyncio":
        fields["event"] = _ASYNCIO_VALUES.split(str(fields.get("event", "")), maxsplit=1)[0]
    return fields


def _stamp(_logger: object, _method: str, fields: Fields) -> Fields:
    # The machine's clock on purpose: an operator compares this with other programs, also while the sandbox's is turned.
    fields["at"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    return fields


def configure(form: Form, *, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send our log and that of every library to `stream` (standard error unless told) in `form`, masked."""
    out = stream or sys.stderr
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _stamp,
        _tell_exception,
    ]
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=out.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    _route(out, level, before=before, render=render)


def _route(
    out: TextIO, level: int, *, before: list[structlog.typing.Processor], render: structlog.typing.Processor
) -> None:
    """Everything that uses `logging` (aiohttp, APScheduler, SQLAlchemy) comes out of the same masked mouth."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.PositionalArgumentsFormatter(), _without_values],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # One line an HTTP request or an alarm would drown the rest; /metrics counts them.
    for chatty in ("aiohttp.access", "apscheduler", "alembic", "asyncio"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
