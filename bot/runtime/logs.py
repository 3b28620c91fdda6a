"""The log for operators: one line an occurrence, as JSON or for a console, with everything personal or secret masked.

The log is not the journal: what became of a customer is told by `zhitu why`, from the database.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO, TypeAlias

import structlog

Form: TypeAlias = Literal["json", "console"]
Fields: TypeAlias = MutableMapping[str, Any]  # Any: structlog's own type of what a caller may log

TEXT_LENGTH_MAX = 8_000
"""Longer texts are cut before anything else is done to them, and say so."""
NESTING_MAX = 6
"""What lies deeper in a logged value is left out, and says so."""
_MASK = "***"
_SECRET_NAMES = re.compile(
    r"secret|token|password|passwd|aes_?key|authorization|cookie|api_?key|storage_key", re.IGNORECASE
)
_PERSONAL_NAMES = frozenset({"text", "body", "content_text", "phone", "nick", "name", "plate", "vin"})
_QUERY = re.compile(r"""(?P<path>(?:https?://|/)[^\s?"'<>]*)\?[^\s"'<>]+""")
_CREDENTIALS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+]*://)[^\s/:]*:[^\s/]*@")
_BEARER = re.compile(r"\bBearer [A-Za-z0-9._~+/=-]+")
_ASSIGNED = re.compile(
    r"(?i)\b(?P<name>[a-z_]*(?:secret|token|password|aes_?key|signature)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,}]+"
)
_PHONE = re.compile(
    r"(?<!\d)(?:(?:\+|00)?86[\s-]?)?([1１][3-9３-９]\d)[\s.·—–-]{0,3}(\d{4})[\s.·—–-]{0,3}(\d{4})(?!\d)"
)
_EXTERNAL_ID = re.compile(
    r"(?<![A-Za-z0-9_-])(?P<head>(?:o[A-Za-z0-9_-]|w[mobk])[A-Za-z0-9_-]{3})[A-Za-z0-9_-]{21,28}(?![A-Za-z0-9_-])"
)
"""openid and unionid have 28 characters and begin with `o`; external_userid begins with `wm` or `wo` and has 32."""


def mask(text: str) -> str:
    """`text` without phone numbers, ids of customers, queries, passwords and tokens."""
    if len(text) > TEXT_LENGTH_MAX:
        text = f"{text[:TEXT_LENGTH_MAX]}… ({len(text)} characters)"
    text = _CREDENTIALS.sub(rf"\g<scheme>{_MASK}@", text)
    text = _QUERY.sub(rf"\g<path>?{_MASK}", text)
    text = _BEARER.sub(f"Bearer {_MASK}", text)
    text = _ASSIGNED.sub(rf"\g<name>{_MASK}", text)
    text = _PHONE.sub(r"\1****\3", text)
    return _EXTERNAL_ID.sub(rf"\g<head>{_MASK}", text)


def redact(_logger: object, _method: str, fields: Fields) -> Fields:
    """A structlog processor: every field masked, and those whose name says that they are secret or personal removed."""
    return {name: _masked_field(name, value, NESTING_MAX) for name, value in fields.items()}


def _masked_field(name: str, value: object, depth: int) -> object:
    if _SECRET_NAMES.search(name) or name in _PERSONAL_NAMES:
        return _MASK
    return _masked(value, depth)


def _masked(value: object, depth: int) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return mask(value)
        case _ if depth == 0:
            return f"… ({type(value).__name__})"
        case Mapping():
            return {mask(str(name)): _masked_field(str(name), inner, depth - 1) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked(inner, depth - 1) for inner in value]
        case datetime():
            return value.isoformat()
        case _:
            return mask(str(value))


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
        structlog.processors.format_exc_info,
    ]
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=0)
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
            foreign_pre_chain=[*before, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # One line an HTTP request or an alarm would drown the rest; /metrics counts them.
    for chatty in ("aiohttp.access", "apscheduler", "alembic", "asyncio"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
