"""Breaks the package at one place after the other, and looks whether a test notices: `make faults`."""

import argparse
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "lightning_imbal"
LEAST = 0.95  # of the faults in every room
MINUTES = 10  # for the tests of a file or a room: what takes longer hangs
HANGS = " hangs"
FORK = multiprocessing.get_context("fork")
# Importing them takes most of the time of a small test: every test process is forked from one that has done so.
LIBRARIES = (
    *("albumentations", "jsonargparse", "lightning.pytorch", "matplotlib.figure", "pandas", "plotly"),
    *("pyarrow.parquet", "pytest", "rich.console", "scipy.stats", "sklearn.manifold", "timm", "torch", "torchmetrics"),
)
# Where else a file or a room is tested, beside the places of the same name.
OF_OTHERS = ["tests/cli/parts/test_objects_of_others.py"]
FURTHER = {
    "at the top": ["tests/test_docstring_examples.py", "tests/launch", "tests/samplers"],
    "backbones": ["tests/modules"],
    "callbacks": ["tests/modules", "tests/system/test_commands.py", "tests/system/test_resume.py"],
    "callbacks/epoch_start.py": ["tests/system/test_within_epoch.py"],
    "callbacks/kept_epoch.py": ["tests/api"],
    "callbacks/results_writer.py": ["tests/system/test_broken_files.py"],
    "cli": ["tests/system/test_commands.py", "tests/system/test_resume.py"],
    "cli/compare.py": ["tests/system/test_compare.py"],
    "cli/export.py": ["tests/export"],
    "cli/fit.py": ["tests/system/test_broken_files.py", "tests/system/test_identity.py"],
    "cli/parts/completion.py": ["tests/cli/test_completion.py"],
    "cli/parts/cost.py": ["tests/cli/test_table.py"],
    "cli/parts/first_look.py": ["tests/cli/test_first_look.py"],
    **dict.fromkeys(
        ("cli/parts/help_settings.py", "cli/parts/help_unknown.py"), ["tests/cli/parts/test_help_options.py"]
    ),
    "cli/parts/compare_data.py": ["tests/system/test_compare.py"],
    "cli/parts/resuming.py": ["tests/system/test_broken_files.py", "tests/system/test_identity.py"],
    **dict.fromkeys(
        ("cli/parts/search_check.py", "cli/parts/search_plan.py", "cli/parts/validation.py"), ["tests/cli/test_tune.py"]
    ),
    "cli/parts/trained.py": ["tests/api", "tests/system/test_broken_files.py"],
    "cli/parts/trained_images.py": ["tests/system/test_identity.py"],
    "cli/parts/trained_model.py": ["tests/export"],
    "trained": ["tests/api"],
    **dict.fromkeys(
        ("trained/explain/network.py", "trained/explain/neighbours.py"), ["tests/cli/parts/test_explain.py"]
    ),
    "data": ["tests/cli/test_prepare_audit.py", "tests/modules/test_modules.py", "tests/system/test_commands.py"],
    "data/loading/batch_metadata.py": ["tests/data/test_metadata_columns.py"],
    "data/loading/epoch_draws.py": ["tests/system/test_within_epoch.py"],
    "data/loading/loaders.py": ["tests/system/test_within_epoch.py"],
    **dict.fromkeys(("data/loading/samplers.py", "heads/build.py", "losses/of_others.py"), OF_OTHERS),
    **dict.fromkeys(("modules/base_optimizers.py", "samplers/of_others.py"), OF_OTHERS),
    **dict.fromkeys(("data/dicom/levels.py", "data/dicom/file.py"), ["tests/data/pictures/test_dicom.py"]),
    **dict.fromkeys(("data/dicom/header.py", "data/look/header_groups.py"), ["tests/data/index/test_dicom_headers.py"]),
    "data/base.py": ["tests/modules/test_predictions.py"],
    "data/checks.py": ["tests/cli/parts/test_check.py"],
    **dict.fromkeys(
        ("data/indexed_images.py", "data/labelled_images.py"), ["tests/data/test_base.py", "tests/data/test_locked.py"]
    ),
    "data/normalize.py": ["tests/data/test_base.py"],
    "heads": ["tests/test_paper_defaults.py", "tests/modules"],
    "launch": ["tests/cli/test_table.py", "tests/system/test_table_runs.py"],
    "loggers": ["tests/system/test_resume.py"],
    "losses": ["tests/test_paper_defaults.py", "tests/modules"],
    "metrics": ["tests/stats"],
    "mixers": ["tests/test_paper_defaults.py", "tests/modules"],
    "modules/base_metadata.py": ["tests/modules/test_metadata_classifier.py"],
    "modules/ecl.py": ["tests/callbacks/test_proxy_cycle.py"],
    "modules": [
        *("tests/test_paper_defaults.py", "tests/callbacks", "tests/system/test_commands.py"),
        "tests/system/test_devices.py",
    ],
    "predictors": ["tests/test_paper_defaults.py", "tests/modules"],
    "report/audit.py": ["tests/data/audit"],
    "report": ["tests/cli/test_report.py", "tests/system/test_older_runs.py"],
    "runs": ["tests/stats", "tests/report"],
    "samplers": ["tests/test_paper_defaults.py", "tests/modules"],
    "schedulers": ["tests/test_paper_defaults.py", "tests/system/test_resume.py"],
    "stats": ["tests/coverage", "tests/report", "tests/tables"],
    "stats/calibration.py": ["tests/stats/test_analysis.py"],
    "stats/column_difference.py": ["tests/stats/test_results.py"],
    "stats/column_scores.py": ["tests/stats/test_results.py", "tests/system/test_older_runs.py"],
    "stats/compared.py": ["tests/stats/test_advice.py"],
    "stats/notes.py": ["tests/stats/test_results.py"],
    "stats/read_runs.py": ["tests/cli/test_report.py"],
    "stats/resampled_scores.py": ["tests/stats/test_bootstrap.py"],
    "stats/resamples.py": ["tests/stats/test_bootstrap.py"],
    **dict.fromkeys(("stats/rounds.py", "stats/row_scores.py"), ["tests/stats/test_results.py"]),
    "stats/settings.py": ["tests/stats/test_analysis.py"],
    "stats/sweeps.py": ["tests/stats/test_analysis.py"],
    "stats/told_best.py": ["tests/report/test_terminal.py"],
    "tables/comparison.py": ["tests/tables/test_spec.py"],
    "tables/read.py": ["tests/tables/test_spec.py"],
    "tables/suited.py": ["tests/system/test_compare.py"],
    "tables": ["tests/launch", "tests/cli/test_table.py", "tests/system/test_compare.py"],
}


