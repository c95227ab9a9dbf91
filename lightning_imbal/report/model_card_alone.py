"""The Markdown page that goes with a network whose run is not there: what it is, and that its scores are not known."""

from typing import Any

from lightning_imbal.report.card_use import code, preprocessing
from lightning_imbal.report.model_card import described
from lightning_imbal.wording import escape_markdown as escape

LIMITS = (
    "For research. It is not a medical device: no diagnosis and no treatment may rest on it.",
    "How well it does is not known: the file was written from a checkpoint alone, without the results of its run. "
    "`lightning_imbal test --ckpt_path FILE --data.root DIR` scores it.",
    "How it does on images of another camera, clinic or population is not known.",
)


def card_without_scores(settings: dict[str, Any], facts: dict[str, str]) -> str:
    """Writes the model card of a checkpoint that lies in no run.

    Args:
        settings: Of its stage: `model` and `data`.
        facts: As for `model_card`.
    """
    model, data = settings["model"], settings["data"]
    about = {
        "method": described({"class_path": model["class_path"]}),
        "loss": described(model["init_args"].get("loss") or ""),
        "data set": described({"class_path": data["class_path"]}),
        "classes": facts["class_names"],
        "classifier": facts["head"],
        "at inference": facts["adjustment"],
        "decision": facts.get("decided", ""),
        "checkpoint": facts["checkpoint"],
    }
    parts = [
        f"# Model card: {escape(facts['file'])}",
        "\n".join(f"- {name}: {escape(value)}" for name, value in about.items() if value),
        "## Intended use and limits",
        "\n".join(f"- {limit}" for limit in LIMITS),
        "## Preprocessing",
        preprocessing(facts),
        "## How it was checked",
        escape(facts["check"]),
        "## How to use it",
        code(facts),
    ]
    return "\n\n".join(parts) + "\n"
