# %% [markdown]
# # 4. Activations: why gradients vanish, explode, or die
#
# You will see six activation functions with their slopes, then a gradient on its way back through
# thirty layers, for each activation and four ways to draw the first weights. Each layer multiplies
# its length by two factors, one of the slopes and one of the weights, and the product of the two
# decides everything. The document D2 gives other reasons, and cures; both are measured. Last, a
# unit that is 0 for every input, and why it never comes back.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import load_digits
from minigrad.learn import DIFFERENCES, FAILS, NOT_COMPUTABLE, begin

lesson = begin("04_activations", "Why gradients vanish, explode, or die.")

# %% [markdown]
# ## 1. Six functions and their slopes
#
# D2 (mathematics, part 1) names three: ReLU, max(0, x); the sigmoid, 1 / (1 + e^-x), with values
# between 0 and 1; tanh, (e^x - e^-x) / (e^x + e^-x), between -1 and 1. Three younger ones stand
# beside them: leaky ReLU with a slope of 0.01 on the left, SiLU, x sigmoid(x), and GELU, x times
# the share of the normal distribution below x.
#
# The slopes come from backward. Each output depends on its own input alone, so that for once the
# cotangent may be ones (lesson 3).

# %%
ACTIVATIONS = {
    "sigmoid": (mg.sigmoid, "#c8102e", "-"),
    "tanh": (mg.tanh, "#e08a00", "-"),
    "ReLU": (mg.relu, "#0b5fa5", "-"),
    "leaky ReLU": (mg.leaky_relu, "#0b5fa5", ":"),
    "SiLU": (mg.silu, "#2e7d32", "--"),
    "GELU": (mg.gelu, "#6a3d9a", "-."),
}


def slopes_of(f, at):
    """Return the slope of an elementwise function at each of these points."""
    z = mg.tensor(at, requires_grad=True)
    f(z).sum().backward()
    return z.grad.cpu().numpy()


grid = np.linspace(-5, 5, 1001)
print("activation    largest slope   slope at -5   at 0    at 5")
largest = {}
for name, (f, _, _) in ACTIVATIONS.items():
    slopes = slopes_of(f, grid)
    largest[name] = slopes.max()
    left, middle, right = slopes[[0, 500, 1000]]
    print(f"  {name:10} {largest[name]:12.4f} {left:14.5f} {middle:8.3f} {right:8.5f}")
    assert mg.gradcheck(f, mg.tensor(np.array([-3.0, -0.7, 0.4, 2.0])))
a = 1 / (1 + np.exp(-grid))
assert np.abs(slopes_of(mg.sigmoid, grid) - a * (1 - a)).max() < 1e-15
assert np.abs(slopes_of(mg.tanh, grid) - (1 - np.tanh(grid) ** 2)).max() < 1e-15
assert np.array_equal(slopes_of(mg.relu, grid), grid > 0)
assert abs(largest["sigmoid"] - 0.25) < 1e-12
assert abs(largest["tanh"] - 1) < 1e-12

points = np.array([-2.0, -0.5, 0.0, 1.0, 3.0])
lesson.formula(
    "D2 math 1", "ReLU(x) = max(0, x)",
    lambda: [max(0, x) for x in points],
    mg.relu(mg.tensor(points)).cpu().numpy(),
    "number by number; of an array see lesson 3, F13",
)  # fmt: skip
lesson.formula(
    "D2 math 4", "ReLU's slope is 1 for positive and 0 for negative inputs",
    lambda: [0, 0, 1, 1],
    slopes_of(mg.relu, points[[0, 1, 3, 4]]),
    check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D2 math 1", "sigmoid(x) = 1 / (1 + e^-x)",
    lambda: 1 / (1 + np.exp(-points)),
    mg.sigmoid(mg.tensor(points)).cpu().numpy(),
)  # fmt: skip
lesson.formula(
    "D2 math 1", "tanh(x) = (e^x - e^-x) / (e^x + e^-x)",
    lambda: (np.exp(points) - np.exp(-points)) / (np.exp(points) + np.exp(-points)),
    [math.tanh(x) for x in points],
)  # fmt: skip
lesson.formula(
    "D2 math 1", "the same at x = 1000",
    lambda: (np.exp(1000.0) - np.exp(-1000.0)) / (np.exp(1000.0) + np.exp(-1000.0)),
    math.tanh(1000.0),
    "infinity over infinity; tanh(1000) is 1, so nobody computes it by its formula",
    expect=NOT_COMPUTABLE,
)  # fmt: skip

