"""The trials of a search: which one is next, as a `fit` of its own, and what came of those that have ended."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lightning_imbal.command_line import to_options
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.runner import Failure
from lightning_imbal.runs.folder import is_finished, stages_in
from lightning_imbal.tuning.about import About
from lightning_imbal.tuning.outcome import outcome
from lightning_imbal.tuning.search import shown
from lightning_imbal.tuning.suggest import suggest
from lightning_imbal.tuning.trial import Trial, best_of, folder_of, read_trials

LOCKED = ("--data.lock_test", "true")
HOPE = 3  # trials that may fail before any has ended well


class Search:
    """The trials of a search.

    With so many at once, a trial is suggested by those that many before it, whichever ends first: the same command
    makes the same trials.

    Args:
        about: The search.
        run: Its folder.
        arguments: Command line of `fit`, without the verb.
        number: How many trials there are to be.
        jobs: How many run at once.
        minutes: After which none is begun any more; None: never.
    """

    def __init__(
        self, about: About, run: Path, arguments: Sequence[str], number: int, jobs: int, minutes: float | None = None
    ) -> None:
        self.about, self.run, self.arguments, self.number, self.jobs = about, run, arguments, number, jobs
        self.trials = read_trials(run)
        self.until = None if minutes is None else time.monotonic() + 60 * minutes
        self.exhausted = False
        self._given_out: set[int] = set()

    def begin(self) -> None:
        """Makes the folder its own, and reads what came of runs that ended after the program was killed."""
        self.about.write(self.run)
        self._take_up([])

    @property
    def ended(self) -> list[Trial]:
        """The trials that have ended."""
        return [trial for trial in self.trials if trial.ended]

    @property
    def left(self) -> int:
        """How many trials have not ended or not begun."""
        return max(self.number, len(self.trials)) - len(self.ended)

    def further(self, failures: Sequence[Failure]) -> list[Job]:
        """The jobs of trials that can begin now, or go on; of those that begin, the settings are written."""
        self._take_up(failures)
        if self._is_over(failures):
            return []
        for trial in self._suggested():
            trial.write(folder_of(self.run, trial.number))
        waiting = [trial for trial in self.trials if not trial.ended and trial.number not in self._given_out]
        self._given_out |= {trial.number for trial in waiting}
        return [self.job(trial) for trial in waiting]

    def planned(self) -> list[Job]:
        """The jobs that the search would begin with, or go on with; nothing is written."""
        self._suggested()
        jobs = [self.job(trial) for trial in self.trials if not trial.ended]
        return [job for job in jobs if not job.finished]

    def _take_up(self, failures: Sequence[Failure]) -> None:
        """Reads what came of the trials whose runs have ended."""
        failed = {failure.job.folder: failure for failure in failures if failure.of_itself}
        for trial in self.trials:
            folder, known = folder_of(self.run, trial.number), self.trials[: trial.knows]
            if trial.ended or not all(each.ended for each in known):
                continue
            if is_finished(folder):
                ended = outcome(trial, folder, self.about, known)
            elif folder in failed:
                ended = replace(trial, state="failed", why=_why(failed[folder]))
            else:
                continue
            ended.write(folder)
            self.trials[trial.number] = ended
            self._keep_best()

    def _keep_best(self) -> None:
        """Removes the checkpoints of trials that have ended, but for those of the best one."""
        best = best_of(self.trials, self.about.lower)
        for trial in self.ended:
            if trial is not best:
                for stage in stages_in(folder_of(self.run, trial.number)):
                    shutil.rmtree(stage / "checkpoints", ignore_errors=True)

    def _is_over(self, failures: Sequence[Failure]) -> bool:
        """Whether nothing is begun any more: the time is over, or something goes wrong that is no trial's fault."""
        late = self.until is not None and time.monotonic() > self.until
        states = [trial.state for trial in self.ended]
        hopeless = "complete" not in states and states.count("failed") >= HOPE
        return late or hopeless or any(not failure.of_itself for failure in failures)

    def _suggested(self) -> list[Trial]:
        """The trials that can begin now, which are added to the others."""
        before = len(self.trials)
        while self._has_room():
            number, knows = len(self.trials), max(0, len(self.trials) + 1 - self.jobs)
            params = suggest(self.about.space, self.trials, number, knows, self.about.seed, self.about.lower)
            if params is None:
                self.exhausted = True
                break
            self.trials.append(Trial(number, params, knows))
        return self.trials[before:]

    def _has_room(self) -> bool:
        number = len(self.trials)
        known = self.trials[: max(0, number + 1 - self.jobs)]
        return number < self.number and not self.exhausted and all(trial.ended for trial in known)

    def job(self, trial: Trial) -> Job:
        """What runs a trial, or goes on with it."""
        name = ", ".join(f"{name.rpartition('.')[2]} {shown(value)}" for name, value in trial.params.items())
        arguments = ("fit", *self.arguments, *LOCKED, *to_options(trial.params))
        return Job(f"trial {trial.number}: {name}", folder_of(self.run, trial.number), arguments)


def _why(failure: Failure) -> str:
    """The sentence with which a run has refused to go on, or else how it has ended."""
    said = [line for line in failure.log if line.startswith("lightning_imbal: ")]
    return said[-1].removeprefix("lightning_imbal: ") if said else failure.reason
