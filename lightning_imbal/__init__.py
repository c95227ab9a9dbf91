"""Class-imbalanced medical image classification in PyTorch Lightning."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightning_imbal.api.compare_runs import Comparison as Comparison
    from lightning_imbal.api.compare_runs import compare_runs as compare_runs
    from lightning_imbal.api.load import load as load
    from lightning_imbal.api.predict import predict as predict
    from lightning_imbal.api.run import Run as Run

__version__ = "0.1.0"
# Heavy libraries are imported only by what needs them.
_PLACES = {
    "Comparison": "compare_runs",
    "Run": "run",
    "compare_runs": "compare_runs",
    "load": "load",
    "predict": "predict",
}
__all__ = [*_PLACES]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'lightning_imbal' has no attribute {name!r}")
    return getattr(import_module(f"lightning_imbal.api.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
