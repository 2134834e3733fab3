# %% [markdown]
# # 2. The chain rule is a graph, and its order matters
#
# You will see a value used twice, and a backward pass that visits everything and is still wrong:
# 21 where 39 is right. Then why waiting cures it, what it costs not to wait (two to the power of
# the depth), and the rule by which minigrad waits. Last, a network trained with the wrong order:
# its loss falls all the same, which is how such a mistake lives on.

# %%
import itertools
import math
import sys
import time

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.check.scalar import Value, in_order
from minigrad.learn import BLUE, DIFFERENCES, GREY, RED, begin

ORDERS = ("topological", "first-met", "depth-first")
lesson = begin(
    "02_chain_rule",
    "The chain rule is a graph, and its order matters.",
    {"--order": {"default": ORDERS[0], "choices": ORDERS, "help": "what section 3 walks in"}},
)

# %% [markdown]
# ## 1. What the document says
#
# Section 4.2 of D0 describes backpropagation as one walk: begin at the output, and take the layers
# one by one back to the input. Section 4.3 does so with
#
# $$\frac{\partial J}{\partial a_2} =
#   \frac{\partial J}{\partial a_3} \cdot \frac{\partial a_3}{\partial a_2}.$$
#
# In a chain, where each layer feeds the next and nothing else, that is the whole chain rule. (The
# Jacobian that the document puts in is wrong, but that is for lesson 3.) Judge the rule on the
# repaired network of lesson 1, with each Jacobian from central differences:

# %%
W = [np.array([[0.1, 0.2], [0.3, 0.4]]), 0.5 * np.eye(2), 0.7 * np.eye(2)]
b = [np.array([0.1, 0.2]), np.array([0.1, 0.2]), np.array([0.2, 0.3])]
TARGET = np.array([0.0, 1.0])


def layer(number, a):
    """Return the activations of a sigmoid layer, from those of the layer before."""
    return 1 / (1 + np.exp(-(W[number - 1] @ a + b[number - 1])))


def jacobian(f, at, h=1e-6):
    """Return the derivatives of f's outputs (rows) by its inputs (columns)."""
    columns = [(f(at + h * e) - f(at - h * e)) / (2 * h) for e in np.eye(len(at))]
    return np.stack(columns, axis=-1)


def loss(a3):
    """Half the squared error."""
    return 0.5 * np.sum((TARGET - a3) ** 2)


a1 = layer(1, np.array([1.0, 2.0]))
a2 = layer(2, a1)
a3 = layer(3, a2)
lesson.formula(
    "D0 4.3",
    "dJ/da2 = dJ/da3 . da3/da2, layer after layer",
    lambda: jacobian(loss, a3) @ jacobian(lambda a: layer(3, a), a2),
    jacobian(lambda a: loss(layer(3, a)), a2),
    "in a chain",
    check=DIFFERENCES,
)

# %% [markdown]
# Now add a shortcut, as each block of a transformer has one (D0 2.3 builds on transformers): let
# the output be a3 + a1. Then a1 is used twice, and the walk through layers 3 and 2 misses half of
# the story.

# %%
chain = jacobian(loss, a3 + a1) @ jacobian(lambda a: layer(3, a), a2)
chain = chain @ jacobian(lambda a: layer(2, a), a1)
shortcut = jacobian(loss, a3 + a1)
right = jacobian(lambda a: loss(layer(3, layer(2, a)) + a), a1)
print("\nwith a shortcut from a1 to the output, dJ/da1")
print(f"  through the layers only  {chain[0]:10.6f} {chain[1]:10.6f}")
print(f"  through the shortcut     {shortcut[0]:10.6f} {shortcut[1]:10.6f}")
print(f"  their sum                {(chain + shortcut)[0]:10.6f} {(chain + shortcut)[1]:10.6f}")
print(f"  central difference       {right[0]:10.6f} {right[1]:10.6f}")
assert np.abs(chain + shortcut - right).max() < 1e-8
assert np.abs(chain - right).max() > 0.5

