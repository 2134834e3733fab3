# %% [markdown]
# # 13. Going fast: where a step's time goes, and how to get it back
#
# A step of a small network takes many times as long as its arithmetic. You will count where the
# rest goes: into Python, which is asked the same questions in every step, and into memory, which is
# asked for the same numbers again and again. `mg.capture` answers the first: it writes a step down
# once, as a program, and runs the program. Its passes answer the second. Then the work is shared by
# two cores. Each is switched off and on, and what it gains is measured here, on your machine. Two
# statements of the documents about pruning are judged by counting.
#
# No assertion of this lesson is about a time: times depend on the machine and on what else it does.
# What is asserted is counted: calls, operations, bytes; and that all ways give the same bits.

# %%
import math
import os
import sys
import time
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.backend.blas import blas_threads
from minigrad.data import load_iris
from minigrad.learn import BLUE, FAILS, GREEN, GREY, RED, begin
from minigrad.replay import PASSES, measure_rates

lesson = begin("13_going_fast", "Going fast: where a step's time goes, and how to get it back.")
if lesson.device.type != "cpu":
    print("this lesson measures the processor, and makes its tensors there")
    mg.set_default_device("cpu")


def in_turns(ways, seconds, each=1):
    """Return the shortest time of each way; they take turns, so that a busy moment hits all."""
    best = dict.fromkeys(ways, math.inf)
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < 3 or time.perf_counter() < end:
        for name, run in ways.items():
            start = time.perf_counter()
            for _ in range(each):
                run()
            best[name] = min(best[name], (time.perf_counter() - start) / each)
        rounds += 1
    return best


# %% [markdown]
# ## 1. What a step costs
#
# The network is D2's for the irises (its project): 4-64-64-3 with ReLU, cross-entropy, Adam, 32
# flowers at a time. How many operations does the arithmetic need? A product of an (m, k) and a
# (k, n) matrix takes $2 m k n$, half of them additions; forward there is one for each layer, and
# backward two, one for the weights' gradient and one for the input's (which the first layer is
# spared). The rest is small.

# %%
iris = load_iris()
rows = np.random.default_rng(0).permutation(150)[:32]
FLOWERS = mg.tensor(((iris.x - iris.x.mean(0)) / iris.x.std(0))[rows].astype(np.float32))
SPECIES = mg.tensor(iris.y[rows])
WIDTHS = (4, 64, 64, 3)


