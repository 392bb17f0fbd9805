"""Who acted, as the console's pages name them: the tables hold "account:<id>", or a name from before they did."""

from collections.abc import Iterable
from dataclasses import replace

from core.accounts import Account
from core.web.history import account_names, who
from workers.queuesettings import Hold, holds


def names_of(actors: Iterable[str]) -> list[str]:
    """Each of them by name, in their order."""
    asked = list(actors)
    known = account_names(asked)
    return [who(actor, known) for actor in asked]


def actors_called(name: str) -> list[str]:
    """What the tables may hold of who is shown by this name."""
    ours = ["system"] if name == "Filmroll" else []
    return [name, *ours, *(account.actor for account in Account.objects.filter(username=name))]


def named_holds() -> dict[str, Hold]:
    """Why queues are held now, by queue; who paused them, by name."""
    found = holds()
    names = names_of(hold.actor for hold in found.values())
    return {queue: replace(hold, actor=name) for (queue, hold), name in zip(found.items(), names, strict=True)}
