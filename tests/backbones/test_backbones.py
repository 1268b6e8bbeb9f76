import inspect
import math

import pytest
import torch
from torch import nn

from imbalance_lab import backbones
from imbalance_lab.backbones import MLP, ConvNet, ResidualMLP, ResNetCifar

EXPORTED = [getattr(backbones, name) for name in backbones.__all__]
EVERY_BACKBONE = [each for each in EXPORTED if "input_shape" in inspect.signature(each).parameters]  # no heads
every_backbone = pytest.mark.parametrize("make", EVERY_BACKBONE)


def built(make, shape=(3, 16, 12)):
    torch.manual_seed(0)
    return make(shape)


def features_of(net):
    """Of a net of several members, those of each."""
    members = getattr(net, "num_members", 1)
    return (net.num_features,) if members == 1 else (members, net.num_features)


def parameters(net):
    return sum(parameter.numel() for parameter in net.parameters())


@every_backbone
def test_num_features_is_the_width_of_the_features(make):
    net = built(make)
    assert net(torch.randn(5, 3, 16, 12)).shape == (5, *features_of(net))


@every_backbone
def test_an_example_does_not_depend_on_its_batch_in_evaluation(make):
    net, images = built(make).eval(), torch.randn(6, 3, 16, 12)
    torch.testing.assert_close(torch.cat([net(image[None]) for image in images]), net(images), rtol=1e-4, atol=1e-5)


@every_backbone
def test_every_parameter_learns(make):
    net = built(make)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.any():
            nn.init.ones_(module.weight)  # some nets begin with branches that are switched off so
    net(torch.randn(8, 3, 16, 12)).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad.abs().max() > 0, name


@every_backbone
def test_a_state_dict_moves_a_net(make):
    net, images = built(make).eval(), torch.randn(2, 3, 16, 12)
    other = make((3, 16, 12)).eval()
    assert not torch.equal(other(images), net(images))
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(images), net(images))


@every_backbone
def test_grayscale_images_are_taken(make):
    net = built(make, (1, 8, 8))
    assert net(torch.randn(2, 1, 8, 8)).shape == (2, *features_of(net))


def test_mlp_by_hand():
    net = MLP((2, 3), widths=(5, 4))
    first, second = (layer for layer in net.modules() if isinstance(layer, nn.Linear))
    inputs = torch.randn(7, 2, 3)
    hidden = (inputs.reshape(7, 6) @ first.weight.T + first.bias).clamp(min=0)
    by_hand = (hidden @ second.weight.T + second.bias).clamp(min=0)
    torch.testing.assert_close(net(inputs), by_hand)
    assert parameters(net) == (6 * 5 + 5) + (5 * 4 + 4)
    assert net.num_features == 4


def test_mlp_drops_features_in_training_only():
    torch.manual_seed(0)
    net = MLP((4,), widths=(20_000,), dropout=0.3)
    inputs = torch.randn(1, 4)
    kept = net.eval()(inputs)
    alive = kept > 0
    dropped = net.train()(inputs)[alive]
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / alive.sum()))
    torch.testing.assert_close(dropped[dropped > 0], kept[alive][dropped > 0] / 0.7, rtol=1e-4, atol=0)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, float("nan")])
def test_mlp_refuses_an_invalid_dropout(dropout):
    with pytest.raises(ValueError, match=r"dropout must be a finite number in \[0, 1\), got"):
        MLP((4,), dropout=dropout)


@pytest.mark.parametrize(
    ("shape", "left"), [((1, 28, 28), (3, 3)), ((3, 32, 32), (4, 4)), ((1, 8, 8), (2, 2)), ((3, 6, 20), (3, 10))]
)
def test_convnet_halves_while_the_image_is_at_least_four_wide(shape, left):
    net, seen = ConvNet(shape), []
    pool = next(layer for layer in net.modules() if isinstance(layer, nn.AdaptiveAvgPool2d))
    pool.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].shape[2:]))
    net(torch.randn(2, *shape))
    assert seen == [left]


def test_convnet_takes_its_widths():
    net = ConvNet((2, 8, 8), widths=(3, 7))
    assert net.num_features == 7
    assert parameters(net) == (2 * 3 * 9 + 2 * 3) + (3 * 7 * 9 + 2 * 7)


