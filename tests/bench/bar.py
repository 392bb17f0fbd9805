"""A measured figure beside the limit that it has to keep."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure: `op` is the comparison that it must satisfy, one of >=, <=, ==."""

    id: str
    value: float
    op: str
    limit: float
    unit: str = ""

    @property
    def ok(self) -> bool:
        """Whether the figure keeps its limit."""
        match self.op:
            case ">=":
                return self.value >= self.limit
            case "<=":
                return self.value <= self.limit
            case "==":
                return self.value == self.limit
            case _:
                raise ValueError(f"{self.id}: unknown comparison {self.op!r}")

    def line(self) -> str:
        """The figure as one line for a machine: `BAR id value op limit ok|short`."""
        return f"BAR {self.id} {self.value:g} {self.op} {self.limit:g} {'ok' if self.ok else 'short'}"
