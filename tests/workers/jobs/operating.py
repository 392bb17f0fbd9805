"""Operations whose scope is frozen already, for tests of what comes after."""

from collections.abc import Sequence

from workers.operations import Terms, Thing, ask_operation, freeze_scope


def begun(act: str, ids: Sequence[int], actor: str = "ada", **terms: int | str) -> int:
    """An operation over these jobs, as it is once a worker has collected them; its id."""
    one = ask_operation(Terms(act, **terms), "", actor, "some")  # type: ignore[arg-type]
    freeze_scope(one, [[Thing(job) for job in ids]])
    return one