@pytest.mark.parametrize(
    ("depth", "published"), [(20, 269_722), (32, 464_154), (44, 658_586), (56, 853_018), (110, 1_727_962)]
)
def test_resnets_have_the_published_number_of_parameters(depth, published):
    # He et al. 2016, table 6: 0.27, 0.46, 0.66, 0.85 and 1.7 M, with a linear layer for 10 classes.
    head = 64 * 10 + 10
    assert parameters(ResNetCifar((3, 32, 32), depth=depth)) + head == published


def test_resnet_without_residuals_is_its_stem_through_the_shortcuts():
    net = built(ResNetCifar).eval()
    for block in net.stages:
        nn.init.zeros_(block.residual[-1].weight)  # the scale of the branch's last normalization
    images = torch.randn(2, 3, 16, 12)
    # Option A: every fourth pixel is left, and zeros stand on both sides of the 16 channels.
    stem = net.stem(images)[:, :, ::4, ::4].mean((2, 3))
    torch.testing.assert_close(net(images), torch.cat([torch.zeros(2, 24), stem, torch.zeros(2, 24)], 1))


@pytest.mark.parametrize("depth", [2, 8.5, 18, 33, -4])
def test_resnet_refuses_a_depth_that_is_not_6n_plus_2(depth):
    with pytest.raises((TypeError, ValueError), match=r"^depth must be (6n \+ 2|an integer ≥ 8)"):
        ResNetCifar((3, 32, 32), depth=depth)


@pytest.mark.parametrize("make", [ConvNet, ResNetCifar])
def test_image_backbones_refuse_tables(make):
    with pytest.raises(ValueError, match=r"needs images .* got examples of shape \(30,\)"):
        make((30,))


@pytest.mark.parametrize("make", [MLP, ConvNet])
@pytest.mark.parametrize("widths", [32, "16,8", [16, 0], [16, -1], [16, 2.5], [16, True]])
def test_widths_are_a_list_of_integers(make, widths):
    with pytest.raises((TypeError, ValueError), match=r"^widths(\[1\] must be an integer ≥ 1| must be a list), got"):
        make((3, 8, 8), widths=widths)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"width": 0}, "width must be an integer ≥ 1, got 0"),
        ({"depth": 2.0}, "depth must be an integer ≥ 1, got 2.0"),
        ({"dropout": 1}, r"dropout must be a finite number in \[0, 1\), got 1"),
        ({"width": 8, "expansion": 0.1}, "expansion must be a finite number ≥ 0.125, got 0.1"),
        ({"cardinalities": [3, 0]}, r"cardinalities\[1\] must be an integer ≥ 1, got 0"),
    ],
)
def test_residual_mlp_refuses_invalid_arguments(arguments, says):
    with pytest.raises((TypeError, ValueError), match=says):
        ResidualMLP((4,), **arguments)


@pytest.mark.parametrize("make", [MLP, ResidualMLP])
def test_the_last_columns_are_embedded(make):
    net = make((4,), cardinalities=[3, 200]).eval()
    rows = torch.tensor([[0.5, -1.0, 2, 7], [0.5, -1.0, 1, 7], [0.5, -1.0, 2, 8]])
    features = net(rows)
    assert features.shape == (3, net.num_features)
    assert not torch.equal(features[0], features[1])
    assert not torch.equal(features[0], features[2])
    assert [tuple(e.weight.shape) for e in net.modules() if isinstance(e, nn.Embedding)] == [(3, 2), (200, 50)]


def test_convnet_takes_several_convolutions_a_block():
    net = ConvNet((2, 8, 8), widths=(3, 7), convolutions=[1, 2])
    assert parameters(net) == (2 * 3 * 9 + 2 * 3) + (3 * 7 * 9 + 2 * 7) + (7 * 7 * 9 + 2 * 7)
    assert net(torch.randn(2, 2, 8, 8)).shape == (2, 7)
    assert parameters(ConvNet((2, 8, 8), convolutions=1)) == parameters(ConvNet((2, 8, 8)))
    for wrong in ([1], 0, "2", [1, 0], 1.5):
        with pytest.raises((TypeError, ValueError), match=r"^convolutions"):
            ConvNet((2, 8, 8), widths=(3, 7), convolutions=wrong)
