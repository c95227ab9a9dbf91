"""Parser of a verb's command line, whose mistakes are told as all others are."""

import argparse
import re
from pathlib import Path
from typing import NoReturn

from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import find
from lightning_imbal.wording import did_you_mean


class VerbParser(argparse.ArgumentParser):
    """Parser of `lightning_imbal VERB ...`; options cannot be shortened.

    Args:
        verb: Name of the verb.
        usage: How to call it.
        description: What it does.
    """

    def __init__(self, verb: str, usage: str, description: str) -> None:
        super().__init__(f"lightning_imbal {verb}", usage, description, allow_abbrev=False)
        self.verb = verb

    def error(self, message: str) -> NoReturn:
        """Raises the message as a UserError."""
        unknown = re.match(r"unrecognized arguments: (--[^\s=]+)", message)
        hint = did_you_mean(unknown[1], self._option_string_actions) if unknown else ""
        mend = hint or f"`lightning_imbal {self.verb} --help` lists the options."
        raise UserError(f"`{self.verb}`: {message}{': ' if hint else '. '}{mend}")

    def option_names(self) -> list[str]:
        """The options without their dashes."""
        return [option[2:] for option in self._option_string_actions if option.startswith("--")]

    def add_overlays(self, what: str = "laid over every run, such as variants/laptop.yaml") -> None:
        """Adds --config; a UserError names a file that is not there."""
        self.add_argument("-c", "--config", action="append", default=[], type=find, metavar="FILE", help=what)


def folder_of_runs(given: argparse.Namespace) -> Path:
    """The folder that --runs gives, else that of all tables with these overlays."""
    return Path(given.runs or Path("runs", "-".join(["tables", *(Path(file).stem for file in given.config)])))
