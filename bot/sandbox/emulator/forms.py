"""Reads the JSON objects that clients post, field by field, and notices the fields that nobody knows."""

from collections.abc import Mapping
from typing import Self

from bot.sandbox.emulator.denial import Denial
from bot.sandbox.emulator.wire import Json


class Form:
    """One JSON object of a request. Every getter marks its field as known; `finish` refuses the unknown ones.

    `bad`: the code for a field of the wrong type. Absent optional fields read as empty.
    """

    def __init__(self, body: Mapping[str, Json], *, bad: int, where: str = "") -> None:
        self._body = body
        self._bad = bad
        self._where = where
        self._known: set[str] = set()

    def text(self, key: str) -> str:
        """The string at `key`, empty when absent."""
        found = self._read(key)
        if found is None:
            return ""
        if not isinstance(found, str):
            raise self.wrong(key, "not a string")
        return found

    def need(self, key: str, code: int | None = None) -> str:
        """The string at `key`. Denial with `code` when it is absent or empty."""
        found = self.text(key)
        if not found:
            raise Denial(self._bad if code is None else code, self._path(key))
        return found

    def integer(self, key: str, default: int = 0) -> int:
        """The whole number at `key`; `default` when absent."""
        found = self._read(key)
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, int):
            raise self.wrong(key, "not an integer")
        return found

    def flag(self, key: str) -> bool:
        """The truth at `key`, false when absent."""
        found = self._read(key)
        if found is None:
            return False
        if not isinstance(found, bool):
            raise self.wrong(key, "not a boolean")
        return found

    def texts(self, key: str) -> list[str]:
        """The list of strings at `key`, empty when absent."""
        found = self._list(key)
        texts = [one for one in found if isinstance(one, str)]
        if len(texts) < len(found):
            raise self.wrong(key, "not a list of strings")
        return texts

    def has(self, key: str) -> bool:
        """Whether the client sent `key` at all."""
        return self._body.get(key) is not None

    def form(self, key: str) -> Self:
        """The object at `key`, an empty form when absent."""
        found = self._read(key)
        if found is None:
            return self._inner({}, key)
        if not isinstance(found, dict):
            raise self.wrong(key, "not an object")
        return self._inner(found, key)

    def forms(self, key: str) -> list[Self]:
        """The objects in the list at `key`, none when absent."""
        found: list[Self] = []
        for number, one in enumerate(self._list(key)):
            if not isinstance(one, dict):
                raise self.wrong(key, "not a list of objects")
            found.append(self._inner(one, f"{key}[{number}]"))
        return found

    @property
    def sent(self) -> tuple[str, ...]:
        """All keys the client sent, in its order."""
        return tuple(self._body)

    def ignore(self, *keys: str) -> Self:
        """Count `keys` as known: listed by the fact sheet, without effect on what is shown."""
        self._known.update(keys)
        return self

    def finish(self) -> None:
        """Denial, marked unfaithful, when the object has fields that nobody asked for."""
        unknown = sorted(set(self._body) - self._known)
        if unknown:
            raise Denial(self._bad, f"unknown field {self._path(unknown[0])}", unfaithful=True)

    def wrong(self, key: str, why: str) -> Denial:
        """The refusal of the field at `key`, to be raised."""
        return Denial(self._bad, f"{self._path(key)} {why}")

    def _inner(self, body: Mapping[str, Json], key: str) -> Self:
        return type(self)(body, bad=self._bad, where=self._path(key))

    def _list(self, key: str) -> list[Json]:
        found = self._read(key)
        if found is None:
            return []
        if not isinstance(found, list):
            raise self.wrong(key, "not a list")
        return found

    def _read(self, key: str) -> Json:
        self._known.add(key)
        return self._body.get(key)

    def _path(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key
