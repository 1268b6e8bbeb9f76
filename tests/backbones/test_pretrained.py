"""Models by name, without downloading weights."""

import sys
from typing import Any, get_type_hints

import pytest
import torch

from imbalance_lab.backbones import Timm, Torchvision

MODELS = [
    (Torchvision, "resnet18", 512),
    (Torchvision, "mobilenet_v3_small", 1024),
    (Torchvision, "densenet121", 1024),
    (Torchvision, "convnext_tiny", 768),
    (Torchvision, "squeezenet1_1", 512),
    (Torchvision, "googlenet", 1024),
    (Timm, "resnet10t", 512),
    (Timm, "mobilenetv3_small_050", 1024),
]


@pytest.mark.parametrize(("make", "name", "features"), MODELS)
def test_the_head_is_removed_and_num_features_is_right(
    make: type[Torchvision | Timm], name: str, features: int
) -> None:
    with torch.device("meta"):  # shapes without weights
        net = make((3, 64, 64), name=name)
    assert net.num_features == features
    assert net.training
    assert net(torch.rand(2, 3, 64, 64, device="meta")).shape == (2, features)


@pytest.mark.exhaustive
def test_every_architecture_of_torchvision_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision import models

    parameters_of_regnet = models.regnet.BlockParams.from_init_params

    def on_the_cpu(*args: Any, **kwargs: Any) -> Any:  # it computes its widths with tensors, which need values
        with torch.device("cpu"):
            return parameters_of_regnet(*args, **kwargs)

    monkeypatch.setattr(models.regnet.BlockParams, "from_init_params", on_the_cpu)
    # The models of one class differ in depth and width only; the last of each class by name is taken.
    builders = {name: models.get_model_builder(name) for name in models.list_models(module=models)}
    one_of_each = {get_type_hints(build)["return"]: name for name, build in sorted(builders.items())}
    assert {"GoogLeNet", "Inception3", "SqueezeNet", "VisionTransformer"} < {made.__name__ for made in one_of_each}
    with torch.device("meta"):
        for name in one_of_each.values():
            assert Torchvision((3, 224, 224), name=name).num_features >= 256


@pytest.mark.parametrize("make", [Torchvision, Timm])
def test_gray_images_are_taken(make: type[Torchvision | Timm]) -> None:
    net = make((1, 48, 32), name="resnet18")
    assert net(torch.rand(2, 1, 48, 32)).shape == (2, 512)


@pytest.mark.parametrize("make", [Torchvision, Timm])
def test_a_frozen_network_does_not_change_in_training(make: type[Torchvision | Timm]) -> None:
    net = make((3, 32, 32), name="resnet18", freeze=True).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    net(torch.rand(4, 3, 32, 32))
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert not any(parameter.requires_grad for parameter in net.parameters())


@pytest.mark.parametrize("make", [Torchvision, Timm])
def test_a_misspelled_name_is_refused_with_the_nearest_one(make: type[Torchvision | Timm]) -> None:
    with pytest.raises(ValueError, match=r"has no model 'resnet5'; did you mean 'resnet50'"):
        make((3, 32, 32), name="resnet5")


def test_invalid_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="vit_b_16 does not take images of shape"):
        Torchvision((3, 32, 32), name="vit_b_16")
    with pytest.raises(ValueError, match="1 or 3 channels"):
        Torchvision((4, 32, 32))
    with pytest.raises(ValueError, match=r"Timm needs images .* got examples of shape \(30,\)"):
        Timm((30,))
    with pytest.raises(TypeError, match="freeze must be true or false"):
        Timm((3, 32, 32), freeze="yes")  # type: ignore[arg-type]


def test_weights_that_cannot_be_downloaded_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision import models

    def offline(*args: object, **kwargs: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(models, "get_model", offline)
    with pytest.raises(OSError, match=r"resnet18 are not on this machine .*backbone\.pretrained=false"):
        Torchvision((3, 32, 32), pretrained=True)
    with pytest.raises(OSError, match=r"^no route to host$"):
        Torchvision((3, 32, 32))


def test_a_missing_timm_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match=r"pip install 'imbalance-lab\[backbones\]'"):
        Timm((3, 32, 32))


def test_images_are_enlarged_to_what_a_net_takes() -> None:
    net = Timm((1, 8, 8), "test_vit", resize=160).eval()
    images = torch.rand(2, 1, 8, 8)
    enlarged = torch.nn.functional.interpolate(images, (160, 160), mode="bilinear")
    torch.testing.assert_close(net(images), net.net(enlarged), rtol=0, atol=0)
    with pytest.raises(ValueError, match=r"resize must be an integer ≥ 8, got 7: it only enlarges, .* are 8 × 8"):
        Timm((1, 8, 8), resize=7)
    with pytest.raises(ValueError, match=r"resize=32 takes square images, got 8 × 9: choose data.image_size"):
        Torchvision((1, 8, 9), resize=32)
