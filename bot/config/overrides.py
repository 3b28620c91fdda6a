"""The text of config.toml with the `ZHITU_SECTION__KEY` variables laid over it, and the source of every value."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rapidfuzz.distance import DamerauLevenshtein

from bot.config.sections import keys_at
from bot.config.toml_slips import slip_of
from bot.errors import Complaint, ConfigError

PREFIX = "ZHITU_"
FILE_BYTES_MAX = 1_000_000
"""A larger config.toml is refused unread."""
LISTS: frozenset[tuple[str, ...]] = frozenset({("storage", "keys")})
_SEPARATOR = "__"
_LIST_SEPARATOR = ","
_TYPO_DISTANCE_MAX = 2

Value: TypeAlias = object
"""What TOML knows: texts, numbers, truth, times, lists and tables. Typed by the sections, not here."""
Where: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A variable that overrides nothing. `path`: as far as it could be followed."""

    path: Where
    complaint: Complaint


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """`values`: path of a leaf → value. `variables`: the paths that the environment gave, and by which name."""

    file: str
    values: Mapping[Where, Value]
    variables: Mapping[Where, str]
    strays: tuple[Stray, ...]

    def place(self, path: Where) -> str:
        """Where somebody finds the value at `path`: the variable, or file, section and key."""
        return self.variables.get(path) or in_file(self.file, path)


def in_file(file: str, path: Where) -> str:
    """`config.toml [channels.oa.main] secret` for the path of that key."""
    section, key = path[:-1], path[-1:]
    return " ".join([file, *([f"[{'.'.join(section)}]"] if section else []), *key])


def did_you_mean(word: str, known: frozenset[str]) -> str:
    """A sentence with the nearest of `known`, or with all of them when none is near, in Chinese."""
    near = sorted((DamerauLevenshtein.distance(word, name), name) for name in known)
    if near and near[0][0] <= _TYPO_DISTANCE_MAX:
        return f"是否指 `{near[0][1]}`？"
    return f"这里可用：{'、'.join(f'`{name}`' for name in sorted(known))}" if known else ""


def merge(path: Path, environ: Mapping[str, str]) -> Merged:
    """The leaves of the file at `path` under the variables of `environ`. ConfigError: no such file, or no TOML."""
    values = _leaves(_read(path), ())
    variables: dict[Where, str] = {}
    strays: list[Stray] = []
    for variable in sorted(name for name in environ if name.startswith(PREFIX) and _SEPARATOR in name):
        found = _path_of(variable, values)
        if isinstance(found, Stray):
            strays.append(found)
        else:
            variables[found] = variable
            values[found] = _typed(found, environ[variable])
    return Merged(file=path.name, values=values, variables=variables, strays=tuple(strays))


def _typed(path: Where, text: str) -> Value:
    """A variable can only hold one text: there a list is separated by commas."""
    return [part.strip() for part in text.split(_LIST_SEPARATOR)] if path in LISTS else text


def _read(path: Path) -> dict[str, Value]:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
        if len(raw) > FILE_BYTES_MAX:
            raise _broken(path, f"超过 {FILE_BYTES_MAX} 字节", hint="配置文件只有几行，看看是不是指错了文件")
        return _parsed(path, raw.decode())
    except FileNotFoundError as error:
        raise _broken(path, "没有这个文件", hint="用 `--config FILE` 指出配置文件") from error
    except OSError as error:
        raise _broken(path, f"读不了：{error.strerror}", hint="用 `--config FILE` 指出别的文件") from error
    except UnicodeDecodeError as error:
        raise _broken(path, f"不是 UTF-8（第 {error.start} 字节）", hint="另存为 UTF-8") from error


def _parsed(path: Path, text: str) -> dict[str, Value]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        slip = slip_of(text, error)
        where = f"{path}:{slip.line}:{slip.column}"
        raise ConfigError([Complaint(where=where, what=f"不是合法的 TOML：{slip.what}", hint=slip.cure)]) from error


def _broken(path: Path, what: str, *, hint: str) -> ConfigError:
    return ConfigError([Complaint(where=str(path), what=what, hint=hint)])


def _leaves(table: Mapping[str, Value], path: Where) -> dict[Where, Value]:
    """Every value that is no table, by its path. An empty table is kept: its section is there and lacks everything."""
    found: dict[Where, Value] = {}
    for key, value in table.items():
        here = (*path, key)
        if isinstance(value, dict) and value:
            found.update(_leaves(value, here))
        else:
            found[here] = value
    return found


def _path_of(variable: str, values: Mapping[Where, Value]) -> Where | Stray:
    """The path that `variable` overrides. Names of one's own choice are those of the file, whatever their case."""
    path: Where = ()
    for word in variable.removeprefix(PREFIX).split(_SEPARATOR):
        known = keys_at(path)
        key = _own_name(word, path, values=values) if known is None else word.lower()
        if known is not None and key not in known:
            return _unknown(variable, word=word, path=path, known=known)
        path = (*path, key)
    if (below := keys_at(path)) != frozenset():
        hint = did_you_mean("", frozenset(key.upper() for key in below or ())) or f"后面加 {_SEPARATOR} 和名字"
        return Stray(path=path, complaint=Complaint(where=variable, what="指的是一节，不是一个键", hint=hint))
    return path


def _own_name(word: str, path: Where, *, values: Mapping[Where, Value]) -> str:
    named = {key[len(path)] for key in values if key[: len(path)] == path and len(key) > len(path)}
    same = sorted(name for name in named if name.casefold() == word.casefold())
    return same[0] if same else word.lower()


def _unknown(variable: str, *, word: str, path: Where, known: frozenset[str]) -> Stray:
    names = frozenset(name.upper() for name in known)
    what = (f"[{'.'.join(path)}] 里" if path else "") + f"未知的键 `{word}`"
    hint = did_you_mean(word, names) or f"`{PREFIX}{_SEPARATOR.join(path).upper()}` 下面没有键"
    return Stray(path=path, complaint=Complaint(where=variable, what=what, hint=hint))