# %% [markdown]
# ## 2. The sum over all ways
#
# Draw a computation as a graph: a node for each number, an arrow from each operand to what was
# computed from it, and on the arrow the slope. The chain rule for graphs:
#
# $$\frac{\partial y}{\partial x} = \sum_{\text{ways from } x \text{ to } y}\;
#   \prod_{\text{arrows on the way}} \text{slope}$$
#
# The smallest graph that needs the sum is a diamond. With x = 2: a = 3x = 6, b = a + 1 = 7 and
# y = a b = 42. On paper y = 9x^2 + 3x, so that dy/dx = 18x + 3 = 39.


# %%
def diamond():
    """Return the four values of the diamond by name."""
    x = Value(2)
    a = 3 * x
    b = a + 1
    y = a * b
    return {"x": x, "a": a, "b": b, "y": y}


def ways(end, start):
    """Return each way from end back to start: the list of its slopes."""
    if end is start:
        return [[]]
    return [[slope().data, *rest] for operand, slope in end.edges for rest in ways(operand, start)]


nodes = diamond()
print("\nthe diamond: ways from y back to x")
for slopes in ways(nodes["y"], nodes["x"]):
    print(f"  {' * '.join(f'{s:g}' for s in slopes)} = {math.prod(slopes):g}")
total = sum(math.prod(slopes) for slopes in ways(nodes["y"], nodes["x"]))
print(f"  their sum: {total:g}")
assert sorted(math.prod(s) for s in ways(nodes["y"], nodes["x"])) == [18, 21]
assert total == 39

# %% [markdown]
# ## 3. One visit for each node
#
# Nobody enumerates ways. A backward pass keeps a running sum in each node, visits the nodes in
# some order, and at a visit hands each operand its share: the node's sum times the slope. That
# is right if a node's sum is *complete* when it is visited. Three orders:
#
# - **topological**: a node comes after all that was computed from it (the engine of lesson 1);
# - **first-met**: from the end, in the order in which nodes are met, near ones first;
# - **depth-first**: from the end, always on to an operand that was not yet met.


# %%
def topological(end):
    """Return the nodes behind end, each after all that was computed from it."""
    return in_order(end)[::-1]


def first_met(end, *, deep=False):
    """Return the nodes behind end as a search meets them: near ones first, or deep ones."""
    waiting, met = [end], []
    while waiting:
        node = waiting.pop(0)
        if node in met:
            continue
        met.append(node)
        operands = [operand for operand, _ in node.edges]
        waiting = operands + waiting if deep else waiting + operands
    return met


def depth_first(end):
    """Return the nodes behind end, each before its operands, one branch after the other."""
    return first_met(end, deep=True)


SEARCH = dict(zip(ORDERS, (topological, first_met, depth_first), strict=True))


def backward(end, order, show=None):
    """Visit the nodes once, in this order, and return each one's sum; show(node, sum) them."""
    sums = dict.fromkeys(order, 0.0)
    sums[end] = 1.0
    for node in order:
        if show:
            show(node, sums[node])
        for operand, slope in node.edges:
            if operand in sums:  # constants are in the graph as well; nobody asks for theirs
                sums[operand] += sums[node] * slope().data
    return sums


def show_visit(node, so_far):
    """Print a visit to one of the diamond's named nodes."""
    for name, named in nodes.items():
        if named is node:
            hands_on = [
                f"{so_far * slope().data:g} to {other}"
                for operand, slope in node.edges
                for other, value in nodes.items()
                if value is operand
            ]
            print(f"  visit {name} with {so_far:g}: " + (", ".join(hands_on) or "end of the way"))


print(f"\nthe diamond, visited in the {lesson.options.order} order")
backward(nodes["y"], SEARCH[lesson.options.order](nodes["y"]), show_visit)

