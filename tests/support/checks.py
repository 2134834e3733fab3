"""What must hold for every call of every op; each check raises AssertionError where it does not.

`CHECKS` lists them all: the tests run each on each sample, and the tests of the tests break a
rule on purpose and demand that one of them fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.backend import backend_of
from minigrad.check import gradcheck, gradgradcheck
from minigrad.engine.backward import backward, gradients
from minigrad.engine.modes import no_grad
from minigrad.engine.op import Op
from minigrad.engine.tensor import Tensor, wrap
from support.cases import Call, Case, domain_of, is_elementwise

VALUE = {"float64": 1e-12, "float32": 4e-6, "float16": 4e-3}  # relative to the largest element
GRADIENT32, GRADIENT16 = 1e-4, 2e-2

# These may return their argument itself, as torch's do: nothing is to be done.
RETURN_OPERAND = {"alias", "cast", "contiguous", "dropout", "dropout1d", "dropout2d",
                  "alpha_dropout", "to_device"}  # fmt: skip

UPDATED = {"running_mean", "running_var"}  # operands that an op is there to change


# ---- facts --------------------------------------------------------------------------------------


def check_facts(row: Op) -> None:
    """A row has what its tests are made from, and its text has an example."""
    assert row.facts is not None, f"op {row.name} has no facts, so nothing would test it"
    assert row.facts.samples, f"op {row.name} has no samples, so nothing would test it"
    doc = row.function.__doc__
    assert doc, f"op {row.name} has no docstring"
    assert row.name.startswith("_") or ">>>" in doc, f"op {row.name} has no example"


# ---- values -------------------------------------------------------------------------------------


def check_value(case: Case, device: str) -> None:
    """The value is the reference's, in float64 and float32, with or without a graph."""
    for dtype in (np.float64, np.float32):
        call = case.draw(dtype)
        outputs = call.on(call.tensors(device))
        expect(outputs, call, np.dtype(dtype))
        with no_grad():
            silent = call.on(call.tensors(device))
        for y, z in zip(outputs, silent, strict=True):
            same(y, z, "the value under no_grad")
            assert z.is_leaf, "a graph was recorded under no_grad"
        if call.floating:
            raw = call.on(call.arrays(device))
            for y, z in zip(outputs, raw, strict=True):
                assert not isinstance(z, Tensor), "raw arrays must give raw arrays"
                same(y, z, "the value on raw arrays")


def check_half(case: Case, device: str) -> None:
    """Float16 in gives float16 out, near the reference, and gradients of float16."""
    call = case.draw(np.float16)
    if not call.floating:
        return
    try:
        outputs = call.on(call.tensors(device))
    except TypeError as error:
        if "must be float32 or float64" in str(error):  # LAPACK has no float16, nor has torch
            return
        raise
    expect(outputs, call, np.dtype(np.float16))
    if differentiable(call, device):
        compare_with_float64(call, device, GRADIENT16)


def expect(outputs: Sequence[Tensor], call: Call, dtype: np.dtype[Any], slack: float = 1.0) -> None:
    """Compare outputs with the reference: shape, kind of dtype, dtype, values.

    ``slack`` multiplies the tolerance, for values that were not chosen with it.
    """
    wanted = call.reference()
    assert len(outputs) == len(wanted), f"{len(outputs)} outputs, the reference has {len(wanted)}"
    if "dtype" in call.options:
        dtype = np.dtype(call.options["dtype"])
    for y, r in zip(outputs, wanted, strict=True):
        assert isinstance(y, Tensor), f"the output is a {type(y).__name__}, not a Tensor"
        assert y.shape == r.shape, f"shape {y.shape}, the reference has {r.shape}"
        kinds = [d.kind.replace("u", "i") for d in (y.dtype, r.dtype)]
        assert kinds[0] == kinds[1], f"{y.dtype}, the reference has {r.dtype}"
        if y.dtype.kind != "f":
            np.testing.assert_array_equal(host(y), r)
            continue
        if call.floating:
            assert y.dtype == dtype, f"{dtype} in gave {y.dtype} out"
        usual = VALUE[y.dtype.name]
        close(y, r, slack * call.row.facts.tolerance.get(y.dtype.name, usual))  # type: ignore[union-attr]