@dataclass(frozen=True)
class Fault:
    """A line of the package that is wrong.

    Args:
        file: Below the package.
        old: Part of the file, which is there once.
        new: What stands in its place.
    """

    file: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}: {self.old}  ->  {self.new}"

    @property
    def room(self) -> str:
        """Folder of the package that the file is in."""
        return self.file.partition("/")[0] if "/" in self.file else "at the top"

    def put_into(self, text: str) -> str:
        """The text of the file with the fault in it.

        Raises:
            ValueError: The old text is not there, or several times.
        """
        if (times := text.count(self.old)) != 1:
            raise ValueError(f"{self.file} has {self.old!r} {times} times: mend tests/faults.yaml.")
        return text.replace(self.old, self.new)

    def tests(self, whole: Path) -> Iterator[str]:
        """What of a checkout may notice it: tests of the file, its folder, its room, and what else tests these."""
        folder, name = f"tests/{self.file}".rsplit("/", 1)
        places = [f"{folder}/test_{name}", *FURTHER.get(self.file, [])]
        if "/" in self.file:
            places += [folder, f"tests/{self.room}"]
        places += FURTHER.get(self.room, [])
        yield from dict.fromkeys(place for place in places if (whole / place).exists())


def read_faults() -> list[Fault]:
    """The faults of `faults.yaml`."""
    content = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return [Fault(file, *texts) for file, faults in content.items() for texts in faults]


