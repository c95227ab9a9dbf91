"""One screen of help for each verb: what is on it is there, with the defaults that are said."""

import re

import pytest
import yaml
from parsing import _parser

from lightning_imbal.cli.parts.data_verb_options import AUDIT, JSON, PREPARE
from lightning_imbal.cli.parts.help_kinds import KINDS, classes_of, settable
from lightning_imbal.cli.parts.help_options import run_options
from lightning_imbal.cli.parts.help_screen import OF_ALL, SCREENS, screen
from lightning_imbal.data.copies.candidates import DISTANCE

OPTION = re.compile(r"^  --([\w.+]+)(?: ([\w./\[\]]+))?")
OWN = {"audit": AUDIT | JSON, "prepare": PREPARE | JSON}


@pytest.mark.parametrize("verb", SCREENS)
def test_it_is_one_screen(verb):
    lines = screen(verb).splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 100
    assert lines[0].startswith(f"usage: lightning_imbal {verb} ") and f"{verb} --help all" in lines[-1]


@pytest.mark.parametrize("verb", SCREENS)
def test_what_is_on_it_is_as_it_says(verb):
    found = [match.groups() for match in map(OPTION.match, screen(verb).splitlines()) if match]
    assert len(found) >= 6
    of_parser = "fit" if verb in OWN else verb
    defaults = _parser(of_parser).parser.get_defaults()
    of_slot = {
        f"{slot}.{each.name}": each.default
        for slot, name in OF_ALL.items()
        for each in settable(classes_of(KINDS[slot])[name], KINDS[slot])
    }
    for option, value in found:
        if option in OWN.get(verb, {}):
            default = OWN[verb][option].default
        elif option in of_slot:
            assert value == (of_slot[option] or "DIR")
            continue
        else:
            assert "." in option or option in run_options(of_parser)
            default = defaults.get(option.rstrip("+"))
        if value and not value.isupper() and value != "last":
            assert yaml.safe_load(value) == default


def test_the_number_that_is_said_is_that_of_the_audit():
    assert f"null: {DISTANCE}," in AUDIT["distance"].help
