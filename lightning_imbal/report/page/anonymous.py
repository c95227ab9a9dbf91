"""Takes out of a report page what could tell whose images they were: names of files, folders and groups."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from lightning_imbal.experiment_files import display_name, files_of
from lightning_imbal.report.page.charts_base import LABEL_LENGTH, label
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.drawn_methods import Method
from lightning_imbal.stats.results import Results
from lightning_imbal.stats.settings import configurations

# A path from the root or the home folder, or a file of a kind that is named on a command line.
PATH = re.compile(r"(?<![\w/])(?:[\w.+-]*[/\\])*[\w.+-]+\.(?:png|jpe?g|tiff?|bmp|gif|dcm|npz|csv|tsv|xlsx?|json|ya?ml|"
                  r"parquet|txt|pt|pth|ckpt|safetensors|onnx|html)\b|(?<![\w<])(?:~|\.{1,2}|[A-Za-z]:)?[/\\][\w.+-]+"
                  r"(?:[/\\][\w.+-]*)*", re.IGNORECASE)  # fmt: skip
COMMAND = re.compile(r":? ?`?lightning_imbal \w+ .*", re.DOTALL)
TOKEN = re.compile(r"[^\s,;:()\[\]'\"`=]+")
REPEAT = re.compile(r"[+_-]?(seed|fold)[_-]?\d+|(seed|fold|stage) ?\d+( of \d+)?")
# What a run's identity says of neither folders nor images.
TOLD = ("method", "seed", "trained_images", "backbone", "commit", "versions", "device", "devices", "precision", "part")
FOLDERS = ("run_dir", "ckpt_path", "config", "default_root_dir", "cache_dir", "backbone_ckpt", "pretrained", "logger")
LEFT_OUT = "(left out)"
SAID = 3  # letters of a title that is looked for within sentences: a shorter one would be found in any
NOTHING = r"(?!)"  # matches no text
LINES = (20, LABEL_LENGTH, 50, 60)  # letters of a line, as charts write names
TEXTS = ("name", "text", "ticktext", "customdata", "hovertemplate")  # of a figure


class Anonymous:
    """Replaces names by numbers, the same name always by the same one.

    Args:
        results: Of a table with one column.
        methods: Its methods.
    """

    def __init__(self, results: Results, methods: Sequence[Method]) -> None:
        runs = [run for method in methods for run in method.runs]
        self._numbers: dict[tuple[str, str], int] = {}
        self._kept = {*runs[0].class_names, *_public()}
        self._images = {
            name for run in runs if run.predictions is not None for name in run.predictions.image.astype(str)
        }
        self._groups = {name for run in runs for name in _groups(run)}
        words = sorted({word for run in runs for word in _folders(run)} - self._kept, key=len, reverse=True)
        self._folders = re.compile("|".join(_bounded(words)) or NOTHING)
        [column] = results.spec.columns
        titles = [results.spec.title, column.title, *results.spec.rows, *(run.title for run in runs)]
        changed = {title: new for title in titles if (new := self._title(title)) != title}
        # Figures have them in lines.
        self._titles = {label(old, n): label(new, n) for old, new in changed.items() for n in LINES} | changed
        longest_first = sorted(self._titles, key=len, reverse=True)
        self._begins = re.compile(rf"^(?:{'|'.join(map(re.escape, longest_first)) or NOTHING})(?=$|: |, )")
        said = (title for title in longest_first if len(title) >= SAID)
        self._said = re.compile("|".join(_bounded(said)) or NOTHING)

    def image(self, name: str) -> str:
        """A number in the place of an image's name."""
        return self._numbered("image", name)

    def text(self, text: str) -> str:
        """A title, or what a cell or a curve is called, without names; those of classes stay, and numbers do."""
        if text in self._kept:
            return text
        text = self._begins.sub(lambda found: self._titles[found[0]], text)
        text = PATH.sub(lambda found: found[0] if found[0] in self._kept else self._numbered("path", found[0]), text)
        return TOKEN.sub(self._token, text)

    def sentence(self, text: str) -> str:
        """The same of a sentence, in which titles may stand anywhere; a command at its end is cut off."""
        return self.text(COMMAND.sub("", self._said.sub(lambda found: self._titles[found[0]], text)))

    def figure(self, part: Any, within: str = "") -> Any:
        """What plotly is given, with names taken out of its texts."""
        if isinstance(part, dict):
            return {key: self.figure(value, key) for key, value in part.items()}
        if isinstance(part, list):
            return [self.figure(value, within) for value in part]
        return self.text(part) if isinstance(part, str) and within in TEXTS else part

    def identity(self, run: Run) -> dict[str, Any]:
        """What tells where numbers come from, but neither folders nor images."""
        split = {
            key: value for key, value in run.identity["split"].items() if key == "kind" or not isinstance(value, str)
        }
        return {key: run.identity[key] for key in TOLD if key in run.identity} | {"split": split}

    def configurations(self, run: Run) -> dict[str, str]:
        """The text of each stage's settings without paths; of those of the data, classes and numbers are left."""
        texts = {}
        for stage, text in configurations(run).items():
            plain = yaml.safe_load(text) or {}
            texts[stage] = yaml.safe_dump(
                {name: _settings(value, name, name == "data") for name, value in plain.items()}, sort_keys=False
            )
        return texts

    def _title(self, title: str) -> str:
        """A title in which the names of folders are numbers."""
        if title in self._kept:
            return title
        return self._folders.sub(lambda found: self._numbered("folder", found[0]), title)

    def _token(self, found: re.Match[str]) -> str:
        token = found[0].rstrip(".")
        if token in self._kept or token.replace(".", "").isdigit():
            return found[0]
        for kind, names in (("image", self._images), ("group", self._groups)):
            if token in names:
                return self._numbered(kind, token) + found[0][len(token) :]
        return found[0]

    def _numbered(self, kind: str, name: str) -> str:
        known = sum(of_kind == kind for of_kind, _ in self._numbers)
        return f"{kind} {self._numbers.setdefault((kind, name), known + 1)}"


def _public() -> Iterator[str]:
    """Names of the project's own methods."""
    for kind in ("methods", "heads"):
        for name, file in files_of(kind).items():
            yield from (name, display_name(file))


def _groups(run: Run) -> Iterable[str]:
    split = run.split()
    return [] if split is None or "group" not in split else set(split["group"]) - {""}


def _folders(run: Run) -> Iterator[str]:
    """Names that the folders of a run and of its data have, also without seed and fold."""
    names = [run.identity["name"], run.folder.name]
    for stage in run.stages:
        if stage.config_file.is_file():
            arguments = ((yaml.safe_load(stage.config_text()) or {}).get("data") or {}).get("init_args") or {}
            names += [name for key in ("root", "labels") if isinstance(name := arguments.get(key), str)]
    for name in names:
        last = Path(name).name
        yield from {name, last, Path(name).stem, REPEAT.sub("", last), *REPEAT.sub("", last).split("+")} - {""}


def _bounded(words: Iterable[str]) -> list[str]:
    return [rf"(?<!\w){re.escape(word)}(?!\w)" for word in words]


def _settings(value: Any, name: str, of_data: bool) -> Any:
    if isinstance(value, dict):
        return {key: _settings(inner, key, of_data) for key, inner in value.items()}
    if isinstance(value, list):
        return [_settings(inner, name, of_data) for inner in value]
    if not isinstance(value, str) or name == "class_path":
        return value
    return LEFT_OUT if of_data or name in FOLDERS or PATH.search(value) or Path(value).exists() else value
