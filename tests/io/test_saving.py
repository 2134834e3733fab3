"""`mg.save` and `mg.load`: what comes back, what PyTorch reads, what is refused."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

import minigrad as mg
from minigrad import nn
from minigrad.io import CheckpointError

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


def same(a: Any, b: Any) -> bool:
    """Say whether two nested values are equal, in type, dtype and bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, mg.Tensor):
        return a.device == b.device and same(a.detach().numpy(), b.numpy())
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b or (a != a and b != b))


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=0, min_side=0))
    ),
)
NESTED = st.recursive(
    st.one_of(LEAVES, LEAVES.map(lambda x: mg.Tensor(x) if isinstance(x, np.ndarray) else x)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text("ab.$#", max_size=3), st.integers(0, 9)), inner),
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=NESTED)
def test_anything_comes_back_as_it_was(value: Any, tmp_path: Path) -> None:
    mg.save(value, tmp_path / "x.safetensors")
    assert same(value, mg.load(tmp_path / "x.safetensors"))


def test_layouts_and_graphs(tmp_path: Path) -> None:
    base = mg.randn(4, 6, dtype=mg.float64).requires_grad_()
    value = {"t": base.mT, "s": base[::2, ::-1], "e": base.expand(2, 4, 6), "y": base * 2}
    mg.save(value, tmp_path / "x")
    for key, tensor in mg.load(tmp_path / "x").items():
        assert same(value[key].detach(), tensor)
        assert not tensor.requires_grad
        tensor += 1.0  # it owns its memory


def test_numpy_numbers_and_states_of_modules(tmp_path: Path) -> None:
    mg.save({"a": np.float32(0.1), "b": np.int64(3), "inf": math.inf}, tmp_path / "x")
    assert mg.load(tmp_path / "x") == {"a": float(np.float32(0.1)), "b": 3, "inf": math.inf}
    model = nn.Linear(3, 2)
    mg.save(model, tmp_path / "x")
    assert same(dict(model.state_dict()), mg.load(tmp_path / "x"))


def test_weights_go_to_torch_and_back(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    safetensors = pytest.importorskip("safetensors.torch")
    mine = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    other = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    x = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    mg.save(mine.state_dict(), tmp_path / "mine")
    other.load_state_dict(safetensors.load_file(tmp_path / "mine"))
    y = mine(mg.tensor(x)).detach().numpy()
    np.testing.assert_allclose(other(torch.tensor(x)).detach().numpy(), y, rtol=1e-5, atol=1e-6)
    torch.nn.init.normal_(other[0].weight)
    safetensors.save_file(other.state_dict(), tmp_path / "theirs")
    mine.load_state_dict(mg.load(tmp_path / "theirs"))
    y = mine(mg.tensor(x)).detach().numpy()
    np.testing.assert_allclose(other(torch.tensor(x)).detach().numpy(), y, rtol=1e-5, atol=1e-6)


def test_bfloat16_of_torch_becomes_float32(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    safetensors = pytest.importorskip("safetensors.torch")
    t = torch.randn(3, 2).bfloat16()
    safetensors.save_file({"w": t, "s": torch.tensor(1.5).bfloat16()}, tmp_path / "x")
    found = mg.load(tmp_path / "x")
    assert found["w"].numpy().dtype == np.float32
    assert np.array_equal(found["w"].numpy(), t.float().numpy())
    assert found["s"].item() == 1.5
    safetensors.save_file({"w": torch.ones(2).to(torch.float8_e4m3fn)}, tmp_path / "x")
    with pytest.raises(CheckpointError, match="w has dtype F8_E4M3, which NumPy has not"):
        mg.load(tmp_path / "x")


REFUSED: list[tuple[Any, str]] = [
    ({"a": {"b": object()}}, r"entry 'a.b' is a object, which cannot be saved; saved are"),
    ([nn.Linear(1, 1)], r"entry '0' is a Linear, .*: pass its state_dict\(\)"),
    ({"a": {(1, 2): 3}}, r"entry 'a' has the key \(1, 2\): use text or numbers"),
    ({"z": np.zeros(2, complex)}, r"entry 'z' has dtype complex128"),
    (np.array(["a"]), r"the value has dtype <U1"),
    (lambda: 0, "the value is a function"),
]


@pytest.mark.parametrize(("value", "text"), REFUSED, ids=[r[1][:20] for r in REFUSED])
def test_what_cannot_be_saved_is_named_and_nothing_is_written(
    value: Any, text: str, tmp_path: Path
) -> None:
    mg.save({"kept": 1}, tmp_path / "x")
    with pytest.raises(TypeError, match=text):
        mg.save(value, tmp_path / "x")
    assert mg.load(tmp_path / "x") == {"kept": 1}
    assert os.listdir(tmp_path) == ["x"]


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nothing"):
        mg.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match=r"the folder .*nowhere does not exist"):
        mg.save({}, tmp_path / "nowhere" / "x")


def test_pickles_are_never_read(tmp_path: Path) -> None:
    import pickle

    ran = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return (Path.touch, (ran,))

    (tmp_path / "x.pt").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError, match=r"torch\.save's pickle, .* never read here"):
        mg.load(tmp_path / "x.pt")
    assert not ran.exists()


def test_a_newer_format_asks_for_a_newer_minigrad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minigrad.io.tensors.FORMAT", 2)
    mg.save({"a": 1}, tmp_path / "x")
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match=r"has format 2, .*install a newer minigrad"):
        mg.load(tmp_path / "x")


def test_without_safetensors_the_cure_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r'need safetensors: .*"minigrad-engine\[train\]"'):
        mg.save({}, tmp_path / "x")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_files_have_the_usual_permissions(tmp_path: Path) -> None:
    mg.save({}, tmp_path / "x")
    (tmp_path / "usual").write_bytes(b"")
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "usual").stat().st_mode
    )


def test_map_location(tmp_path: Path, backend: str) -> None:
    value = {"a": [mg.ones(2)], "b": (mg.zeros(3), 4)}
    mg.save(value, tmp_path / "x")
    found = mg.load(tmp_path / "x", map_location=backend)
    assert found["a"][0].device.type == found["b"][0].device.type == backend
    assert found["a"][0].cpu().tolist() == [1.0, 1.0]
    assert found["b"][1] == 4
