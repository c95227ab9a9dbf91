"""The most memory that was taken: of the GPU by torch's tensors, on a CPU by the process."""

import ctypes
from pathlib import Path

import torch

OWN = Path("/proc/self")


def reset_peak(device: str) -> None:
    """Forgets what was taken before."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    elif (OWN / "clear_refs").exists():  # Linux
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:  # glibc, whose heap keeps what was freed
            trim(0)
        (OWN / "clear_refs").write_text("5")


def peak_bytes(device: str) -> int | None:
    """The most that was taken since then; None where this system does not tell."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    if not (OWN / "status").exists():
        return None
    lines = (OWN / "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