# ---- derivatives --------------------------------------------------------------------------------


def check_derivative(case: Case, device: str) -> None:
    """Backward agrees with central differences, and with the complex step of an analytic op."""
    call = case.draw()
    if not differentiable(call, device):
        return
    if case.sample.slopes is not None:
        check_slopes(call, case.sample.slopes, device)
        return
    report = derivative(call, device, gradcheck)
    assert report.verdict in ("passed", "vacuous"), f"\n{report}"
    if call.row.facts.analytic and "dtype" not in call.options:  # type: ignore[union-attr]
        try:
            report = derivative(call, device, gradcheck, method="complex", atol=1e-11, rtol=1e-9)
        except TypeError:  # not with these options
            return
        assert report.verdict in ("passed", "vacuous"), f"\n{report}"


def check_slopes(call: Call, slopes: Sequence[Any], device: str) -> None:
    """At kinks and ties the gradient is the cotangent times the slope that is meant."""
    tensors = call.tensors(device)
    outputs = call.on(tensors)
    (g,) = cotangents(outputs)
    for i, found in zip(call.floating, grads_of(outputs, tensors, call), strict=True):
        wanted = host(g) * np.asarray(slopes[i], dtype=np.float64)
        wanted = wanted.sum(axis=tuple(range(wanted.ndim - call.values[i].ndim)))  # broadcast
        close(np.zeros(wanted.shape) if found is None else found, wanted, 1e-12)


def check_second_derivative(case: Case, device: str) -> None:
    """The derivatives of the gradients agree with central differences of the gradients."""
    call = case.draw()
    if case.sample.slopes is None and differentiable(call, device):
        report = derivative(call, device, gradgradcheck)
        assert report.verdict in ("passed", "vacuous"), f"\n{report}"


def derivative(call: Call, device: str, check: Callable[..., Any], **options: Any) -> Any:
    """Run a gradient check over all floating operands of a call at once."""
    tensors, at = call.tensors(device), call.floating
    arrays = call.arrays(device)  # the complex step calls the op on raw arrays

    def fn(*floating: Any) -> tuple[Any, ...]:
        values = list(tensors if isinstance(floating[0], Tensor) else arrays)
        for i, x in zip(at, floating, strict=True):
            values[i] = x
        return tuple(call.on(values))

    return check(fn, [tensors[i] for i in at], **options)


def differentiable(call: Call, device: str) -> bool:
    """Say whether a call has derivatives to check; an op of order 0 must give none but zeros."""
    tensors = call.tensors(device)
    outputs = [y for y in call.on(tensors) if y.is_floating_point()]
    for y in call.on(tensors):
        assert y.is_floating_point() or not y.requires_grad, f"a {y.dtype} output requires grad"
    if not call.floating or not outputs:
        return False
    if call.row.facts.order == 0:  # type: ignore[union-attr]
        grads = pull(outputs, [tensors[i] for i in call.floating], cotangents(outputs))
        assert all(g is None or not host(g).any() for g in grads), "order 0, but a gradient"
        return False
    return True


# ---- dtypes -------------------------------------------------------------------------------------


def check_dtypes(case: Case, device: str) -> None:
    """Gradients have their operand's dtype and are right in float32; scalars and ints are weak."""
    call = case.draw(np.float32)
    if differentiable(call, device):
        compare_with_float64(call, device, GRADIENT32)
    if is_elementwise(call.row) and len(call.values) > 1:
        check_scalars(call, device)
    if call.row.cast == "float":
        check_integers(call, device)


