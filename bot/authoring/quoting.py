"""Words that stand without their quotes, or in quotes and brackets of the wrong width, and how to write them."""

import re

_PAIRS = {"“": "”", "”": "“", "‘": "’", "’": "‘", "＂": "＂", "＇": "＇"}
"""Full-width quotes with what closes each; those that come in pairs are also typed the wrong way round."""
_QUOTES = frozenset(_PAIRS)
_BRACKETS = {"【": "】", "［": "］", "〔": "〕"}
_SEPARATORS = re.compile("[,，、；;]")
_SIGNS = re.compile(r"[\"'=<>()\[\]{}|+*/%~!]")
_QUOTED = r"'[^']*'|\"[^\"]*\""


def in_wide_quotes(text: str) -> str | None:
    """What stands between the full-width quotes that `text` as a whole is put in; None: it is in none."""
    if len(text) < 2 or text[0] not in _QUOTES or text[-1] not in (text[0], _PAIRS[text[0]]):
        return None
    inside = text[1:-1]
    return None if _QUOTES & set(inside) else inside


def in_wide_brackets(text: str) -> tuple[str, ...] | None:
    """The words of the list that `text` was meant to be, by its full-width brackets; None: it has none."""
    if len(text) < 2 or text[-1] != _BRACKETS.get(text[0]):
        return None
    return tuple(word.strip() for word in _SEPARATORS.split(text[1:-1]) if word.strip())


def reads_as_words(source: str) -> bool:
    """Whether `source`, which is no expression, was most likely meant as a text: Chinese, without any operator."""
    if _SIGNS.search(source) or _QUOTES & set(source):
        return False
    return any(char.isalpha() and not char.isascii() for char in source)


def with_quotes(source: str, words: tuple[str, ...]) -> str:
    """The expression `source` with quotes around every one of `words` that stands in it as a name."""
    names = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.sub(rf"({_QUOTED})|(?<![\w.])({names})(?![\w.(])", lambda one: one[1] or f"'{one[2]}'", source)


def how_to_write(expression: str, *, target: str = "") -> str:
    """`expression` as a value in the file, in the quotes that YAML takes off. `target`: the key it is put under."""
    return f'{target}: "{expression}"' if target else f'"{expression}"'
