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

    kinds = (cupy.ElementwiseKernel, cupy.ReductionKernel)
    for path in sorted(BACKEND.glob("**/*.py")):
        if "\nimport cupy" not in path.read_text("utf-8"):
            continue
        name = ".".join(path.relative_to(BACKEND).with_suffix("").parts)
        module = importlib.import_module(f"minigrad.backend.{name}")
        for attribute, value in vars(module).items():
            if isinstance(value, kinds):
                yield f"{name}.{attribute}", value


def raw_kernels() -> dict[str, str]:
    """Return the texts of the kernels that are not written through CuPy's parameters, by name."""
    from minigrad.backend.kernels.rows import TEXTS

    return TEXTS


# What stands in a kernel for a type parameter: T and S are the arrays', A the arithmetic's
MASKS, CHOICES = ("bool", "A"), ("uint8", "int32")


def types_of(kernel: Any, dtype: str) -> Iterator[dict[str, str]]:
    """Yield each choice of a kernel's type parameters for arrays of a dtype."""
    wide = "float32" if dtype == "float16" else dtype
    letters = {p.ctype for p in (*kernel.in_params, *kernel.out_params) if p.dtype is None}
    for mask in MASKS if "M" in letters else ("",):
        for choice in CHOICES if "C" in letters else ("",):
            yield {
                "T": dtype,
                "S": dtype,
                "A": wide,
                "M": wide if mask == "A" else mask,
                "C": choice,
            }


def source(kernel: Any, types: dict[str, str], contiguous: bool) -> str:
    """Return what CuPy compiles for a kernel whose type parameters have these dtypes."""
    import cupy
    from cupy._core import _carray, _kernel, _reduction, _scalar, core

    def dtypes(parameters: Any) -> tuple[Any, ...]:
        return tuple(np.dtype(types[p.ctype] if p.dtype is None else p.dtype) for p in parameters)

    def declared(parameters: Any) -> str:
        return ", ".join(f"{p.ctype if p.dtype is None else p.dtype} {p.name}" for p in parameters)

    elementwise = isinstance(kernel, cupy.ElementwiseKernel)
    twin = kernel if elementwise else cupy.ElementwiseKernel(
        declared(kernel.in_params), declared(kernel.out_params), "", "types"
    )  # fmt: skip
    taken, given, names = twin._decide_params_type(
        dtypes(kernel.in_params), dtypes(kernel.out_params)
    )
    axes = 1 if contiguous else 2
    arrays = [
        _kernel._ArgInfo(1, cupy.ndarray, np.dtype(t), axes, contiguous, True)
        for t in (*taken, *given)
    ]
    index = _kernel._ArgInfo(2, _carray.Indexer, None, axes, True, True)
    if elementwise:
        text = _kernel._get_elementwise_kernel_code(
            (*arrays, index), names, kernel.params, kernel.operation, kernel.name, kernel.preamble,
            **{k: v for k, v in kernel.kwargs.items() if k != "options"},
        )  # fmt: skip
    else:
        stride = _kernel._ArgInfo(3, _scalar.CScalar, np.dtype("int32"), 0, True, True)
        text = _reduction._ReductionKernel_get_cached_function_code(
            kernel.nin, kernel.nout, kernel._params, (*arrays, index, index, stride), names,
            kernel.name, 512, kernel.reduce_type, kernel.identity, kernel.map_expr,
            kernel.reduce_expr, kernel.post_map_expr, kernel.preamble, kernel.options,
        )  # fmt: skip
        text = f"typedef ptrdiff_t IndexT;\n{text}"  # which CuPy chooses by the size
    return "".join(f"#include <{h}>\n" for h in core._cupy_header_list) + text


def options_of(kernel: Any) -> tuple[str, ...]:
    """Return the options that a kernel was made with."""
    if kernel is None:
        return ()
    own = getattr(kernel, "options", None)
    return tuple(kernel.kwargs.get("options", ()) if own is None else own)