reach = [f(mg.tensor([-15.0, 15.0], dtype=mg.float64)).tolist() for f in (mg.sigmoid, mg.tanh)]
lesson.statement(
    "D2 math 1", "sigmoid maps to (0, 1), tanh to (-1, 1)",
    0 < reach[0][0] < reach[0][1] < 1 and -1 < reach[1][0] < reach[1][1] < 1,
    f"from -15 to 15 sigmoid stays {reach[0][0]:.0e} away from 0 and 1, tanh "
    f"{1 - reach[1][1]:.0e} away from -1 and 1",
    "in exact arithmetic; in float64 tanh(20) is 1, and so is sigmoid(40)",
)  # fmt: skip
assert mg.tanh(mg.tensor(20.0, dtype=mg.float64)).item() == 1
assert mg.sigmoid(mg.tensor(40.0, dtype=mg.float64)).item() == 1

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")
for name, (f, colour, line) in ACTIVATIONS.items():
    left.plot(grid, f(mg.tensor(grid)).cpu().numpy(), line, color=colour, label=name)
    slopes = np.where(np.abs(grid) < 1e-9, np.nan, slopes_of(f, grid))  # a jump is not joined
    right.plot(grid, slopes if "ReLU" in name else slopes_of(f, grid), line, color=colour)
left.set_ylim(-1.3, 3)
left.set_ylabel("activation f(z)")
left.set_title("Six activations")
left.legend(fontsize=9)
right.axhline(0.25, color="grey", linewidth=0.8)
right.text(-4.9, 0.27, "1/4: the sigmoid's largest", color="grey", fontsize=8)
right.set_ylabel("slope f'(z), by backward")
right.set_title("Their slopes")
for axes in (left, right):
    axes.set_xlabel("input z")
    axes.grid(alpha=0.25)
figure.supxlabel("ReLU and leaky ReLU have a kink at 0, and no slope there", fontsize=9)
lesson.save(
    figure,
    "04_activations_functions.png",
    "Six activations and their slopes; the sigmoid's slope is 1/4 at most, and ReLU's is 0 or 1.",
)

# %% [markdown]
# ## 2. Thirty layers
#
# Let a layer be $a_l = f(W_l a_{l-1})$. Going back, a gradient passes two stations:
#
# $$g_{z} = f'(z_l) \odot g_{a_l}, \qquad g_{a_{l-1}} = W_l^T g_{z}$$
#
# The first multiplies its length by about the root mean square of the slopes, the second, for
# weights drawn independently with standard deviation s and n units, by about $s \sqrt{n}$. Over
# thirty layers the product of the two is taken to the power of thirty: 0.9 becomes 0.04, and 1.1
# becomes 17.
#
# Four ways to draw the weights of 64 units: with s = 0.05; Xavier's, s = 1/8 here, made for slopes
# near 1 ($s \sqrt n = 1$); Kaiming's, s = sqrt(2)/8, made for ReLU, where half of the slopes are 0
# ($s \sqrt n = \sqrt 2$); and s = 1, which is how D2 (steps, part 2) draws them. The inputs are 200
# of the shipped digits, the gradient at the end is random.

