"""What a model card says of pictures of more than 8 bits."""

import json
from typing import Any


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


def opening(facts: dict[str, str]) -> str:
    """Lines of Python that open a `picture`, RGB from 0 to 255."""
    if "black_and_white" not in facts:
        return 'picture = cv2.cvtColor(cv2.imread("image.jpg"), cv2.COLOR_BGR2RGB)'
    low, high = json.loads(facts["black_and_white"])
    return f"""picture = cv2.imread("image.png", cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)
if picture.dtype != np.uint8:
    picture = np.float32(255) * np.clip((picture - np.float32({low!r})) / np.float32({high - low!r}), 0, 1)
picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB if picture.ndim == 2 else cv2.COLOR_BGR2RGB)"""