def compiled(text: str, architecture: int, kernel: Any = None) -> bytes:
    """Return the machine code for an architecture; CuPy's CompileException has NVRTC's words.

    A generated kernel's own options are used as well.
    """
    from cupy._core import core
    from cupy.cuda import compiler

    options = (
        *core.assemble_cupy_compiler_options(()), "-ftz=true", f"-arch=sm_{architecture}",
        "--device-as-default-execution-space", *options_of(kernel),
    )  # fmt: skip
    return compiler._NVRTCProgram(text, "kernel.cu", method="cubin").compile(options)[0]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_kernel_compiles(dtype: str, architecture: int) -> None:
    made = {
        (name, contiguous): compiled(source(kernel, types, contiguous), architecture)
        for name, kernel in kernels()
        for types in types_of(kernel, dtype)
        for contiguous in ((True, False) if architecture == 80 else (True,))
    }
    assert {name for name, _ in made} >= {
        "cupy_backend._DROPOUT_MASK",
        "cupy_backend._ADD_RUNS",
        "kernels.masked_softmax._TOP",
        "kernels.optimizer_steps._ADAM_STEP",
        "kernels.pooling._SPREAD",
        "kernels.windows._COL2IM",
    }
    assert all(code[1:4] == b"ELF" for code in made.values())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_raw_kernel_compiles(dtype: str, architecture: int) -> None:
    from minigrad.backend.kernels import rows

    assert len(raw_kernels()) >= 5
    for text in raw_kernels().values():
        assert compiled(rows.source(text, dtype), architecture)[1:4] == b"ELF"


class Library:
    """Stands for the backend where there is no driver: chains take the kernels' classes from it."""

    kernels = True

    @property
    def module(self) -> Any:
        return importlib.import_module("cupy")


def view(dtype: str, number: int) -> Any:
    """Return a view of some memory of its own."""
    from minigrad.replay.ir import TEMP, Storage, View

    dtype_ = np.dtype(dtype)
    return View(Storage(number, TEMP, 0, 0, None), 0, (8,), (dtype_.itemsize,), dtype_)


def every_expression(dtype: str) -> list[Any]:
    """Return calls of all functions that a generated kernel may have, on arrays of a dtype."""
    from minigrad.replay import chains
    from minigrad.replay.ir import Instr

    parts = []
    for n, (name, rule) in enumerate(chains.EXPRESSIONS.items()):
        kind = dtype if "f" in rule.kinds else ("bool" if "b" in rule.kinds else "int64")
        operands: tuple[Any, ...] = (view(kind, 4 * n), view(kind, 4 * n + 1))
        if name == "where":
            operands = (view("bool", 4 * n + 2), *operands)
        elif "b" not in rule.text.replace("abs", ""):
            operands = operands[:1]
        elif "f" in rule.kinds:
            operands = (operands[0], 0.5)
        out = "bool" if name in chains.BOOLEAN else kind
        part = Instr(
            "copy" if name == "copy" else "ufunc", name, len, operands, {}, [view(out, 4 * n + 3)]
        )
        assert chains.rule_of(part) == name
        parts.append(part)
    return parts


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_generated_expression_compiles(dtype: str, architecture: int) -> None:
    """All functions that a captured chain may have; chains that end in a reduction; all casts."""
    from minigrad.replay import chains
    from minigrad.replay.ir import Instr

    xp: Any = Library()
    parts = every_expression(dtype)
    casts = [
        Instr("copy", "copy", len, (view(dtype, 500),), {}, [view(other, 501)])
        for other in ("float16", "float32", "float64", "int64", "int32", "uint8", "bool")
    ]
    groups = [parts[i : i + 8] for i in range(0, len(parts), 8)] + [casts]
    for group in groups:
        chain = chains.chain_of(group, set())
        kernel = chains.elementwise(xp, chain.inputs, chain.outputs, chain.body)
        assert compiled(source(kernel, {}, True), architecture, kernel)[1:4] == b"ELF"
    x, y = view(dtype, 600), view(dtype, 601)
    chain = chains.chain_of([Instr("ufunc", "multiply", len, (x, 2.0), {}, [y])], {y.storage})
    for name in chains.REDUCTIONS:
        kernel = chains.reduction(xp, chain.inputs, chain.body, chain.last, chain.last_type, name)
        assert compiled(source(kernel, {}, True), architecture, kernel)[1:4] == b"ELF"


def test_a_mistake_is_refused() -> None:
    import cupy
    from cupy.cuda.compiler import CompileException

    wrong = cupy.ElementwiseKernel("T x", "T y", "y = x * INFINITY", "wrong")
    with pytest.raises(CompileException, match="INFINITY"):
        compiled(source(wrong, {"T": "float32"}, True), 80)