def compare_with_float64(call: Call, device: str, tolerance: float) -> None:
    """Gradients have their operand's dtype, and are those of the same numbers in float64."""
    coarse = first_gradients(call, device)
    fine = first_gradients(call.in_float64(), device)
    for i, a, b in zip(call.floating, coarse, fine, strict=True):
        assert (a is None) == (b is None), f"a gradient of operand {i} in one dtype only"
        if a is not None and b is not None:
            wanted = call.values[i].dtype
            assert a.dtype == wanted, f"the gradient of operand {i}, {wanted}, is {a.dtype}"
            with np.errstate(over="ignore"):  # what is finite in float64 may be infinite
                exact = host(b).astype(wanted)
            close(a, exact, tolerance, floor=1.0)


def check_scalars(call: Call, device: str) -> None:
    """A Python number, or a NumPy scalar, does not promote float32."""
    for i in call.floating:
        others = [j for j in call.floating if j != i]
        if not others or i not in call.row.cast_at or not call.row.primitive:
            continue
        number = float(np.float32(np.mean(domain_of(call.row, i)) + 0.3))
        values = call.tensors(device)
        expected = call.on(
            [Tensor(number, device=device) if j == i else x for j, x in enumerate(values)]
        )
        for scalar in (number, np.float64(number), np.float32(number)):
            found = call.on([scalar if j == i else x for j, x in enumerate(values)])
            for y, z in zip(found, expected, strict=True):
                assert y.dtype.kind != "f" or y.dtype == np.float32, f"{scalar!r} made it {y.dtype}"
                close(y, host(z), 1e-6)


def check_integers(call: Call, device: str) -> None:
    """An op that takes floats computes on ints and bools what it computes on their float32."""
    for dtype in (np.int64, np.int32, np.uint8, np.bool_):
        limit = 1 if dtype == np.bool_ else 3
        whole, exact = list(call.values), list(call.values)
        for i in call.floating:
            whole[i] = np.asarray(np.clip(np.round(call.values[i]), 0, limit)).astype(dtype)
            exact[i] = whole[i].astype(np.float32)
        with np.errstate(all="ignore"):
            found = call.on(call.tensors(device, whole))
            expected = call.on(call.tensors(device, exact))
        for y, z in zip(found, expected, strict=True):
            same(z, y, f"the value on {np.dtype(dtype)}")


# ---- layouts ------------------------------------------------------------------------------------


def check_layouts(case: Case, device: str) -> None:
    """Transposed, strided, reversed and (elementwise) stretched operands give the same results.

    The cotangent lies in memory as the operands do (but it is not stretched).
    """
    call = case.draw()
    for layout in LAYOUTS:
        if layout is stretched and not is_elementwise(call.row):
            continue
        plain, odd = call.tensors(device), call.tensors(device)
        touched = False
        for i in call.floating:
            if plain[i].ndim and plain[i].numel():
                array = layout(plain[i]._array)
                touched = touched or array.strides != plain[i]._array.strides
                odd[i] = wrap(array, None).requires_grad_()
                plain[i] = wrap(backend_of(array).ascontiguousarray(array), None).requires_grad_()
        if not touched:
            continue
        expected = call.on(plain)
        try:
            found = call.on(odd)
        except ValueError as error:
            if "contiguous" in str(error):  # torch's view refuses, and says so
                continue
            raise
        for y, z in zip(found, expected, strict=True):
            assert y.shape == z.shape, f"{layout.__name__}: shape {y.shape} for {z.shape}"
            close(y, host(z), 1e-13)
        straight = cotangents(expected)
        given = [g if layout is stretched else in_layout(layout, g) for g in straight]
        at = call.floating
        odd_grads = pull(found, [odd[i] for i in at], given)
        for a, b in zip(odd_grads, pull(expected, [plain[i] for i in at], straight), strict=True):
            assert (a is None) == (b is None), f"{layout.__name__}: a gradient is missing"
            if a is not None and b is not None:
                close(a, host(b), 1e-12)


def in_layout(layout: Callable[[Any], Any], x: Tensor) -> Tensor:
    """Return a tensor of the same values that lies in memory in another way."""
    return wrap(layout(x._array), None) if x.ndim and x.numel() else x


def transposed(x: Any) -> Any:
    """Return x with its axes in memory in reverse order."""
    return x.T.copy().T


