"""How numbers and tables are written in Markdown."""

import math
import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path


def machine() -> str:
    """Processor, cores, Python and our main packages."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.is_file() else []
    cpu = names[0].split(":")[1].strip() if names else platform.processor()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "scikit-learn"))
    return f"{cpu}, {os.cpu_count()} cores, one thread a fit; Python {platform.python_version()}, {packages}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float, digits: int = 3, *, sign: bool = False) -> str:
    """A number with its minus sign; “–” where it is undefined."""
    if math.isnan(value):
        return "–"
    return (f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}").replace("-", "−")


def p_value(p: float) -> str:
    """Two digits, or that it is smaller than .001."""
    return "–" if math.isnan(p) else "< .001" if p < 0.001 else f"{p:.2g}"


def verdict(reached: bool) -> str:
    """In words."""
    return "reached" if reached else "**not reached**"
