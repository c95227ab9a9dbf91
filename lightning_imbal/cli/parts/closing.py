"""The last line of a verb: the command that comes next, ready to be pasted."""

import shlex


def next_command(*words: object) -> str:
    """A line that says what to do next.

    Args:
        words: Of the command, after `lightning_imbal`.
    """
    return f"Next: {shlex.join(['lightning_imbal', *map(str, words)])}"
