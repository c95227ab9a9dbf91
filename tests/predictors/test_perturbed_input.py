"""Predictors against slow oracles, in every precision and gradient mode, and what they leave in a checkpoint."""

import copy
import math

import pytest
import torch
from predictor_oracles import COUNTS, random_image, small_network
from torch import Tensor, nn

from lightning_imbal.predictors import PerturbedInput, Plain

MEAN, STD = torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1), torch.tensor([0.2, 0.25, 0.3]).view(3, 1, 1)
MEASURES = ["cross_entropy", "mse", "focal"]


class Recorder(nn.Module):
    """A network that keeps what it was given."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.images: list[Tensor] = []

    def forward(self, image: Tensor) -> Tensor:
        self.images.append(image.detach().clone())
        return self.network(image)


def perturbed(predictor: PerturbedInput, network: nn.Module, image: Tensor) -> Tensor:
    """The image that the second pass sees."""
    recorder = Recorder(network)
    predictor(recorder, image)
    assert len(recorder.images) == 2
    return recorder.images[1]


def target_oracle(counts: list[int]) -> list[float]:
    rarity = [math.log(max(counts) / count) for count in counts]
    return [value / sum(rarity) for value in rarity]


def difference_oracle(logits: list, target: list[float], temperature: float, measure: str):
    """Eq. 1 and the measure for one image; logits are numbers or scalar tensors."""
    exponentials = [(torch.as_tensor(z) / temperature).exp() for z in logits]
    total = 0.0
    for exponential, goal in zip(exponentials, target, strict=True):
        p = exponential / sum(exponentials)
        if measure == "cross_entropy":
            total = total - goal * p.log()
        elif measure == "mse":
            total = total + (p - goal) ** 2 / len(target)
        else:
            total = total - goal * (1 - p) ** 2 * p.log()
    return total


def perturbed_oracle(network: nn.Module, image: Tensor, epsilon: float, temperature: float, measure: str) -> Tensor:
    """Eq. 3, image by image."""
    rows = []
    for single in image:
        network = copy.deepcopy(network)
        single = single.clone()[None].requires_grad_()
        difference_oracle(network(single)[0], target_oracle(COUNTS.tolist()), temperature, measure).backward()
        rows.append(single.detach() - epsilon * single.grad.sign())
    return torch.cat(rows)


class TestTarget:
    def test_by_hand(self):
        assert PerturbedInput(COUNTS).target.tolist() == pytest.approx([0, 1 / 3, 2 / 3], abs=1e-15)

    def test_against_the_equation(self):
        counts = [6705, 1113, 1099, 514, 327, 142, 115]
        target = PerturbedInput(torch.tensor(counts)).target
        assert target.dtype == torch.float64
        assert target.tolist() == pytest.approx(target_oracle(counts), abs=1e-14)

    def test_all_of_the_largest_classes_get_nothing(self):
        assert PerturbedInput(torch.tensor([9, 3, 9])).target.tolist() == [0, 1, 0]

    def test_equal_counts_warn_and_give_a_uniform_target(self):
        with pytest.warns(match="same size"):
            predictor = PerturbedInput(torch.tensor([49, 49, 49]))
        assert predictor.target.tolist() == pytest.approx([1 / 3] * 3, abs=1e-15)


class TestDifference:
    @pytest.mark.parametrize("temperature", [1.0, 1000.0])
    @pytest.mark.parametrize("measure", MEASURES)
    def test_against_the_equation(self, measure: str, temperature: float):
        logits = 3 * torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        value = PerturbedInput(COUNTS, temperature=temperature, measure=measure).difference(logits)
        target = target_oracle(COUNTS.tolist())
        expected = [float(difference_oracle(row, target, temperature, measure)) for row in logits]
        assert value.tolist() == pytest.approx(expected, abs=1e-12)

    def test_by_hand(self):
        # Equal probabilities 1/3 against the target (0, 1/3, 2/3).
        logits = torch.zeros(1, 3, dtype=torch.float64)
        expected = {"cross_entropy": math.log(3), "mse": 2 / 27, "focal": 4 / 9 * math.log(3)}
        for measure, value in expected.items():
            assert PerturbedInput(COUNTS, measure=measure).difference(logits).item() == pytest.approx(value, abs=1e-12)

    @pytest.mark.parametrize("measure", MEASURES)
    def test_gradient(self, measure: str):
        logits = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
        assert torch.autograd.gradcheck(PerturbedInput(COUNTS, temperature=1.0, measure=measure).difference, logits)


class TestPerturbedInput:
    @pytest.mark.parametrize("space", ["normalized", "unit"])
    @pytest.mark.parametrize("batch", [1, 5])
    def test_no_step_is_plain_bit_for_bit(self, batch: int, space: str):
        network, image = small_network(), random_image(batch)
        predictor = PerturbedInput(COUNTS, epsilon=0.0, space=space)
        assert torch.equal(predictor(network, image), Plain(COUNTS)(network, image))

    @pytest.mark.parametrize("temperature", [1.0, 1000.0])
    @pytest.mark.parametrize("measure", MEASURES)
    def test_against_the_equations_image_by_image(self, measure: str, temperature: float):
        network, image = small_network().double(), random_image(4).double()
        predictor = PerturbedInput(COUNTS, 0.01, temperature, measure)
        expected = perturbed_oracle(network, image, 0.01, temperature, measure)
        torch.testing.assert_close(perturbed(predictor, network, image), expected, rtol=0, atol=1e-12)
        torch.testing.assert_close(predictor(network, image), network(expected), rtol=0, atol=1e-12)

    @pytest.mark.parametrize("measure", MEASURES)
    def test_at_high_temperature_the_sign_is_that_of_the_limit(self, measure: str):
        # For T to infinity the gradient is proportional to that of sum_c (1/C - target_c) z_c, for each measure.
        network, image = small_network(), random_image(8)
        step = image - perturbed(PerturbedInput(COUNTS, epsilon=1.0, measure=measure), network, image)
        image.requires_grad_()
        weight = torch.tensor([1 / 3 - p for p in target_oracle(COUNTS.tolist())])
        (network(image) * weight).sum().backward()
        assert (step.sign() == image.grad.sign()).double().mean() >= 0.999
        assert (step.sign() != 0).double().mean() >= 0.999

    def test_draws_the_probabilities_to_the_target(self):
        network, image = small_network(), random_image(8)
        predictor = PerturbedInput(COUNTS, epsilon=1e-3)
        before, after = network(image), predictor(network, image)
        assert (predictor.difference(after) < predictor.difference(before)).all()

    def test_no_pixel_moves_further_than_epsilon(self):
        network, image = small_network(), random_image(4)
        moved = (perturbed(PerturbedInput(COUNTS, epsilon=0.25), network, image) - image).abs()
        assert moved.max().item() == pytest.approx(0.25, abs=1e-6)

    def test_steps_as_the_paper_by_default(self):
        predictor = PerturbedInput(COUNTS)
        assert (predictor.epsilon, predictor.temperature) == (1e-3, 1000)
        assert (predictor.measure, predictor.space) == ("cross_entropy", "normalized")

    @pytest.mark.parametrize("space", ["normalized", "unit"])
    def test_pixels_without_a_gradient_stay(self, space: str):
        class LeftHalf(nn.Module):
            def forward(self, image: Tensor) -> Tensor:
                return image[:, :, :, :2].mean(dim=(2, 3))

        image = 0.1 + 0.8 * random_image(2, side=4).sigmoid()
        after = perturbed(PerturbedInput(COUNTS, epsilon=0.1, space=space), LeftHalf(), image)
        assert torch.equal(after[..., 2:], image[..., 2:])
        # The limit above: the largest class loses 1/3, the rarest gains as much, the middle one is at its target.
        moved = after[..., :2] - image[..., :2]
        torch.testing.assert_close(moved[:, 0], torch.full((2, 4, 2), -0.1), rtol=0, atol=1e-6)
        torch.testing.assert_close(moved[:, 2], torch.full((2, 4, 2), 0.1), rtol=0, atol=1e-6)

    @pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
    def test_works_where_gradients_are_switched_off(self, mode):
        network, image = small_network(), random_image(3)
        predictor = PerturbedInput(COUNTS)
        expected = predictor(network, image)
        with mode():
            logits = predictor(network, image.clone())
            assert not torch.is_grad_enabled()
        assert torch.equal(logits, expected)
        assert torch.is_grad_enabled()

    @pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
    def test_leaves_no_trace_in_network_and_image(self, layout: torch.memory_format):
        network, image = small_network(), random_image(3).contiguous(memory_format=layout)
        weights, pixels = copy.deepcopy(network.state_dict()), image.clone()
        logits = PerturbedInput(COUNTS)(network, image)
        assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
        assert all(torch.equal(weights[name], value) for name, value in network.state_dict().items())
        assert torch.equal(image, pixels) and image.grad is None and not image.requires_grad
        assert not logits.requires_grad

    def test_gathered_gradients_are_not_added_to(self):
        network, image = small_network(), random_image(3)
        network(image).sum().backward()
        before = [parameter.grad.clone() for parameter in network.parameters()]
        PerturbedInput(COUNTS)(network, image)
        assert all(map(torch.equal, before, [parameter.grad for parameter in network.parameters()]))

    def test_works_with_frozen_parameters(self):
        network, image = small_network(), random_image(3)
        expected = PerturbedInput(COUNTS)(network, image)
        assert torch.equal(PerturbedInput(COUNTS)(network.requires_grad_(False), image), expected)

    def test_autocast_changes_the_second_pass_only(self):
        network, image = small_network(), random_image(3)
        predictor = PerturbedInput(COUNTS, epsilon=0.01)
        expected = perturbed(predictor, network, image)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(perturbed(predictor, network, image), expected)
            logits = predictor(network, image)
            assert logits.dtype == torch.bfloat16
            assert torch.equal(logits, network(expected))

    @pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_network_in_half_precision_has_the_gradient_of_its_copy_in_float32(self, dtype: torch.dtype, mode):
        network, image = small_network().to(dtype), random_image(3).to(dtype)
        predictor = PerturbedInput(COUNTS, epsilon=0.5)
        expected = perturbed(predictor, copy.deepcopy(network).float(), image.float()).to(dtype)
        with mode():
            assert torch.equal(perturbed(predictor, network, image.clone()), expected)
            logits = predictor(network, image.clone())
            assert torch.equal(logits, network(expected))
            assert torch.equal(PerturbedInput(COUNTS, epsilon=0.0)(network, image), network(image))
        assert logits.dtype == dtype
        assert all(parameter.dtype == dtype and parameter.grad is None for parameter in network.parameters())

    def test_tiny_gradients_do_not_vanish(self):
        # The gradient is about 0.1 * 1e-33 / 16 over the temperature, which float32 cannot hold.
        class Faint(nn.Module):
            def forward(self, image: Tensor) -> Tensor:
                return 1e-33 * image.mean(dim=(2, 3))

        image = random_image(2, side=4)
        after = perturbed(PerturbedInput(COUNTS, 0.1, temperature=1e12), Faint(), image)
        assert (after[:, 0] < image[:, 0]).all() and (after[:, 2] > image[:, 2]).all()

    def test_sweep_equals_single_calls(self):
        network, image = small_network(), random_image(3)
        epsilons = [0.0, 1e-4, 1e-3, 0.5]
        recorder = Recorder(network)
        swept = PerturbedInput(COUNTS).sweep(recorder, image, epsilons)
        assert len(recorder.images) == 1 + len(epsilons)
        for logits, epsilon in zip(swept, epsilons, strict=True):
            assert torch.equal(logits, PerturbedInput(COUNTS, epsilon)(network, image))

    def test_unit_space_divides_by_the_standard_deviation(self):
        network, pixel = small_network(), torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        pixel = 0.05 + 0.9 * pixel
        predictor = PerturbedInput(COUNTS, epsilon=0.01, space="unit")
        predictor.set_normalization(MEAN, STD)
        image = (pixel - MEAN) / STD
        after = perturbed(predictor, network, image) * STD + MEAN
        sign = (perturbed(PerturbedInput(COUNTS, epsilon=1.0), network, image) - image).round()
        torch.testing.assert_close(after, pixel + 0.01 * sign, rtol=0, atol=1e-6)

    def test_unit_space_keeps_pixels_between_0_and_1(self):
        network, pixel = small_network(), torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        predictor = PerturbedInput(COUNTS, epsilon=0.4, space="unit")
        predictor.set_normalization(MEAN, STD)
        after = perturbed(predictor, network, (pixel - MEAN) / STD) * STD + MEAN
        assert after.min().item() == pytest.approx(0, abs=1e-6)
        assert after.max().item() == pytest.approx(1, abs=1e-6)
        bound = pixel.sub(0.4).clamp(0, 1), pixel.add(0.4).clamp(0, 1)
        assert (torch.isclose(after, bound[0], atol=1e-6) | torch.isclose(after, bound[1], atol=1e-6)).all()

    def test_unit_space_takes_pixels_as_they_are_unless_told(self):
        network, pixel = small_network(), torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        after = perturbed(PerturbedInput(COUNTS, epsilon=0.4, space="unit"), network, pixel)
        assert after.min() == 0 and after.max() == 1

    def test_normalized_space_ignores_the_normalisation(self):
        network, image = small_network(), random_image(2)
        predictor = PerturbedInput(COUNTS, epsilon=0.01)
        expected = predictor(network, image)
        predictor.set_normalization(MEAN, STD)
        assert torch.equal(predictor(network, image), expected)

    @pytest.mark.parametrize(
        "options, said",
        [
            ({"epsilon": -1e-3}, "epsilon must not be negative, but is -0.001"),
            ({"epsilon": math.nan}, "epsilon must not be negative, but is nan"),
            ({"temperature": 0.0}, "temperature must be positive, but is 0.0"),
            ({"measure": "ce"}, "cross_entropy, mse or focal, but is 'ce'"),
            ({"space": "pixel"}, "normalized or unit, but is 'pixel'"),
        ],
    )
    def test_what_cannot_be_is_refused(self, options: dict, said: str):
        with pytest.raises(ValueError, match=said):
            PerturbedInput(COUNTS, **options)
