"""Models by name, without weights from the network."""

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
def test_the_head_is_gone_and_features_are_as_told(make: type[Torchvision | Timm], name: str, features: int) -> None:
    net = make((3, 64, 64), name=name)
    assert net.num_features == features
    assert net.training
    assert net(torch.rand(2, 3, 64, 64)).shape == (2, features)


@pytest.mark.slow
def test_every_classifier_of_torchvision_is_taken() -> None:
    from torchvision import models

    large = ("vit_h_14", "vit_l_16", "vit_l_32", "regnet_y_128gf")  # gigabytes each
    for name in sorted({*models.list_models(module=models)} - {*large}):
        assert Torchvision((3, 224, 224), name=name).num_features >= 256


@pytest.mark.parametrize("make", [Torchvision, Timm])
def test_grey_images_are_taken(make: type[Torchvision | Timm]) -> None:
    net = make((1, 48, 32), name="resnet18")
    assert net(torch.rand(2, 1, 48, 32)).shape == (2, 512)


@pytest.mark.parametrize("make", [Torchvision, Timm])
def test_a_frozen_net_stays_as_it_is(make: type[Torchvision | Timm]) -> None:
    net = make((3, 32, 32), name="resnet18", freeze=True).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    net(torch.rand(4, 3, 32, 32))
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert not any(parameter.requires_grad for parameter in net.parameters())


@pytest.mark.parametrize("make", [Torchvision, Timm])
def test_a_misspelt_name_is_told_the_right_one(make: type[Torchvision | Timm]) -> None:
    with pytest.raises(ValueError, match=r"has no model 'resnet5'; did you mean .*resnet50"):
        make((3, 32, 32), name="resnet5")


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="vit_b_16 does not take images of shape"):
        Torchvision((3, 32, 32), name="vit_b_16")
    with pytest.raises(ValueError, match="1 or 3 channels"):
        Torchvision((4, 32, 32))
    with pytest.raises(ValueError, match="takes images"):
        Timm((30,))
    with pytest.raises(TypeError, match="freeze must be true or false"):
        Timm((3, 32, 32), freeze="yes")  # type: ignore[arg-type]


def test_weights_that_cannot_be_had_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision import models

    def offline(*args: object, **kwargs: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(models, "get_model", offline)
    with pytest.raises(OSError, match=r"resnet18 are neither .*backbone\.pretrained=false"):
        Torchvision((3, 32, 32), pretrained=True)


def test_timm_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(ImportError, match=r"pip install 'imbalance-lab\[backbones\]'"):
        Timm((3, 32, 32))
