"""Ways of fine-tuning a small ViT: where they start, what they train, and short references of their formulas."""

import math
from typing import Any

import pytest
import timm
import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torchvision import models

from imbalance_lab.backbones import ConvNet
from imbalance_lab.backbones.finetune import AdaptFormer, BiasOnly, Finetune, Full, HeadOnly, LoRA, finetuned, fold
from imbalance_lab.backbones.members import Members, build_backbone, is_frozen

D, DEPTH, RANK, DIM = 32, 2, 4, 6
IMAGES = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(3))
WAYS: list[Finetune] = [Full(), HeadOnly(), BiasOnly(), LoRA(RANK, alpha=6.0), AdaptFormer(DIM, 0.3)]


def tiny_vit(seed: int = 0) -> VisionTransformer:
    torch.manual_seed(seed)
    net = VisionTransformer(8, 2, 1, 0, embed_dim=D, depth=DEPTH, num_heads=2)
    with torch.no_grad():  # timm's biases start at 0, at which a mistake would not show
        for name, parameter in net.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.1)
    return net


def tuned(finetune: Finetune, seed: int = 0) -> VisionTransformer:
    net = tiny_vit(seed)
    torch.manual_seed(seed + 1)
    finetune.apply(net)
    return net


def moved(net: nn.Module) -> nn.Module:
    """The net after two large steps of its trained parameters."""
    optimizer = torch.optim.SGD([each for each in net.parameters() if each.requires_grad], lr=0.3)
    for step in range(2):
        optimizer.zero_grad()
        (net(IMAGES) * torch.linspace(-1, 1, D)).sum().backward()
        for name, parameter in net.named_parameters():
            assert not parameter.requires_grad or parameter.grad is not None, (step, name)
        optimizer.step()
    return net


def own_name(name: str) -> str:
    """The name that a parameter had before."""
    return name.replace("parametrizations.weight.original", "weight").replace("mlp.mlp.", "mlp.")


@pytest.mark.parametrize("finetune", WAYS, ids=lambda each: type(each).__name__)
def test_the_start_is_the_backbone_as_it_was(finetune: Finetune) -> None:
    torch.testing.assert_close(tuned(finetune)(IMAGES), tiny_vit()(IMAGES), rtol=0, atol=0)


@pytest.mark.parametrize("finetune", WAYS[2:], ids=lambda each: type(each).__name__)
def test_training_moves_what_it_should_and_nothing_else(finetune: Finetune) -> None:
    before = dict(tiny_vit().named_parameters())
    after = {own_name(name): parameter for name, parameter in moved(tuned(finetune)).named_parameters()}
    assert before.keys() <= after.keys()
    changed = {name for name, parameter in before.items() if not torch.equal(parameter, after[name])}
    biases = {name for name in before if name.endswith("bias")}
    assert changed == (biases if isinstance(finetune, BiasOnly) else set())
    assert not torch.allclose(moved(tuned(finetune))(IMAGES), tiny_vit()(IMAGES), atol=1e-3)


@pytest.mark.parametrize(
    ("finetune", "trained"),
    [
        (HeadOnly(), 0),
        # qkv, proj, fc1, fc2 and the two norms of a block; the last norm; the patches
        (BiasOnly(), DEPTH * (3 * D + D + 4 * D + D + 2 * D) + D + D),
        (LoRA(RANK), DEPTH * RANK * ((D + 3 * D) + (D + D))),
        (LoRA(RANK, layers=["mlp.fc1"]), DEPTH * RANK * (D + 4 * D)),
        (AdaptFormer(DIM), DEPTH * (2 * D * DIM + D + DIM)),
        (AdaptFormer(DIM, 1.0, learn_scale=True), DEPTH * (2 * D * DIM + D + DIM + 1)),
    ],
)
def test_the_number_of_trained_parameters(finetune: Finetune, trained: int) -> None:
    assert sum(each.numel() for each in tuned(finetune).parameters() if each.requires_grad) == trained


