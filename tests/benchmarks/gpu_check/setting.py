"""What every part of the check is told: where it may work, on which device, until when."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from gpu_check.report import Figure, Verdict, add_figure

CHECKOUT = Path(__file__).resolve().parents[3]
EXPERIMENTS = CHECKOUT / "experiments"


@dataclass(frozen=True)
class Setting:
    """Where and how a part runs.

    Args:
        device: "cuda", or "cpu" for a check that is as small as possible, in one process.
        work: Folder for what a part needs while it runs.
        out: Folder of what is kept.
        figures: File that takes what it measures.
        ends: When its time is up, in seconds since 1970.
        images: Folder of ISIC 2018, None if there is none.
        weights: File of MobileNetV2's ImageNet weights, None if there is none.
    """

    device: str
    work: Path
    out: Path
    figures: Path
    ends: float
    images: Path | None = None
    weights: Path | None = None

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU is checked."""
        return self.device == "cuda"

    @property
    def trainer(self) -> dict[str, Any]:
        """Arguments of a Trainer on the device that leaves nothing behind."""
        quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
        return {"accelerator": "gpu" if self.on_gpu else "cpu", "devices": 1, "default_root_dir": self.work, **quiet}

    @property
    def seconds_left(self) -> float:
        """Seconds until its time is up."""
        return self.ends - time.time()

    def add(
        self,
        what: str,
        value: float | None = None,
        unit: str = "",
        wanted: str = "",
        good: bool | None = None,
        note: str = "",
    ) -> None:
        """Keeps a figure; `good` is None where nothing is wanted of it."""
        verdict: Verdict = "" if good is None else "ok" if good else "failed"
        add_figure(self.figures, Figure(what, value, unit, wanted, verdict, note))

    def skip(self, what: str, why: str) -> None:
        """Says what is not measured, and why."""
        add_figure(self.figures, Figure(what, verdict="skipped", note=why))

    def to_plain(self) -> dict[str, Any]:
        """All of it as JSON takes it."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """What `to_plain` gave."""
        paths = {"work", "out", "figures", "images", "weights"}
        return cls(**{name: Path(value) if name in paths and value else value for name, value in plain.items()})