def perceptron():
    """Return D2's network, the same weights each time."""
    mg.manual_seed(0)
    layers = []
    for n, m in pairwise(WIDTHS):
        layers += [nn.Linear(n, m), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def training(net, optimiser, x, target):
    """Return a function that makes one training step and returns the loss."""

    def step():
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(net(x), target)
        loss.backward()
        optimiser.step()
        return loss

    return step


def iris_step():
    """Return a step of D2's network, and the network."""
    net = perceptron()
    return training(net, optim.Adam(net.parameters(), lr=1e-3), FLOWERS, SPECIES), net


pairs = list(pairwise(WIDTHS))
products = sum(2 * 32 * n * m * (3 if i else 2) for i, (n, m) in enumerate(pairs))
step, net = iris_step()
fast, slow = measure_rates(seconds=1.0)  # operations and bytes in a second
for _ in range(3):
    step()
took = in_turns({"step": step}, 0.5, each=10)["step"]
print(f"the products of a step take {products:,} operations")
print(f"a large product reaches {fast / 1e9:.0f} billion in a second here; at that rate they take")
print(f"{100 * products / fast / took:.1f} % of the time that the step takes")
assert products == 856_064

# %% [markdown]
# And the rest? Python can be asked to report each call of a function:

# %%


def python_calls(run):
    """Return how many functions are called, those written in Python and those built in."""
    found = 0

    def note(frame, event, argument):
        nonlocal found
        found += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return found


eager_calls = python_calls(step)
print(f"\none step of {len(pairs)} layers makes {eager_calls} calls of functions")
assert eager_calls > 200

# %% [markdown]
# Each call has a price, however small the arrays are. An operation on n numbers takes about
# $c + n / r$: a price c for the call, and n at a rate of r. Look for the n at which the second part
# begins to count, for NumPy's addition and for minigrad's, which also checks types and shapes and
# writes a node of the graph:

# %%
print("\n   numbers    np.add: time, of one number's   mg.add, with a graph, of np.add's")
first = None
for n in (1, 100, 10_000, 1_000_000):
    a, b, out = (np.ones(n, np.float32) for _ in range(3))
    ta, tb = mg.tensor(a, requires_grad=True), mg.tensor(b)
    found = in_turns(
        {"np": lambda a=a, b=b, o=out: np.add(a, b, out=o), "mg": lambda a=ta, b=tb: a + b},
        0.1,
        each=1 + 2000 // n,
    )
    first = first or found["np"]
    print(f"  {n:9,}  {found['np'] / first:16.1f}x  {found['mg'] / found['np']:26.1f}x")

# %% [markdown]
# A hundred numbers take hardly longer than one. The arrays of the iris network have 12 to 4,096
# numbers: its time is the price of the calls. There are two ways out. Give each call more to do:
# larger batches, larger layers (why a GPU waits for them so eagerly is the same thing again). Or
# call less.
#
# ## 2. Capture: the step as a program
#
# The step does the same in every iteration: the same calls of NumPy on arrays of the same shapes.
# What differs are the numbers in the arrays. So write down the calls once, with the arrays that
# they read and write, and repeat that list. This is `mg.capture`: the first call of the captured
# function runs it and records, all later ones replay. Forward, backward and the optimiser's update
# become one flat program:

# %%
captured = mg.capture(iris_step()[0])
for _ in range(3):
    captured()
program = captured.programs[-1]
lines = str(program).splitlines()
print()
print("\n".join(line[:118] for line in (*lines[:9], "  ...", *lines[-5:])))

# %% [markdown]
# Each line is one call, with the arrays (`t` belongs to the program, `m` was there before), shape,
# bytes read and written, and operations. What runs in the end is a Python function with a call in
# each line, and nothing to decide:

# %%
source = program.source.splitlines()
print()
print("\n".join(line[:100] for line in (*source[:7], "    ...", *source[-3:])))

# %% [markdown]
# Does it compute the same? Not nearly: the same bits. And how far is it from what a patient person
# would write by hand, without any engine? Here is that person's step: all arrays made beforehand,
# parameters and gradients in two long rows, so that Adam is ten calls and not ten for each layer.


# %%
def by_hand(net, x, target):
    """Return the same step in plain NumPy, on copies of the parameters, and the parameters."""
    values = [p.detach().numpy() for p in net.parameters()]
    flat = np.concatenate([v.ravel() for v in values])
    grad, mean, square, scratch = (np.zeros_like(flat) for _ in range(4))
    ends = np.cumsum([v.size for v in values])
    cut = [(e - v.size, e, v.shape) for e, v in zip(ends, values, strict=True)]
    p, g = ([row[a:e].reshape(s) for a, e, s in cut] for row in (flat, grad))
    outputs = [np.empty((len(x), len(b)), np.float32) for b in p[1::2]]
    deltas = [np.empty_like(y) for y in outputs]
    all_rows, taken = np.arange(len(x)), 0

    def step():
        nonlocal taken
        h = x
        for i, y in enumerate(outputs):
            np.matmul(h, p[2 * i].T, out=y)
            y += p[2 * i + 1]
            if i < len(outputs) - 1:
                np.maximum(y, 0, out=y)
            h = y
        d = deltas[-1]
        np.subtract(h, h.max(axis=1, keepdims=True), out=d)
        np.exp(d, out=d)
        d /= d.sum(axis=1, keepdims=True)
        loss = -np.log(d[all_rows, target]).mean()
        d[all_rows, target] -= 1
        d /= len(x)
        for i in range(len(outputs) - 1, -1, -1):
            np.matmul(d.T, outputs[i - 1] if i else x, out=g[2 * i])
            np.add.reduce(d, axis=0, out=g[2 * i + 1])
            if i:
                np.matmul(d, p[2 * i], out=deltas[i - 1])
                d = deltas[i - 1]
                d *= outputs[i - 1] > 0
        taken += 1
        np.multiply(mean, 0.9, out=mean)
        np.multiply(grad, 0.1, out=scratch)
        np.add(mean, scratch, out=mean)
        np.multiply(square, 0.999, out=square)
        np.multiply(grad, grad, out=scratch)
        np.multiply(scratch, 0.001, out=scratch)
        np.add(square, scratch, out=square)
        np.divide(square, 1 - 0.999**taken, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.add(scratch, 1e-8, out=scratch)
        np.divide(mean, scratch, out=scratch)
        np.multiply(scratch, 1e-3 / (1 - 0.9**taken), out=scratch)
        np.subtract(flat, scratch, out=flat)
        return loss

    return step, p


def bits(net):
    """Return a network's parameters as they lie in memory."""
    return b"".join(p.detach().numpy().tobytes() for p in net.parameters())


one, one_net = iris_step()
inner, two_net = iris_step()
two = mg.capture(inner)
three, three_p = by_hand(perceptron(), FLOWERS.numpy(), SPECIES.numpy())
for _ in range(50):
    losses = [float(one().item()), float(two().item()), float(three())]
apart = max(
    np.abs(a - b.detach().numpy()).max() for a, b in zip(three_p, one_net.parameters(), strict=True)
)
print(f"\nafter 50 steps: loss {losses[0]:.6f}, captured {losses[1]:.6f}, by hand {losses[2]:.6f}")
print(f"captured: the same bits; by hand: weights up to {apart:.0e} apart")
assert bits(one_net) == bits(two_net)
assert apart < 1e-4

replay_calls = python_calls(two)
times = in_turns({"eager": one, "captured": two, "by hand": three}, 1.5, each=10)
print(f"\nfunction calls in a step: eager {eager_calls}, captured {replay_calls}")
print("time of a step, of the time by hand: eager "
      f"{times['eager'] / times['by hand']:.1f}x, captured "
      f"{times['captured'] / times['by hand']:.2f}x")  # fmt: skip
assert replay_calls < eager_calls / 4

# %% [markdown]
# By hand is not always the limit: the engine's kernels are more carefully made than the step above.
#
# What is lost? A program goes by what was so while it was recorded. Shapes, dtypes, the modules'
# settings are looked at before each replay, and where they differ, the function is recorded anew.
# Python that looks *into* an array cannot be recorded: what it would decide next time is not known.
# minigrad refuses instead of guessing:

# %%


@mg.capture
def halve_if_large(x):
    """Return x, or half of it: which depends on its values."""
    return x / 2 if x.sum() > 10 else x


try:
    halve_if_large(mg.ones(3))
except mg.CaptureError as error:
    print(f"\nCaptureError: {str(error).partition('. ')[0]}.")
    refused = True
assert refused

# %% [markdown]
# NB: `torch.compile` cuts the function in two at such a place and goes on in between (a *graph
# break*), and generates C++ where minigrad arranges calls of NumPy. `jax.jit` refuses, as here.
#
# ## 3. Passes
#
# A program is a list, and lists can be improved before they run. Each *pass* looks for one thing:
#
# * **constants**: what depends on no argument and no parameter is computed once, while recording;
# * **subexpressions**: what was computed already is not computed again;
# * **copies**: a value that would be copied is computed where the copy would be;
# * **masks**: pooling hands a gradient to the largest pixel of each window, and ReLU behind it sets
#   it to 0 where that pixel is not positive: it is set to 0 before it is handed on, while there is
#   one number for each window and not four;
# * **dead_code**: what nobody reads is left out;
# * **fuse**: elementwise work on large arrays is done in pieces (section 4);
# * **lanes**: work that does not depend on each other, such as the tiles of a convolution, is put
#   into chains, each with all that follows for its tile, and a thread that is free takes the next;
#   only with several threads (section 7);
# * **plan**: arrays that are not needed at the same time share memory (section 6).
#
# None of them may change a bit of the result. Three functions to try them on: the iris step; a
# *wave*, $y = \sum \tanh(1.5 x + 0.25)\,\sigma(x)$ over a million numbers with its gradient, all
# elementwise; and the convolutional network of lesson 10 with 8 images, mostly products.

# %%
mg.manual_seed(1)
MILLION = mg.randn(1_000_000)
IMAGES, CLASSES = mg.randn(8, 3, 32, 32), mg.randint(0, 10, (8,))


def wave_step():
    """Return a function that computes y and its gradient, and the tensor that has the gradient."""
    x = MILLION.clone().requires_grad_()

    def wave():
        x.grad = None
        y = ((x * 1.5 + 0.25).tanh() * x.sigmoid()).sum()
        y.backward()
        return y

    return wave, x


def cnn_step(images=IMAGES, classes=CLASSES):
    """Return a step of lesson 10's network, and the network."""
    mg.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 8 * 8, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    return training(net, optim.SGD(net.parameters(), lr=0.01), images, classes), net


FUNCTIONS = {"iris": iris_step, "wave": wave_step, "CNN": cnn_step}
print("\ncalls and MB read and written, each pass after those above it")
print(f"{'':16}" + "".join(f"{name:>22}" for name in FUNCTIONS))
counted = {}
for k in range(len(PASSES) + 1):
    cells = []
    for name, make in FUNCTIONS.items():
        run = mg.capture(make()[0], passes=list(PASSES)[:k])
        for _ in range(3):  # the first steps of an optimiser differ: its state is made
            run()
        found = run.programs[-1]
        counted[name, k] = found
        cells.append(f"{len(found):10} {found.cost().nbytes / 1e6:8.2f} MB")
    label = "recorded" if k == 0 else f"+ {list(PASSES)[k - 1]}"
    print(f"{label:16}" + "".join(cells))
for name in FUNCTIONS:
    sizes = [len(counted[name, k]) for k in range(len(PASSES) + 1)]
    moved = [counted[name, k].cost().nbytes for k in range(len(PASSES) + 1)]
    assert sizes == sorted(sizes, reverse=True)
    assert moved == sorted(moved, reverse=True)
before_masks, after_masks = (
    counted["CNN", list(PASSES).index("masks") + later].cost().nbytes for later in (0, 1)
)
assert after_masks < before_masks

# %% [markdown]
# A pass that finds nothing leaves the numbers as they were; `lanes` is one here, on one thread. On
# the wave, one line stands out.
#
# ## 4. Fusion: read once, write once
#
# Recorded, the wave goes 20 times over arrays of a million numbers. Each call reads its operands
# from memory and writes its result there, 4 MB each, and the next call reads it back. A million
# numbers do not fit into the fast memory on the processor, the *cache*; pieces of some ten
# thousand do. So take a piece, do *all* calls on it, and only then the next piece. What is in
# between never leaves the cache: x is read, and the gradient is written.

# %%
unfused, fused = (
    counted["wave", list(PASSES).index("fuse") + later] for later in (0, 1)
)  # the program before the pass, and after it
before, after = unfused.cost(), fused.cost()
gone = "temporaries"
print(f"\nthe wave       {'calls':>8}{'operations':>14}{'bytes':>14}{gone:>14}")
for name, found, cost in (("unfused", unfused, before), ("fused", fused, after)):
    held = found.memory()["planned"]
    print(f"  {name:12} {len(found):8}{cost.flops:14,}{cost.nbytes:14,}{held:14,}")
assert before.flops == after.flops
assert before.nbytes > 10 * after.nbytes
assert after.nbytes <= 3 * 4 * 1_000_000 + 8  # x twice, the gradient once, the sum
assert fused.memory()["planned"] < unfused.memory()["planned"] / 50

# %% [markdown]
# The same number of operations, with less than a fourteenth of the traffic. The profiler shows the
# one line that is left, with all that is in it:

# %%
make, x = wave_step()
wave = mg.capture(make)
for _ in range(2):
    wave()
with mg.profile(memory=False) as profile:
    wave()
row = max(profile.instructions(), key=lambda row: row.time)
print(f"\n{row.name}\n  {row.bytes / 1e6:.1f} MB, the profile's time goes there by "
      f"{100 * row.time / sum(r.time for r in profile.instructions()):.0f} %")  # fmt: skip

plain, x_plain = wave_step()
assert plain().item() == wave().item()
assert x.grad.numpy().tobytes() == x_plain.grad.numpy().tobytes()

# %% [markdown]
# The same bits again, and the sum y too, though it is added up from pieces: addition rounds, so
# the order counts. NumPy adds in a tree of halves, and the pieces are cut where it cuts.
#
# ## 5. The roofline
#
# When does traffic count, and when arithmetic? Divide: operations for each byte, the *arithmetic
# intensity* I (S. Williams, A. Waterman and D. Patterson, 2009). A processor that does at most F
# operations and moves at most B bytes in a second reaches, at best,
#
# $$\min(F,\ B \cdot I)$$
#
# operations in a second. Drawn over I, that is a roof: a slope where memory is the limit, flat
# where arithmetic is. An addition of float32 has one operation for 12 bytes, always. A product of
# n x n matrices has $2 n^3$ for $12 n^2$ bytes, n / 6: the larger, the better. `program.cost()` has
# all these numbers, and, given the rates, the least time that each line can take:

# %%
n = 256
square = mg.tensor(np.random.default_rng(0).normal(size=(n, n)).astype(np.float32))
intensity = {}
for name, function in (("add", lambda a: a + a.T), ("matmul", lambda a: a @ a.T)):
    run = mg.capture(function, passes=[])
    run(square)
    line = run.programs[-1].cost().lines[0]
    intensity[name] = line.intensity
    print(f"{line.name:8} of {n} x {n}: {line.flops:11,} operations, {line.nbytes:8,} bytes, "
          f"{line.intensity:6.2f} for each byte")  # fmt: skip
assert intensity["add"] == 1 / 12
assert intensity["matmul"] == n / 6

# %% [markdown]
# Now all lines of two programs: those of the convolutional network, and the wave before and after
# fusion. The profiler gives each line's time, `cost` its operations and bytes.


# %%
def points(make, passes=None, times=12):
    """Return name, intensity and operations in a second, for each line of a captured function."""
    run = mg.capture(make()[0], passes=passes)
    for _ in range(3):
        run()
    with mg.profile(memory=False) as profile:
        for _ in range(times):
            run()
    cost = run.programs[-1].cost()
    best = {}
    for event in profile.events:
        if event.kind == "instruction":
            number = int(event.name.split()[1])
            best[number] = min(best.get(number, math.inf), event.own / 1e9)
    found = [(cost.lines[i], seconds) for i, seconds in best.items()]
    return [(c.name, c.intensity, c.flops / s) for c, s in found if c.flops > 10_000]


network = points(cnn_step)
spread, together = points(wave_step, []), points(wave_step)
near = max(measure_rates(size, 0.2)[1] for size in (32, 64))  # arrays that fit into the cache

figure, axes = plt.subplots(figsize=(9, 5.6), layout="constrained")
reach = np.logspace(-2, 3, 200)
axes.plot(reach, np.minimum(fast, slow * reach) / 1e9, color="black", label="roof: main memory")
axes.plot(reach, np.minimum(fast, near * reach) / 1e9, color="black", ls=":", label="roof: cache")
is_product = [name.startswith("matmul") for name, _, _ in network]
for label, colour, marker, chosen in (
    ("CNN: products", BLUE, "o", [q for q, yes in zip(network, is_product, strict=True) if yes]),
    ("CNN: all other calls", GREY, ".", [q for q, yes in zip(network, is_product, strict=True)
                                         if not yes]),
    ("wave, call by call", GREEN, "s", spread),
    ("wave, fused", RED, "*", together),
):  # fmt: skip
    axes.scatter([q[1] for q in chosen], [q[2] / 1e9 for q in chosen], c=colour, marker=marker,
                 s=160 if marker == "*" else 28, label=label, zorder=3)  # fmt: skip
axes.set(xscale="log", yscale="log", xlabel="arithmetic intensity (operations for each byte)",
         ylabel="speed (billion operations in a second)",
         title="What limits each call: the slope is memory, the flat part arithmetic")  # fmt: skip
axes.legend(loc="lower right")
axes.grid(alpha=0.3)
lesson.save(
    figure,
    "13_going_fast_roofline.png",
    "Each point is a line of a captured program. Elementwise calls follow the slopes, of main "
    "memory or of the cache, wherever their arrays are; large products reach the flat part. Fusion "
    "moves the wave to the right, where memory is not its limit any more.",
)
assert len(together) == 1
assert together[0][1] > 5 * max(q[1] for q in spread)

# %% [markdown]
# Operations are not alike: an exponential counts as one here, like an addition, and takes many.
# That is why the wave's star stays below the roof; and points may lie above the memory's roof, if
# their arrays are in the cache.
#
# The roof says what helps. To the left: move fewer bytes (fuse; smaller dtypes). To the right: do
# fewer operations. D1 (FAQ 4) advises *pruning*: parameters are taken out, which "lowers the
# complexity and so raises the speed of training and inference". Take out nine of ten weights of a
# layer of 1,024 units, once by setting the small ones to zero, and once by removing whole units:

# %%
mg.manual_seed(0)
layer = nn.Linear(1024, 1024)
batch = mg.randn(64, 1024)


def program_of(layer):
    """Return what a layer's forward costs."""
    with mg.no_grad():
        run = mg.capture(lambda x: layer(x))
        run(batch)
    return run.programs[-1].cost()


whole = program_of(layer)
W = layer.weight.detach().numpy()
thin = nn.Linear(1024, 1024)
thin.load_state_dict({"weight": np.where(np.abs(W) < np.quantile(np.abs(W), 0.9), 0, W),
                      "bias": layer.bias.detach().numpy()})  # fmt: skip
largest = np.sort(np.argsort(np.linalg.norm(W, axis=1))[-102:])
narrow = nn.Linear(1024, 102)
narrow.load_state_dict({"weight": W[largest], "bias": layer.bias.detach().numpy()[largest]})
kept = np.count_nonzero(thin.weight.detach().numpy()) / W.size
single, units = program_of(thin).flops / whole.flops, program_of(narrow).flops / whole.flops
assert abs(kept - 0.1) < 1e-3
print()
lesson.statement(
    "D1 FAQ", "pruning of single weights raises the speed of inference",
    single < 1,
    f"{100 * kept:.0f} % of the weights are left, and {100 * single:.0f} % of the operations",
    "a product takes as long with zeros as with other numbers, unless zeros are skipped by kernels "
    "made for it",
    expect=FAILS,
)  # fmt: skip
lesson.statement(
    "D1 FAQ", "pruning of whole units raises the speed of inference",
    units < 0.11,
    f"{100 * 102 / 1024:.0f} % of the units are left, and {100 * units:.0f} % of the operations",
)  # fmt: skip

# %% [markdown]
# ## 6. The memory plan
#
# Eager execution asks for memory for each result, and gives it back when nobody refers to it. A
# program knows beforehand from which line to which an array is needed: its *lifetime*. Arrays whose
# lifetimes do not overlap can have the same place, and an elementwise result can lie where its
# operand lay. To find the smallest plan is hard in general (it is a packing problem); the largest
# first, each as low as it goes, comes close:

# %%
print("\ntemporaries, in KB        one each     planned   alive at once")
for name in FUNCTIONS:
    held = counted[name, len(PASSES)].memory()
    cells = (held["unplanned"], held["planned"], held["alive"])
    print(f"  {name:18}" + "".join(f"{c / 1e3:13,.1f}" for c in cells))
    assert held["alive"] <= held["planned"] <= held["unplanned"]
    assert held["planned"] < held["unplanned"] / 2

# %% [markdown]
# "Alive at once" is the least that any plan of this order of calls could need. (The wave's pieces
# are not arrays of the program; they are the difference.) If two arrays get one place though both
# are alive, results are wrong, sometimes. Exercise 13b has such a plan.
#
# ## 7. Threads: one owner of the cores
#
# So far nearly everything was computed on one core. NumPy works on the thread that calls it, and
# only products of matrices go to its BLAS, a library which shares them among threads of its own.
# To a convolution that gives little. Its windows are copied into the rows of a matrix (lesson 10),
# a *tile* of them at a time, so that the matrix is still in the cache when the product reads it.
# But it is in the cache of the core that copied it: what one core copies, the other one has to
# fetch, for a product that takes little longer than the copy did. And while one core copies, pools
# or adds, the other one waits.
#
# So share out whole tiles: who copies a tile multiplies it, too. That is what
# `mg.set_num_threads(2)` does. Tiles of convolutions and pooling, pieces of large elementwise work
# and parts of large products lie ready, and a thread that is free takes the next.
#
# Both kinds of threads at once are worse than either: BLAS's helpers go on *spinning* for a while
# after each product, in case there comes another, and take a core from a thread that has work. The
# cores need one owner. They are BLAS's, who shares products well, until the first convolution or
# pooling that is large enough; from then on they are minigrad's, and BLAS is kept to one thread.
# `mg.capture` takes the same number of threads, if it is given none, and its pass `lanes` goes on
# with a tile where convolution ends: bias, ReLU and pooling stay on the core that has it in its
# cache.
#
# Off and on, for the network of lesson 10 with 64 images, which make several tiles:

# %%
mg.manual_seed(2)
BATCH = mg.randn(64, 3, 32, 32), mg.randint(0, 10, (64,))
usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
if usable == 1:
    print("\nthis machine has one core: two threads take turns on it, and can gain nothing")
SETTINGS = {"one thread": 1, "as at the start": None, "two of minigrad": 2}
blas_has = blas_threads()
if blas_has is None:
    print("\nthe threads of NumPy's BLAS cannot be set here: minigrad stays at one of its own")
    SETTINGS = dict.fromkeys(SETTINGS)  # all as at the start
steps, trained = {}, {}
for label in SETTINGS:
    eager_step, trained[label, "eager"] = cnn_step(*BATCH)
    inner, trained[label, "captured"] = cnn_step(*BATCH)
    steps[label] = {"eager": eager_step, "captured": mg.capture(inner)}
shortest = dict.fromkeys(trained, math.inf)
try:
    for _ in range(3):
        for label, count in SETTINGS.items():
            mg.set_num_threads(count)
            for way, run in steps[label].items():
                run()  # the first after a change takes the cores over
                shortest[label, way] = min(shortest[label, way], in_turns({way: run}, 0)[way])
finally:
    mg.set_num_threads(None)

print("\ntime of a step, of the eager one on one thread   eager   captured")
for label in SETTINGS:
    note = f" (BLAS has {blas_has or 'some'})" if label == "as at the start" else ""
    cells = (shortest[label, way] / shortest["one thread", "eager"] for way in steps[label])
    print(f"  {label + note:42}" + "".join(f"{c:9.2f}x" for c in cells))
alone = trained["one thread", "eager"]
apart = max(
    (a.detach() - b.detach()).abs().max().item()
    for net in trained.values()
    for a, b in zip(net.parameters(), alone.parameters(), strict=True)
)
same = all(bits(net) == bits(alone) for net in trained.values())
print("after 12 steps " + ("all have the same bits" if same else f"weights are {apart:.0e} apart"))
assert apart < 1e-5
assert mg.get_num_threads() == 1
assert blas_threads() == blas_has  # as it was

# %% [markdown]
# Why are the bits the same, whoever takes which tile? Work is cut by its sizes alone, each piece
# writes where no other does, and sums over tiles are added in their order. Only BLAS may round the
# parts of a large product otherwise than the whole: there the last bits may differ.
#
# Why is it not twice as fast? Both cores share the way to main memory, some of the work is not cut,
# and each piece has to be handed over, which takes some 40 microseconds: about half of the captured
# iris step. Small work stays on one thread.
#
# NB: PyTorch has `torch.set_num_threads`, too, and takes all cores unless told otherwise. minigrad
# takes one until it is told: the owner of the cores of a process should be chosen by who wrote it.
#
# ## 8. How it got fast
#
# Everything that has a switch, off and on. All ways take turns and make the same number of steps,
# so at the end all must have the same bits. All is on one thread, BLAS's products too, but for the
# last row.


# %%
def switches(make):
    """Return each way to run a function, and what it works on."""
    ways = {"everything on": None, "no capture": "eager", "no pass at all": []}
    ways |= {f"without {p}": [q for q in PASSES if q != p] for p in PASSES if p != "lanes"}
    ways["with two threads"] = "threads"
    runs, states = {}, []
    for name, passes in ways.items():
        run, state = make()
        states.append(state)
        if passes == "threads":
            runs[name] = mg.capture(run, threads=2)
        else:
            runs[name] = run if passes == "eager" else mg.capture(run, passes=passes)
        for _ in range(2):
            runs[name]()
    return runs, states


gains = {}
mg.set_num_threads(SETTINGS["one thread"])
try:
    for name, make in FUNCTIONS.items():
        runs, states = switches(make)
        found = in_turns(runs, 2 if name == "iris" else 4, each=10 if name == "iris" else 1)
        gains[name] = {k: t / found["everything on"] for k, t in found.items()}
        if name == "wave":
            seen = {s.grad.numpy().tobytes() for s in states}
        else:
            seen = {bits(s) for s in states}
        assert len(seen) == 1, f"{name}: a switch changed the result"
finally:
    mg.set_num_threads(None)
split = mg.capture(wave_step()[0], passes=[name for name in PASSES if name != "constants"])
split()
groups = [instr for instr in split.programs[-1].instrs if instr.kind == "fused"]
LABELS = list(gains["iris"])
print("\ntime without, of the time with everything on")
print(f"  {'':24}" + "".join(f"{name:>8}" for name in gains))
for label in LABELS:
    print(f"  {label:24}" + "".join(f"{gains[name][label]:7.2f}x" for name in gains))
print("in all rows and columns: the same bits")
print(f"the wave without the pass 'constants': {len(groups)} groups instead of 1, "
      f"{split.programs[-1].cost().nbytes / after.nbytes:.1f} times the bytes")  # fmt: skip
assert len(groups) == 2
assert split.programs[-1].cost().nbytes > 3 * after.nbytes

figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
for k, (name, colour) in enumerate(zip(gains, (BLUE, RED, GREEN), strict=True)):
    heights = [gains[name][label] for label in LABELS]
    places = np.arange(len(LABELS)) + 0.27 * (k - 1)
    bars = axes.barh(places, heights, 0.25, color=colour, label=name)
    axes.bar_label(bars, fmt="%.2f", fontsize=7, padding=2)
axes.axvline(1, color="black", lw=0.8, zorder=0)
axes.set_yticks(range(len(LABELS)), LABELS)
axes.invert_yaxis()
axes.set(xlabel="time of a step, of the time with everything on (1 = no difference)",
         title="What each switch gains, measured in turns")  # fmt: skip
axes.legend(loc="lower right")
lesson.save(
    figure,
    "13_going_fast_gains.png",
    "Capture is what the iris network needs, and the wave its passes; the products of the "
    "convolutional network leave less to gain. A bar at 1 means: nothing to find for that pass.",
)

# %% [markdown]
# What you see differs from machine to machine by its numbers, less by its order; a bar within some
# percent of 1 is noise. Switches do not simply multiply: without fusion, the plan still puts the
# wave's twenty results into a few places that stay in the cache, and without the plan, fusion does
# away with the results. So each alone hides what the other is worth; without both, you see it. And
# a pass may matter by what it lets another do: the gradient of the wave's sum begins with an array
# of a single 1. If that is made anew each time, between forward and backward, then the group is cut
# in two there, and what both halves need goes through memory. Folding the constant joins them. Two
# threads gain what the second core has to spare, and nothing on small arrays; the 8 images of the
# network here make so few tiles that there is little to share.
#
# The rest of the way has no switch. These figures were measured when the parts were made, on two
# cores of a server with one thread where nothing else is said, by the old way and the new in turns,
# and are not measured again here:
#
# | technique | gain then |
# | --- | --- |
# | *calls* | |
# | Adam on one long row of all parameters, and in pieces: 1.9 million parameters | 12.3 to 2.4 ms |
# | numbers as arrays without axes, which NumPy takes faster | 0.48 to 0.27 us a call |
# | the update written into the program call by call, not called as Python | 1.32x (iris) |
# | changes noted without a look at the stack | 1.10x (iris) |
# | products by `np.dot`, which asks less than `np.matmul` | 1.06x (iris) |
# | one generated expression tells whether a call is of a known kind | 1.05x (iris) |
# | gradients side by side as the parameters are: no copies for the update | 1.03x (iris) |
# | *memory traffic* | |
# | ReLU's backward as a product with a mask of bools | 13x to 15x |
# | softmax and cross-entropy in one kernel | 1.6x to 3x |
# | bias gradients as a product with ones | 3.8x to 4.4x |
# | layer norm with the mean as a product, in place | 3.4x |
# | max pooling as a maximum of strided views, not of windows | 16x to 37x |
# | convolution with channels last | 2.3x, both ways |
# | dropout from 16 bits a number of a fast generator | 3.3x |
# | softmax in place, in blocks of rows | 1.3x to 1.6x |
# | convolution's gradient of images: begun by a row of the kernel, not by zeros | 9.6 to 6.7 ms |
# | ReLU's blocks written where they belong, not copied there | 0.82 to 0.57 ms |
# | *threads: the CNN with 64 images on both cores* | |
# | tiles shared by minigrad's threads, not products by BLAS's | 44.9 to 31 ms |
# | the same, captured | 35.7 to 24.3 ms |
# | a part handed over by a queue and a lock, not by a `ThreadPoolExecutor` | 80 to 40 us |
# | *memory* | |
# | a recording lets go of arrays when the function does: the CNN's process | 340 to 114 MB |
# | chains follow the tiles: the CNN's plan for two threads | 138 to 38 MB |
# | *tried, and not kept* | |
# | threads for small arrays | slower |
# | layer norm and batch norm in blocks of rows | 5 % to 15 % slower |
#
# (The CNN by hand in NumPy, on two threads as well, took 24 to 30 ms in the same runs.) Measured by
# `python -m benchmarks` against PyTorch and against NumPy by hand: see the README.

# %%
print()
lesson.finish()

# %% [markdown]
# ## Exercises
#
# Those that are graded: `python -m minigrad lessons next 13`. They ask for an update of parameters
# without a spare array and with the same bits (13a), and for the bugs of a memory plan that lets
# two arrays which are alive share a place (13b). And to try in this file:
#
# 1. At which batch size does the iris step take twice as long as with 32 flowers? Explain it from
#    the table in section 1.
# 2. Print `program.cost(*measure_rates())` for the iris step. How many times its floor does it
#    take? Which line is nearest to its own?
# 3. Capture the step of lesson 11's network. Which pass finds most, and why?
#
# This was the last lesson. What comes next is yours: take a document that you have to believe, and
# compute its numbers.
