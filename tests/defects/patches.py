"""What a planted defect changes."""

from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True, slots=True)
class Patch:
    """`instead` stands at `owner.name` while the defect is planted."""

    owner: ModuleType | type
    name: str
    instead: object
