"""What pages show as code is right: commands are read by the program itself, Python compiles, YAML loads."""

import argparse
import re
import shlex
from functools import cache
from pathlib import Path

import cv2
import jsonargparse
import numpy as np
import pandas as pd
import pytest
import yaml

from lightning_imbal.cli import main
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.verb_parser import VerbParser

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "experiments/results/README.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
OF_CHECKPOINTS = ("test", "validate", "predict")
reader_of = cache(ImbalCLI)
MODEL = ["--model", "Classifier"]
OWN = ["--data.class_path", "CSVData", "--data.root", "my_images", "--data.labels", "labels.csv"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks(page, language):
    return [text for kind, text in FENCE.findall(page.read_text()) if kind == language]


def shell_lines(page):
    """Lines of indented or fenced blocks, continued ones joined, and code within a line."""
    text = page.read_text().replace("\\\n", " ")
    indented = re.findall(r"^ {4,}(\S.*)$", FENCE.sub("", text), re.MULTILINE)
    fenced = "\n".join(block for kind, block in FENCE.findall(text) if kind in ("", "bash")).split("\n")
    inline = re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    return [line.removeprefix("$ ") for line in (*indented, *fenced, *inline)]


def commands(page, program):
    """Command lines of a program, without its name; those with `...` are no whole ones."""
    lines = (shlex.split(line, comments=True) for line in shell_lines(page) if line.startswith(f"{program} "))
    return list(dict.fromkeys(tuple(line[1:]) for line in lines if not {"...", "VERB", "FILE.yaml"} & {*line}))


# Verbs that are only named, help that is only printed, and what TAB is to complete are no command to read.
NOT_READ = ((), ("--help",), ("--config", "meth"))
COMMANDS = {line for page in PAGES for line in commands(page, "lightning_imbal") if line[1:] not in NOT_READ}


class ReadToItsEnd(Exception):
    """A command line that the program has read, and would now carry out."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder that pages speak of: one's own images and labels, a configuration, examples, data sets."""
    folder = tmp_path_factory.mktemp("of_readers")
    (folder / "experiments").symlink_to(ROOT / "experiments")
    rng = np.random.default_rng(0)
    for root in ("my_images", "pictures"):
        for number in range(24):
            place = folder / root / ("benign", "melanoma")[number % 2]
            place.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(place / f"{number}_left.png"), rng.integers(0, 256, (8, 8, 3), np.uint8))
    table = pd.DataFrame({"image": [f"{number}_left" for number in range(24)], "dx": ["benign", "melanoma"] * 12})
    table.to_csv(folder / "labels.csv", index=False)
    own = {"data": {"class_path": "FolderData", "init_args": {"root": "my_images"}}}
    for name in ("my_images", "fundus"):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(own))
    for page in PAGES:
        for language in ("python", "yaml"):
            for text in blocks(page, language):
                if match := re.match(r"# ([\w.]+)\n", text):
                    (folder / match[1]).write_text(text)
    return folder


@pytest.fixture
def reads(folder, monkeypatch):
    """Reads a command line as far as the program does before it does anything."""
    monkeypatch.chdir(folder)
    parse, read = VerbParser.parse_args, ImbalCLI.read
    known = argparse.ArgumentParser.parse_known_args

    def whole(*args, **kwargs):
        with pytest.MonkeyPatch.context() as as_before:
            as_before.setattr(VerbParser, "parse_known_args", known)
            parse(*args, **kwargs)
        raise ReadToItsEnd

    def with_options_of_fit(parser, args=None, namespace=None):
        given, options = known(parser, args, namespace)
        configs = [f"--config={file}" for file in getattr(given, "config", [])]
        read(reader_of("fit"), [*MODEL, *OWN, *configs, *options])
        raise ReadToItsEnd

    def once(cli, arguments):
        read(cli, arguments)
        raise ReadToItsEnd

    def built(*args, **kwargs):
        raise ReadToItsEnd

    monkeypatch.setattr(VerbParser, "parse_args", whole)
    monkeypatch.setattr(VerbParser, "parse_known_args", with_options_of_fit)
    monkeypatch.setattr(ImbalCLI, "read", once)
    monkeypatch.setattr("lightning_imbal.cli.fit.ImbalCLI", reader_of)  # made once
    monkeypatch.setattr(jsonargparse.ArgumentParser, "instantiate_classes", built)

    def reads(*args):
        try:
            if args[0] in OF_CHECKPOINTS:  # whose data and model are those of a checkpoint
                once(reader_of(args[0]), [*MODEL, *OWN, *args[1:]])
            assert main(list(args)) == 0
        except ReadToItsEnd:
            pass
        except SystemExit as end:  # of help that was printed
            assert not end.code

    return reads


def test_pages_are_found():
    assert len(PAGES) > 25 and len(COMMANDS) > 70


def with_new_words(lines):
    """Those in which a word is for the first time with its verb; the slow tests read the others too."""
    known = set()
    for line in sorted(lines, key=lambda line: (-len(line), line)):
        words = {(line[0], word) for word in line}
        yield pytest.param(line, id=" ".join(line), marks=[pytest.mark.slow] if words <= known else [])
        known |= words


@pytest.mark.parametrize("line", with_new_words(COMMANDS))
def test_commands_are_read(reads, line):
    reads(*line)


@pytest.mark.parametrize(
    "line",
    [
        *(("fit", "--config", "demo.yaml", "--lr", "1"), ("fit", "--config", "absent.yaml")),
        *(("test", "--ckpt_path", "a.ckpt", "--pol", "mean"), ("compare", "--config", "my_images.yaml", "--fold", "5")),
        *(("report", "runs/A", "--htm", "a.html"), ("audit", "--config", "my_images.yaml", "--mirror", "true")),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_noticed(reads, line):
    with pytest.raises((AssertionError, argparse.ArgumentError)):
        reads(*line)


def test_refusals_are_those_of_the_program(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    refused = "".join(block for page in PAGES for block in blocks(page, "console"))
    for command, sentence in re.findall(r"^\$ lightning_imbal (.+)\n(lightning_imbal: .+)$", refused, re.MULTILINE):
        assert main(shlex.split(command)) == 2
        assert capsys.readouterr().err.strip().splitlines()[-1] == sentence


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_are_right(page):
    for text in blocks(page, "python"):
        compile(text, name_of(page), "exec")
    for text in blocks(page, "yaml"):
        assert isinstance(yaml.safe_load(text), dict)
    assert not {kind for kind, _ in FENCE.findall(page.read_text())} - {"", "text", "console", "python", "yaml", "bash"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_targets_and_files_are_there(page):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    targets += [file.stem for file in (ROOT / "experiments/tables").glob("*.yaml")]
    assert all(line[0] in targets or "=" in line[0] for line in commands(page, "make"))
    named = re.findall(r"(?:experiments|tests|docs)/[\w/-]+\.(?:yaml|py|sh|csv|md)", page.read_text())
    example = ("x", "test_x")  # of the guide
    assert not {name for name in named if not (ROOT / name).is_file() and Path(name).stem not in example}


def test_the_readme_is_short_and_its_links_lead_somewhere():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for link, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]+)(?:#([^)\s]+))?\)", (ROOT / name).read_text()):
            assert (ROOT / link).is_file(), link
            headings = re.findall(r"^#+ (.+)$", (ROOT / link).read_text(), re.MULTILINE) if anchor else []
            slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert not anchor or anchor in slugs, f"{link}#{anchor}"