print("\norder          dy/da  dy/db  dy/dx")
found = {}
for name in ORDERS:
    found[name] = backward(nodes["y"], SEARCH[name](nodes["y"]))
    a, b_, x = (found[name][nodes[n]] for n in "abx")
    print(f"  {name:12} {a:5g}  {b_:5g}  {x:5g}")
assert found["topological"][nodes["x"]] == 39
assert found["first-met"][nodes["x"]] == found["depth-first"][nodes["x"]] == 21
assert all(sums[nodes["a"]] == 13 for sums in found.values())

# %% [markdown]
# Look at `a` in the wrong orders: its sum ends right, 13. But at its visit it was 7, so that x got
# 7 * 3 = 21. The share that b brought later, 6, was never handed on. Nothing crashed, nothing is
# NaN, and the next gradient is a wrong number of a likely size.
#
# Are there other right orders? After y, the other three can come in six ways; try them all:

# %%
print("\nevery order that begins with y")
good = []
for rest in itertools.permutations("abx"):
    sums = backward(nodes["y"], [nodes[n] for n in ("y", *rest)])
    print(f"  y {' '.join(rest)}: dy/dx = {sums[nodes['x']]:g}")
    if sums[nodes["x"]] == 39:
        good.append(rest)
assert good == [r for r in itertools.permutations("abx") if r.index("b") < r.index("a")]

# %% [markdown]
# Exactly those are right in which b comes before a: the one node that has something to collect
# *and* something to hand on. Where x comes does not matter, it hands nothing on. So a chain of
# layers is right in every order that a search can find, and tests on chains find nothing.


# %%
def draw_diamond(axes, order, colour, title):
    """Draw the diamond with its values, slopes, and what each node hands on in this order."""
    places = {"x": (0, 0), "a": (1, 0), "b": (2, 0.75), "y": (3, 0)}
    visits = {}
    backward(
        nodes["y"], SEARCH[order](nodes["y"]), lambda n, s: visits.update({n: (len(visits), s)})
    )
    named = sorted((n for n in visits if n in nodes.values()), key=lambda n: visits[n][0])
    for number, node in enumerate(named, start=1):
        name = next(k for k, v in nodes.items() if v is node)
        text = f"{name} = {node.data:g}\nvisit {number}\nwith {visits[node][1]:g}"
        axes.text(
            *places[name], text, ha="center", va="center", fontsize=9, zorder=3,
            bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": colour, "linewidth": 2},
        )  # fmt: skip
    for start, end, slope in (("x", "a", 3), ("a", "b", 1), ("b", "y", 6), ("a", "y", 7)):
        (x0, y0), (x1, y1) = places[start], places[end]
        axes.annotate(
            "", (x1, y1), (x0, y0),
            arrowprops={"arrowstyle": "-|>", "color": GREY, "shrinkA": 34, "shrinkB": 36},
        )  # fmt: skip
        side = "center" if y0 == y1 else "right" if y1 > y0 else "left"
        middle = ((x0 + x1) / 2, (y0 + y1) / 2 + 0.04)
        axes.text(*middle, f" slope {slope} ", ha=side, va="bottom", fontsize=9, color=GREY)
    axes.set_xlim(-0.5, 3.5)
    axes.set_ylim(-0.45, 1.15)
    axes.axis("off")
    axes.set_title(title, color=colour)


figure, sides = plt.subplots(1, 2, figsize=(13, 3.9), layout="constrained")
draw_diamond(sides[0], "topological", BLUE, "topological order: a waits for b, dy/dx = 39")
draw_diamond(sides[1], "first-met", RED, "first-met order: a hands on 7 of 13, dy/dx = 21")
figure.supxlabel(
    "in a box: the value, the place in the order of visits, and the gradient that it has then; "
    "on an arrow: the slope",
    fontsize=9,
)
lesson.save(
    figure,
    "02_chain_rule_diamond.png",
    "The diamond twice: where a waits for b, dy/dx is 39; where it does not, a hands on 7 of its "
    "13, and dy/dx is 21.",
)

