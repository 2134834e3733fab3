"""Print how far all is from its PyTorch namesake: ``python tests/parity.py [name ...]``.

The deviation is the largest of outputs, gradients of inputs and of parameters, and buffers: the
largest difference, measured by the largest element of the array that it is found in. "drawn" says
that the module draws random numbers, whose distributions were compared instead. Optimisers make
200 steps, schedules 100.
"""

from __future__ import annotations

import math
import sys

from support import parity, parity_optimizers


def main(names: list[str]) -> int:
    """Print the table; return how many rows are beyond their limit."""
    beyond, notes = 0, list[str]()
    print(f"{'module':20} {'options, inputs':76} {'mode':6} {'float64':>8} {'float32':>8}")
    for row in parity.rows():
        if names and row.name not in names:
            continue
        for mode in parity.MODES:
            cells = []
            for dtype in ("float64", "float32"):
                try:
                    found = parity.deviation(row, dtype, mode)
                except (AssertionError, RuntimeError) as error:
                    found = float("inf")
                    notes.append(f"{row.name}{row.text} {mode} {dtype}: {error}")
                beyond += found > row.limit(dtype)
                drawn = row.random and mode == "train" and not found
                cells.append("drawn" if drawn else f"{found:.1e}")
            mark = "*" if row.tolerance else ""
            print(f"{row.name + mark:20} {row.text:76} {mode:6} {cells[0]:>8} {cells[1]:>8}")
        if row.tolerance:
            notes.append(f"* {row.name}: {row.because}")
    for name, options, double, single in parity_optimizers.deviations(names):
        limits = parity_optimizers.LIMITS
        beyond += double > limits["float64"] or single > limits["float32"]
        cells = [f"{double:.1e}", "" if math.isnan(single) else f"{single:.1e}"]
        print(f"{name:20} {options:76} {'step':6} {cells[0]:>8} {cells[1]:>8}")
    print("\n".join([*dict.fromkeys(notes), f"{beyond} beyond their limit"]))
    return beyond


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