# %%
digits = load_digits()
IMAGES = digits.x.reshape(len(digits.x), -1).astype(float)
IMAGES = (IMAGES - IMAGES.mean()) / IMAGES.std()
DEPTH, WIDTH = 30, 64
DRAWS = {
    "s = 0.05": (lambda w: nn.init.normal_(w, 0, 0.05), 0.05),
    "Xavier": (nn.init.xavier_normal_, 1 / 8),
    "Kaiming": (lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"), math.sqrt(2) / 8),
    "s = 1 (D2)": (lambda w: nn.init.normal_(w, 0, 1), 1.0),
}


def gradient_lengths(f, draw):
    """Return the length of the gradient at each a and each z, and the share of |z| above 4."""
    mg.manual_seed(0)
    a = mg.tensor(IMAGES[:200], requires_grad=True)
    at_a, at_z, extreme = [a], [], []
    for _ in range(DEPTH):
        z = a @ draw(mg.empty(WIDTH, WIDTH, dtype=mg.float64)).T
        a = f(z)
        z.retain_grad()  # inner gradients are let go otherwise
        a.retain_grad()
        at_z.append(z)
        at_a.append(a)
        extreme.append(float((np.abs(z.detach().cpu().numpy()) > 4).mean()))
    a.backward(mg.randn(*a.shape, dtype=mg.float64))
    lengths = [np.array([t.grad.norm().item() for t in ts]) for ts in (at_a, at_z)]
    return *lengths, float(np.mean(extreme))


def per_layer(lengths):
    """Return the mean factor from a layer to the one before it."""
    return float((lengths[0] / lengths[-1]) ** (1 / (len(lengths) - 1)))


WITH_NONE = {"none": (lambda z: 1.0 * z, "black", "--"), **ACTIVATIONS}
lengths, factors, by_slopes, by_weights, extremes = {}, {}, {}, {}, {}
for drawn, (draw, _) in DRAWS.items():
    for name, (f, _, _) in WITH_NONE.items():
        key = drawn, name
        at_a, at_z, extremes[key] = gradient_lengths(f, draw)
        lengths[key] = at_a
        factors[key] = per_layer(at_a)
        by_slopes[key] = float(np.exp(np.mean(np.log(at_z / at_a[1:]))))
        by_weights[key] = float(np.exp(np.mean(np.log(at_a[:-1] / at_z))))

print(f"\nlength of the gradient: factor per layer, mean of {DEPTH}")
print("  activation " + "".join(f"{drawn:>12}" for drawn in DRAWS))
for name in WITH_NONE:
    print(f"  {name:11}" + "".join(f"{factors[drawn, name]:12.3f}" for drawn in DRAWS))
print("ReLU, the two stations apart")
for what, table in (("its slopes", by_slopes), ("weights", by_weights)):
    print(f"  {what:11}" + "".join(f"{table[drawn, 'ReLU']:12.3f}" for drawn in DRAWS))
print("  s sqrt(n)  " + "".join(f"{s * math.sqrt(WIDTH):12.3f}" for _, s in DRAWS.values()))
for (drawn, name), factor in factors.items():
    gain = DRAWS[drawn][1] * math.sqrt(WIDTH)
    assert abs(factor / (by_slopes[drawn, name] * by_weights[drawn, name]) - 1) < 1e-9
    if name in ("none", "ReLU"):
        assert abs(by_weights[drawn, name] / gain - 1) < 0.05
    if name == "ReLU":
        assert abs(factor / (gain * math.sqrt(0.5)) - 1) < 0.02
assert 0.9 < factors["Kaiming", "ReLU"] < 1.1
assert 0.9 < factors["Xavier", "tanh"] < 1.1
assert all(factors[drawn, "sigmoid"] < 0.95 for drawn in DRAWS)

# %% [markdown]
# Kaiming's weights and ReLU, Xavier's and tanh: near 1, made for each other. With ReLU the factor
# is $s \sqrt n \cdot \sqrt{1/2}$, to within two percent.

# %%
figure, panels = plt.subplots(1, 4, figsize=(15, 4.4), layout="constrained", sharex=True)
for axes, drawn in zip(panels, DRAWS, strict=True):
    for name, (_, colour, line) in WITH_NONE.items():
        axes.semilogy(range(DEPTH + 1), lengths[drawn, name], line, color=colour, label=name)
    gain = DRAWS[drawn][1] * math.sqrt(WIDTH)
    axes.set_title(f"{drawn}: $s\\sqrt{{n}}$ = {gain:.3g}")
    axes.set_xlabel("layer (the gradient runs to the left)")
    axes.grid(alpha=0.25)
panels[0].set_ylabel("length of the gradient at the layer's output")
panels[1].legend(fontsize=8, loc="lower right")
figure.supxlabel(
    "30 layers of 64 units, 200 shipped digits, random gradient at layer 30; "
    "scales differ; leaky ReLU lies on ReLU, a line that is not seen lies under another one",
    fontsize=9,
)
lesson.save(
    figure,
    "04_activations_depth.png",
    "The length of the gradient through thirty layers, for each activation and four ways to "
    "draw the weights: it vanishes, explodes or stays, by the product of two factors.",
)

# %% [markdown]
# ## 3. The document's reasons
#
# D2 (mathematics, part 4) says: gradients vanish with sigmoid and tanh, because the slopes of these
# are 0 at extreme inputs; and they explode mostly with functions like ReLU, because its slope
# is 1. Both can be held against the table.
#
# - *Extreme inputs.* With s = 0.05 no input is extreme, and the sigmoid's gradient shrinks fastest.
#   With s = 1 more than a third are, and it shrinks least. The reason is simpler: the
#   largest slope there is, in the middle, is 1/4.
# - *Slope 1.* A factor of 1 does not make anything longer, and a factor of 0 makes it shorter. The
#   same weights without any activation explode faster; tanh explodes with them too. It is the
#   product of the weights that does it (F21).

# %%
sigmoid_factors = [factors[drawn, "sigmoid"] for drawn in DRAWS]
sigmoid_extremes = [extremes[drawn, "sigmoid"] for drawn in DRAWS]
print("\nsigmoid              " + "".join(f"{drawn:>12}" for drawn in DRAWS))
print("  factor per layer   " + "".join(f"{factor:12.3f}" for factor in sigmoid_factors))
print("  inputs beyond +-4  " + "".join(f"{100 * share:10.0f} %" for share in sigmoid_extremes))
assert sigmoid_extremes[0] == 0
assert sigmoid_extremes[3] > 1 / 3
explosion = {name: factors["s = 1 (D2)", name] for name in WITH_NONE}
lesson.statement(
    "D2 math 4", "sigmoid gradients vanish because slopes are 0 at extreme inputs",
    np.argmin(sigmoid_factors) == np.argmax(sigmoid_extremes),
    f"factor {sigmoid_factors[0]:.2f} per layer with no extreme input, "
    f"{sigmoid_factors[3]:.2f} with {100 * sigmoid_extremes[3]:.0f} %",
    "the slope is 1/4 at most, everywhere",
    expect=FAILS,
)  # fmt: skip
lesson.statement(
    "D2 math 4", "F21: gradients explode because of ReLU's slope 1",
    explosion["ReLU"] > max(1.0, explosion["none"]),
    f"with s = 1 a factor of {explosion['ReLU']:.1f} per layer, {explosion['none']:.1f} "
    f"without any activation, {explosion['tanh']:.1f} with tanh",
    "the product of the weights does it; ReLU's own factor is "
    f"{by_slopes['s = 1 (D2)', 'ReLU']:.2f}",
    expect=FAILS,
)  # fmt: skip
assert explosion["tanh"] > 1.5

# %% [markdown]
# ## 4. The document's cures
#
# Against both illnesses D2 advises to clip the gradient, to add L1 or L2 terms to the loss, or to
# take an adaptive optimiser. In a line each: *clipping* shortens a gradient that is longer than a
# limit (lesson 11), *L2* pulls each weight towards 0 a little (lesson 7), *Adam* divides each step
# by the usual size of its gradients (lesson 6). What the document does not list here are the two
# factors of section 2: another activation, and other first weights.
#
# Ten layers of 64 units learn the digits, for 150 steps of 100 images, once as an ill network (of
# each kind), then with each cure alone.

# %%
LABELS = digits.y
STEPS = 150


def deep(activation, draw, depth=10):
    """Return a deep network with weights so drawn, and no bias at the start."""
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(WIDTH, WIDTH), activation()]
    layers.append(nn.Linear(WIDTH, 10))
    for layer in layers:
        if isinstance(layer, nn.Linear):
            draw(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def sgd(parameters):
    """Plain gradient descent."""
    return optim.SGD(parameters, lr=0.05)


def sgd_l2(parameters):
    """Gradient descent with an L2 term."""
    return optim.SGD(parameters, lr=0.05, weight_decay=1e-3)


def adam(parameters):
    """Adam at its usual rate."""
    return optim.Adam(parameters, lr=1e-3)


def train(activation, draw, optimiser, clip=None):
    """Train on batches of the digits; return the losses, up to the first that is not finite."""
    mg.manual_seed(0)
    model = deep(activation, draw)
    chosen = optimiser(model.parameters())
    loss_function, losses = nn.CrossEntropyLoss(), []
    batches = np.random.default_rng(0)
    with np.errstate(all="ignore"):  # an exploding network overflows, which is the subject
        for _ in range(STEPS):
            rows = batches.integers(0, len(LABELS), 100)
            x = mg.tensor(IMAGES[rows].astype(np.float32))
            loss = loss_function(model(x), mg.tensor(LABELS[rows]))
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                break
            chosen.zero_grad()
            loss.backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(list(model.parameters()), clip)
            chosen.step()
    return losses


XAVIER, KAIMING, ONE = (DRAWS[name][0] for name in ("Xavier", "Kaiming", "s = 1 (D2)"))
TRIALS = {
    "vanishing: sigmoid, Xavier": {
        "as it is": (nn.Sigmoid, XAVIER, sgd),
        "clipped to 1": (nn.Sigmoid, XAVIER, sgd, 1.0),
        "L2": (nn.Sigmoid, XAVIER, sgd_l2),
        "Adam": (nn.Sigmoid, XAVIER, adam),
        "tanh instead": (nn.Tanh, XAVIER, sgd),
        "ReLU, Kaiming instead": (nn.ReLU, KAIMING, sgd),
    },
    "exploding: ReLU, s = 1": {
        "as it is": (nn.ReLU, ONE, sgd),
        "clipped to 1": (nn.ReLU, ONE, sgd, 1.0),
        "L2": (nn.ReLU, ONE, sgd_l2),
        "Adam": (nn.ReLU, ONE, adam),
        "Kaiming instead": (nn.ReLU, KAIMING, sgd),
    },
}
curves = {}
print(f"\nloss after {STEPS} steps; one that knows nothing has ln 10 = {math.log(10):.3f}")
for illness, cures in TRIALS.items():
    print(f"  {illness}")
    for cure, trial in cures.items():
        losses = curves[illness, cure] = train(*trial)
        end = np.mean(losses[-10:]) if len(losses) == STEPS else math.inf
        said = f"{end:10.3g}" if math.isfinite(end) else f"   not finite from step {len(losses)}"
        print(f"    {cure:22} {said}")


def cured(illness, cure):
    """Say whether the loss ends well below that of a network that knows nothing."""
    losses = curves[illness, cure]
    return len(losses) == STEPS and np.mean(losses[-10:]) < 0.5 * math.log(10)


ADVISED = ("clipped to 1", "L2", "Adam")
for illness in TRIALS:
    worked = [cure for cure in ADVISED if cured(illness, cure)]
    lesson.statement(
        "D2 math 4",
        f"clipping, L2 or an adaptive optimiser cure what is {illness.partition(':')[0]}",
        bool(worked),
        f"in {STEPS} steps cured by {', '.join(worked) or 'none of them'}",
        "other first weights, and an activation that suits them, do it",
        expect=FAILS,
    )
    assert not cured(illness, "as it is")
    assert not worked
assert cured("vanishing: sigmoid, Xavier", "tanh instead")
assert cured("vanishing: sigmoid, Xavier", "ReLU, Kaiming instead")
assert cured("exploding: ReLU, s = 1", "Kaiming instead")
assert len(curves["exploding: ReLU, s = 1", "as it is"]) < 10
assert len(curves["exploding: ReLU, s = 1", "clipped to 1"]) == STEPS

COLOURS = ["#000000", "#e08a00", "#8c564b", "#6a3d9a", "#2e7d32", "#0b5fa5"]
figure, panels = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
for axes, (illness, cures) in zip(panels, TRIALS.items(), strict=True):
    for cure, colour in zip(cures, COLOURS, strict=False):
        losses = [loss for loss in curves[illness, cure] if math.isfinite(loss)]
        line = "--" if cure in ADVISED else "-"
        mark = "x" if len(losses) < STEPS else ""
        ends = f" (not finite from step {len(losses) + 1})" if mark else ""
        axes.plot(
            range(1, len(losses) + 1), losses, line + mark, color=colour, label=cure + ends,
            alpha=0.8,
        )  # fmt: skip
    axes.axhline(math.log(10), color="grey", linestyle=":", label="ln 10: knows nothing")
    axes.set_title(illness)
    axes.set_xlabel("step")
    axes.set_ylabel("cross-entropy of the batch (nats)")
    axes.legend(fontsize=8)
panels[0].set_ylim(bottom=0)
panels[1].set_yscale("log")
figure.supxlabel(
    "10 hidden layers of 64 units on shipped digits, batches of 100; rate 0.05, Adam 0.001; "
    "dashed: what D2 advises",
    fontsize=9,
)
lesson.save(
    figure,
    "04_activations_cures.png",
    "Ten layers that learn nothing, and each cure alone: what D2 advises (dashed) does not "
    "mend them in 150 steps, other first weights and activations do.",
)

# %% [markdown]
# Clipping and Adam do what they can: they keep an exploding network finite, while a plain step is
# lost at once. But a loss of millions that falls is not a network that learns. And where the first
# layers get next to no gradient, in 150 steps none of the three helps.
#
# NB: PyTorch draws the weights of `nn.Linear` uniformly, between -1/sqrt(n) and 1/sqrt(n) for n
# inputs, and so does minigrad. Their standard deviation is 1/sqrt(3n), hence $s \sqrt n = 0.58$,
# less than Xavier's: fine for three layers, and vanishing for thirty (exercise 2).

# %%
drawn = nn.Linear(WIDTH, WIDTH).weight.detach().cpu().numpy()
print(f"\nnn.Linear draws weights up to {np.abs(drawn).max():.4f}, ", end="")
print(f"s sqrt(n) = {drawn.std() * math.sqrt(WIDTH):.3f}")
assert np.abs(drawn).max() <= 1 / math.sqrt(WIDTH)
assert abs(drawn.std() * math.sqrt(3 * WIDTH) - 1) < 0.05

# %% [markdown]
# ## 5. The dead
#
# ReLU has an illness of its own. A unit whose input is negative for *every* image gives 0 always,
# its slope is 0 always, so none of its weights ever gets a gradient again. One large step can do
# that. A 64-64-10 network, 300 steps, at a sound rate and at one too large; a unit is dead when it
# is on its left side for all 1,797 digits.


# %%
def train_wide(activation, rate, steps=300):
    """Return the units that no image reaches every ten steps, the accuracy, and gradients."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), activation(), nn.Linear(64, 10))
    optimiser, loss_function = optim.SGD(model.parameters(), lr=rate), nn.CrossEntropyLoss()
    x_all, batches, silent = mg.tensor(IMAGES.astype(np.float32)), np.random.default_rng(0), []
    for step in range(steps + 1):
        if step % 10 == 0:
            with mg.no_grad():
                silent.append((model[0](x_all).cpu().numpy() <= 0).all(axis=0))
        if step == steps:
            break
        rows = batches.integers(0, len(LABELS), 100)
        x = mg.tensor(IMAGES[rows].astype(np.float32))
        loss = loss_function(model(x), mg.tensor(LABELS[rows]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with mg.no_grad():
        right = model(x_all).cpu().numpy().argmax(axis=1) == LABELS
    loss_function(model(x_all), mg.tensor(LABELS)).backward()
    reached = np.abs(model[0].weight.grad.cpu().numpy()).max(axis=1)
    return np.array(silent), float(right.mean()), reached


print("\nunits of 64 that no image reaches, and the accuracy on the same digits, after 300 steps")
runs = {}
for name, activation in (("ReLU", nn.ReLU), ("leaky ReLU", nn.LeakyReLU)):
    for rate in (0.1, 2.0):
        silent, accuracy, reached = runs[name, rate] = train_wide(activation, rate)
        print(f"  {name:10} rate {rate:3}: {silent[-1].sum():2} units, accuracy {accuracy:.1%}")
silent, accuracy, reached = runs["ReLU", 2.0]
assert silent[-1].mean() > 0.8
assert accuracy < 0.3
assert not reached[silent[-1]].any()  # not one of their weights gets a gradient
assert all((silent[i] <= silent[i + 1]).all() for i in range(1, len(silent) - 1))
assert runs["leaky ReLU", 2.0][1] > accuracy + 0.4  # a wild rate: the rounding decides by how much
assert runs["leaky ReLU", 2.0][2].all()
assert runs["ReLU", 0.1][0][-1].sum() == 0

figure, axes = plt.subplots(figsize=(8.5, 4.2), layout="constrained")
for (name, rate), (silent, accuracy, _) in runs.items():
    _, colour, _ = ACTIVATIONS["ReLU" if name == "ReLU" else "SiLU"]
    axes.plot(
        10 * np.arange(len(silent)), silent.sum(axis=1), "-" if rate > 1 else ":", color=colour,
        linewidth=2, label=f"{name}, rate {rate}: accuracy {100 * accuracy:.0f} %",
    )  # fmt: skip
axes.set_xlabel("step")
axes.set_ylabel("units, of 64, that no image reaches")
axes.set_ylim(-2, 66)
axes.set_title("Dead units stay dead, leaky ones still learn")
axes.legend(loc="center right")
figure.supxlabel("64-64-10 on the 1,797 shipped digits, batches of 100, no momentum", fontsize=9)
lesson.save(
    figure,
    "04_activations_dead.png",
    "Units that no image reaches, by step: at too large a rate ReLU's die for good, and leaky "
    "ones still learn.",
)

lesson.finish()

# %% [markdown]
# ## Exercises
#
# Those that are graded: `python -m minigrad lessons next 4`. And to try in this file:
#
# 1. Which s makes SiLU's factor 1 at thirty layers? Find it by trying, and look at the input of
#    the last layer: why does it not stay 1 when the images are made ten times darker?
# 2. Add PyTorch's way to draw weights to `DRAWS`. What is ReLU's factor, and after how many layers
#    is a gradient a thousand times shorter?
# 3. Find the bug: somebody draws Kaiming's weights with `fan_out` for a layer of 64 inputs and 256
#    outputs, and wonders that values shrink going forward. Which factor does each layer have?
# 4. Lead each second layer past by a shortcut, a + f(W a). What does the picture of section 2 look
#    like then, and which term of lesson 2's sum over ways is it?
# 5. Give the first layer of the dead network a bias of -100 and the rate 0.1. What does each
#    activation of section 1 do with it?
#
# Next: lesson 5 turns to the end of a network, the loss, and to what happens to its gradient when a
# softmax is applied twice.
