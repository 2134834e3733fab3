"""Modules compared with PyTorch's: a table of rows, and what is compared about each.

A row says how to build the module and what to feed it. `deviation` builds it in both libraries,
loads torch's `state_dict` into ours by name, and compares outputs, gradients of inputs and of
parameters for random cotangents, and buffers. The rows are in the ``parity_*`` files beside this
one; ``python tests/parity.py`` prints the table.
"""

from __future__ import annotations

import importlib
import inspect
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.backend import is_array
from minigrad.engine.backward import backward
from minigrad.engine.tensor import Tensor

TABLES = ("parity_modules", "parity_sequence", "parity_losses")
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}
MODES = ("train", "eval")
CALLS = 3  # in training, so that running statistics move
VALUES = 400  # to know a distribution by, from at most so many modules:
BUILDS = 40
FLOOR = 1e-3  # a difference is measured against an array's largest element, or this

# Options of torch that minigrad has not, for all modules; see `Row.without` as well.
WITHOUT = {
    "inplace": "an op never overwrites what its caller holds",
    "size_average": "deprecated in torch",
    "reduce": "deprecated in torch",
    "min_value": "deprecated in torch",
    "max_value": "deprecated in torch",
    "recompute_scale_factor": "a switch to a rounding that torch had before",
    "scale_grad_by_freq": "not here: gradients are those of the loss",
    "sparse": "there are no sparse tensors",
    "_weight": "private in torch; `Embedding.from_pretrained` does it",
    "_freeze": "private in torch; `Embedding.from_pretrained` does it",
}
# Options that have a default in torch and none here.
REQUIRED = {
    ("Softmax", "dim"): "None chooses an axis by its number, which torch has deprecated",
    ("LogSoftmax", "dim"): "None chooses an axis by its number, which torch has deprecated",
}
# Signatures that torch only documents (its own say *args, **kwargs).
STATED: dict[str, Callable[..., None]] = {
    "RNN": lambda input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True,
           batch_first=False, dropout=0.0, bidirectional=False, device=None, dtype=None: None,
    "LSTM": lambda input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
            dropout=0.0, bidirectional=False, proj_size=0, device=None, dtype=None: None,
    "GRU": lambda input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
           dropout=0.0, bidirectional=False, device=None, dtype=None: None,
}  # fmt: skip

Maker = Any  # see `make`


@dataclass(frozen=True)
class Row:
    """One module with its options, and what it is called with.

    Parameters
    ----------
    name : str
        The class, in ``minigrad.nn`` and in ``torch.nn``.
    args, options
        To build it. Arrays become tensors of each library, floating ones of the row's dtype;
        functions are called with the library.
    inputs : sequence of makers
        What it is called with; gradients by floating ones are compared. A maker is a shape (of
        normal numbers), an array, a function of a NumPy generator, a tuple of makers, or None.
    targets : sequence of makers
        More arguments, behind the inputs, without a gradient.
    call : mapping
        Keyword arguments of the call: arrays and functions of a generator as makers, and anything
        else as it is.
    random : bool
        In training it draws random numbers: there distributions are compared instead of numbers.
    tolerance : mapping
        By dtype, where PyTorch itself is less precise than `TOLERANCE`; ``because`` says why.
    without : mapping
        Options of torch that this module has not, each with the reason.
    shown : mapping
        Parts of torch's representation, and what they are here.
    derived : bool
        Backward gives the derivative, and not another thing by convention.
    """

    name: str
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Maker, ...] = ()
    targets: tuple[Maker, ...] = ()
    call: Mapping[str, Any] = field(default_factory=dict)
    random: bool = False
    tolerance: Mapping[str, float] = field(default_factory=dict)
    because: str = ""
    without: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    derived: bool = True

    @property
    def text(self) -> str:
        """The options, and what is special about the call, as the table shows them."""
        parts = [_short(a) for a in self.args]
        parts += [f"{k}={_short(v)}" for k, v in self.options.items()]
        shapes = ", ".join(_short(x) for x in (*self.inputs, *self.targets))
        called = "".join(f", {k}={_short(v)}" for k, v in self.call.items())
        return f"({', '.join(parts)})({shapes}{called})"

    def limit(self, dtype: str) -> float:
        """The largest deviation that is allowed."""
        return self.tolerance.get(dtype, TOLERANCE[dtype])


def rows() -> list[Row]:
    """Return the rows of all tables."""
    return [row for table in TABLES for row in importlib.import_module(f"support.{table}").ROWS]


def identified(table: list[Row]) -> dict[str, Row]:
    """Return rows by a name for each that does not depend on the others around it."""
    names: dict[str, Row] = {}
    for row in table:
        name = f"{row.name}{row.text}".replace(" ", "")
        assert name not in names, f"the row {name} occurs twice"
        names[name] = row
    return names