def strided(x: Any) -> Any:
    """Return x as every second element of memory along the last axis, and offset."""
    wide = backend_of(x).zeros((*x.shape[:-1], 2 * x.shape[-1] + 1), x.dtype)
    wide[..., 1::2] = x
    return wide[..., 1::2]


def mirrored(x: Any) -> Any:
    """Return x with negative strides."""
    flip = (slice(None, None, -1),) * x.ndim
    return x[flip].copy()[flip]


def channels_last(x: Any) -> Any:
    """Return images with the channels, axis 1, last in memory."""
    xp = backend_of(x)
    return xp.moveaxis(xp.moveaxis(x, 1, -1).copy(), -1, 1) if x.ndim > 2 else x


def stretched(x: Any) -> Any:
    """Return the first entry of x along its first axis, repeated with stride 0; read-only."""
    return backend_of(x).broadcast_to(x[:1].copy(), x.shape)


LAYOUTS = (transposed, strided, mirrored, channels_last, stretched)


# ---- use in a graph -----------------------------------------------------------------------------


def check_reuse(case: Case, device: str) -> None:
    """A tensor used twice gets the sum of both gradients: in one call, and in two."""
    call = case.draw()
    if not differentiable(call, device) or infinite(case.sample.slopes):
        return
    spots = call.floating
    twins = [
        (i, j)
        for i in spots
        for j in spots
        if i < j and call.values[i].shape == call.values[j].shape and same_domain(call, i, j)
    ]
    for i, j in twins[:1]:
        apart = call.tensors(device)
        apart[j] = Tensor(apart[i], requires_grad=True)
        outputs = call.on(apart)
        g = cotangents(outputs)
        parts = pull(outputs, [apart[i], apart[j]], g)
        once = call.tensors(device)
        once[j] = once[i]
        (found,) = pull(call.on(once), [once[i]], g)
        expected = sum(host(p) for p in parts if p is not None)
        assert found is not None or not np.any(expected), "used twice: no gradient"
        if found is not None:
            close(found, np.broadcast_to(expected, found.shape), 1e-13)

    leaves = call.tensors(device)  # the diamond: x -> h -> two calls, whose outputs meet again
    heads = [x * 1.0 if i in spots else x for i, x in enumerate(leaves)]
    one, two = call.on(heads), call.on(heads)
    g, h = cotangents(one, seed=1), cotangents(two, seed=2)
    targets = [leaves[i] for i in spots]
    found_both = pull([*one, *two], targets, [*g, *h])
    straight = call.tensors(device)
    both = [wrap(a._array + b._array, None) for a, b in zip(g, h, strict=True)]
    wanted = pull(call.on(straight), [straight[i] for i in spots], both)
    for a, b in zip(found_both, wanted, strict=True):
        assert (a is None) == (b is None), "diamond: a gradient is missing"
        if a is not None and b is not None:
            close(a, host(b), 1e-12)


def infinite(slopes: Sequence[Any] | None) -> bool:
    """Say whether slopes are infinite, so that sums of gradients may be NaN."""
    return any(np.isinf(s).any() for s in slopes or () if s is not None)


def same_domain(call: Call, i: int, j: int) -> bool:
    """Say whether the values of one operand suit the other."""
    return call.listed or domain_of(call.row, i) == domain_of(call.row, j)


def check_isolation(case: Case, device: str) -> None:
    """Gradients own their memory and can be written to; nothing that was passed in changes."""
    isolated(case.draw(), device)


