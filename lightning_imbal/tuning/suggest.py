"""What is tried next, and what is given up: Optuna's sampler and pruner, asked anew for each trial.

Nothing is kept in them: what they know is told from the files of the trials, so that a search which was killed goes on
as if nothing had happened.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lightning_imbal.errors import UserError
from lightning_imbal.tuning.search import Range, Value
from lightning_imbal.tuning.trial import Trial

if TYPE_CHECKING:
    import optuna

ATTEMPTS = 50  # at settings that were not tried yet
FIRST = 5  # trials that nothing is compared with
WARM_UP = 4  # a trial is looked at after this part of its epochs: a quarter


def check_installed() -> None:
    """Refuses to search without Optuna; UserError says how to install it."""
    try:
        import optuna  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserError("`tune` needs optuna: pip install 'lightning_imbal[tune]'.") from error


def suggest(
    space: Sequence[Range], trials: Sequence[Trial], number: int, knows: int, seed: int, lower: bool
) -> dict[str, Value] | None:
    """The settings of a trial, by the tree-structured Parzen estimator (Bergstra et al. 2011); None if all were tried.

    They depend on nothing but the arguments.

    Args:
        space: What is searched.
        trials: The trials before it.
        number: Of the trial.
        knows: How many of the trials before it have told their scores; of the others only the settings are looked at.
        seed: Of the search.
        lower: Whether a smaller score is the better one.
    """
    import numpy as np
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    before = [_as_text(trial.params) for trial in trials[:number]]
    for attempt in range(ATTEMPTS):
        drawn = int(np.random.SeedSequence([seed, number, attempt]).generate_state(1)[0])
        sampler = optuna.samplers.TPESampler(seed=drawn, constant_liar=True)
        study = _study(space, trials[:knows], lower, sampler)
        for trial in trials[knows:number]:
            study.add_trial(_frozen(trial, space, running=True))
        asked = study.ask(_distributions(space)).params
        params = {each.name: each.rounded(asked[each.name]) for each in space}
        if _as_text(params) not in before:
            return params
    return None


def is_hopeless(
    space: Sequence[Range], known: Sequence[Trial], values: Mapping[int, float], epochs: int, lower: bool
) -> bool:
    """Whether a trial is given up: its best score so far is below the median of the others after as many epochs.

    By Optuna's `MedianPruner`: not before five trials are complete, in the first quarter of the epochs, or after the
    last one.

    Args:
        space: What is searched.
        known: Trials that have ended.
        values: The score of the trial after each epoch so far, from 0.
        epochs: How many there are in all.
        lower: Whether a smaller score is the better one.
    """
    complete = sum(trial.state == "complete" for trial in known)
    if complete < FIRST or not values or not epochs // WARM_UP <= max(values) < epochs - 1:
        return False
    import optuna

    pruner = optuna.pruners.MedianPruner(n_startup_trials=FIRST, n_warmup_steps=epochs // WARM_UP)
    trial = Trial(len(known), known[0].params, values=dict(values))
    return pruner.prune(_study(space, known, lower), _frozen(trial, space, running=True))


def _study(
    space: Sequence[Range], trials: Sequence[Trial], lower: bool, sampler: "optuna.samplers.BaseSampler | None" = None
) -> "optuna.Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="minimize" if lower else "maximize", sampler=sampler)
    study.add_trials([_frozen(trial, space) for trial in trials])
    return study


def _frozen(trial: Trial, space: Sequence[Range], running: bool = False) -> "optuna.trial.FrozenTrial":
    import optuna

    kind = "running" if running else trial.state
    states = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL", "running": "RUNNING"}
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState[states[kind]],
        params={**trial.params},
        distributions=_distributions(space),
        value=trial.value if kind in ("complete", "pruned") else None,
        intermediate_values={**trial.values} if kind != "failed" else {},
    )


def _distributions(space: Sequence[Range]) -> "dict[str, optuna.distributions.BaseDistribution]":
    import optuna

    kinds = optuna.distributions
    return {
        each.name: kinds.CategoricalDistribution(each.choices)
        if each.kind == "choice"
        else kinds.IntDistribution(int(each.low), int(each.high))
        if each.kind == "int"
        else kinds.FloatDistribution(each.low, each.high, log=each.kind == "log")
        for each in space
    }


def _as_text(params: Mapping[str, Value]) -> dict[str, str]:
    return {name: str(value) for name, value in params.items()}
