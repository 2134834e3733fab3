"""Outside of the backend, code that arrays pass through calls none of NumPy's own functions.

It would fail on a GPU's arrays, or bring them to the host. What a forward or a rule needs it takes
from ``xp``, or from the arrays. The samples and references of the op table (`Facts`, and functions
that only these use) are for the tests and run on the host; and so does what is listed below.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "minigrad"
FLOORS = ("engine", "ops", "nn", "optim", "replay", "autograd.py", "linalg.py")

# Types, constants, and functions of types and shapes: no array is given to them.
HARMLESS = {
    "bool_", "broadcast_shapes", "dtype", "errstate", "finfo", "float32", "float64", "generic",
    "iinfo", "inf", "int64", "integer", "linalg.LinAlgError", "nan", "ndarray", "newaxis",
    "promote_types", "random.Generator", "ufunc", "uint8", "uint16",
}  # fmt: skip

DRAWN = "numbers are drawn on the host, which gives every device the same, and moved then"
MADE = "it makes an array of Python numbers on the host, which is moved then"
NAMED = "it names NumPy's functions to tell calls apart, and calls none of them"
CPU_ONLY = "it runs programs of NumPy's arrays; a GPU's go another way (replay/gpu.py, chains.py)"
TAPS = "positions and shares of pixels, small and made of shapes; moved to where the image is"
SCALAR = "NumPy reduces to scalars; no other library's are numpy.generic"
HOST = {
    "engine/backward.py": {
        "_ALONE": "what CPython's reference counts of an array are when nothing else holds it",
        "_ALONE_VIEW": "the same, of a view",
        "_walk": SCALAR,
    },
    "engine/dtypes.py": {
        "_from_python": MADE,
        "as_operand": "of a subclass of numpy.ndarray, the plain array",
        "make_array": "of a numpy scalar, or of a subclass of numpy.ndarray, the plain array",
    },
    "engine/facts.py": {"_values": "a sample of the op table", "distinct": "a sample's size"},
    "engine/structural.py": {"_ones": "kept for products on the CPU; a GPU's are made by xp"},
    "engine/tensor.py": {"Tensor": "array2string prints what was copied to the host"},
    "nn/init.py": {
        name: DRAWN for name in ("_truncated", "dirac_", "eye_", "orthogonal_", "trunc_normal_")
    },
    "nn/positional.py": {"SinusoidalPositionalEncoding": MADE},
    "nn/rnn.py": {"_Recurrent": "lengths given as a list, moved then"},
    "ops/create.py": {name: MADE for name in ("arange", "eye", "linspace")},
    "ops/einsum.py": {"_alike": "two empty arrays stand for two dtypes"},
    "ops/index.py": {"plain_index": "an index given as a list; CuPy moves it"},
    "ops/norm.py": {"np_layer_norm": "a reference of the op table, used by two modules"},
    "ops/random.py": {name: DRAWN for name in ("multinomial", "randint", "randn")},
    "ops/resample.py": {name: TAPS for name in ("Taps", "averages", "linear", "nearest")},
    "replay/chains.py": {"work_dtype": "of dtypes"},
    "replay/emit.py": {name: NAMED for name in ("Emitter", "_NAMED_OUT", "_TAKES_OUT")},
    "replay/gpu.py": {"GpuRecorder": NAMED},
    "replay/ir.py": {"Instr": CPU_ONLY},
    "replay/passes/fuse.py": {"sums_all": NAMED},
    "replay/passes/lanes.py": {name: NAMED for name in ("_cached", "_pieces", "_seconds")},
    "replay/passes/masks.py": {"_masked": NAMED},
    "replay/recorder.py": {
        "Recorder": CPU_ONLY,
        **{name: NAMED for name in ("_ABOUT_SHAPES", "_FILLED", "_READING", "_WRITING")},
    },
    "replay/report.py": {"measure_rates": "it measures the CPU"},
    "replay/tiles.py": {name: CPU_ONLY for name in ("_loop", "runner")},
    "replay/tracer.py": {"TracingBackend": CPU_ONLY},
}


class Strip(ast.NodeTransformer):
    """Take the samples and references of the op table away."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in ("Facts", "S"):
            return ast.copy_location(ast.Constant(None), node)
        node.keywords = [k for k in node.keywords if k.arg != "facts"]
        return self.generic_visit(node)


