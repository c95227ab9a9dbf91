"""Picture files with known pixels."""

import io

import cv2
import numpy as np
from PIL import Image


def smooth(height, width, seed=0):
    """A picture without noise, which looks alike at every scale."""
    coarse = np.random.default_rng(seed).integers(40, 216, (3, 4, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def encode(image, kind, **options):
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, kind, **options)
    return buffer.getvalue()


def write(path, pixels):
    """Writes a picture whose channels are in the order that cv2 expects, also where the path is not ASCII."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    return path


PROTOCOL = """
data:
  class_path: FolderData
  init_args:
    root: {root}
    image_size: 16
    split: {{class_path: Holdout, init_args: {{test: 0.2, val: 0.2}}}}
    batch_size: 16
    num_workers: 0
model:
  class_path: Classifier
  init_args:
    backbone: test_resnet
    optimizer: {{class_path: torch.optim.SGD, init_args: {{lr: 0.02}}}}
trainer: {{max_epochs: {max_epochs}, logger: false, num_sanity_val_steps: 0, enable_progress_bar: false,
          enable_model_summary: false}}
"""


def write_protocol(folder, max_epochs=1):
    """A configuration of the shortest runs, on pictures in `data` whose classes have a colour each."""
    rng = np.random.default_rng(0)
    for number, (name, size) in enumerate({"common": 36, "rarer": 20, "rare": 12}.items()):
        (folder / "data" / name).mkdir(parents=True)
        for image in range(size):
            pixels = rng.integers(0, 128, (16, 16, 3), dtype=np.uint8) + np.uint8(60 * number)
            cv2.imwrite(str(folder / "data" / name / f"{image}.png"), pixels)
    file = folder / "protocol.yaml"
    file.write_text(PROTOCOL.format(root=folder / "data", max_epochs=max_epochs))
    return file
