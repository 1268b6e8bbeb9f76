"""Weights from a file: what fits is copied, reported and signed; what is not of the net is refused in a sentence."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision import models

from imbalance_lab.backbones import ConvNet, ResNetCifar, Timm, Torchvision
from imbalance_lab.backbones.initial_weights import load_weights

SHAPE = (3, 32, 32)


@pytest.fixture(scope="module")
def resnet() -> dict[str, Tensor]:
    """torchvision's resnet18 with its head, of random weights."""
    return models.resnet18().state_dict()


def saved(path: Path, content: Any) -> str:
    torch.save(content, path)
    return str(path)


def assert_loaded(net: nn.Module, weights: dict[str, Tensor], prefix: str = "net.") -> None:
    for name, value in net.state_dict().items():
        assert torch.equal(value, weights[name.removeprefix(prefix)]), name


@pytest.mark.parametrize("kind", ["pth", "old", "safetensors"])
def test_a_file_of_each_kind_is_read_and_signed(kind: str, resnet: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / f"resnet18.{'safetensors' if kind == 'safetensors' else 'pth'}"
    if kind == "safetensors":
        save_file(resnet, path)
    else:
        torch.save(resnet, path, _use_new_zipfile_serialization=kind == "pth")
    net = Torchvision(SHAPE, "resnet18", freeze=True)
    found = load_weights(net, str(path))
    assert_loaded(net, resnet)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.tensors, sorted(found.left_out), found.added) == (100, ["fc.bias", "fc.weight"], "net.")
    assert not any(parameter.requires_grad for parameter in net.parameters())
    assert found.sha256[:16] in found.describe()


WRAPPED: dict[str, Callable[[dict[str, Tensor]], Any]] = {
    "module.": lambda state: {f"module.{name}": value for name, value in state.items()},
    "backbone.net.": lambda state: {"state_dict": {f"backbone.net.{name}": value for name, value in state.items()}},
    "": lambda state: {"epoch": 3, "model": state, "optimizer": {"state": {}}},
}


@pytest.mark.parametrize("prefix", WRAPPED)
def test_the_names_may_have_a_beginning_and_lie_in_a_dictionary(
    prefix: str, resnet: dict[str, Tensor], tmp_path: Path
) -> None:
    net = Timm(SHAPE, "resnet18")  # timm calls these layers as torchvision does
    found = load_weights(net, saved(tmp_path / "file.pth", WRAPPED[prefix](resnet)))
    assert_loaded(net, resnet)
    assert f"{found.prefix}|{found.added}" in (f"{prefix}|net.", f"{prefix.removesuffix('net.')}|")


def test_a_checkpoint_of_this_program_gives_its_backbone(tmp_path: Path) -> None:
    trained = ResNetCifar(SHAPE, depth=8)
    beside = {"prepare.mean": torch.zeros(3, 1, 1), "head.weight": torch.zeros(2, 64), "loss.weight": torch.ones(2)}
    state = beside | {f"backbone.{name}": value for name, value in trained.state_dict().items()}
    net = ResNetCifar(SHAPE, depth=8)
    raw = {name: torch.zeros_like(value) for name, value in state.items()}  # of the net before strategy=ema averages it
    content = {"raw_weights": raw, "state_dict": state, "epoch": 1, "pytorch-lightning_version": "2.6"}
    found = load_weights(net, saved(tmp_path / "best.ckpt", content))
    assert_loaded(net, trained.state_dict(), "")
    assert (found.under, found.prefix, sorted(found.left_out)) == ("state_dict", "backbone.", sorted(beside))


TWICE: dict[str, Callable[[dict[str, Tensor], dict[str, Tensor]], Any]] = {
    "state_dict and in state_dict_ema": lambda one, other: {"state_dict": one, "state_dict_ema": other},
    "the names that begin with student. and in the names that begin with teacher.": lambda one, other: {
        **{f"student.{name}": value for name, value in one.items()},
        **{f"teacher.{name}": value for name, value in other.items()},
    },
    "its outermost names and in ema": lambda one, other: {**one, "ema": other},
}


@pytest.mark.parametrize("places", TWICE)
def test_of_two_nets_in_a_file_none_is_guessed(places: str, resnet: dict[str, Tensor], tmp_path: Path) -> None:
    net, other = Timm(SHAPE, "resnet18"), models.resnet18().state_dict()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(ValueError, match=f"holds several nets that resnet18 could start from, in {places}: save the"):
        load_weights(net, saved(tmp_path / "file.pth", TWICE[places](resnet, other)))
    assert_loaded(net, before, "")
    load_weights(net, saved(tmp_path / "file.pth", TWICE[places](resnet, resnet)))
    assert_loaded(net, resnet)


