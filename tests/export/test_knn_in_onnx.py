"""A head of nearest neighbours as ONNX: the training features go with it."""

import torch
from torch import nn

from lightning_imbal.data.normalize import Normalize
from lightning_imbal.export import check, onnx
from lightning_imbal.export.inference import Inference
from lightning_imbal.heads import KNearest
from lightning_imbal.predictors import Plain


class Small(nn.Module):
    """A convolution, and the nearest of a hundred features."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3, stride=2), KNearest(8, 3, k=7)
        generator = torch.Generator().manual_seed(0)
        train = torch.rand(100, 8, generator=generator), torch.randint(3, (100,), generator=generator)
        self.head.solve(train, None)

    def forward(self, image):
        return self.head(self.conv(image).relu().mean(dim=(2, 3)))


def test_neighbours_can_be_written():
    images, predictor = check.random_images((24, 24))[:20], Plain(torch.tensor([60.0, 30.0, 10.0]))
    normalize = Normalize()
    inference = Inference(Small().eval(), predictor, normalize)
    content = onnx.to_onnx(inference, (24, 24), {})
    logits, probability = check.predict(inference, images, normalize)
    assert max(check.check(content, images, [logits, probability])) < 1e-4
    assert len(content) > 100 * 8 * 4
