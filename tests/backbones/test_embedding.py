"""The embedding of categories, and how that of the unknown one is trained."""

import math

import pytest
import torch
from torch import nn

from imbalance_lab.backbones import MLP, ResidualMLP
from imbalance_lab.backbones.embedding import Embedding

CARDINALITIES = (4, 300)


def rows(n: int = 64, seed: int = 0) -> torch.Tensor:
    """Two numbers, then codes that are never 0: a table without missing values."""
    generator = torch.Generator().manual_seed(seed)
    codes = [torch.randint(1, most, (n, 1), generator=generator) for most in CARDINALITIES]
    return torch.cat([torch.randn(n, 2, generator=generator), *codes], 1)


def seeded(make: type[nn.Module], **arguments: object) -> nn.Module:
    torch.manual_seed(0)
    return make((4,), cardinalities=CARDINALITIES, **arguments)


def test_it_looks_up_each_code_in_its_own_table() -> None:
    net, given = Embedding(4, CARDINALITIES), rows()
    one, other = (table.weight for table in net.tables)
    by_hand = torch.cat([given[:, :2], one[given[:, 2].long()], other[given[:, 3].long()]], 1)
    assert torch.equal(net(given), by_hand)


@pytest.mark.parametrize("make", [MLP, ResidualMLP])
def test_rate_zero_draws_nothing_and_changes_no_bit(make: type[nn.Module]) -> None:
    plain, off = seeded(make), seeded(make, unknown_rate=0.0)
    for net in (plain, off):
        torch.manual_seed(1)
        net(rows()).square().sum().backward()
    for one, two in zip(plain.parameters(), off.parameters(), strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one.grad, two.grad)
    net, given = Embedding(4, CARDINALITIES), rows()
    before = torch.get_rng_state()
    net(given)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("make", [MLP, ResidualMLP])
def test_without_gaps_only_masking_trains_the_unknown_category(make: type[nn.Module]) -> None:
    for rate, is_trained in ((0.0, False), (0.2, True)):
        net = seeded(make, unknown_rate=rate)
        net(rows()).square().sum().backward()
        tables = [module for module in net.modules() if isinstance(module, nn.Embedding)]
        assert [bool(table.weight.grad[0].any()) for table in tables] == [is_trained] * 2


def test_each_code_is_masked_on_its_own_with_that_probability() -> None:
    net, given = Embedding(4, CARDINALITIES, unknown_rate=0.05), rows(20_000)
    for table in net.tables:
        nn.init.zeros_(table.weight)
        nn.init.ones_(table.weight[0])
    torch.manual_seed(0)
    encoded = net(given)
    masked = torch.stack([encoded[:, 2], encoded[:, 4]], 1) == 1
    error = math.sqrt(0.05 * 0.95 / len(given))
    assert masked.float().mean(0).tolist() == pytest.approx([0.05, 0.05], abs=4 * error)
    assert masked.all(1).float().mean().item() == pytest.approx(0.0025, abs=4 * math.sqrt(0.0025 / len(given)))
    assert torch.equal(encoded[:, :2], given[:, :2]), "numbers are never masked"
    torch.manual_seed(0)
    assert torch.equal(net(given), encoded), "the global generator, which the classifier seeds, decides"


@pytest.mark.parametrize("make", [MLP, ResidualMLP])
def test_evaluation_masks_and_draws_nothing(make: type[nn.Module]) -> None:
    plain, masking = seeded(make).eval(), seeded(make, unknown_rate=0.9).eval()
    before = torch.get_rng_state()
    assert torch.equal(masking(rows()), plain(rows()))
    assert torch.equal(torch.get_rng_state(), before)


def test_an_exported_model_has_nothing_random() -> None:
    net = seeded(MLP, unknown_rate=0.9).eval()
    program = torch.export.export(net, (rows(),), dynamic_shapes=({0: torch.export.Dim("batch")},))
    operations = {str(node.target) for node in program.graph.nodes}
    assert any("embedding" in each for each in operations)
    assert not [each for each in operations if "rand" in each or "bernoulli" in each]
    before = torch.get_rng_state()
    assert torch.equal(program.module()(rows(7)), net(rows(7)))
    assert torch.equal(torch.get_rng_state(), before)
    training = torch.export.export(net.train(), (rows(),))
    assert any("rand" in str(node.target) for node in training.graph.nodes), "so it would have been seen"


@pytest.mark.slow
def test_a_compiled_model_masks_in_training_only() -> None:
    torch.compiler.reset()
    net = seeded(MLP, unknown_rate=0.9)
    compiled = torch.compile(net, backend="aot_eager")
    plain = seeded(MLP)(rows())
    assert torch.equal(compiled.eval()(rows()), plain)
    assert not torch.equal(compiled.train()(rows()), plain)


@pytest.mark.parametrize("make", [MLP, ResidualMLP])
@pytest.mark.parametrize("rate", [-0.1, 1, float("nan"), "much", True])
def test_a_rate_that_is_no_probability_is_refused(make: type[nn.Module], rate: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^unknown_rate must be a (finite )?number( in \[0, 1\))?, got"):
        make((4,), cardinalities=CARDINALITIES, unknown_rate=rate)


def test_few_categories_are_one_hot_and_many_have_small_vectors() -> None:
    torch.manual_seed(0)
    net, given = Embedding(4, CARDINALITIES, one_hot=32), rows()
    out = net(given)
    assert out.shape == (64, net.num_features) == (64, 2 + 4 + 50)
    assert torch.equal(out[:, 2:6], torch.eye(4)[given[:, 2].long()])
    (table,) = (module for module in net.modules() if isinstance(module, nn.Embedding))
    assert torch.equal(out[:, 6:], table.weight[given[:, 3].long()])
    assert float(table.weight.detach().abs().max()) <= 1 / math.sqrt(300)


def test_an_unseen_category_of_a_one_hot_column_is_trained_for() -> None:
    net, given = Embedding(4, CARDINALITIES, unknown_rate=0.5, one_hot=32), rows(1000)
    torch.manual_seed(0)
    assert 0.4 < float(net(given)[:, 2].detach().mean()) < 0.6  # the feature of code 0
    assert not net.eval()(given)[:, 2].any()


def test_periodic_features_are_those_of_the_package_beside_the_numbers() -> None:
    torch.manual_seed(0)
    net, given = Embedding(4, CARDINALITIES, one_hot=32, n_periodic=2), rows()
    out = net(given)
    assert torch.equal(out[:, :2], given[:, :2])
    assert net.periodic is not None
    weight, linear = net.periodic.periodic.weight, net.periodic.linear
    angles = 2 * math.pi * weight * given[:, :2, None]
    waves = torch.cat([angles.cos(), angles.sin()], -1)
    by_hand = torch.einsum("nkf,kfd->nkd", waves, linear.weight) + linear.bias
    assert net.num_features == 2 + 16 + 4 + 50
    torch.testing.assert_close(out[:, 2:18], by_hand.relu().flatten(1))
    assert weight.requires_grad


@pytest.mark.parametrize("make", [MLP, ResidualMLP])
def test_a_net_takes_periodic_numbers_without_categories(make: type[nn.Module]) -> None:
    torch.manual_seed(0)
    net = make((2,), n_periodic=2)
    net(torch.randn(8, 2)).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_more_periodic_numbers_than_columns_are_refused() -> None:
    with pytest.raises(ValueError, match=r"n_periodic must be .* 2"):
        Embedding(4, CARDINALITIES, n_periodic=3)
