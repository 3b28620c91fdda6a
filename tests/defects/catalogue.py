"""All planted defects by name, and how one is planted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.defects import coming_in, going_out, stepping
from tests.defects.patches import Patch


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """`what`: what is wrong with the product, in a line. `patches`: the places that are changed."""

    name: str
    what: str
    patches: tuple[Patch, ...]


DEFECTS = {
    name: Defect(name=name, what=what, patches=tuple(patches))
    for name, (what, patches) in (coming_in.DEFECTS | going_out.DEFECTS | stepping.DEFECTS).items()
}


@contextmanager
def planted(name: str) -> Iterator[Defect]:
    """The product with this defect, inside the block. KeyError: there is none of this name."""
    defect = DEFECTS[name]
    before = [(patch.owner, patch.name, patch.owner.__dict__[patch.name]) for patch in defect.patches]
    for patch in defect.patches:
        setattr(patch.owner, patch.name, patch.instead)
    try:
        yield defect
    finally:
        for owner, attribute, original in before:
            setattr(owner, attribute, original)