def _short(x: Any) -> str:
    if is_array(x):
        return f"{x.dtype}{list(x.shape)}"
    if inspect.isroutine(x):
        return x.__name__.strip("_<>")
    if isinstance(x, (tuple, list)):
        return f"({', '.join(map(_short, x))}{',' if len(x) == 1 else ''})"
    return repr(x)


# ---- values -------------------------------------------------------------------------------------


def make(maker: Maker, rng: np.random.Generator, dtype: str) -> Any:
    """Return what a maker stands for, floating arrays in ``dtype``."""
    if maker is None:
        return None
    if isinstance(maker, tuple) and all(isinstance(n, int) for n in maker):
        maker = rng.standard_normal(maker)
    elif isinstance(maker, tuple):
        return tuple(make(m, rng, dtype) for m in maker)
    elif callable(maker):
        maker = np.asarray(maker(rng))
    return maker.astype(dtype) if maker.dtype.kind == "f" else maker


def arguments(row: Row, rng: np.random.Generator, dtype: str) -> tuple[list[Any], dict[str, Any]]:
    """Return what one call is given, as arrays: inputs and targets, and by keyword."""
    given = [make(m, rng, dtype) for m in (*row.inputs, *row.targets)]
    made = {
        k: make(v, rng, dtype) if is_array(v) or inspect.isroutine(v) else v
        for k, v in row.call.items()
    }
    return given, made


def flat(values: Any) -> Iterator[Any]:
    """Yield what tuples in tuples hold, without None."""
    if isinstance(values, (tuple, list)):
        for value in values:
            yield from flat(value)
    elif values is not None:
        yield values


def ours(x: Any, grad: bool = False) -> Any:
    """Return arrays as tensors of minigrad; ``grad``: floating ones require it."""
    if isinstance(x, tuple):
        return tuple(ours(y, grad) for y in x)
    if not is_array(x):
        return x
    return mg.tensor(x, dtype=x.dtype, requires_grad=grad and x.dtype.kind == "f")


def theirs(x: Any, grad: bool = False) -> Any:
    """Return arrays as tensors of torch; ``grad``: floating ones require it."""
    import torch

    if isinstance(x, tuple):
        return tuple(theirs(y, grad) for y in x)
    if not is_array(x):
        return x
    t = torch.from_numpy(np.array(x))
    return t.requires_grad_(grad and x.dtype.kind == "f")


def host(x: Any) -> np.ndarray[Any, Any]:
    """Return the values of a tensor of either library."""
    return np.asarray(x.detach().numpy())


def build(library: Any, row: Row, dtype: str = "float32") -> Any:
    """Return the module in ``minigrad.nn`` or in ``torch.nn``, in its first dtype."""
    convert = ours if library is nn else theirs

    def given(x: Any) -> Any:
        if inspect.isroutine(x):
            return x(library)
        return convert(make(x, np.random.default_rng(0), dtype)) if is_array(x) else x

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's on options that are off to a slow start
        args, options = map(given, row.args), {k: given(v) for k, v in row.options.items()}
        return getattr(library, row.name)(*args, **options)


def pair(row: Row, dtype: str, seed: int = 0) -> tuple[Any, Any]:
    """Return torch's module, and ours with its state; nothing in it is just 0 or 1."""
    import torch

    torch.manual_seed(seed)
    mg.manual_seed(seed)
    rng = np.random.default_rng(seed + 1)
    other = build(torch.nn, row, dtype).to(getattr(torch, dtype))
    mine = build(nn, row, dtype).to(getattr(mg, dtype))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given, named = arguments(row, rng, dtype)
        other(*map(theirs, given), **{k: theirs(v) for k, v in named.items()})  # moves statistics
        for p in other.parameters():
            p += torch.from_numpy(0.1 * rng.standard_normal(p.shape)).to(p.dtype)
    state = {k: host(v).copy() for k, v in other.state_dict().items()}
    mine.load_state_dict(state)
    assert list(mine.state_dict()) == list(state), "the keys of the states come in other orders"
    return mine, other


# ---- numbers ------------------------------------------------------------------------------------


def gap(mine: Any, other: Any, what: str) -> float:
    """Return how far two arrays are apart: the largest difference by the largest element."""
    a, b = host(mine), host(other)
    assert a.shape == b.shape, f"{what} has shape {a.shape}, torch's {b.shape}"
    assert a.dtype == b.dtype, f"{what} is {a.dtype}, torch's {b.dtype}"
    if a.dtype.kind != "f":
        np.testing.assert_array_equal(a, b, err_msg=f"{what} differs")
        return 0.0
    finite = np.isfinite(b)
    np.testing.assert_array_equal(a[~finite], b[~finite], err_msg=f"{what} differs")
    if not finite.any():
        return 0.0
    difference = np.abs(a[finite] - b[finite]).max()
    assert np.isfinite(difference), f"{what} is not finite, torch's is"
    return float(difference / max(np.abs(b[finite]).max(), FLOOR))