# %% [markdown]
# ## 4. The price of not waiting
#
# There is another cure: hand *every* share on at once, again and again. That is the sum over all
# ways, and it is right. But put diamonds into a row, v + v of v + v of ..., and the ways double
# with each. Count the multiplications.


# %%
def doublings(depth):
    """Return the start and the end of a row of diamonds: each value is the last one plus itself."""
    start = end = Value(1)
    for _ in range(depth):
        end = end + end
    return start, end


def by_ways(end, start):
    """Hand on every share at once; return the derivative, and the number of multiplications."""
    derivative, count, waiting = 0.0, 0, [(end, 1.0)]
    while waiting:
        node, share = waiting.pop()
        if node is start:
            derivative += share
        for operand, slope in node.edges:
            waiting.append((operand, share * slope().data))
            count += 1
    return derivative, count


depths = range(1, 15)
counts, seconds = [], []
for depth in depths:
    start, end = doublings(depth)
    before = time.perf_counter()
    derivative, count = by_ways(end, start)
    seconds.append(time.perf_counter() - before)
    counts.append(count)
    order = topological(end)
    edges = sum(len(node.edges) for node in order)
    assert derivative == backward(end, order)[start] == 2**depth
    assert count == 2 ** (depth + 1) - 2
    assert edges == 2 * depth

each = seconds[-1] / counts[-1]
print(
    f"\n{depths[-1]} diamonds: {counts[-1]:,} multiplications by ways, {2 * depths[-1]} by waiting"
)
start, end = doublings(50)
before = time.perf_counter()
derivative = backward(end, topological(end))[start]
waited = time.perf_counter() - before
years = each * (2**51 - 2) / (365.25 * 24 * 3600)
print(f"50 diamonds: 100 multiplications by waiting, {1e3 * waited:.1f} ms")
print(f"  by ways 2,251,799,813,685,246: at {1e6 * each:.1f} us each, {years:,.0f} years")
assert derivative == 2.0**50
assert years > 1

# %% [markdown]
# ## 5. How minigrad waits
#
# The engine of lesson 1 makes a list of all nodes, sorted. minigrad needs no list: it counts for
# each node in how many places it was used, and lets a node go when so many shares have arrived
# (read `minigrad/engine/backward.py`). A hook, a function that is called with the complete
# gradient of a tensor, shows the order.

# %%
x = mg.tensor(2.0, dtype=mg.float64, requires_grad=True)
a = 3 * x
b = a + 1
y = a * b
arrived = []
for name, tensor in (("x", x), ("a", a), ("b", b), ("y", y)):
    tensor.register_hook(lambda g, name=name: arrived.append((name, g.item())))
y.backward()
print("\nminigrad, gradients in the order in which they are complete")
print("  " + ", ".join(f"{name}: {g:g}" for name, g in arrived))
assert arrived == [("y", 1.0), ("b", 6.0), ("a", 13.0), ("x", 39.0)]

v = start = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
for _ in range(50):
    v = v + v
v.backward()
print(f"  50 diamonds: {start.grad.item():,.0f}")
assert start.grad.item() == 2.0**50

v = start = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
for _ in range(5000):
    v = 0.5 * v + 0.5 * v
v.backward()
print(f"  5,000 of 0.5 v + 0.5 v, deeper than Python's recursion: {start.grad.item():g}")
assert start.grad.item() == 1.0
assert sys.getrecursionlimit() < 5000

# %% [markdown]
# NB: PyTorch counts in the same way, in C++. There, as here, `backward` *adds* to `.grad`, which is
# why training loops set it to zero, and a second backward through the same graph is refused
# unless the first one had `retain_graph=True`.
#
# ## 6. Trained with the wrong order
#
# A small network with a shortcut, fitted to 12 points of a sine: h = tanh(w x + c), then the
# output h (u h + d), where h is used twice. The same first numbers, the same rate, 150 steps.


