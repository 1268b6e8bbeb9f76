"""ONNX forms of the operators of `imbalance_lab.data.Preprocess` for which torch.onnx has none.

Imports onnxscript: only for an export to ONNX.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from onnxscript import opset18 as op

# Φ⁻¹ by rational functions: Cephes ndtri.c (S. L. Moshier, 1984 – 2000), as torch computes it; highest power first.
CENTER = (
    (
        -59.9633501014107895267,
        98.0010754185999661536,
        -56.6762857469070293439,
        13.9312609387279679503,
        -1.23916583867381258016,
    ),
    (
        1.0,
        1.95448858338141759834,
        4.67627912898881538453,
        86.3602421390890590575,
        -225.462687854119370527,
        200.260212380060660359,
        -82.0372256168333339912,
        15.9056225126211695515,
        -1.18331621121330003142,
    ),
)
TAIL = (
    (
        4.05544892305962419923,
        31.5251094599893866154,
        57.1628192246421288162,
        44.0805073893200834700,
        14.6849561928858024014,
        2.18663306850790267539,
        -0.140256079171354495875,
        -0.0350424626827848203418,
        -0.000857456785154685413611,
    ),
    (
        1.0,
        15.7799883256466749731,
        45.3907635128879210584,
        41.3172038254672030440,
        15.0425385692907503408,
        2.50464946208309415979,
        -0.142182922854787788574,
        -0.0380806407691578277194,
        -0.000933259480895457427372,
    ),
)
FAR_TAIL = (
    (
        3.23774891776946035970,
        6.91522889068984211695,
        3.93881025292474443415,
        1.33303460815807542389,
        0.201485389549179081538,
        0.0123716634817820021358,
        0.000301581553508235416007,
        2.65806974686737550832e-6,
        6.23974539184983293730e-9,
    ),
    (
        1.0,
        6.02427039364742014255,
        3.67983563856160859403,
        1.37702099489081330271,
        0.216236993594496635890,
        0.0134204006088543189037,
        0.000328014464682127739104,
        2.89247864745380683936e-6,
        6.79019408009981274425e-9,
    ),
)
SQRT_2PI = 2.50662827463100050242
EDGE = 0.13533528323661269189
"""e⁻²: below it, and above 1 minus it, are the tails."""


def searchsorted(sorted_sequence: Any, values: Any, out_int32: bool = False, right: bool = False, **unused: Any) -> Any:
    """How many of each sorted row (K, Q) are below each value (K, N), or with ``right`` not above it: (K, N) int64.

    A binary search with as many steps as Q has bits: it needs no memory of the size N · K · Q.
    """
    size = sorted_sequence.shape[1]
    below = op.LessOrEqual if right else op.Less
    position = op.Mul(op.Cast(op.IsNaN(values), to=INT64), _int64(0))  # zeros of that shape
    for bit in reversed(range(int(size).bit_length())):
        further = op.Add(position, _int64(1 << bit))
        last = op.Sub(op.Min(further, _int64(size)), _int64(1))
        reached = op.And(
            op.LessOrEqual(further, _int64(size)), below(op.GatherElements(sorted_sequence, last, axis=1), values)
        )
        position = op.Where(reached, further, position)
    return position


def ndtri(levels: Any) -> Any:
    """Φ⁻¹ of float32 levels in [0, 1], computed in float64: −∞ at 0 and ∞ at 1."""
    wide = op.Cast(levels, to=FLOAT64)
    upper = op.Greater(wide, _float64(1 - EDGE))
    lower_tail = op.Where(upper, op.Sub(_float64(1), wide), wide)
    is_center = op.Greater(lower_tail, _float64(EDGE))
    centered = op.Sub(lower_tail, _float64(0.5))
    square = op.Mul(centered, centered)
    center = op.Mul(op.Add(centered, op.Mul(centered, op.Mul(square, _ratio(CENTER, square)))), _float64(SQRT_2PI))
    x = op.Sqrt(op.Mul(op.Log(lower_tail), _float64(-2)))
    inverse = op.Reciprocal(x)
    ratio = op.Where(op.Less(x, _float64(8)), _ratio(TAIL, inverse), _ratio(FAR_TAIL, inverse))
    distance = op.Sub(op.Sub(x, op.Div(op.Log(x), x)), op.Mul(inverse, ratio))
    tail = op.Where(upper, distance, op.Neg(distance))
    inside = op.Where(is_center, center, tail)
    ends = op.Where(op.Equal(wide, _float64(0)), _float64(float("-inf")), inside)
    return op.Cast(op.Where(op.Equal(wide, _float64(1)), _float64(float("inf")), ends), to=FLOAT32)


def translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """What ``torch.onnx.export`` takes as its ``custom_translation_table``."""
    aten = torch.ops.aten
    return {aten.searchsorted.Tensor: searchsorted, aten.special_ndtri.default: ndtri}


FLOAT32, INT64, FLOAT64 = 1, 7, 11
"""Numbers of types in ONNX's TensorProto."""


def _int64(value: int) -> Any:
    return op.Constant(value_int=value)


def _float64(value: float) -> Any:
    import onnx

    return op.Constant(value=onnx.helper.make_tensor("value", FLOAT64, [], [value]))


def _ratio(polynomials: tuple[Sequence[float], Sequence[float]], x: Any) -> Any:
    numerator, denominator = (_polynomial(each, x) for each in polynomials)
    return op.Div(numerator, denominator)


def _polynomial(coefficients: Sequence[float], x: Any) -> Any:
    """By Horner's scheme, highest power first."""
    value = op.Mul(x, _float64(coefficients[0]))
    for coefficient in coefficients[1:-1]:
        value = op.Mul(op.Add(value, _float64(coefficient)), x)
    return op.Add(value, _float64(coefficients[-1]))
