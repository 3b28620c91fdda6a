"""The platforms' XML and JSON as bytes: written by hand, read strictly."""

import re
from collections.abc import Mapping
from typing import TypeAlias
from xml.etree import ElementTree

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
XmlField: TypeAlias = "str | int | float | Mapping[str, XmlField] | list[Mapping[str, XmlField]]"

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class NotXml(ValueError):
    """Text that is not the flat XML document the platforms exchange."""


def unwritable(text: str) -> bool:
    """Whether `text` holds characters that no XML 1.0 document may hold, so that no phone can send them."""
    return _UNWRITABLE.search(text) is not None


def compose(fields: Mapping[str, XmlField]) -> str:
    """One `<xml>` document: strings as CDATA, numbers bare, mappings nested, lists as repeated elements."""
    return f"<xml>{''.join(_element(name, field) for name, field in fields.items())}</xml>"


def _element(name: str, field: XmlField) -> str:
    if isinstance(field, list):
        return "".join(_element(name, one) for one in field)
    if isinstance(field, Mapping):
        return f"<{name}>{''.join(_element(key, inner) for key, inner in field.items())}</{name}>"
    if isinstance(field, str):
        return f"<{name}><![CDATA[{field.replace(']]>', ']]]]><![CDATA[>')}]]></{name}>"
    return f"<{name}>{field}</{name}>"


def parse(text: str) -> dict[str, str]:
    """The texts of the children of `<xml>`, by name; nested ones by dotted path, repeated ones keep the first.

    NotXml: no document, another root, or one that declares entities.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise NotXml("declares a document type")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - declarations were refused above; nothing expands
    except (ElementTree.ParseError, ValueError) as error:
        raise NotXml(str(error)) from error
    if root.tag != "xml":
        raise NotXml(f"root is `{root.tag}`")
    return _flatten(root, prefix="")


def _flatten(node: ElementTree.Element, *, prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for child in node:
        path = f"{prefix}{child.tag}"
        found.setdefault(path, child.text or "")
        for name, text in _flatten(child, prefix=f"{path}.").items():
            found.setdefault(name, text)
    return found
