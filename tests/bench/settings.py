"""How a benchmark is run: what its options say."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`directory`: where databases and logs are made. `sends`: in `event`, let the planned messages leave."""

    directory: Path
    rounds: int = 5
    seconds: float = 30.0
    warm_up_s: float = 5.0
    connections: int = 256
    sends: bool = False

    def shorter(self) -> "Settings":
        """The same for a run that only makes rows."""
        return replace(self, seconds=min(5.0, self.seconds), warm_up_s=0.0)

    def split(self, ways: int) -> "Settings":
        """The measured and the warm-up time, shared by so many kinds of load."""
        return replace(self, seconds=self.seconds / ways, warm_up_s=self.warm_up_s / ways)

    def cut_s(self) -> float:
        """When the last look is taken: a moment before the client ends."""
        return self.warm_up_s + self.seconds * 0.98

    def told(self) -> dict[str, Any]:
        """For the report."""
        return asdict(self) | {"directory": self.directory.name}
