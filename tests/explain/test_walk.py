"""The story of two graphs, line by line, and what a walk knows of graphs that nobody watched."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from support.backends import parameters

import minigrad as mg
from minigrad import nn
from minigrad.explain import TooLargeError, tape, walk, watching
from minigrad.explain.watch import _notes

START = {
    "W1": np.array([[0.1, 0.2], [0.3, 0.4]]),
    "b1": np.array([0.1, 0.2]),
    "W2": 0.5 * np.eye(2),
    "b2": np.array([0.1, 0.2]),
    "W3": 0.7 * np.eye(2),
    "b3": np.array([0.2, 0.3]),
}


def f64(x: Any, **options: Any) -> mg.Tensor:
    return mg.tensor(x, dtype=mg.float64, **options)


def shown(x: Any) -> str:
    """Write numbers as a walk does, on its own: six significant digits."""
    if np.ndim(x):
        return f"[{', '.join(map(shown, x))}]"
    return f"{x + 0.0:.6g}"


def without_lines(text: str) -> str:
    return "\n".join(x for x in text.splitlines() if not x.startswith("       line "))


def test_the_repaired_network_of_lesson_1_line_by_line() -> None:
    p = {name: f64(value, requires_grad=True) for name, value in START.items()}
    x, y = f64([1.0, 2.0]), f64([0.0, 1.0])
    with watching():
        z1 = p["W1"] @ x + p["b1"]
        a1 = mg.sigmoid(z1)
        z2 = p["W2"] @ a1 + p["b2"]
        a2 = mg.sigmoid(z2)
        z3 = p["W3"] @ a2 + p["b3"]
        a3 = mg.sigmoid(z3)
        e = y - a3
        J = 0.5 * (e**2).sum()
    story = walk(J)

    # The same by hand, from the closed formulas of lesson 1
    v: dict[str, Any] = {"a0": x.numpy()} | START
    for n in "123":
        v["m" + n] = v["W" + n] @ v[f"a{int(n) - 1}"]
        v["z" + n] = v["m" + n] + v["b" + n]
        v["a" + n] = 1 / (1 + np.exp(-v["z" + n]))
    v["e"] = y.numpy() - v["a3"]
    d: dict[str, Any] = {"a3": v["a3"] - y.numpy()}
    for n in "321":
        d["z" + n] = d["a" + n] * v["a" + n] * (1 - v["a" + n])
        d["W" + n] = np.outer(d["z" + n], v[f"a{int(n) - 1}"])
        d[f"a{int(n) - 1}"] = v["W" + n].T @ d["z" + n]

    want = ["walk to J: 13 ops, 6 leaves, 2 constants", "", "given"]
    for name in ("W1", "x", "b1", "W2", "b2", "W3", "b3", "y"):
        value = {"x": v["a0"], "y": y.numpy()}.get(name, v.get(name))
        what = "constant" if name in "xy" else "wants a gradient"
        want.append(f"  {name} : float64{list(value.shape)} = {shown(value)}, {what}")
    want += ["", "forward"]
    of_matmul = "y[..., i, j] = sum over k of a[..., i, k] b[..., k, j]"
    for i, n in enumerate("123"):
        before = "x" if n == "1" else f"a{i}"
        m, z, a = f"v{n}", f"z{n}", f"a{n}"
        head = f"  {3 * i + 1}. {m} : float64[2] = matmul(a=W{n}, b={before})     {of_matmul}"
        want += [
            head,
            f"       a = W{n} = {shown(v['W' + n])}",
            f"       b = {before} = {shown(v[f'a{i}'])}",
            f"       {m} = {shown(v['m' + n])}",
            f"  {3 * i + 2}. {z} : float64[2] = add(a={m}, b=b{n})     a + b",
            f"       a = {m} = {shown(v['m' + n])}",
            f"       b = b{n} = {shown(v['b' + n])}",
            f"       {z} = {shown(v[z])}",
            f"  {3 * i + 3}. {a} : float64[2] = sigmoid(x={z})     1 / (1 + e^-x)",
            f"       x = {z} = {shown(v[z])}",
            f"       {a} = {shown(v[a])}",
        ]
    squares, loss = v["e"] ** 2, np.sum(v["e"] ** 2) / 2
    want += [
        "  10. e : float64[2] = sub(a=y, b=a3)     a - b",
        "       a = y = [0, 1]",
        f"       b = a3 = {shown(v['a3'])}",
        f"       e = {shown(v['e'])}",
        "  11. v4 : float64[2] = pow(a=e, b=2)     a^b",
        f"       a = e = {shown(v['e'])}",
        "       b = 2",
        f"       v4 = {shown(squares)}",
        "  12. v5 : float64[] = sum(x=v4)     sum(x)",
        f"       x = v4 = {shown(squares)}",
        f"       v5 = {shown(2 * loss)}",
        "  13. J : float64[] = mul(a=0.5, b=v5)     a b",
        "       a = 0.5",
        f"       b = v5 = {shown(2 * loss)}",
        f"       J = {shown(loss)}",
        "",
        "backward, from g = 1",
        "  1. through J = mul(a=0.5, b=v5), with g = 1",
        "       to v5 as b: g * a",
        "         local derivative 0.5, contribution 0.5",
        "       gradient of v5 = 0.5 (finite difference 0.5)",
        "  2. through v5 = sum(x=v4), with g = 0.5",
        "       to v4 as x: g for each that was summed",
        "         local derivatives (a row for each result) [[1, 1]], contribution [0.5, 0.5]",
        "       gradient of v4 = [0.5, 0.5] (finite difference [0.5, 0.5])",
        "  3. through v4 = pow(a=e, b=2), with g = [0.5, 0.5]",
        "       to e as a: g * b * a ** (b - 1)",
        f"         local derivative {shown(2 * v['e'])}, contribution {shown(v['e'])}",
        f"       gradient of e = {shown(v['e'])} (finite difference {shown(v['e'])})",
        f"  4. through e = sub(a=y, b=a3), with g = {shown(v['e'])}",
        "       to a3 as b: -g",
        f"         local derivative [-1, -1], contribution {shown(d['a3'])}",
        f"       gradient of a3 = {shown(d['a3'])} (finite difference {shown(d['a3'])})",
    ]
    step = 5
    for n in "321":
        before = "x" if n == "1" else f"a{int(n) - 1}"
        input_, slope = v[f"a{int(n) - 1}"], v["a" + n] * (1 - v["a" + n])
        delta = shown(d["z" + n])
        by_weight = np.kron(np.eye(2), input_)
        want += [
            f"  {step}. through a{n} = sigmoid(x=z{n}), with g = {shown(d['a' + n])}",
            f"       to z{n} as x: g * (y * (1 - y))",
            f"         local derivative {shown(slope)}, contribution {delta}",
            f"       gradient of z{n} = {delta} (finite difference {delta})",
            f"  {step + 1}. through z{n} = add(a=v{n}, b=b{n}), with g = {delta}",
            f"       to v{n} as a: g",
            f"         local derivative [1, 1], contribution {delta}",
            f"       gradient of v{n} = {delta} (finite difference {delta})",
            f"       to b{n} as b: g",
            f"         local derivative [1, 1], contribution {delta}",
            f"       gradient of b{n} = {delta} (finite difference {delta})",
            f"  {step + 2}. through v{n} = matmul(a=W{n}, b={before}), with g = {delta}",
            f"       to W{n} as a: g b^T",
            f"         local derivatives (a row for each result) {shown(by_weight)}, "
            f"contribution {shown(d['W' + n])}",
            f"       gradient of W{n} = {shown(d['W' + n])} "
            f"(finite difference {shown(d['W' + n])})",
        ]
        if n != "1":
            g = shown(d[before])
            want += [
                f"       to {before} as b: a^T g",
                f"         local derivatives (a row for each result) {shown(v['W' + n])}, "
                f"contribution {g}",
                f"       gradient of {before} = {g} (finite difference {g})",
            ]
        step += 3
    want += ["", "gradients, which backward adds to .grad"]
    for name in ("W1", "b1", "W2", "b2", "W3", "b3"):
        want.append(f"  {name}.grad += {shown(d[name.replace('b', 'z')])}")

    got = without_lines(story.text()).splitlines()
    # A difference is right to about nine digits, so its sixth may be off by one: by value, above
    without = [line.partition(" (finite difference")[0] for line in got]
    assert without == [line.partition(" (finite difference")[0] for line in want]
    assert [("difference" in a) for a in got] == [("difference" in b) for b in want]
    compared = [row for row in story.rows if row.difference is not None]
    assert len(compared) == 19
    for row in compared:
        np.testing.assert_allclose(row.difference, row.gradient, atol=1e-9)
    J.backward()
    for name, leaf in p.items():
        np.testing.assert_array_equal(story[name].gradient, leaf.grad.numpy())


REUSED = """\
walk to loss: 5 ops, 2 leaves

