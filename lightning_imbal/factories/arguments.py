"""The parser of configurations: what the program gives a class is not asked for, and only classes are built."""

from argparse import SUPPRESS
from typing import Any, NoReturn

import torch
from jsonargparse import ArgumentError
from jsonargparse.typing import register_type
from lightning.pytorch.cli import LightningArgumentParser

from lightning_imbal.factories.build import GIVEN, LENGTHS

# Else a config.yaml could not say on which one an average is, and be given again.
register_type(torch.device, fail_already_registered=False)


class ImbalParser(LightningArgumentParser):
    """Lightning's parser, for which a class that is called later is known by the names of its parameters.

    By itself it would leave out the first parameters of such a class, whatever they are, and ask for the length of a
    schedule. A `class_path` that is a function, such as `os.system`, it would call.
    """

    def add_class_arguments(self, class_type: type, *args: Any, **kwargs: Any) -> list[str]:
        """Adds the arguments of a class, but not what the program gives it."""
        skip = kwargs.get("skip") or set()
        called_later = any(isinstance(each, int) and each for each in skip)
        if called_later:
            kwargs["skip"] = {each for each in skip if isinstance(each, str)} | GIVEN
        added = super().add_class_arguments(class_type, *args, **kwargs)
        for action in self._actions if called_later else []:
            if action.dest in LENGTHS:
                action.required, action.default = False, SUPPRESS
        return added

    def add_function_arguments(self, function: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuses a function; ArgumentError names it."""
        name = f"{function.__module__}.{function.__qualname__}"
        raise ArgumentError(None, f"The class_path {name} is a function, and only classes are built: name a class.")
