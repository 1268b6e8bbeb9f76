"""Payments, a few of them fraud: a made-up table whose truth is known, as small and as large as a test needs."""

import numpy as np
import pandas as pd

COUNTRIES, RISKY = ["DE", "FR", "GB", "US"], ["BR", "NG", "RO"]


def payments(n: int, seed: int, share: float = 0.05) -> pd.DataFrame:
    """``n`` payments, each of them fraud with probability ``share``; p(features | class) does not depend on it."""
    rng = np.random.default_rng(seed)
    fraud = rng.random(n) < share
    age = rng.integers(1, 3000, n) / (1 + 3 * fraud)
    age[rng.random(n) < 0.05] = np.nan
    is_risky = rng.random(n) < 0.15 + 0.4 * fraud
    return pd.DataFrame(
        {
            "id": [f"T{seed}-{number:06d}" for number in range(n)],
            "amount": np.exp(rng.normal(3 + 1.5 * fraud, 1)).round(2),
            "hour": (rng.normal(14 - 6 * fraud, 4) % 24).round(1),
            "country": np.where(is_risky, rng.choice(RISKY, n), rng.choice(COUNTRIES, n)),
            "device": rng.choice(["ios", "android", "web"], n, p=[0.4, 0.4, 0.2]),
            "account_age": age.round(1),
            "class": np.where(fraud, "fraud", "legit"),
        }
    )