def copy_checkout(folder: Path) -> None:
    """Copies the files of the checkout, also those that are not committed yet."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.check_output(command, text=True).splitlines()
    for file in filter(lambda file: (ROOT / file).is_file(), files):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / file)


def killer(fault: Fault, whole: Path) -> str:
    """The first test that fails with a fault in a copy of the checkout `whole`; empty if the fault survives.

    Raises:
        RuntimeError: That test fails without the fault as well.
    """
    found = next(filter(None, (first_failure(fault, place, whole) for place in fault.tests(whole))), "")
    if found and not found.endswith(HANGS) and not passes(found, whole):
        raise RuntimeError(f"{found} fails without a fault: mend it first.")
    return found


@cache
def passes(test: str, whole: Path) -> bool:
    """Whether a test passes in the checkout as it is."""
    return not first_failure(None, test, whole)


def first_failure(fault: Fault | None, place: str, whole: Path) -> str:
    """The first of some tests that fails in a copy of the checkout, in a process of its own; empty if all pass."""
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        copy, told = Path(folder, "checkout"), Path(folder, "failed")
        shutil.copytree(whole, copy)
        if fault is not None:
            file = copy / PACKAGE / fault.file
            file.write_text(fault.put_into(file.read_text(encoding="utf-8")), encoding="utf-8")
        process = FORK.Process(target=run_tests, args=[copy, place, told])
        process.start()
        process.join(60 * MINUTES)
        hangs = process.is_alive()
        with suppress(ProcessLookupError):  # with what its tests have left behind
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        if hangs or process.exitcode == 0:
            return place + HANGS if hangs else ""
        return told.read_text() if told.is_file() else place


class FirstFailure:
    """Writes down which test fails first.

    Args:
        file: Where.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Looks at one step of a test."""
        if report.failed and not self.file.exists():
            self.file.write_text(report.nodeid)

    pytest_collectreport = pytest_runtest_logreport


def run_tests(copy: Path, place: str, told: Path) -> None:
    """Runs tests until one fails, and exits with the status of pytest; nothing is printed."""
    import pytest

    os.setsid()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.chdir(copy)
    os.environ["PYTHONPATH"] = str(copy)
    sys.path.insert(0, str(copy))
    options = ["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={copy.parent / 'tmp'}"]
    sys.exit(pytest.main([*options, place], [FirstFailure(told)]))


def main() -> int:
    """Returns the exit status: 1 if too many faults survive in a room."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--room", action="append", metavar="NAME", help="only faults of this room, such as cli")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="faults that are tried at once")
    given = parser.parse_args()
    faults = [fault for fault in read_faults() if given.room is None or fault.room in given.room]
    for fault in faults:
        try:
            fault.put_into((ROOT / PACKAGE / fault.file).read_text(encoding="utf-8"))
        except ValueError as error:
            print(error)
            return 2
    os.environ |= {"NO_ALBUMENTATIONS_UPDATE": "1", "OMP_NUM_THREADS": "1"}
    for name in LIBRARIES:
        import_module(name)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        copy_checkout(whole := Path(folder, "checkout"))
        with ProcessPoolExecutor(given.workers, FORK) as pool:
            trials = {pool.submit(killer, fault, whole): fault for fault in faults}
            for number, trial in enumerate(as_completed(trials), start=1):
                if trial.exception():
                    print(trial.exception())
                    pool.shutdown(cancel_futures=True)
                    return 2
                how = f"killed by {trial.result()}" if trial.result() else "SURVIVED"
                print(f"{number} of {len(faults)}  {trials[trial]}\n    {how}", flush=True)
    return tell({fault: trial.result() for trial, fault in trials.items()})


def tell(killers: dict[Fault, str]) -> int:
    """Prints how many faults of each room were killed, and those that survived; returns the exit status."""
    tried, killed = (Counter(fault.room for fault, by in killers.items() if by or not kind) for kind in (0, 1))
    print()
    for room, number in tried.items():
        print(f"{room:12} {killed[room]:3} of {number:3}")
    for fault, by in killers.items():
        if not by:
            print(f"SURVIVED  {fault}")
    print(f"{killed.total()} of {tried.total()} killed")
    return int(any(killed[room] < LEAST * number for room, number in tried.items()))


if __name__ == "__main__":
    sys.exit(main())