def isolated(call: Call, device: str) -> None:
    """Run a call forward and backward and see that its arrays keep to themselves."""
    tensors = call.tensors(device)
    before = [host(x).copy() if isinstance(x, Tensor) else None for x in tensors]
    outputs = call.on(tensors)
    if not call.row.view and call.row.primitive and call.row.name not in RETURN_OPERAND:
        for y in outputs:
            for x in tensors:
                assert not (isinstance(x, Tensor) and overlap(x._array, y._array)), (
                    "the output shares memory with an operand, and the op is not declared a view"
                )
    values = [host(y).copy() for y in outputs]
    ends = [(y, g) for y, g in zip(outputs, cotangents(outputs), strict=True) if y.requires_grad]
    if ends:
        given = [host(g).copy() for _, g in ends]
        backward([y for y, _ in ends], [g for _, g in ends], retain_graph=True)
        leaves = [x for x in tensors if isinstance(x, Tensor) and x.grad is not None]
        grads = [x.grad for x in leaves]
        returned = pull([y for y, _ in ends], leaves, [g for _, g in ends], retain_graph=True)
        arrays = [g._array for g in grads]
        others = [g._array for _, g in ends] + [y._array for y in outputs]
        others += [x._array for x in tensors if isinstance(x, Tensor)]
        fresh = arrays + [g._array for g in returned]
        for i, a in enumerate(fresh):
            for b in fresh[:i] + others:
                assert not overlap(a, b), "a gradient shares memory with another array"
            if device == "cpu":
                assert a.flags.writeable, "a gradient is read-only"
        for a, g in zip(arrays, returned, strict=True):
            same(a, g, "the gradient that is returned, not delivered,")
        once = [a.copy() for a in arrays]
        backward([y for y, _ in ends], [g for _, g in ends])
        for a, g in zip(once, grads, strict=True):
            same(a * 2, g, "two backward passes add up: the gradient")
        for (_, g), b in zip(ends, given, strict=True):
            same(b, g, "the cotangent after backward")
    for i, (x, b) in enumerate(zip(tensors, before, strict=True)):
        if b is not None and call.name_of(i) not in UPDATED:
            same(b, x, "an operand after backward")
    for y, b in zip(outputs, values, strict=True):
        same(b, y, "the output after backward")


def check_recorded(case: Case, device: str) -> None:
    """The gradient under create_graph is the plain one; a kernel agrees with its meaning."""
    row = case.row
    for dtype, tolerance, floor in ((np.float64, 1e-12, 0.0), (np.float32, 2e-5, 1.0)):
        call = case.draw(dtype)
        if not differentiable(call, device):
            return
        tensors = call.tensors(device)
        outputs = call.on(tensors)
        plain = grads_of(outputs, tensors, call, retain_graph=True)
        recorded = grads_of(outputs, tensors, call, create_graph=True)
        for a, b in zip(plain, recorded, strict=True):
            assert (a is None) == (b is None), "create_graph: a gradient is missing"
            if a is None or b is None:
                continue
            assert a.dtype == b.dtype, f"create_graph gives {b.dtype}, backward {a.dtype}"
            few_ulp = 16 * float(np.finfo(a.dtype).eps)
            close(
                b, host(a), few_ulp if row.meaning is None and row.primitive else tolerance, floor
            )
        if row.meaning is None:
            continue
        operands = call.tensors(device)
        args, kwargs = call.arguments(operands)
        inputs, options = row.bind(tuple(args), kwargs)  # as the engine calls it
        meant = row.meaning(*inputs, *options)
        meant = list(meant) if isinstance(meant, (tuple, list)) else [meant]
        for y, z in zip(outputs, meant, strict=True):
            assert y.dtype == z.dtype, f"the kernel gives {y.dtype}, the meaning {z.dtype}"
            close(y, host(z), tolerance)
        for a, b in zip(plain, grads_of(meant, operands, call), strict=True):
            zero = (a is None or not host(a).any()) and (b is None or not host(b).any())
            assert zero or (a is not None and b is not None), "meaning: a gradient is missing"
            if a is not None and b is not None:
                close(a, host(b), tolerance, floor)