def reference_block(block: Any, x: Tensor, qkv: Tensor, proj: Tensor, added: Any) -> Tensor:
    """A block of a ViT by its formula, with weights of the attention and a branch beside the MLP that are given."""
    N, T, _ = x.shape
    heads = F.linear(block.norm1(x), qkv, block.attn.qkv.bias).view(N, T, 3, 2, D // 2).permute(2, 0, 3, 1, 4)
    q, k, v = heads.unbind(0)
    attention = ((q @ k.transpose(-1, -2)) / math.sqrt(D // 2)).softmax(-1) @ v
    x = x + F.linear(attention.transpose(1, 2).reshape(N, T, D), proj, block.attn.proj.bias)
    y = block.norm2(x)
    plain = F.linear(F.gelu(F.linear(y, *added.fc1)), *added.fc2)
    return x + plain + added.branch(y)


class Reference:
    """What `reference_block` needs of one block, by name from a state dict."""

    def __init__(self, state: dict[str, Tensor], block: int, mlp: str) -> None:
        self.state, self.at = state, f"blocks.{block}."
        self.fc1, self.fc2 = ((self[f"{mlp}.{key}.weight"], self[f"{mlp}.{key}.bias"]) for key in ("fc1", "fc2"))

    def __getitem__(self, name: str) -> Tensor:
        return self.state[self.at + name]

    def branch(self, y: Tensor) -> Tensor:
        return torch.zeros(())


class LoRAReference(Reference):
    def weight(self, layer: str) -> Tensor:
        """W + (α / r) B A."""
        at = f"attn.{layer}.parametrizations.weight"
        return self[f"{at}.original"] + 6.0 / RANK * self[f"{at}.0.b"] @ self[f"{at}.0.a"]


class AdapterReference(Reference):
    def branch(self, y: Tensor) -> Tensor:
        """s · ReLU(y W_down) W_up."""
        down = (y @ self["mlp.down.weight"].T + self["mlp.down.bias"]).clamp(min=0)
        return 0.3 * (down @ self["mlp.up.weight"].T + self["mlp.up.bias"])


@torch.no_grad()
def reference_features(net: Any, blocks: list[Any]) -> Tensor:
    x = net._pos_embed(net.patch_embed(IMAGES))
    for block, parts in zip(net.blocks, blocks, strict=True):
        own = block.attn.qkv.weight, block.attn.proj.weight
        qkv, proj = (parts.weight("qkv"), parts.weight("proj")) if isinstance(parts, LoRAReference) else own
        x = reference_block(block, x, qkv, proj, parts)
    features: Tensor = net.norm(x)[:, 0]
    return features


def test_lora_is_its_formula() -> None:
    net = moved(tuned(LoRA(RANK, alpha=6.0)))
    blocks = [LoRAReference(net.state_dict(), each, "mlp") for each in range(DEPTH)]
    torch.testing.assert_close(net(IMAGES), reference_features(net, blocks), rtol=1e-4, atol=1e-5)


def test_an_adapter_is_its_formula() -> None:
    net = moved(tuned(AdaptFormer(DIM, 0.3)))
    blocks = [AdapterReference(net.state_dict(), each, "mlp.mlp") for each in range(DEPTH)]
    torch.testing.assert_close(net(IMAGES), reference_features(net, blocks), rtol=1e-4, atol=1e-5)


def test_a_folded_net_is_plain_and_says_the_same() -> None:
    net = moved(tuned(LoRA(RANK))).eval()
    before = net(IMAGES)
    folded = fold(net)
    torch.testing.assert_close(folded(IMAGES), before, rtol=0, atol=1e-6)
    assert folded.state_dict().keys() == tiny_vit().state_dict().keys()
    assert {type(each) for each in folded.modules()} == {type(each) for each in tiny_vit().modules()}
    torch.testing.assert_close(net(IMAGES), before, rtol=0, atol=0)  # and the net is as it was
    assert any(map(parametrize.is_parametrized, net.modules()))
    plain = tiny_vit()
    assert fold(plain) is plain


def attention_beside_its_layer() -> nn.Module:
    """BEiT uses the weight of a linear layer without calling the layer."""
    return timm.create_model("beit_base_patch16_224", num_classes=0, depth=1, embed_dim=24, num_heads=2, img_size=32)


def multihead_attention() -> nn.Module:
    net = models.VisionTransformer(32, 16, num_layers=1, num_heads=2, hidden_dim=24, mlp_dim=48)
    net.heads = nn.Identity()
    return net


def windows() -> nn.Module:
    return timm.create_model(
        "swin_tiny_patch4_window7_224", num_classes=0, depths=(1,), embed_dim=24, num_heads=(2,), img_size=28
    )


@pytest.mark.parametrize("make", [attention_beside_its_layer, multihead_attention, windows])
@pytest.mark.parametrize("finetune", [LoRA(RANK), AdaptFormer(DIM)], ids=lambda each: type(each).__name__)
def test_what_is_added_has_an_effect_in_other_transformers(make: Any, finetune: Finetune) -> None:
    torch.manual_seed(0)
    net, side = make().eval(), 28 if make is windows else 32
    images = torch.rand(2, 3, side, side)
    with torch.no_grad():
        before = net(images)
        finetune.apply(net)
        torch.testing.assert_close(net(images), before, rtol=0, atol=1e-6)
        added = [parameter for parameter in net.parameters() if parameter.requires_grad]
        assert len(added) == 4
        for parameter in added:
            parameter.add_(torch.randn_like(parameter))
        after = net(images)
        assert not torch.allclose(after, before, atol=1e-4)
        torch.testing.assert_close(fold(net)(images), after, rtol=1e-4, atol=1e-5)


def test_batch_norms_of_a_frozen_net_keep_their_statistics() -> None:
    for finetune, changes in ((Full(), True), (BiasOnly(), False), (HeadOnly(), False)):
        net = ConvNet((1, 8, 8), widths=[4]).train()
        finetune.apply(net)
        before = {name: value.clone() for name, value in net.named_buffers()}
        net(IMAGES)
        assert any(not torch.equal(value, before[name]) for name, value in net.named_buffers()) == changes


class Small(VisionTransformer):
    def __init__(self, members: int = 1) -> None:
        super().__init__(8, 2, 1, 0, embed_dim=D, depth=1, num_heads=2)


def test_members_share_a_backbone_only_if_all_of_it_is_frozen() -> None:
    for finetune, nets in ((HeadOnly(), 1), (LoRA(RANK), 2)):
        backbone: Any = build_backbone(finetuned(Small, finetune), 2)
        assert isinstance(backbone, Members)
        assert len(backbone.nets) == nets
        assert is_frozen(backbone) == (nets == 1)


@pytest.mark.parametrize(
    ("make", "finetune", "sentence"),
    [
        (
            lambda: ConvNet((1, 8, 8)),
            LoRA(),
            r"^LoRA finds no attention in ConvNet: choose a ViT, or name .*layers=\[fc1\]",
        ),
        (
            tiny_vit,
            LoRA(layers=["attn.q"]),
            r"^no linear layer of VisionTransformer is called 'attn.q': correct layers",
        ),
        (tiny_vit, LoRA(32), r"^rank=32 is no lower than that of a weight of \(96, 32\): choose rank < 32"),
        (lambda: ConvNet((1, 8, 8)), AdaptFormer(), r"^adapters go beside the MLPs .* ConvNet has none: choose a ViT"),
        (lambda: nn.Linear(2, 2, bias=False), BiasOnly(), r"^Linear has no bias to train: choose finetune=full"),
        (lambda: tiny_vit().requires_grad_(False), BiasOnly(), r"leave out backbone.freeze$"),
    ],
)
def test_a_backbone_that_does_not_fit_is_one_sentence(make: Any, finetune: Finetune, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        finetune.apply(make())


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: LoRA(rank=0), "rank must be an integer ≥ 1, got 0"),
        (lambda: LoRA(alpha=0), "alpha must be a finite number > 0, got 0"),
        (lambda: LoRA(layers="qkv"), r"layers \(null for attention\) must be a list, got 'qkv'"),
        (lambda: LoRA(layers=[1]), "layers must be text, got 1"),  # type: ignore[list-item]
        (lambda: AdaptFormer(dim=0.5), "dim must be an integer"),  # type: ignore[arg-type]
        (lambda: AdaptFormer(scale=-1), "scale must be a finite number > 0, got -1"),
        (lambda: AdaptFormer(learn_scale="no"), "learn_scale must be true or false"),  # type: ignore[arg-type]
    ],
)
def test_wrong_options_are_one_sentence(make: Any, sentence: str) -> None:
    with pytest.raises((ValueError, TypeError), match=sentence):
        make()
