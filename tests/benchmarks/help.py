"""CPU seconds of help and of typing errors, beside what importing torch and LightningCLI costs on the same machine.

python tests/benchmarks/help.py
"""

import os
import subprocess
import sys
import tempfile

CHECKPOINT = "runs/demo/stage1/checkpoints/best.ckpt"
VERBS = "list init fit validate test predict decide ensemble report compare table dashboard export prepare audit"
ANSWERED_AT_ONCE = [
    "--help",
    *(f"{verb} --help" for verb in VERBS.split()),
    "fitt",
    "fit --config nothere.yaml",
    "fit --config methods/lda.yaml",
    "fit --config demo.yaml --then heads/crtt.yaml",
    f"test --ckpt_path {CHECKPOINT}",
    "report runs/nothere",
    "decide runs/nothere",
    "table nothere.yaml",
    "compare --methods ldma",
    "fit --model.help",
    "fit --model.help ECL",
    "fit --data.help ISIC2018",
    "fit --model.loss.help LDAM",
    "fit --data.sampler.help",
    "fit --config demo.yaml --optimzer.lr 1",
    "fit --config demo.yaml --trainer.max_epoch 1",
    "completion bash",
    "completion words fit --config methods/",
    "completion words fit --model.loss.",
]
PARSED = [
    "fit --config demo.yaml --model.optimizer.lrr 1",
    "fit --config demo.yaml --data.sampler ClasPower",
    "fit --help all",
]


def cpu_seconds(*arguments: str) -> float:
    """User and system time of a Python process."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    os.chdir(tempfile.mkdtemp())
    for module in ("torch", "lightning.pytorch.cli"):
        print(f"{cpu_seconds('-c', f'import {module}'):6.2f} s  import {module}")
    for line in [*ANSWERED_AT_ONCE, *PARSED]:
        print(f"{cpu_seconds('-m', 'lightning_imbal', *line.split()):6.2f} s  lightning_imbal {line}")


if __name__ == "__main__":
    main()
