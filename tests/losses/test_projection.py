"""The projection: its layers and its unit length."""

import pytest
import torch
from torch import nn

from lightning_imbal.losses import Projection


def layers_of(module: nn.Module) -> list[nn.Module]:
    return [layer for layer in module.modules() if not list(layer.children())]


class TestProjection:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("batch_norm", [False, True])
    def test_embedding_has_unit_length(self, dtype: torch.dtype, batch_norm: bool):
        projection = Projection(6, hidden_size=16, embedding_size=8, batch_norm=batch_norm).to(dtype)
        embedding = projection(5 * torch.randn(10, 6, dtype=dtype))
        assert embedding.shape == (10, 8)
        assert embedding.dtype == dtype
        torch.testing.assert_close(embedding.norm(dim=1), torch.ones(10, dtype=dtype), rtol=0, atol=1e-6)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_float32_under_autocast(self, dtype: torch.dtype):
        projection, feature = Projection(6, hidden_size=16, embedding_size=8), torch.randn(10, 6)
        with torch.autocast("cpu", dtype):
            assert layers_of(projection)[0](feature).dtype == dtype
            embedding = projection(feature)
        assert embedding.dtype == torch.float32
        # In half precision the lengths would be off by 1e-3.
        torch.testing.assert_close(embedding.norm(dim=1), torch.ones(10), rtol=0, atol=1e-6)
        embedding.sum().backward()
        assert all(parameter.grad.isfinite().all() for parameter in projection.parameters())

    @pytest.mark.parametrize("batch_norm", [False, True])
    @pytest.mark.parametrize("hidden_layers", [1, 2, 3])
    def test_layers(self, hidden_layers: int, batch_norm: bool):
        projection = Projection(6, 16, 8, hidden_layers, batch_norm)
        hidden = [nn.Linear, nn.BatchNorm1d, nn.ReLU] if batch_norm else [nn.Linear, nn.ReLU]
        layers = layers_of(projection)
        assert [type(layer) for layer in layers] == hidden * hidden_layers + [nn.Linear]
        sizes = [(layer.in_features, layer.out_features) for layer in layers if isinstance(layer, nn.Linear)]
        assert sizes == [(6, 16)] + [(16, 16)] * (hidden_layers - 1) + [(16, 8)]

    def test_by_hand(self):
        projection = Projection(1, hidden_size=2, embedding_size=2)
        values = [[[1.0], [-1.0]], [1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], [0.0, 4.0]]
        for parameter, value in zip(projection.parameters(), values, strict=True):
            parameter.data = torch.tensor(value)
        # ReLU leaves (3, 0) of (3, -2), and the bias makes it (3, 4).
        torch.testing.assert_close(projection(torch.tensor([[2.0]])), torch.tensor([[0.6, 0.8]]))

    def test_defaults(self):
        assert [tuple(parameter.shape) for parameter in Projection(512).parameters()] == [
            (2048, 512),
            (2048,),
            (128, 2048),
            (128,),
        ]
