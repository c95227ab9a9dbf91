"""Papers that docstrings and comments name, in full."""

import re
from functools import cache
from pathlib import Path

import yaml

NAMED = re.compile(r"[A-Z][\w-]+(?: et al\.| and [A-Z][\w-]+)? (?:19|20)\d\d\b")


@cache
def references() -> dict[str, str]:
    """Each paper in full, by what it is called in docstrings, such as `Cao et al. 2019`."""
    known: dict[str, str] = yaml.safe_load(Path(__file__).with_name("references.yaml").read_text(encoding="utf-8"))
    return known


def named_in(*texts: str) -> list[str]:
    """The papers that texts name, in their order."""
    found = [name for text in texts for name in NAMED.findall(" ".join(text.split()))]
    return [name for name in dict.fromkeys(found) if name in references()]
