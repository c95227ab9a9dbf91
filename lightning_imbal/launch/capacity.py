"""How many jobs fit on the machines of a cluster, and what each of them gets."""

from collections.abc import Iterable, Mapping

from lightning_imbal.errors import UserError

Resources = Mapping[str, float]  # of a machine, in all


def check_gpus(gpus: float | None) -> None:
    """Refuses shares of a GPU that Ray does not know."""
    if gpus is not None and not (0 <= gpus <= 1 or (gpus > 1 and gpus % 1 == 0)):
        raise UserError(f"--gpus is {gpus:g}: give a share of a GPU up to 1, such as 0.5, or a whole number of GPUs.")


def share(machines: Iterable[Resources], jobs: int, gpus: float) -> int:
    """Processors for each of the jobs of a machine: those of the smallest, but for far smaller ones, as heads are."""
    sizes = [machine.get("CPU", 0) for machine in machines if machine.get("GPU", 0) >= gpus]
    return max(1, int(min((size for size in sizes if 2 * size >= max(sizes)), default=1)) // jobs)


def fit(machine: Resources, needs: Resources) -> int:
    """How many jobs fit on a machine at once."""
    return min(int(machine.get(name, 0) / need + 1e-9) for name, need in needs.items() if need)


def check_fits(machines: Iterable[Resources], needs: Resources) -> None:
    """Refuses what no machine of the cluster has: Ray would wait for one for ever."""
    machines = list(machines)
    if any(fit(machine, needs) for machine in machines):
        return
    asked = " and ".join(f"{need:g} {name}" for name, need in needs.items() if need)
    has = ", ".join(dict.fromkeys(f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in machines))
    raise UserError(
        f"A run needs {asked}, which no machine of the Ray cluster has (they have {has}): ask for less with --gpus, or "
        "give the machines more with `ray start --num-cpus N --num-gpus N`."
    )
