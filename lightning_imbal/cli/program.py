"""The `lightning_imbal` command. Heavy libraries are imported only by the verbs that need them."""

import errno
import os
import re
import sys
from importlib import import_module
from importlib.metadata import version
from types import ModuleType

from lightning_imbal.cli.parts.verbs import VERBS

PIP = re.compile(r"pip install (?:-U )?['\"]*([\w.-]+)")  # as libraries advise
REFUSALS = (  # of Lightning, with their modules
    ("lightning.fabric.utilities.exceptions", "MisconfigurationException"),
    ("lightning.fabric.utilities.spike", "TrainingSpikeException"),
)
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
THAT_COMPUTE = ("features", "fit", "validate", "test", "predict", "prepare", "audit", "init")

HELP = """\
usage: lightning_imbal VERB ...

Class-imbalanced medical image classification: train a method, look at every class.

  list      what there is to choose from: methods, data sets, tables, losses, scores, ...
  init      look at a folder of images, or at the file that names them, and write a configuration
  features  let a frozen network see every picture once; heads then train on what it made of them
  fit       train every stage of an experiment, then test it and print the F1 of each class
  test      evaluate a checkpoint on the test part; validate: on the validation part
  predict   classify a folder of images with a checkpoint; export: it as ONNX, with a model card
  decide    fit a decision rule to the validation part, and see what it changes for each class
  ensemble  make one run of several: mean probabilities of seeds or methods, all folds together
  report    results of one run, or of several side by side: in the terminal, as a page, as figures
  labels    find suspicious labels by the folds of a cross-validation, for people to look at
  compare   find out which method to use on your own images
  tune      search the best settings on the validation part alone; the test part is never opened
  table     run what a paper's table lacks, print it beside theirs; dashboard: its runs in W&B
  prepare   open every image and cache it decoded; audit: who or what is on both sides of a split

examples:
  lightning_imbal fit --config experiments/marrakchi_isic.yaml --data.root DIR
  lightning_imbal init my_images
  lightning_imbal compare --config my_images.yaml
Later files win, then the command line. More: `fit --help`, `fit --model.help ECL`, `completion`.
"""


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and returns the exit status: 0, or 2 after an error that the user can mend.

    By a signal, it is 130 after Ctrl-C, 143 after SIGTERM and 138 after SIGUSR1; 1 if a process of the run was lost.
    """
    args = sys.argv[1:] if argv is None else argv
    if not args or args[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if args[0] == "--version":
        print(version("lightning_imbal"))
        return 0
    from lightning_imbal.errors import UserError
    from lightning_imbal.wording import did_you_mean

    try:
        if args[0] not in VERBS:
            hint = did_you_mean(args[0], VERBS) or f"choose from {', '.join(VERBS)}."
            raise UserError(f"There is no verb {args[0]!r}: {hint}")
        from lightning_imbal.cli.parts import first_look

        if (text := first_look.answer(args[0], args[1:])) is not None:
            print(text)
            return 0
        first_look.check(args[0], args[1:])
        return _run(args, alone=argv is None)
    except BrokenPipeError:  # whoever read what is printed, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except PermissionError as error:
        return _refuse(f"{error.filename} cannot be used ({error.strerror}): choose another place, or allow it.")
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        return _refuse(f"{error.filename} cannot be written ({error.strerror}): make room, or choose another place.")
    except UserError as error:
        return _refuse(str(error).strip().splitlines()[-1].removeprefix(f"{_full_name(error)}: "))


def _run(args: list[str], alone: bool) -> int:
    """Runs a verb: `run` of the file of its name.

    Args:
        args: The verb and its command line.
        alone: Whether this process is there for nothing else.
    """
    if args[0] in THAT_COMPUTE:
        from lightning_imbal.cli.parts.allocator import keep_freed_memory

        keep_freed_memory()
    from lightning_imbal.cli.parts import ranks
    from lightning_imbal.cli.parts.interruption import Interruption, how_to_go_on
    from lightning_imbal.cli.parts.quiet import quiet

    ranks.follow()
    as_it_should = True
    with quiet(), Interruption(args[0]) as interruption:
        try:
            return _module_of(args[0], alone).run(args)
        except BaseException as error:
            if interruption.status or isinstance(error, KeyboardInterrupt):
                return _refuse(interruption.sentence(), interruption.status or 130)
            as_it_should = False
            if sentence := _sentence(error):
                return _refuse(sentence)
            if why := ranks.lost(error):
                return _refuse(how_to_go_on(args[0], why), 1)
            raise
        finally:
            ranks.leave(as_it_should)


def _module_of(verb: str, alone: bool) -> ModuleType:
    """Imports the file of a verb; in a process of its own, nothing looks for garbage in what the libraries hold."""
    from lightning_imbal.cli.parts.allocator import without_garbage

    with without_garbage(alone):
        return import_module(f"lightning_imbal.cli.{verb}")


def _sentence(error: BaseException) -> str:
    """What a library says of a mistake of the user; empty if it is none."""
    # Who has raised it is imported already: other verbs start without.
    if isinstance(error, ModuleNotFoundError) and (package := PIP.search(str(error))):
        return f"{' '.join(str(error).split('HINT')[0].split())} Install it: pip install {package[1]}."
    if "jsonargparse" in sys.modules:
        from jsonargparse import ArgumentError

        if isinstance(error, ArgumentError):
            from lightning_imbal.cli.parts.messages import explain

            return explain(str(error))
    of_lightning = {sys.modules[module].__dict__[name] for module, name in REFUSALS if module in sys.modules}
    return " ".join(str(error).split()) if type(error) in of_lightning else ""


def _refuse(sentence: str, status: int = 2) -> int:
    from lightning_imbal.cli.parts.ranks import speaks
    from lightning_imbal.command_line import as_options

    if sentence and speaks(sentence):
        print(f"lightning_imbal: {as_options(sentence)}", file=sys.stderr)
    return status


def _full_name(error: Exception) -> str:
    return f"{type(error).__module__}.{type(error).__name__}"