given
  x : float64[2] = [1, 2], wants a gradient
  w : float64[2, 2] = [[1, 2], [3, 4]], wants a gradient

forward
  1. z : float64[2, 2] = mul(a=x, b=w)     a b
       a = x = [1, 2]
       b = w = [[1, 2], [3, 4]]
       z = [[1, 4], [3, 8]]
  2. v1 : float64[2, 2] = mul(a=z, b=z)     a b
       a = z = [[1, 4], [3, 8]]
       b = z = [[1, 4], [3, 8]]
       v1 = [[1, 16], [9, 64]]
  3. v2 : float64[] = sum(x=v1)     sum(x)
       x = v1 = [[1, 16], [9, 64]]
       v2 = 90
  4. v3 : float64[] = mean(x=x, dim=0)     sum(x) / n
       x = x = [1, 2]
       v3 = 1.5
  5. loss : float64[] = add(a=v2, b=v3)     a + b
       a = v2 = 90
       b = v3 = 1.5
       loss = 91.5

backward, from g = 1
  1. through loss = add(a=v2, b=v3), with g = 1
       to v2 as a: g
         local derivative 1, contribution 1
       gradient of v2 = 1 (finite difference 1)
       to v3 as b: g
         local derivative 1, contribution 1
       gradient of v3 = 1 (finite difference 1)
  2. through v3 = mean(x=x, dim=0), with g = 1
       to x as x: g / n for each of the n that were averaged
         local derivatives (a row for each result) [[0.5, 0.5]], contribution [0.5, 0.5]
         sum so far (1 of 2) [0.5, 0.5]
  3. through v2 = sum(x=v1), with g = 1
       to v1 as x: g for each that was summed
         local derivatives (a row for each result) [[1, 1, 1, 1]], contribution [[1, 1], [1, 1]]
       gradient of v1 = [[1, 1], [1, 1]] (finite difference [[1, 1], [1, 1]])
  4. through v1 = mul(a=z, b=z), with g = [[1, 1], [1, 1]]
       to z as a: g * b
         local derivative [[1, 4], [3, 8]], contribution [[1, 4], [3, 8]]
         sum so far (1 of 2) [[1, 4], [3, 8]]
       to z as b: g * a
         local derivative [[1, 4], [3, 8]], contribution [[1, 4], [3, 8]]
         sum so far (2 of 2) [[2, 8], [6, 16]]
       gradient of z = [[2, 8], [6, 16]] (finite difference [[2, 8], [6, 16]])
  5. through z = mul(a=x, b=w), with g = [[2, 8], [6, 16]]
       to x as a: g * b
         local derivative [[1, 2], [3, 4]], before un-broadcast [[2, 16], [18, 64]]
         un-broadcast: x was repeated along axis 0, so its parts are summed, [2, 2] to [2]: \
