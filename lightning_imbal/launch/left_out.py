"""Which machines of a cluster lack what jobs need."""

import time
from collections.abc import Collection

from lightning_imbal.launch.machine import MEMORY, Lacking

SECONDS_LEFT_OUT = 60  # then a machine is asked again: memory comes back, and people mend what is said


class LeftOut:
    """Machines that lack something: each is left out for a while, for the jobs that need it."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], tuple[Lacking, float]] = {}
        self._known: set[tuple[str, str]] = set()

    def add(self, lacking: Lacking) -> bool:
        """Leaves a machine out, and returns whether that is the first time for what it lacks."""
        key = lacking.node, lacking.lack.thing
        self._until[key] = lacking, time.monotonic() + SECONDS_LEFT_OUT
        is_new = key not in self._known
        self._known.add(key)
        return is_new

    def forget_memory(self) -> None:
        """Takes machines that were short of memory in again, as when something has ended."""
        self._until = {key: found for key, found in self._until.items() if key[1] != MEMORY}

    def lacking(self, things: Collection[str]) -> dict[str, Lacking]:
        """The machines that are left out for a job that needs these things, by their name in the cluster."""
        now = time.monotonic()
        self._until = {key: found for key, found in self._until.items() if found[1] > now}
        return {node: lacking for (node, thing), (lacking, _) in self._until.items() if thing in things}


def named(lacking: Collection[Lacking]) -> str:
    """Machines by their names, and what they lack."""
    machines: dict[str, list[str]] = {}
    for _, machine, lack in lacking:
        machines.setdefault(lack.told, []).append(machine)
    return ", and ".join(f"on {', '.join(dict.fromkeys(names))}: {told}" for told, names in machines.items())
