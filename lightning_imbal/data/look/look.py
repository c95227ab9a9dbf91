"""What a look at the user's images says: which data module reads them, with which settings, and what is unclear."""

from dataclasses import dataclass, field
from typing import Any

from lightning_imbal.data.look.group_guesses import Guess


@dataclass(frozen=True)
class Question:
    """Something that only the user knows.

    Args:
        text: What is unclear.
        options: What answers it, on the command line; one of them is what was taken.
        unanswered: Whether nothing is certain enough to train before it is answered.
    """

    text: str
    options: tuple[str, ...]
    unanswered: bool = False


@dataclass
class Look:
    """What was found.

    Args:
        data: Name of the data module.
        settings: Its arguments.
        reasons: Why one is as it is, by its name.
        layout: What lies where, in a few words.
        guesses: What may belong together, the likeliest first.
        questions: What is unclear.
    """

    data: str
    settings: dict[str, Any]
    layout: str
    reasons: dict[str, str] = field(default_factory=dict)
    guesses: list[Guess] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def set(self, name: str, value: Any, reason: str) -> None:
        """Adds a setting with the reason for it."""
        self.settings[name], self.reasons[name] = value, reason