contribution [20, 80]
         sum so far (2 of 2) [20.5, 80.5]
       gradient of x = [20.5, 80.5] (finite difference [20.5, 80.5])
       to w as b: g * a
         local derivative [[1, 2], [1, 2]], contribution [[2, 16], [6, 32]]
       gradient of w = [[2, 16], [6, 32]] (finite difference [[2, 16], [6, 32]])

gradients, which backward adds to .grad
  x.grad += [20.5, 80.5]
  w.grad += [[2, 16], [6, 32]]"""


def reused() -> tuple[mg.Tensor, mg.Tensor, mg.Tensor]:
    """Return x and w, and a loss that uses z twice and x twice, once broadcast."""
    x = f64([1.0, 2.0], requires_grad=True)
    w = f64([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with watching():
        z = x * w
        loss = (z * z).sum() + x.mean(dim=0)
    return x, w, loss


def test_a_reused_and_broadcast_tensor_line_by_line() -> None:
    x, w, loss = reused()
    story = walk(loss)
    assert without_lines(str(story)) == REUSED
    loss.backward()
    np.testing.assert_array_equal(story["x"].gradient, x.grad.numpy())
    np.testing.assert_array_equal(story["w"].gradient, w.grad.numpy())


def test_lines_are_the_users() -> None:
    _, _, loss = reused()
    assert walk(loss)["z"].line.startswith("test_walk.py:")
    assert walk(loss)["z"].line.endswith(": z = x * w")


def test_a_walk_frees_nothing_and_leaves_grad_alone() -> None:
    x, _, loss = reused()
    walk(loss)
    assert x.grad is None
    loss.backward()
    assert x.grad is not None


def test_a_watched_graph_can_be_walked_after_backward() -> None:
    _, _, loss = reused()
    before = walk(loss).text()
    loss.backward()
    assert walk(loss).text() == before


def test_what_the_engine_freed_is_refused_with_the_cure() -> None:
    x = f64(2.0, requires_grad=True)
    loss = x * x
    loss.backward()
    with pytest.raises(mg.GraphError, match=r"explain before backward.*mg\.explain\.watching"):
        walk(loss)


def test_a_plain_loss_is_told_as_far_as_the_engine_kept_it() -> None:
    x = f64([1.0, 2.0], requires_grad=True)
    z = x * 3
    loss = ((z + 1) ** 2).mean()
    story = walk(loss)
    assert "computed without mg.explain.watching()" in story.note
    assert story["x"].value.tolist() == [1.0, 2.0]
    assert story["v1"].call_text == "mul(a=x, b=3)"
    assert story["v2"].call_text == "add(a=v1, b=?)"  # no derivative needs the 1
    assert story["v2"].value.tolist() == [4.0, 7.0]  # the square keeps it
    assert story["v1"].value.tolist() == [3.0, 6.0]  # computed again
    assert all(row.difference is None for row in story.rows)
    loss.backward()
    np.testing.assert_array_equal(story["x"].gradient, x.grad.numpy())


def test_a_story_stays_when_arrays_change() -> None:
    x = f64([0.5, 2.0], requires_grad=True)
    story = walk(mg.tanh(x).sum())
    before = story.text()
    with mg.no_grad():
        x -= 1.0
    assert story.text() == before


def test_a_plain_loss_of_which_all_is_known_has_differences() -> None:
    x = f64([0.5, 2.0], requires_grad=True)
    story = walk(mg.tanh(x) @ x)
    assert story.note == ""
    np.testing.assert_allclose(story["x"].difference, story["x"].gradient, rtol=1e-8)


def test_a_function_is_watched_while_it_runs() -> None:
    x = f64(3.0, requires_grad=True)
    story = walk(lambda t: t * t + 1, x)
    assert story.rows[-1].value == 10
    assert story["t"].gradient == 6
    with pytest.raises(TypeError, match="needs a Tensor, not int"):
        walk(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="only after a function"):
        walk(x, x)


def test_several_elements_need_a_gradient() -> None:
    x = f64([1.0, 2.0], requires_grad=True)
    with watching():
        y = x * x
    with pytest.raises(mg.GraphError, match="reduce it"):
        walk(y)
    story = walk(y, gradient=[0.5, -1.0])
    assert story["x"].gradient.tolist() == [1.0, -4.0]
    np.testing.assert_allclose(story["x"].difference, [1.0, -4.0], rtol=1e-8)


def test_a_huge_graph_is_refused_with_advice() -> None:
    x = f64(1.0, requires_grad=True)
    y = x
    for _ in range(300):
        y = y + x
    with pytest.raises(TooLargeError, match=r"more than 200 ops.*smaller case.*max_nodes=2000"):
        walk(y)
    assert len(walk(y, max_nodes=400, differences=False).rows) == 301
    assert len(tape(y).splitlines()) == 302


def test_a_deep_graph_needs_no_deep_stack() -> None:
    x = f64(1.0, requires_grad=True)
    y = x
    for _ in range(5000):
        y = y.tanh()
    assert len(tape(y, max_nodes=6000).splitlines()) == 5002


def test_large_tensors_are_summarised() -> None:
    x = f64(np.arange(100.0), requires_grad=True)
    with watching():
        loss = (x * x).sum()
    story = walk(loss)
    assert "  x : float64[100] = 100 values from 0 to 99, wants a gradient" in story.text()
    assert "  x.grad += 100 values from 0 to 198" in story.text()
    assert "98, 99]" in walk(loss, many=100).text()


def test_dear_differences_are_left_out_and_can_be_had() -> None:
    x = f64(np.linspace(0, 1, 900), requires_grad=True)
    with watching():
        y = x
        for _ in range(9):
            y = y * 1.1
        loss = y.sum()
    story = walk(loss)
    assert "left out" in story.note
    assert "differences=True" in story.note
    assert story["x"].difference is None
    assert walk(loss, differences=False).note == ""


def test_differences_can_be_asked_for() -> None:
    x = f64([0.3, 0.4], requires_grad=True)
    with watching():
        loss = mg.exp(x).sum()
    assert walk(loss, differences=False)["x"].difference is None
    assert walk(loss, differences=True)["x"].difference is not None


def test_a_kink_is_pointed_at() -> None:
    x = f64([0.0, 1.0], requires_grad=True)
    with watching():
        loss = mg.relu(x).sum()
    story = walk(loss)
    assert not story["x"].agrees
    assert "these two differ: a kink or jump" in story.text()


def test_a_wrong_rule_is_found_where_it_is() -> None:
    x = f64([0.5, 1.0], requires_grad=True)
    with watching():
        y = mg.tanh(x * 2)
        loss = y.square().sum()
    node = y.grad_fn
    (step,) = node.plan.steps
    wrong = step._replace(rule=lambda g, y: g * (1 + y * y))  # the sign
    node.plan = node.plan._replace(steps=(wrong,))
    story = walk(loss)
    assert [row.name for row in story.rows if not row.agrees] == ["x", "v1"]
    assert [row.name for row in story.rows if row.agrees] == ["y", "v2", "loss"]
    assert "or a wrong rule" in story.text()


@pytest.mark.parametrize("device", parameters())
def test_arrays_of_each_backend(device: str) -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True, device=device)
    w = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, device=device)
    c = mg.tensor([1.0, -1.0], device=device)
    with watching():
        z = x * w
        z.register_hook(lambda g: g * 2)
        loss = (mg.softmax(z + c, dim=1) @ c).square().mean()
    story = walk(loss)
    loss.backward()
    for name, leaf in (("x", x), ("w", w)):
        gradient = story[name].gradient
        assert type(gradient) is type(leaf.grad._array)
        np.testing.assert_array_equal(mg.tensor(gradient).cpu().numpy(), leaf.grad.cpu().numpy())
        difference = 2 * story[name].difference  # which knows of no hook
        np.testing.assert_allclose(difference, leaf.grad.cpu().numpy(), rtol=1e-4)
    assert story.html().isascii()


def test_a_hook_is_told() -> None:
    x = f64(3.0, requires_grad=True)
    with watching():
        y = x * 2
        y.register_hook(lambda g: g * 10)
        loss = y * y
    story = walk(loss)
    assert story["y"].hooked
    assert "gradient of y = 120 (a hook put it there)" in story.text()
    loss.backward()
    assert story["x"].gradient == x.grad.item() == 240


def test_a_change_in_place_is_followed() -> None:
    x = f64([1.0, 2.0], requires_grad=True)
    with watching():
        y = x * 2
        y += x
        y[0] = 5.0
        loss = y.sum()
    story = walk(loss)
    loss.backward()
    np.testing.assert_array_equal(story["x"].gradient, x.grad.numpy())
    assert [row.op for row in story.computed] == ["mul", "add", "index_put", "sum"]


def test_a_mutation_is_refused_as_in_backward() -> None:
    x = f64([1.0, 2.0], requires_grad=True)
    with watching():
        y = x.exp()
        loss = y.sum()
    y.data.mul_(2)
    with pytest.raises(mg.MutationError):
        walk(loss)


def test_dropout_keeps_its_mask_in_the_differences() -> None:
    mg.manual_seed(3)
    x = f64([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    with watching():
        loss = (mg.dropout(x, 0.5) ** 2).sum()
    story = walk(loss)
    assert 0 < np.count_nonzero(story["x"].gradient) < 4
    assert all(row.agrees for row in story.rows)
    drawn = mg.rand(3).tolist()
    mg.manual_seed(3)
    mg.dropout(x, 0.5)
    assert mg.rand(3).tolist() == drawn  # the walk drew nothing


def test_float32_is_told_as_float32() -> None:
    x = mg.tensor([0.1, 0.7], requires_grad=True)
    with watching():
        loss = mg.softmax(x * 3, dim=0)[0]
    story = walk(loss)
    assert story["x"].gradient.dtype == np.float32
    assert all(row.agrees for row in story.rows)
    loss.backward()
    np.testing.assert_array_equal(story["x"].gradient, x.grad.numpy())


def test_modules_and_parameters_have_their_paths() -> None:
    mg.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    inputs = mg.tensor([[1.0, -1.0]])
    with watching():
        loss = net(inputs).square().sum()
    story = walk(loss)
    assert {row.name for row in story.given} == {"inputs", "net.0.weight", "net.0.bias"}
    assert [row.module for row in story.computed] == ["net.0", "net.1", "", ""]
    assert "       in net.1" in story.text()


def test_names_of_variables_and_their_repetition() -> None:
    x = f64(0.5, requires_grad=True)
    layers = [f64(1.0, requires_grad=True), f64(2.0, requires_grad=True)]
    with watching():
        z = x
        for w in layers:
            z = mg.tanh(z * w)
        loss = z * 2
    names = [row.name for row in walk(loss).rows]
    assert len(set(names)) == len(names)
    assert names == ["x", "w", "v1", "z", "w.2", "v2", "z.2", "loss"]


def test_constants_alone_have_no_backward() -> None:
    with watching():
        y = f64([1.0, 2.0]) * 3
    story = walk(y)
    assert story.seed is None
    assert "no operand wants a gradient" in story.text()
    assert "backward" not in story.text().partition("forward")[2]


def test_watching_nests_in_nothing_and_ends() -> None:
    with watching(), pytest.raises(RuntimeError, match="cannot begin inside"), watching():
        pass
    x = f64(1.0, requires_grad=True)
    y = x * 2
    assert walk(y)["y"].line == ""


def test_notes_go_with_the_graph() -> None:
    def work() -> None:
        _, _, loss = reused()
        with watching():
            y = loss * 2
            y += loss
            constant = f64([1.0]) + 1
        assert len(_notes) >= before + 8
        walk(y + constant.sum())

    gc.collect()
    before = len(_notes)
    work()
    gc.collect()
    assert len(_notes) == before


def test_the_record_of_a_use() -> None:
    _, _, loss = reused()
    row = walk(loss)["x"]
    first, second = row.contributions
    assert (first.by, first.number, second.by, second.number) == ("v3", 1, "z", 2)
    assert second.summed_axes == (0,)
    assert second.raw.shape == (2, 2)
    assert second.latex == r"g \cdot b"
    assert walk(loss)["z"].latex == r"a\, b"
    with pytest.raises(KeyError, match="no row 'q'; there are: x, w, z"):
        walk(loss)["q"]


def test_rich_prints_the_same_words(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich", reason="rich is not installed")
    from minigrad.explain.terminal import print_walk

    _, _, loss = reused()
    print_walk(walk(loss))
    words = capsys.readouterr().out.split()
    assert words == walk(loss).text().split()


def test_show_prints_text_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, loss = reused()
    walk(loss).show()
    assert capsys.readouterr().out == walk(loss).text() + "\n"


def test_a_captured_function_is_replayed_while_watched() -> None:
    twice = mg.capture(lambda x: x * 2)
    x = mg.tensor([1.0, 2.0])
    twice(x)
    with mg.explain.watching():
        y = twice(x) + 1
    assert y.tolist() == [3.0, 5.0]
    assert len(twice.programs) == 1
    assert "mul" not in mg.explain.tape(y)