def _grad(x: Any) -> Any:
    """Return a leaf's gradient; zeros if it has none."""
    if x.grad is not None:
        return x.grad
    return x.detach() * 0


def deviation(row: Row, dtype: str, mode: str) -> float:
    """Return the largest deviation from torch in one mode; a different kind of result fails."""
    import torch

    mine, other = pair(row, dtype)
    mine.train(mode == "train")
    other.train(mode == "train")
    rng = np.random.default_rng(2)
    if row.random and mode == "train":
        compare_draws(row, mine, other, dtype)
        return 0.0
    found = []
    for _ in range(CALLS if mode == "train" else 1):
        given, named = arguments(row, rng, dtype)
        count = len(row.inputs)
        xs, ts = ([to(v, i < count) for i, v in enumerate(given)] for to in (ours, theirs))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            z = other(*ts, **{k: theirs(v) for k, v in named.items()})
        y = mine(*xs, **{k: ours(v) for k, v in named.items()})
        pairs = list(zip(flat(y), flat(z), strict=True))
        assert pairs, "the call returned nothing"
        found += [gap(a, b, f"output {i}") for i, (a, b) in enumerate(pairs)]
    cotangents = [rng.standard_normal(b.shape).astype(dtype) for _, b in pairs]
    ends = [(a, b, g) for (a, b), g in zip(pairs, cotangents, strict=True) if b.requires_grad]
    assert all(a.requires_grad == b.requires_grad for a, b in pairs), "a graph is missing"
    if ends:
        backward([a for a, _, _ in ends], [ours(g) for _, _, g in ends])
        torch.autograd.backward([b for _, b, _ in ends], [theirs(g) for _, _, g in ends])
    for i, (x, t) in enumerate(zip(flat(xs[:count]), flat(ts[:count]), strict=True)):
        if t.requires_grad:
            found.append(gap(_grad(x), _grad(t), f"the gradient of input {i}"))
    assert [n for n, _ in mine.named_parameters()] == [n for n, _ in other.named_parameters()]
    for (name, p), q in zip(mine.named_parameters(), other.parameters(), strict=True):
        assert p.requires_grad == q.requires_grad, f"{name}: requires_grad is {p.requires_grad}"
        if q.requires_grad:
            found.append(gap(_grad(p), _grad(q), f"the gradient of {name}"))
    for name, c in other.state_dict().items():  # statistics have moved, max_norm cut
        found.append(gap(mine.state_dict()[name], c, f"{name} after the calls"))
    return max(found)


# ---- distributions ------------------------------------------------------------------------------


