"""Columns are filled and scaled as scikit-learn does it, by what the training rows hold."""

import numpy as np
import pytest
import torch
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from imbalance_lab.data import Preprocess


def rows(n: int, seed: int = 0) -> np.ndarray:
    """Skewed, tied, large and constant columns, some missing, and a column of codes."""
    rng = np.random.default_rng(seed)
    large = 1e9 + rng.normal(size=n) * 1e5
    made = np.stack([rng.lognormal(size=n), rng.integers(0, 4, n), large, np.full(n, 7.0), rng.integers(0, 5, n)], 1)
    made[rng.random(n) < 0.1, 0] = np.nan
    made[rng.random(n) < 0.3, 1] = np.nan
    return made.astype(np.float32)


def test_standard_is_scikit_learns() -> None:
    train, new = rows(501), rows(200, seed=1)
    out = Preprocess.fitted(torch.from_numpy(train), 4)(torch.from_numpy(new)).numpy()
    imputer = SimpleImputer(strategy="median").fit(train[:, :4].astype(float))
    scaler = StandardScaler().fit(imputer.transform(train[:, :4].astype(float)))
    np.testing.assert_allclose(out[:, :4], scaler.transform(imputer.transform(new[:, :4])), atol=2e-3)
    np.testing.assert_array_equal(out[:, 4:6], np.isnan(new[:, :2]))
    np.testing.assert_array_equal(out[:, 6], new[:, 4])


@pytest.mark.parametrize("n", [400, 3000])
def test_quantile_is_scikit_learns(n: int) -> None:
    train, new = rows(n), rows(500, seed=1)
    out = Preprocess.fitted(torch.from_numpy(train), 4, "quantile")(torch.from_numpy(new)).numpy()
    imputer = SimpleImputer(strategy="median").fit(train[:, :4])
    theirs = QuantileTransformer(n_quantiles=min(n, 1000), output_distribution="normal", subsample=None)
    theirs.fit(imputer.transform(train[:, :4]))
    filled = imputer.transform(new[:, :4])
    # It puts all that is tied at an end 5.2 deviations away; ours is in the middle of the tie, there too.
    inside = (filled > np.nanmin(train[:, :4], 0)) & (filled < np.nanmax(train[:, :4], 0))
    assert inside[:, :3].mean() > 0.75
    np.testing.assert_allclose(out[:, :4][inside], theirs.transform(filled)[inside], atol=0.03)


def test_ties_at_an_end_lie_in_the_middle_of_their_ranks() -> None:
    train = torch.tensor([0.0] * 500 + list(range(1, 501)))[:, None]
    out = Preprocess.fitted(train, 1, "quantile")(torch.zeros(1, 1))
    assert out.item() == pytest.approx(-0.674, abs=0.01)  # the first quartile


def test_none_only_fills() -> None:
    train = torch.tensor([[1.0, 2.0], [float("nan"), 4.0], [3.0, 9.0], [10.0, 1.0]])
    out = Preprocess.fitted(train, 2, "none")(torch.tensor([[float("nan"), float("nan")]]))
    assert out.tolist() == [[3.0, 3.0, 1.0]]  # the second column had no gap in training


def test_what_lies_far_out_stays_finite() -> None:
    prepare = Preprocess.fitted(torch.arange(100.0)[:, None], 1, "quantile")
    out = prepare(torch.tensor([[-1e30], [1e30], [49.5]])).flatten().tolist()
    assert out == pytest.approx([-5.2, 5.2, 0], abs=1e-2)


def test_it_is_all_buffers_and_comes_back_from_a_state() -> None:
    fitted = Preprocess.fitted(torch.from_numpy(rows(300)), 4, "quantile")
    assert not list(fitted.parameters())
    again = Preprocess.fitted(torch.from_numpy(rows(300, seed=5)), 4, "quantile")
    again.load_state_dict(fitted.state_dict())
    new = torch.from_numpy(rows(50, seed=2))
    assert torch.equal(again(new), fitted(new))


def test_columns_of_categories_alone() -> None:
    codes = torch.tensor([[1.0, 2.0], [0.0, 1.0]])
    for scaling in ("standard", "quantile", "none"):
        assert torch.equal(Preprocess.fitted(codes, 0, scaling)(codes), codes)


def test_piecewise_is_equation_1_of_its_paper() -> None:
    train, new = rows(501), rows(200, seed=1)
    numbers = [0, 1, 2]  # a constant column is left out before
    train, new = train[:, [*numbers, 4]], new[:, [*numbers, 4]]
    plain = Preprocess.fitted(torch.from_numpy(train), 3)
    both = Preprocess.fitted(torch.from_numpy(train), 3, numerical="piecewise")
    scaled, out = plain(torch.from_numpy(new)), both(torch.from_numpy(new))
    assert torch.equal(out[:, :3], scaled[:, :3])
    assert torch.equal(out[:, 3 + sum(both.n_bins) :], scaled[:, 3:])
    at = 3
    for k, n_bins in enumerate(both.n_bins):
        values = plain(torch.from_numpy(train))[:, k].double().numpy()
        edges = np.unique(np.quantile(values, np.linspace(0, 1, 17)).astype(np.float32))
        assert len(edges) == n_bins + 1
        x = scaled[:, k].numpy()[:, None]
        share = (x - edges[:-1]) / np.diff(edges)
        low = np.where(np.arange(n_bins) == 0, -1.0, 0.0)
        high = np.where(np.arange(n_bins) == n_bins - 1, 2.0, 1.0)
        np.testing.assert_allclose(out[:, at : at + n_bins].numpy(), np.clip(share, low, high), atol=2e-3)
        at += n_bins


def test_wide_tables_have_fewer_bins_and_tiny_ones_some() -> None:
    wide = torch.randn(300, 200, generator=torch.Generator().manual_seed(0))
    assert set(Preprocess.fitted(wide, 200, numerical="piecewise").n_bins) == {3}
    for n in (1, 2, 3):
        tiny = Preprocess.fitted(wide[:n, :2], 2, numerical="piecewise")
        assert tiny(wide[:5, :2]).isfinite().all()


def test_numbers_far_out_count_as_one_bin_beyond() -> None:
    train = torch.arange(100.0)[:, None]
    prepare = Preprocess.fitted(train, 1, numerical="piecewise")
    low, high = prepare(torch.tensor([[-1e30], [1e30]]))[:, 1:]
    assert low.tolist() == [-1.0] + [0.0] * 15
    assert sorted(high.tolist()) == [1.0] * 15 + [2.0]
