"""Conditions over many customers, and questions about what happened to one, answered by the narrow rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, TextClause, bindparam, delete, func, select, text

from bot.core.audiences import KeptEvents, Searched
from bot.core.events import Json
from bot.core.expressions.evaluate import Closure, compile_node
from bot.core.expressions.ground import NUMBER_SEARCHED_MAX, Ground, Reading
from bot.core.expressions.pushing import unpushable
from bot.core.expressions.tree import Constant, EventCall, Node
from bot.core.expressions.values import ZONE, EvaluationFault, Scope
from bot.core.ids import CustomerId, EventId
from bot.core.library import Attribute
from bot.storage import tables
from bot.storage.audience_forms import Bound, Dialect, Given, Instead, Since, SqlWriter, happening
from bot.storage.audience_tables import customer_marks, customer_values, event_facts
from bot.storage.audience_values import encoded, kept_fields, narrow_rows
from bot.storage.customers import Change
from bot.storage.many import insert_many
from bot.storage.moments import maybe_moment, micros

COMPILED_MAX = 500
"""Conditions and sets of questions that are kept written; when there are more, all are written anew."""

_EVERYBODY = Constant(value=True)
# Everybody has an identity, and their ids stand in an index of their own; the customers' rows are wide.
_SEARCH = """
    SELECT DISTINCT c.customer_id FROM identities c
    WHERE c.customer_id > :after AND c.customer_id <= :upto AND ({}) ORDER BY c.customer_id LIMIT :limit
"""
_MEMBER = """
    EXISTS (SELECT 1 FROM customer_marks k WHERE k.customer_id = c.customer_id AND k.kind = 'segment' AND k.mark = :key)
"""
_TURNED = _SEARCH.format(f"{{}} <> {_MEMBER}")
_last_customer = select(func.max(tables.identities.c.customer_id))
_drop_value = delete(customer_values).where(
    customer_values.c.customer_id == bindparam("of"), customer_values.c.name == bindparam("of_name")
)
_drop_mark = delete(customer_marks).where(
    customer_marks.c.customer_id == bindparam("of"),
    customer_marks.c.kind == bindparam("of_kind"),
    customer_marks.c.mark == bindparam("of_mark"),
)
# Every type once, by leaps along the index.
_types = text("""
    WITH RECURSIVE t(type) AS (
        SELECT MIN(type) FROM event_facts
        UNION ALL SELECT (SELECT MIN(f.type) FROM event_facts f WHERE f.type > t.type) FROM t WHERE t.type IS NOT NULL
    ) SELECT type FROM t WHERE type IS NOT NULL
""")
_stretch = text(
    "SELECT MAX(at) AS last, COUNT(*) AS rows FROM (SELECT at FROM event_facts WHERE type = :type AND at > :after"
    " AND at < :before ORDER BY at LIMIT :limit) s"
)
_forget = text("""
    DELETE FROM event_facts WHERE type = :type AND at > :after AND at <= :last AND (:all = 1 OR EXISTS (
        SELECT 1 FROM event_facts n
        WHERE n.customer_id = event_facts.customer_id AND n.type = event_facts.type AND n.at > event_facts.at))
""")
_drop_values = delete(customer_values).where(customer_values.c.customer_id == bindparam("of"))
_drop_marks = delete(customer_marks).where(customer_marks.c.customer_id == bindparam("of"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When and where a condition is asked: `now` aware UTC, `zone` that of `today`."""

    now: datetime
    zone: ZoneInfo

    def scope(self) -> Scope:
        """What is known before any customer is looked at."""
        return {"now": self.now, "today": self.now.astimezone(self.zone).date(), ZONE: self.zone}


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """The customers with ids after `after` up to `upto`, of whom at most `limit` are wanted."""

    after: int
    upto: int
    limit: int

    def values(self) -> dict[str, object]:
        """What is bound for them."""
        return {"after": self.after, "upto": self.upto, "limit": self.limit}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    """A statement with its values. `keeps` holds the trees alive whose identities name it."""

    statement: TextClause
    fixed: Mapping[str, str | int]
    given: Mapping[str, tuple[Closure, Given]]
    since: Mapping[str, Since]
    keeps: object

    def values(self, moment: Moment) -> dict[str, object]:
        """What is bound at this moment. EvaluationFault: something given cannot be worked out."""
        scope = moment.scope()
        found: dict[str, object] = dict(self.fixed)
        for name, (closure, given) in self.given.items():
            found[name] = _bound_value(closure(scope), given)
        for name, since in self.since.items():
            found[name] = micros(moment.now - since.within)
        return found