def definitions(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Yield what a module defines, by name; other statements without one."""
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            yield statement.name, statement
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
            for name in names or [""]:
                yield name, statement
        else:
            yield "", statement


def calls(sources: dict[str, str]) -> dict[tuple[str, str], list[str]]:
    """Return which names of NumPy are used, by module and definition, by what can be reached.

    Reached is what has a public name, what a module runs when it is imported, and what these use,
    in the same module or by import from another.
    """
    used: dict[tuple[str, str], list[str]] = {}
    mentioned: dict[tuple[str, str], set[str]] = {}
    imported: dict[str, dict[str, tuple[str, str]]] = {}
    for module, source in sources.items():
        tree = Strip().visit(ast.parse(source))
        imported[module] = {
            a.asname or a.name: (node.module, a.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module is not None
            for a in node.names
        }
        for name, statement in definitions(tree):
            place = (module, name)
            nodes = list(ast.walk(statement))
            mentioned.setdefault(place, set()).update(
                n.id for n in nodes if isinstance(n, ast.Name)
            )
            used.setdefault(place, []).extend(numpy_names(nodes))
    todo = [(m, n) for m, n in used if not n.startswith("_")]
    reached: set[tuple[str, str]] = set()
    while todo:
        place = todo.pop()
        if place in reached or place not in used:
            continue
        reached.add(place)
        module = place[0]
        for name in mentioned[place]:
            todo.append(
                (module, name) if (module, name) in used else imported[module].get(name, place)
            )
    return {place: used[place] for place in sorted(reached) if used[place]}


def numpy_names(nodes: list[ast.AST]) -> Iterator[str]:
    """Yield ``where`` for ``np.where`` and ``linalg.inv`` for ``np.linalg.inv``."""
    inside = {id(n.value): n.attr for n in nodes if isinstance(n, ast.Attribute)}
    for n in nodes:
        if not (isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)):
            continue
        if n.value.id in ("np", "numpy", "cp", "cupy"):
            rest = f".{inside[id(n)]}" if n.attr in ("linalg", "random", "lib") else ""
            yield n.attr + rest


def module_sources() -> dict[str, str]:
    paths = [p for floor in FLOORS for p in sorted(PACKAGE.glob(f"{floor}/**/*.py"))]
    paths += [PACKAGE / floor for floor in FLOORS if floor.endswith(".py")]
    return {
        "minigrad." + ".".join(p.relative_to(PACKAGE).with_suffix("").parts): p.read_text("utf-8")
        for p in paths
    }


def test_only_what_is_listed_calls_numpy() -> None:
    offenders, listed = [], {(file, name) for file, names in HOST.items() for name in names}
    for (module, name), functions in calls(module_sources()).items():
        file = module.removeprefix("minigrad.").replace(".", "/") + ".py"
        wrong = sorted(set(functions) - HARMLESS)
        if wrong and (file, name) not in listed:
            offenders.append(f"{file}: {name} uses np.{', np.'.join(wrong)}")
        if wrong:
            listed.discard((file, name))
    assert offenders == [], "take it from xp, or say in HOST why it only sees the host's arrays"
    assert sorted(listed) == [], "listed, but it calls none of NumPy's functions"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(xp, x): return np.tanh(x)", ["tanh"]),
        ("def f(xp, x): return _g(x)\ndef _g(x): return np.linalg.inv(x)", ["linalg.inv"]),
        ("@op(x=lambda g: np.sign(g), facts=Facts(np.abs))\ndef f(xp, x): return abs(x)", ["sign"]),
        ("_RULE = {'x': lambda g: np.sign(g)}\ndef f(): return _RULE", ["sign"]),
        ("install(lambda x: np.sign(x))", ["sign"]),
        (
            "@op(facts=Facts(_reference))\ndef f(x): return x\ndef _reference(x): return np.abs(x)",
            [],
        ),
        ("_SAMPLES = [S(lambda rng: np.ones(3))]\ndef f(x): return x", []),
    ],
)
def test_the_rule_sees_through(source: str, found: list[str]) -> None:
    seen = calls({"minigrad.ops.new": source})
    assert [name for names in seen.values() for name in names] == found


def test_a_helper_in_another_module_is_seen() -> None:
    helper = "def _h(x): return np.sort(x)"
    user = "from minigrad.ops.a import _h\ndef f(xp, x): return _h(x)"
    assert calls({"minigrad.ops.a": helper, "minigrad.ops.b": user}) == {
        ("minigrad.ops.a", "_h"): ["sort"]
    }
