"""Does a training step wait for the GPU? Synchronisations in the steps of each method, counted by torch's profiler."""

from collections import Counter
from collections.abc import Iterable

from gpu_check.callbacks import Profiled
from gpu_check.methods import METHODS, fit
from gpu_check.setting import Setting

FIRST, STEPS = 20, 20
# Not `aten::item`: of a number of the CPU it waits for nothing, and of one of the GPU it is the first and the last too.
WAITS = ("cudaStreamSynchronize", "cudaEventSynchronize", "Memcpy DtoH")
OF_THE_PROFILER = 2  # it waits for the device when it starts and when it stops


def run(setting: Setting) -> None:
    """Counts them for every method."""
    if not setting.on_gpu:
        setting.skip("Synchronisations of a training step", "needs a GPU")
        return
    for name in METHODS:
        profiled = Profiled(FIRST, STEPS)
        fit(setting, name, profiled, setting.device, precision="32-true")
        waits = count_waits(profiled.names)
        copies = sum(event == "cudaMemcpyAsync" for event in profiled.names) / STEPS
        note = ", ".join([*(f"{event}: {number}" for event, number in waits.items()), f"{copies:.1f} copies a step"])
        setting.add(name, sum(waits.values()) / STEPS, "waits a step", "0", not waits, note)


def count_waits(events: Iterable[str]) -> dict[str, int]:
    """How often the host waited for the device, by what it waited in.

    Args:
        events: Names of what happened, on the CPU and on the GPU.
    """
    counted = Counter(wait for event in events for wait in (*WAITS, "cudaDeviceSynchronize") if event.startswith(wait))
    counted["cudaDeviceSynchronize"] -= OF_THE_PROFILER
    return {wait: number for wait, number in counted.items() if number > 0}
