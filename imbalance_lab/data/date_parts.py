"""What a model is given of a date: elapsed days, month, weekday and the hour of the day, each an input of its own."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from imbalance_lab.data.date_text import ISO, DateFormat

Part = Literal["days", "hour", "month", "weekday"]
PARTS: tuple[Part, ...] = get_args(Part)
NAMES: dict[Part, tuple[str, ...]] = {
    "month": tuple(
        "January February March April May June July August September October November December".split()  # noqa: SIM905
    ),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
"""The categories of parts that are no numbers, in their order."""

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class DatePart:
    """One input that is made of a column of dates.

    Args:
        source: the column of the table.
        part: "days" since ``start``, or the "hour" of the day, with its fraction; "month" and "weekday" by name.
        pattern: how dates are written, see `DateFormat`.
        start: the day of the earliest training date, as ISO text.
        last: the latest training date.
    """

    source: str
    part: Part
    pattern: str = ISO
    start: str = "1970-01-01"
    last: str = "1970-01-01"

    @property
    def name(self) -> str:
        """Of the input."""
        return f"{self.source} ({self.part})"

    @property
    def is_number(self) -> bool:
        """Whether it is a number, not a category."""
        return self.part not in NAMES

    @property
    def n_training_days(self) -> float:
        """From ``start`` to the latest training date."""
        return float((np.datetime64(self.last, "us") - np.datetime64(self.start, "us")) / DAY)

    def values(self, times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Times (N,) → numbers, or positions among `NAMES`; NaN for NaT."""
        if self.part == "days":
            return np.asarray((times - np.datetime64(self.start, "us")) / DAY)
        missing = np.isnat(times)
        times = np.where(missing, np.datetime64(0, "us"), times)
        days = times.astype("M8[D]")
        if self.part == "hour":
            found = (times - days) / np.timedelta64(1, "h")
        elif self.part == "month":
            found = times.astype("M8[M]").astype(np.int64) % 12
        else:
            found = (days.astype(np.int64) + 3) % 7  # 1970 began on a Thursday
        return np.where(missing, np.nan, found)

    def texts(self, times: NDArray[np.datetime64]) -> pa.ChunkedArray:
        """The names of months or weekdays."""
        positions = self.values(times)
        codes = pa.array(np.nan_to_num(positions).astype(np.int32), mask=np.isnan(positions))
        return pa.chunked_array([pa.DictionaryArray.from_arrays(codes, list(NAMES[self.part])).cast(pa.string())])

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "DatePart":
        """Read what `as_dict` gave."""
        return cls(**content)


def date_parts(source: str, form: DateFormat, times: NDArray[np.datetime64]) -> list[DatePart]:
    """The parts that differ among the training ``times`` (N,), not all of which are NaT."""
    start, last = np.nanmin(times).astype("M8[D]"), np.nanmax(times)
    every = [DatePart(source, part, form.pattern, str(start), str(last)) for part in PARTS]
    there = times[~np.isnat(times)]
    return [part for part in every if len(np.unique(part.values(there))) > 1]
