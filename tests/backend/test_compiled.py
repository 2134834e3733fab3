"""Our kernels for GPUs are compiled by NVRTC, NVIDIA's own compiler: which needs no GPU.

The source is the one that CuPy makes around a kernel's text, and so are the options.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BACKEND = Path(__file__).resolve().parents[2] / "minigrad" / "backend"
ARCHITECTURES = (75, 80, 90)


def problem() -> str | None:
    """Say why nothing can be compiled here; None if it can."""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed"
    from cupy.cuda import runtime

    if runtime.is_hip:
        return "this CuPy is AMD's"
    nvrtc = importlib.import_module("cupy_backends.cuda.libs.nvrtc")
    try:
        nvrtc.getVersion()
    except RuntimeError as error:
        return f"NVRTC does not load ({error})"
    return None


@pytest.fixture(scope="module", autouse=True)
def _with_nvrtc() -> None:
    if (why := problem()) is not None:
        pytest.skip(f"needs CuPy's CUDA wheel and NVRTC: {why}")


def kernels() -> Iterator[tuple[str, Any]]:
    """Yield the kernels of all modules of the backend that import CuPy, by name."""
    import cupy

    for path in sorted(BACKEND.glob("*.py")):
        if "\nimport cupy" not in path.read_text("utf-8"):
            continue
        module = importlib.import_module(f"minigrad.backend.{path.stem}")
        for name, value in vars(module).items():
            if isinstance(value, cupy.ElementwiseKernel):
                yield f"{path.stem}.{name}", value


def source(kernel: Any, dtype: str, contiguous: bool) -> str:
    """Return what CuPy compiles for a kernel whose type T is ``dtype``."""
    import cupy
    from cupy._core import _carray, _kernel, core

    def types(parameters: Any) -> tuple[Any, ...]:
        return tuple(np.dtype(dtype if p.dtype is None else p.dtype) for p in parameters)

    taken, given, names = kernel._decide_params_type(
        types(kernel.in_params), types(kernel.out_params)
    )
    arrays = [
        _kernel._ArgInfo(1, cupy.ndarray, np.dtype(t), 1 if contiguous else 2, contiguous, True)
        for t in (*taken, *given)
    ]
    index = _kernel._ArgInfo(2, _carray.Indexer, None, 1 if contiguous else 2, True, True)
    text = _kernel._get_elementwise_kernel_code(
        (*arrays, index), names, kernel.params, kernel.operation, kernel.name, kernel.preamble,
        **kernel.kwargs,
    )  # fmt: skip
    return "".join(f"#include <{h}>\n" for h in core._cupy_header_list) + text


def compiled(text: str, architecture: int) -> bytes:
    """Return the machine code for an architecture; CuPy's CompileException has NVRTC's words."""
    from cupy._core import core
    from cupy.cuda import compiler

    options = (
        *core.assemble_cupy_compiler_options(()), "-ftz=true", f"-arch=sm_{architecture}",
        "--device-as-default-execution-space",
    )  # fmt: skip
    return compiler._NVRTCProgram(text, "kernel.cu", method="cubin").compile(options)[0]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_kernel_compiles(dtype: str, architecture: int) -> None:
    made = {
        (name, contiguous): compiled(source(kernel, dtype, contiguous), architecture)
        for name, kernel in kernels()
        for contiguous in (True, False)
    }
    assert {name for name, _ in made} >= {
        "cupy_backend._DROPOUT_MASK",
        "cupy_backend._ADD_RUNS",
    }
    assert all(code[1:4] == b"ELF" for code in made.values())


def test_a_mistake_is_refused() -> None:
    import cupy
    from cupy.cuda.compiler import CompileException

    wrong = cupy.ElementwiseKernel("T x", "T y", "y = x * INFINITY", "wrong")
    with pytest.raises(CompileException, match="INFINITY"):
        compiled(source(wrong, "float32", True), 80)