def check_parity(case: Case, device: str) -> None:
    """Values, gradients and gradients under create_graph are those of the CPU."""
    if "device" in case.sample.options:
        return  # it says where its output goes
    for dtype, tolerance in ((np.float64, 1e-11), (np.float32, 2e-5)):
        call = case.draw(dtype)
        here, there = call.tensors("cpu"), call.tensors(device)
        expected, found = call.on(here), call.on(there)
        for y, z in zip(expected, found, strict=True):
            assert str(z.device).split(":")[0] == device, f"the output is on {z.device}"
            assert z.dtype == y.dtype, f"{z.dtype} on {device}, {y.dtype} on the CPU"
            close(z, host(y), tolerance)
        wanted = grads_of(expected, here, call)
        for how in ({"retain_graph": True}, {"create_graph": True}):
            for a, b in zip(wanted, grads_of(found, there, call, **how), strict=True):
                assert (a is None) == (b is None), f"{how}: a gradient is missing"
                if a is not None and b is not None:
                    assert b.dtype == a.dtype, f"a gradient is {b.dtype}, on the CPU {a.dtype}"
                    close(b, host(a), tolerance, floor=1.0)


Check = Callable[[Case, str], None]

CHECKS: tuple[Check, ...] = (
    check_value, check_half, check_derivative, check_second_derivative, check_dtypes,
    check_layouts, check_reuse, check_isolation, check_recorded,
)  # fmt: skip
DEVICE_CHECKS: tuple[Check, ...] = (check_value, check_half, check_parity, check_isolation)
ORDER = {check_derivative: 1, check_reuse: 1, check_recorded: 1, check_second_derivative: 2}


def applies(check: Check, case: Case) -> bool:
    """Say whether an op has the derivatives that a check is about."""
    assert case.row.facts is not None
    return case.row.facts.order >= ORDER.get(check, 0)


# ---- how ----------------------------------------------------------------------------------------


def host(x: Any) -> np.ndarray[Any, Any]:
    """Return a tensor's or an array's values as a NumPy array."""
    array = x._array if isinstance(x, Tensor) else x
    return np.asarray(backend_of(array).to_host(array))


def same(expected: Any, found: Any, what: str) -> None:
    """Assert that two arrays are equal bit for bit (NaN equals NaN), dtype included."""
    x, y = host(expected), host(found)
    assert x.dtype == y.dtype, f"{what} is {y.dtype}, not {x.dtype}"
    np.testing.assert_array_equal(y, x, err_msg=f"{what} differs")


def close(a: Any, b: Any, rtol: float, floor: float = 0.0) -> None:
    """Assert that two arrays differ by little, measured by their largest finite element.

    ``floor`` is the least size to measure by, for results that are all rounding.
    """
    x, y = host(a).astype(np.float64), np.asarray(b, dtype=np.float64)
    finite = np.abs(y[np.isfinite(y)])
    scale = max(float(finite.max()) if finite.size else 0.0, floor)
    np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol * scale)


def cotangents(outputs: Sequence[Any], seed: int = 0) -> list[Tensor]:
    """Return a random cotangent for each output."""
    rng = np.random.default_rng(seed)
    return [Tensor(rng.standard_normal(y.shape).astype(y.dtype), device=y.device) for y in outputs]


def pull(outputs: Sequence[Any], inputs: Sequence[Any], given: Sequence[Any], **how: bool) -> Any:
    """Return the gradients of those outputs that have a graph."""
    ends = [(y, g) for y, g in zip(outputs, given, strict=True) if y.requires_grad]
    if not ends:
        return [None] * len(inputs)
    return gradients([y for y, _ in ends], inputs, [g for _, g in ends], **how)


def grads_of(outputs: Sequence[Any], operands: Sequence[Any], call: Call, **how: bool) -> Any:
    """Return the gradients of a call's floating operands for a fixed random cotangent."""
    return pull(outputs, [operands[i] for i in call.floating], cotangents(outputs), **how)


def first_gradients(call: Call, device: str) -> Any:
    """Run a call and return the gradients of its floating operands."""
    tensors = call.tensors(device)
    return grads_of(call.on(tensors), tensors, call)


def overlap(a: Any, b: Any) -> bool:
    """Say whether two arrays may share memory."""
    if type(a) is not type(b) or not a.size or not b.size:
        return False
    xp = backend_of(a)
    (first, last), (start, end) = xp.byte_bounds(a), xp.byte_bounds(b)
    return bool(first < end and start < last)