def test_other_names_are_assigned_by_order_kind_and_shape(tmp_path: Path) -> None:
    source = ConvNet(SHAPE, widths=(4, 8))
    renamed = {
        f"layer{at}.{name.split('.')[-1]}": value for at, (name, value) in enumerate(source.state_dict().items())
    }
    counters = [name for name in renamed if name.endswith("num_batches_tracked")]
    file = {name: value for name, value in renamed.items() if name not in counters}
    head = {"fc.weight": torch.zeros(5, 8), "fc.bias": torch.zeros(5)}
    net = ConvNet(SHAPE, widths=(4, 8))
    found = load_weights(net, saved(tmp_path / "file.pth", file | head))
    assert all(torch.equal(value, dict(source.state_dict())[name]) for name, value in net.state_dict().items())
    assert dict(found.assigned) == {
        net: own for net, own in zip(source.state_dict(), renamed, strict=True) if own not in counters
    }
    assert "by order" in found.describe()
    first, second = list(file)[:2]
    swapped = {second: file[second], first: file[first]} | file
    with pytest.raises(ValueError, match=r"has no tensor of ConvNet: .* not the same shapes in the same order"):
        load_weights(net, saved(tmp_path / "file.pth", swapped | head))
    save_file(file, tmp_path / "file.safetensors")  # which sorts its tensors
    with pytest.raises(ValueError, match="shapes are those of the net, but safetensors does not keep the order"):
        load_weights(net, str(tmp_path / "file.safetensors"))


def test_gray_images_sum_the_first_convolution_over_the_colors(resnet: dict[str, Tensor], tmp_path: Path) -> None:
    path = saved(tmp_path / "file.pth", resnet)
    gray, color = Timm((1, 32, 32), "resnet18").eval(), Timm(SHAPE, "resnet18").eval()
    assert "summed over the colors" in load_weights(gray, path).describe()
    load_weights(color, path)
    images = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(gray(images), color(images.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4)


REFUSED: dict[str, tuple[Callable[[dict[str, Tensor]], Any], str]] = {
    "lacks": (lambda s: {k: v for k, v in s.items() if "layer4" not in k}, r"lacks 25 of 120 tensors of resnet18, net"),
    "deeper": (lambda s: s | {"layer1.2.conv1.weight": torch.zeros(64, 64, 3, 3)}, r"has 1 tensors more than resnet18"),
    "shape": (lambda s: s | {"bn1.bias": torch.zeros(9)}, r"net\.bn1\.bias in the shape \(9,\), resnet18 has \(64,\)"),
    "infinite": (lambda s: s | {"bn1.bias": torch.full((64,), torch.inf)}, r"net\.bn1\.bias that are not finite"),
    "other": (lambda s: {"weight": torch.zeros(3)}, r"has no tensor of resnet18: its names begin with weight"),
    "quantized": (
        lambda s: s | {"conv1.weight": torch.ones(64, 3, 7, 7, dtype=torch.int8)},
        r"has net\.conv1\.weight as int8, resnet18 has float32: choose a file whose weights are not quantized",
    ),
    "nothing": (lambda s: {"epoch": 3}, "holds no tensors by name"),
    "list": (lambda s: list(s.values()), "holds no tensors by name"),
    "object": (lambda s: nn.Linear(2, 2), "more than tensors and plain values, so that reading it could run code"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_of_another_net_is_refused_and_changes_nothing(
    kind: str, resnet: dict[str, Tensor], tmp_path: Path
) -> None:
    change, sentence = REFUSED[kind]
    net = Torchvision(SHAPE, "resnet18")
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(ValueError, match=sentence) as refused:
        load_weights(net, saved(tmp_path / "file.pth", change(resnet)))
    assert "\n" not in str(refused.value)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("name", ["file.pth", "file.safetensors"])
@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1", b"PK\x03\x04"])
def test_a_damaged_file_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"(is damaged, or not|reading it could run)"):
        load_weights(ConvNet(SHAPE), str(tmp_path / name))
    with pytest.raises(ValueError, match=r"^there is no file .*: name one of this machine"):
        load_weights(ConvNet(SHAPE), f"https://example.org/{name}")


def test_a_truncated_file_is_named(resnet: dict[str, Tensor], tmp_path: Path) -> None:
    path = Path(saved(tmp_path / "file.pth", resnet))
    path.write_bytes(path.read_bytes()[:-1000])
    assert not zipfile.is_zipfile(path)
    with pytest.raises(ValueError, match="damaged"):
        load_weights(Torchvision(SHAPE, "resnet18"), str(path))


def test_the_head_of_every_family_is_known_as_such() -> None:
    """What a whole file has beyond the features is left out, not taken for a part of another net."""
    for name in ("squeezenet1_1", "densenet121", "mobilenet_v3_small"):
        whole = models.get_model(name).state_dict()
        removed = Torchvision((3, 64, 64), name).removed_head
        kept = Torchvision((3, 64, 64), name).state_dict().keys()
        added = {f"net.{key}" for key in whole} - kept
        assert added
        assert all(any(f"{key}.".startswith(f"{each}.") for each in removed) for key in added)
