"""How the file of a model card is used: what it takes, and Python that asks it."""

import json
from typing import Any

from lightning_imbal.wording import escape_markdown as escape


def depth_facts(settings: dict[str, Any]) -> dict[str, str]:
    """Texts about how pictures of more than 8 bits are read, for the ONNX file and the card; none if nothing is known.

    Args:
        settings: `limits`, `percentile`, `window`, `range` and `bits`, those that are known.
    """
    limits, told = settings.get("limits") or settings.get("range"), []
    if percentile := settings.get("percentile"):
        told.append(f"their percentiles {percentile[0]:g} and {percentile[1]:g} become 0 and 1")
    elif limits:
        told.append(f"the values {limits[0]:g} to {limits[1]:g} become 0 to 1, and what is outside is clipped")
    if window := settings.get("window"):
        told.append(f"of DICOM, the window of centre {window[0]:g} and width {window[1]:g} becomes 0 to 1")
    if not told:
        return {}
    facts = {"depth": f"Of pictures of more than 8 bits, {'; '.join(told)}."}
    return facts if percentile or not limits else {**facts, "black_and_white": json.dumps(limits)}


def preprocessing(facts: dict[str, str]) -> str:
    """What the file takes, and how pictures become that."""
    depth = f"{escape(facts['depth'])} " if "depth" in facts else ""
    return (
        f"The input `image` is float32 (batch, 3, height, width), RGB in 0..1, {escape(facts['image_size'])} pixels "
        f"(height x width). {depth}Pictures are made so by {escape(facts['recipe'])}. Subtracting the mean "
        f"{escape(facts['mean'])} and dividing by the standard deviation {escape(facts['std'])} happens inside the "
        "file. It gives `logits` and `probability`, both (batch, classes); the class names, in this order, are in its "
        "metadata as `class_names`."
    )


def code(facts: dict[str, str]) -> str:
    """Python that asks the file about a picture."""
    steps = facts["steps"] or "# here `picture` has to be prepared as described above"
    return f"""```python
import json

import cv2
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession({json.dumps(facts["file"])})
class_names = json.loads(session.get_modelmeta().custom_metadata_map["class_names"])
{_opening(facts)}
{steps}
image = picture.transpose(2, 0, 1)[None].astype(np.float32) / 255
{_answer(facts)}
```"""


def _answer(facts: dict[str, str]) -> str:
    """Lines of Python that ask the file, and say what it answers."""
    if facts.get("decided", "").endswith("`answer`"):
        return """probability, answer = session.run(["probability", "answer"], {"image": image})
print(class_names[answer[0]], probability[0, answer[0]])"""
    return """probability = session.run(["probability"], {"image": image})[0][0]
print(class_names[probability.argmax()], probability.max())"""


def _opening(facts: dict[str, str]) -> str:
    """Lines of Python that open a `picture`, RGB from 0 to 255."""
    if "black_and_white" not in facts:
        return 'picture = cv2.cvtColor(cv2.imread("image.jpg"), cv2.COLOR_BGR2RGB)'
    low, high = json.loads(facts["black_and_white"])
    return f"""picture = cv2.imread("image.png", cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)
if picture.dtype != np.uint8:
    picture = np.float32(255) * np.clip((picture - np.float32({low!r})) / np.float32({high - low!r}), 0, 1)
picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB if picture.ndim == 2 else cv2.COLOR_BGR2RGB)"""