def _bound_value(value: object, given: Given) -> str | int | None:
    if value is None:
        return None
    if isinstance(value, int | Decimal) and not -NUMBER_SEARCHED_MAX <= value <= NUMBER_SEARCHED_MAX:
        raise EvaluationFault("expr.size", "数太大，不能查询")
    return encoded(value, given.kind)


_compiled: dict[tuple[object, ...], _Compiled] = {}


@dataclass(frozen=True, slots=True)
class AudienceRows:
    """Reads and writes the narrow rows, inside one transaction."""

    connection: Connection

    def matching(
        self, condition: Node | None, ground: Ground, moment: Moment, *, among: Among
    ) -> tuple[CustomerId, ...]:
        """The first customers of `among` for whom `condition` (None: always) holds, by id.

        ValueError: it cannot be asked of a database. EvaluationFault: something given in it cannot be worked out.
        """
        tree = condition or _EVERYBODY
        found = self._condition(tree, ground, _SEARCH)
        values = found.values(moment) | among.values()
        return tuple(CustomerId(row.customer_id) for row in self.connection.execute(found.statement, values))

    def turned(
        self, condition: Node, ground: Ground, moment: Moment, *, key: str, among: Among
    ) -> tuple[CustomerId, ...]:
        """Those for whom `condition` holds and did not when the segment `key` was looked at, or the reverse, by id."""
        found = self._condition(condition, ground, _TURNED)
        values = found.values(moment) | among.values() | {"key": key}
        return tuple(CustomerId(row.customer_id) for row in self.connection.execute(found.statement, values))

    def answers(
        self, customer_id: CustomerId, calls: Sequence[EventCall], ground: Ground, moment: Moment
    ) -> dict[str, int | datetime | None]:
        """What happened to this customer, by the source of each question."""
        if not calls:
            return {}
        found = self._questions(calls, ground)
        row = self.connection.execute(found.statement, found.values(moment) | {"customer": customer_id}).one()
        return {
            call.source: value if call.kind == "count" else maybe_moment(value)
            for call, value in zip(calls, row, strict=True)
        }

    def last_customer(self) -> int:
        """The greatest id of any customer, 0 when there is none."""
        return self.connection.execute(_last_customer).scalar() or 0

    def note(
        self,
        customer_id: CustomerId,
        event_id: EventId,
        happened: tuple[str, datetime, Mapping[str, Json]],
        kept: KeptEvents,
    ) -> None:
        """Keep that an event of a type that is counted happened: its type, when, its fields. Noted twice is once."""
        kind, at, fields = happened
        row = {
            "customer_id": customer_id,
            "type": kind,
            "at": micros(at),
            "event_id": event_id,
            "fields": kept_fields(fields, kept),
        }
        key = ("customer_id", "type", "at", "event_id")
        insert_many(self.connection, event_facts, [row], key=key, known="nothing")

    def event_types(self) -> tuple[str, ...]:
        """The types of events of which something is kept."""
        return tuple(row.type for row in self.connection.execute(_types))

    def forget(self, kind: str, *, after: int, before: datetime, kept: KeptEvents | None, limit: int) -> int | None:
        """Drop events of this type from before that moment, at most `limit` looked at; where to go on, None: all were.

        `kept` None: nobody asks for them any more. The latest of a customer stays, where `last` is asked for.
        """
        values = {"type": kind, "after": after, "before": micros(before), "limit": limit}
        found = self.connection.execute(_stretch, values).one()
        if found.last is None:
            return None
        is_all = kept is None or not kept.last
        self.connection.execute(_forget, {"type": kind, "after": after, "last": found.last, "all": int(is_all)})
        last: int = found.last
        return last if found.rows >= limit else None

    def save(self, changes: Sequence[Change], searched: Searched, attributes: Mapping[str, Attribute]) -> None:
        """Write what changed in what is searched of customers who are saved in this transaction."""
        if not searched:
            return
        values: list[dict[str, object]] = []
        marks: list[dict[str, object]] = []
        gone: list[dict[str, object]] = []
        unmarked: list[dict[str, object]] = []
        for before, after in changes:
            was, now = narrow_rows(before, searched, attributes), narrow_rows(after, searched, attributes)
            of = after.customer_id
            changed = [(name, kept) for name, kept in now.values.items() if was.values.get(name) != kept]
            values += [_value_row(of, name, kept) for name, kept in changed]
            gone += [{"of": of, "of_name": name} for name in was.values.keys() - now.values.keys()]
            marks += [_mark_row(of, mark) for mark in now.marks - was.marks]
            unmarked += [{"of": of, "of_kind": kind, "of_mark": mark} for kind, mark in was.marks - now.marks]
        if gone:
            self.connection.execute(_drop_value, gone)
        if unmarked:
            self.connection.execute(_drop_mark, unmarked)
        self._insert(values, marks)

    def rewrite(self, customers: Sequence[Change], searched: Searched, attributes: Mapping[str, Attribute]) -> None:
        """Write all that is searched of these customers, whatever stood there."""
        values: list[dict[str, object]] = []
        marks: list[dict[str, object]] = []
        for _, customer in customers:
            rows, of = narrow_rows(customer, searched, attributes), customer.customer_id
            values += [_value_row(of, name, kept) for name, kept in rows.values.items()]
            marks += [_mark_row(of, mark) for mark in rows.marks]
        keys = [{"of": customer.customer_id} for _, customer in customers]
        if keys:
            self.connection.execute(_drop_values, keys)
            self.connection.execute(_drop_marks, keys)
        self._insert(values, marks)

    def _insert(self, values: Sequence[dict[str, object]], marks: Sequence[dict[str, object]]) -> None:
        insert_many(self.connection, customer_values, values, key=("customer_id", "name"), known="replace")
        insert_many(self.connection, customer_marks, marks, key=("customer_id", "kind", "mark"), known="nothing")

    def _condition(self, tree: Node, ground: Ground, sql: str) -> _Compiled:
        key = (self._dialect, id(tree), id(ground), sql)
        known = _compiled.get(key)
        if known is not None:
            return known
        found = unpushable(tree, ground)
        if found:
            raise ValueError(f"no database can work out {found[0].source}")
        writer = SqlWriter(dialect=self._dialect, reading=Reading(ground))
        return _keep(key, sql.format(writer.condition(tree)), writer.bound, keeps=(tree, ground))

    def _questions(self, calls: Sequence[EventCall], ground: Ground) -> _Compiled:
        key = (self._dialect, *(call.source for call in calls), id(ground))
        known = _compiled.get(key)
        if known is not None:
            return known
        writer = SqlWriter(dialect=self._dialect, reading=Reading(ground))
        columns = [f"{happening(writer, call)} AS a{at}" for at, call in enumerate(calls)]
        sql = f"SELECT {', '.join(columns)} FROM (SELECT CAST(:customer AS BIGINT) AS customer_id) c"  # noqa: S608
        return _keep(key, sql, writer.bound, keeps=ground)

    @property
    def _dialect(self) -> Dialect:
        return "sqlite" if self.connection.dialect.name == "sqlite" else "postgresql"


def _keep(key: tuple[object, ...], sql: str, bound: Mapping[str, Bound], *, keeps: object) -> _Compiled:
    if len(_compiled) >= COMPILED_MAX:
        _compiled.clear()
    given = {name: one for name, one in bound.items() if isinstance(one, Given)}
    found = _compiled[key] = _Compiled(
        statement=text(sql),
        fixed={name: _fixed(one) for name, one in bound.items() if isinstance(one, str | int | Instead)},
        given={name: (compile_node(one.tree), one) for name, one in given.items()},
        since={name: one for name, one in bound.items() if isinstance(one, Since)},
        keeps=keeps,
    )
    return found


def _fixed(one: str | int | Instead) -> str | int:
    return encoded(one.value, one.kind) if isinstance(one, Instead) else one


def _value_row(of: CustomerId, name: str, kept: tuple[str | None, int | None]) -> dict[str, object]:
    words, whole = kept
    return {"customer_id": of, "name": name, "words": words, "whole": whole}


def _mark_row(of: CustomerId, mark: tuple[str, str]) -> dict[str, object]:
    return {"customer_id": of, "kind": mark[0], "mark": mark[1]}
