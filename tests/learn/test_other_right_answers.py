"""A right answer that is written in another way than the solution passes too.

Each text is put behind the solution, so that its functions take the place of the solution's.
"""

from __future__ import annotations

import pytest

from minigrad.learn.exercises.exercise import answer_of, find_exercises
from minigrad.learn.exercises.grading import grade

EXERCISES = {exercise.short: exercise for exercise in find_exercises()}
OTHERS = {
    "01a": """
def layer_backward(g, W, a, b):
    return [g[:, None] * a, (W * g[:, None]).sum(0), g.copy()]
""",
    "01a, by minigrad": """
import minigrad as mg
def layer_backward(g, W, a, b):
    W, a, b = (mg.tensor(x, requires_grad=True) for x in (W, a, b))
    (W @ a + b).backward(mg.tensor(g))
    return W.grad, a.grad, b.grad
""",
    "01b": """
def gradients(weights, biases, x, y):
    a = forward(weights, biases, x)
    back = a[-1] - y
    found = []
    for W, b, before, after in reversed(list(zip(weights, biases, a[:-1], a[1:]))):
        back = back * after * (1 - after)
        found.append((np.einsum("i,j->ij", back, before), back))
        back = back @ W
    return [W for W, _ in found][::-1], [b for _, b in found][::-1]
""",
    "02a": """
def derivatives(end, nodes):
    # minigrad's way: count the uses, and let a node go when all its shares have come
    uses, waiting, seen = {}, [end], {end}
    while waiting:
        for operand, _ in waiting.pop().edges:
            uses[operand] = uses.get(operand, 0) + 1
            if operand not in seen:
                seen.add(operand)
                waiting.append(operand)
    sums, ready = {end: 1.0}, [end]
    while ready:
        node = ready.pop()
        for operand, slope in node.edges:
            sums[operand] = sums.get(operand, 0.0) + slope * sums[node]
            uses[operand] -= 1
            if not uses[operand]:
                ready.append(operand)
    return [float(sums.get(node, 0)) for node in nodes]
""",
    "02b": """
def block_backward(g, W, U, x):
    h = np.tanh(W @ x)
    dz = (g * (U @ h) + (g * h) @ U) / np.cosh(W @ x) ** 2
    return dz[:, None] * x, (g * h)[:, None] * h, g + dz @ W
""",
    "03a": """
def numeric_gradient(f, x):
    x = np.asarray(x, dtype=float).copy()
    found = np.empty_like(x)
    for i in np.ndindex(*x.shape):
        kept, values = x[i], []
        for k in (-2, -1, 1, 2):
            x[i] = kept + k * 1e-3
            values.append(f(x))
        x[i] = kept
        found[i] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / 12e-3
    return found
""",
    "03b": """
def step(V1, V2, X, T, rate):
    H = np.tanh(X @ V1)
    D = rate / X.shape[0] * (H @ V2 - T)
    return V1 - np.einsum("ni,nh->ih", X, D @ V2.T / np.cosh(X @ V1) ** 2), V2 - H.T @ D
""",
    "03c": """
def scaled_backward(g, a, b, c):
    def back(share, own):
        missing = share.ndim - own.ndim
        axes = [i for i in range(share.ndim) if i < missing or own.shape[i - missing] == 1]
        return share.sum(axis=tuple(axes), keepdims=True).reshape(own.shape)
    return back(g * b, a), back(g * a, b), back(g, c)
""",
    "04a": """
def prelu_backward(g, x, a):
    found = []
    for slope, own in ((np.where(x > 0, 1, a), x), (np.minimum(x, 0), a)):
        total = g * slope
        while total.ndim > own.ndim:
            total = total.sum(0)
        for axis, size in enumerate(own.shape):
            if size == 1:
                total = total.sum(axis, keepdims=True)
        found.append(total)
    return found
""",
    "04b": """
def draw(fan_in, fan_out, rng):
    return (rng.random((fan_out, fan_in)) - 0.5) * np.sqrt(24 / fan_in)
""",
    "05a": """
def cross_entropy(scores, labels):
    top = np.max(scores, axis=1)
    logs = scores - (top + np.log(np.sum(np.exp(scores - top[:, None]), axis=1)))[:, None]
    one_hot = np.eye(scores.shape[1])[labels]
    return -np.sum(one_hot * logs) / len(scores), (np.exp(logs) - one_hot) / len(scores)
""",
    "05b": """
class Net(nn.Module):
    def __init__(self, pixels, classes):
        super().__init__()
        self.a, self.b = nn.Linear(pixels, 20), nn.Linear(20, classes)
    def forward(self, x):
        return self.b(mg.tanh(self.a(x)))
def build(pixels, classes):
    return Net(pixels, classes)
def loss_of(outputs, labels):
    return mg.nll_loss(mg.log_softmax(outputs, -1), labels)
def step(model, optimiser, images, labels):
    model.zero_grad()
    loss = nn.CrossEntropyLoss()(model(images), labels)
    loss.backward()
    optimiser.step()
    return float(loss.detach())
""",
    "09a": """
def dropout(x, p, training, rng):
    if not training or p == 0:
        return x.copy(), np.ones_like(x)
    if p == 1:
        return 0 * x, 0 * x
    scale = rng.binomial(1, 1 - p, x.shape) / (1 - p)
    return scale * x, np.asarray(scale)
""",
    "09b": """
def accuracy(model, images, labels, batch):
    before, right = model.training, []
    with mg.no_grad():
        model.eval()
        for at in range(0, len(images), batch):
            scores = model(mg.tensor(images[at : at + batch]))
            right += (scores.argmax(1).numpy() == labels[at : at + batch]).tolist()
        model.train(before)
    return sum(right) / len(right)
""",
    "m1": """
def windows(image, kernel, stride):
    seen = np.lib.stride_tricks.sliding_window_view(image, (kernel, kernel))
    return seen[::stride, ::stride]
""",
    "m2": """
def backward(end):
    uses, waiting, seen = {}, [end], {end}
    while waiting:
        for operand, _ in waiting.pop().edges:
            uses[operand] = uses.get(operand, 0) + 1
            if operand not in seen:
                seen.add(operand)
                waiting.append(operand)
    sums, ready = {end: 1.0}, [end]
    while ready:
        node = ready.pop()
        node.grad += sums[node]
        for operand, slope in node.edges:
            sums[operand] = sums.get(operand, 0.0) + slope * sums[node]
            uses[operand] -= 1
            if not uses[operand]:
                ready.append(operand)
        node.edges = ()
""",
    "m3": """
def backward(end):
    order = operands_first(end)
    for variable in order:
        variable.grad = np.zeros_like(variable.data)
    end.grad = np.ones_like(end.data)
    for variable in order[::-1]:
        if variable.rule is not None:
            for parent, share in zip(variable.parents, variable.rule(variable.grad)):
                parent.grad = parent.grad + share
""",
    "m4": """
def relu(x):
    return np.maximum(x, 0)
def relu_backward(g, x):
    return g * (x > 0)
""",
    "m5": """
def causal_mask(n, dtype):
    return 1 - mg.triu(mg.ones(n, n, dtype=dtype), 1)
def attention(q, k, v, mask):
    scores = (q / q.shape[-1] ** 0.5) @ k.transpose(-1, -2)
    return mg.softmax(mg.where(mask > 0, scores, -math.inf), -1) @ v
""",
    "m6": """
import minigrad as mg
def is_right(forward, backward, x):
    out = np.asarray(forward(x))
    jacobian = np.empty((out.size, x.size))
    for column in range(x.size):
        e = 1e-5 * np.eye(x.size)[column].reshape(x.shape)
        jacobian[:, column] = np.ravel(forward(x + e) - forward(x - e)) / 2e-5
    for row in range(out.size):
        g = np.zeros(out.size)
        g[row] = -3.0
        found = backward(g.reshape(out.shape), x)
        if np.shape(found) != x.shape:
            return False
        if not np.allclose(np.ravel(found), -3 * jacobian[row], rtol=1e-5, atol=1e-7):
            return False
    return True
""",
    "m7": """
def power_is_right(power_backward, rng):
    verdicts = []
    for n in range(8):
        x, g = rng.normal(size=(2, 50)), rng.normal(size=(2, 50))
        found = np.asarray(power_backward(g, x, n))
        right = g * n * x ** max(n - 1, 0)
        verdicts.append(found.shape == x.shape and np.allclose(found, right))
    return all(verdicts)
""",
    "13a": """
def frugal(p, g, m, v, rate):  # piece by piece, and the means begin as copies
    results = p.copy(), m.copy(), v.copy()
    for a in range(0, len(p), 100):
        new_p, new_m, new_v = (x[a : a + 100] for x in results)
        piece = g[a : a + 100]
        new_m *= 0.9
        new_m += piece * 0.1
        new_v *= 0.999
        new_v += 0.001 * (piece * piece)
        new_p -= rate * (new_m / (np.sqrt(new_v) + 1e-8))
    return list(results)
""",
    "13b": """
def plan(sizes, first, last):  # byte by byte
    places = np.zeros(len(sizes), int)
    taken = {}
    for k in sorted(range(len(sizes)), key=lambda k: (-sizes[k], k)):
        calls = range(first[k], last[k] + 1)
        while any(b in taken.get(c, ()) for c in calls
                  for b in range(places[k], places[k] + sizes[k])):
            places[k] += 1
        for c in calls:
            taken.setdefault(c, set()).update(range(places[k], places[k] + sizes[k]))
    return places

def needed(places, sizes):
    return max(int(p) + int(s) for p, s in zip(places, sizes))
""",
}


def test_there_is_one_for_each_that_came_first() -> None:
    lessons = ("01", "02", "03", "04", "05", "09", "")
    first = {short for short, exercise in EXERCISES.items() if exercise.lesson in lessons}
    assert {name.partition(",")[0] for name in OTHERS} >= first


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_another_right_answer_passes(name: str) -> None:
    exercise = EXERCISES[name.partition(",")[0]]
    answer = answer_of(exercise.solution + OTHERS[name], "answer.py")
    for seed in (1, 2, 3):
        found = grade(answer, exercise.grader.checks, seed)
        assert found.passed, found
