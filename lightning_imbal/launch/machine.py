"""What a machine of a cluster must have for a job, looked at on that machine before the job starts."""

import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from lightning_imbal.command_line import last_setting
from lightning_imbal.launch.job import Job

LEAST_MEMORY = 2**30  # bytes; Python with torch alone takes half of it
MEMORY_FILE = Path("/proc/meminfo")
SHARED = ".shared-"  # in the folder of a run: a machine that sees it sees the same folder, and writes its name into it
START, FOLDER, VERSIONS, MEMORY = "start", "folder", "versions", "memory"  # that every job needs


class Lack(NamedTuple):
    """What is missing on a machine.

    Args:
        thing: One of those that a job needs.
        told: What is missing and how to mend it, in words.
    """

    thing: str
    told: str


class Lacking(NamedTuple):
    """A machine that lacks something: its name in the cluster, its name for people, and what it lacks."""

    node: str
    machine: str
    lack: Lack


@dataclass(frozen=True)
class Needs:
    """What a job needs wherever it runs.

    Args:
        directory: Folder that the program that runs the table was started in.
        token: File that it has put into the folder of the run.
        data: Folder of the images, if the program sees it.
        versions: Of what decides the results, by name.
    """

    directory: Path
    token: Path
    data: Path | None
    versions: dict[str, str]

    @classmethod
    def of(cls, job: Job, token: Path) -> "Needs":
        """What a job needs that is started from this machine."""
        root = last_setting(job.arguments[1:], "data", "init_args", "root")
        data = Path(str(root)).expanduser() if root is not None else None
        return cls(Path.cwd(), token, data if data is not None and data.exists() else None, versions())

    @property
    def things(self) -> frozenset[str]:
        """What a machine must have; two jobs differ in their images alone."""
        return frozenset((START, FOLDER, VERSIONS, MEMORY, _images(self.data)))

    def lacking(self) -> Lack | None:
        """What is missing on this machine, or None."""
        if not (token := self.directory / self.token).is_file():
            told = f"{token.parent} is not the same folder there; share it between all machines, at the same path"
            return Lack(FOLDER, told)
        if self.data is not None and not (data := self.directory / self.data).exists():
            told = f"the images in {data} are not there; share or copy them to the same path"
            return Lack(_images(self.data), told)
        found = versions()
        if other := [name for name, asked in self.versions.items() if found[name] != asked]:
            told = ", ".join(f"{name} {found[name]} instead of {self.versions[name]}" for name in other)
            return Lack(VERSIONS, f"it has {told}; install the same on every machine")
        if (free := free_memory()) is not None and free < LEAST_MEMORY:
            return Lack(MEMORY, f"only {free / 2**30:.1f} GiB of its memory are free; end what else runs there")
        return None


def _images(folder: Path | None) -> str:
    return f"images in {folder}"


@cache
def versions() -> dict[str, str]:
    """The versions of Python, of this package and of torch on this machine."""
    found = {"Python": platform.python_version()}
    for name in ("lightning_imbal", "torch"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def free_memory() -> int | None:
    """Bytes that new processes can have here; None where the system does not say."""
    try:
        lines = dict(line.split(":", 1) for line in MEMORY_FILE.read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        return None