# %%
def error_of(parameters, points):
    """Return the mean squared error of the network, as a Value."""
    w, c, u, d = parameters
    total = Value(0)
    for x, target in points:
        h = (w * x + c).tanh()
        total = total + (h * (u * h + d) - target) ** 2
    return total * (1 / len(points))


def train(order, steps=150, rate=0.3):
    """Fit by gradient descent with gradients from this order; return the errors."""
    points = [(x, math.sin(2 * x) / 2) for x in np.linspace(-1, 1, 12)]
    numbers = [0.5, 0.3, 0.8, -0.4]
    errors = []
    for _ in range(steps):
        parameters = [Value(n) for n in numbers]
        end = error_of(parameters, points)
        sums = backward(end, SEARCH[order](end))
        errors.append(end.data)
        numbers = [n - rate * sums[p] for n, p in zip(numbers, parameters, strict=True)]
    return errors


histories = {name: train(name) for name in ("topological", "first-met")}
print("\nmean squared error, before and after 150 steps")
for name, errors in histories.items():
    print(f"  {name:12} {errors[0]:.4f}  {errors[-1]:.6f}")
assert min(histories["first-met"]) < 0.6 * histories["first-met"][0]
assert histories["first-met"][-1] > 1.2 * min(histories["first-met"])
assert histories["topological"][-1] < 0.5 * histories["first-met"][-1]

# %% [markdown]
# The wrong order *learns*, at first: its error falls by nearly a half, then it creeps up again. Who
# has no second number to compare with will look for the fault in the rate, the data, the first
# weights. The second number is the subject of the next lesson.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
left.semilogy(depths, counts, "o-", color=RED, markersize=4, label="by ways: $2^{n+1} - 2$")
left.semilogy(depths, [2 * n for n in depths], "s-", color=BLUE, markersize=4, label="waiting: 2n")
left.set_xlabel("diamonds in a row, n")
left.set_ylabel("multiplications")
left.set_title("What it costs not to wait")
left.legend()
for (name, errors), colour, line in zip(histories.items(), (BLUE, RED), ("-", "--"), strict=True):
    right.plot(errors, line, color=colour, label=f"{name}: ends at {errors[-1]:.4f}")
right.set_xlabel("step of gradient descent")
right.set_ylabel("mean squared error")
right.set_ylim(bottom=0)
right.set_title("A network with a shortcut, trained with either order")
right.legend()
figure.supxlabel(
    "left: v + v, repeated; right: h (u h + d), h = tanh(w x + c), fitted to 12 points of a sine, "
    "rate 0.3",
    fontsize=9,
)
lesson.save(
    figure,
    "02_chain_rule_cost.png",
    "Left: multiplications double with each diamond if nobody waits. Right: a network trained with "
    "the wrong order learns at first, and stays behind.",
)
lesson.finish()

# %% [markdown]
# ## Exercises
#
# Those that are graded: `python -m minigrad lessons next 2`. And to try in this file:
#
# 1. Run the lesson with `--order depth-first`. At which visit does the share get lost?
# 2. Find the bug: an engine frees a node as soon as it is visited for the first time, and skips it
#    when another share arrives. What does it give for dy/dx of the diamond? And for b = a + a?
# 3. Swap the factors of y, to `b * a`. Which of the wrong orders give 39 now, and why is that no
#    cure? Find a graph of five nodes on which first-met fails again.
# 4. How many ways lead from the end of a row of n diamonds with three arrows each (v + v + v) to
#    its start? How many multiplications do waiting and not waiting take?
# 5. Write `topological` yourself in minigrad's way: count for each node in how many places it was
#    used, and let it go when the count is down to zero.
#
# Next: lesson 3 asks how one knows that a gradient is right, and how that check can be fooled.