def apart(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    """Return Kolmogorov's and Smirnov's distance of two samples by its standard error.

    Of the same distribution it exceeds 2.5 once in 130,000 times.
    """
    a, b = np.sort(a.ravel()), np.sort(b.ravel())
    at = np.concatenate([a, b])
    shares = [np.searchsorted(s, at, side="right") / len(s) for s in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max() * np.sqrt(len(a) * len(b) / len(at)))


def compare_draws(row: Row, mine: Any, other: Any, dtype: str) -> None:
    """Compare what two modules make of the same large input, by its distribution."""
    given, _ = arguments(row, np.random.default_rng(2), dtype)
    y, z = host(mine(*map(ours, given))), host(other(*map(theirs, given)))
    assert y.shape == z.shape
    assert y.dtype == z.dtype
    features: dict[str, Callable[[Any], Any]] = {
        "the elements": lambda a: a,
        "the sums over the last axis": lambda a: a.sum(axis=-1),
        "the zeros along the last axis": lambda a: (a == 0).mean(axis=-1),
        "the zeros along the second axis": lambda a: (a == 0).mean(axis=1),
    }
    for what, of in features.items():
        a, b = (np.round(of(x).astype(np.float64), 4) for x in (y, z))  # equal but for rounding
        assert apart(a, b) < 2.5, f"{what} are distributed otherwise"
    for a in (y, z):
        assert not np.array_equal(a, given[0]), "nothing was drawn"


def first_values(library: Any, row: Row) -> dict[str, np.ndarray[Any, Any]]:
    """Return the first values of a new module's state."""
    module = build(library, row)
    if any(getattr(m, "has_uninitialized_params", bool)() for m in module.modules()):
        given, _ = arguments(row, np.random.default_rng(0), "float32")
        module.eval()(*map(ours if library is nn else theirs, given))
    return {k: host(v).astype(np.float64).ravel().copy() for k, v in module.state_dict().items()}


def compare_first_values(row: Row) -> None:
    """Compare the distributions that first values are drawn from; constants must be equal."""
    import torch

    torch.manual_seed(5)
    mg.manual_seed(5)
    drawn: dict[Any, list[dict[str, Any]]] = {nn: [], torch.nn: []}
    count = 1
    for i in range(BUILDS):
        for library, values in drawn.items():
            values.append(first_values(library, row))
        if i == 0:
            assert list(drawn[nn][0]) == list(drawn[torch.nn][0])
            sizes = [v.size for v in drawn[torch.nn][0].values() if (v != v[0]).any()]
            count = 1 + VALUES // min(sizes, default=VALUES + 1)
        if i + 1 >= count:
            break
    for key in drawn[nn][0]:
        a, b = (np.concatenate([d[key] for d in drawn[library]]) for library in (nn, torch.nn))
        if (b == b[0]).all():
            assert (a == b[0]).all(), f"{key} starts as {a[:4]}, torch's is all {b[0]}"
            continue
        assert apart(a, b) < 2.5, f"{key} is drawn from another distribution"
        bounded = np.abs(b).max() < 1.8 * b.std()  # uniform, whose bound says most
        ratio = np.abs(a).max() / np.abs(b).max() if bounded else a.std() / b.std()
        limit = 12 / len(b) if bounded else 5 / np.sqrt(len(b))  # beyond 6e-6 of all draws
        assert abs(ratio - 1) < limit, f"{key} is drawn from a distribution {ratio:.3g} as wide"


# ---- what is shown ------------------------------------------------------------------------------


def compare_repr(row: Row) -> None:
    """Compare the representations, without the remarks of one and the left-out options."""
    import torch

    mine, other = repr(build(nn, row)), repr(build(torch.nn, row))
    mine = re.sub(r"  # .*", "", mine)
    other = re.sub(r"(, )?inplace=False", "", other)
    for part, here in row.shown.items():
        other = other.replace(part, here)
    assert mine == other, f"{mine} is not torch's {other}"


def options_of(maker: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function, or of a class's ``__init__``."""
    if not isinstance(maker, type) or hasattr(maker, "__signature__"):
        return dict(inspect.signature(maker).parameters)
    own = dict(inspect.signature(maker.__init__).parameters)  # type: ignore[misc]
    own.pop("self")
    return own


def compare_signature(row: Row) -> None:
    """Our options are torch's, in its order with its defaults, but for those left out."""
    import torch

    other = getattr(torch.nn, row.name)
    wanted = options_of(STATED.get(row.name, other))
    if other.__init__ is torch.nn.Module.__init__:  # it has no options
        wanted = {}
    mine = options_of(getattr(nn, row.name))
    missing = [n for n in wanted if n not in mine]
    reasons = WITHOUT | dict(row.without)
    if "Transpose" in row.name:
        reasons["padding_mode"] = "torch allows only zeros there"
    assert [n for n in missing if n not in reasons] == [], "options of torch that are not here"
    assert list(mine) == [n for n in wanted if n in mine], "other options, or in another order"
    for name, p in mine.items():
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and (row.name, name) not in REQUIRED:
            default, theirs_is = (
                getattr(v.default, "__name__", v.default) for v in (p, wanted[name])
            )  # functions are compared by name
            assert default == theirs_is, f"{name}={default} by default"


# ---- gradients by themselves --------------------------------------------------------------------


def as_function(row: Row, mode: str = "train") -> tuple[Callable[..., Any], list[Tensor]]:
    """Return a module as a function of its inputs and parameters, and a point, in float64."""
    mg.manual_seed(3)
    rng = np.random.default_rng(3)
    given, named = arguments(row, rng, "float64")
    module = build(nn, row, "float64").double().train(mode == "train")
    module(*map(ours, given), **{k: ours(v) for k, v in named.items()})  # lazy ones are there now
    count = len(row.inputs)
    inputs, rest = list(flat(ours(tuple(given[:count])))), [ours(v) for v in given[count:]]
    names = [name for name, p in module.named_parameters() if p.requires_grad]
    modules = dict(module.named_modules())
    owners = [(modules[n.rpartition(".")[0]], n.rpartition(".")[2]) for n in names]
    parameters = [ours(rng.standard_normal(getattr(m, n).shape)) for m, n in owners]

    def like(template: Any, values: Iterator[Any]) -> Any:
        if isinstance(template, tuple):
            return tuple(like(t, values) for t in template)
        return None if template is None else next(values)

    def call(*values: Any) -> Any:
        for (owner, name), value in zip(owners, values[len(inputs) :], strict=True):
            owner.__dict__[name] = value
        xs = like(tuple(given[:count]), iter(values[: len(inputs)]))
        return tuple(flat(module(*xs, *rest, **{k: ours(v) for k, v in named.items()})))

    point = [*inputs, *parameters]
    for x in point:
        x.requires_grad_(x.is_floating_point())
    return call, point
