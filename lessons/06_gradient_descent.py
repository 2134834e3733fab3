# %% [markdown]
# # 6. Gradient descent and its family: ways down a surface you can see
#
# Every network so far learned by one rule: a step against the gradient. You will see this rule walk
# on surfaces of two parameters, and fall off at a rate that can be computed beforehand. Then its
# relatives, each written out in a line or three of NumPy and compared with minigrad's, number by
# number: momentum, AdaGrad, RMSprop, Adam, AdamW. Two documents print formulas for Adam. One of
# them cannot be computed, the other steps up to 6.57 times as far as it should.

# %%
import math

import numpy as np

import minigrad as mg
from minigrad import optim
from minigrad.data import load_iris
from minigrad.learn import BLUE, CONVENTION, FAILS, GREEN, GREY, NOT_COMPUTABLE, RED, begin

lesson = begin("06_gradient_descent", "Gradient descent and its family, on surfaces you can see.")
import matplotlib.pyplot as plt

ORANGE, PURPLE, BROWN = "#e08a00", "#6a3d9a", "#8c564b"

# %% [markdown]
# ## 1. A valley, and how long a step may be
#
# Both D1 (gradient descent) and D2 (mathematics, part 3) print the rule, with a learning rate
# $\alpha$ and the parameters $\theta$:
#
# $$\theta_{\text{new}} = \theta_{\text{old}} - \alpha \nabla_\theta J(\theta)$$
#
# The surface is a valley: flat along x, 25 times as steep across, along y.
#
# $$J(x, y) = \tfrac12 (x^2 + 25\, y^2), \qquad \nabla J = (x,\ 25 y)$$
#
# Put the gradient into the rule, and each coordinate is multiplied by a number of its own in every
# step, x by $1 - \alpha$ and y by $1 - 25 \alpha$. A number between -1 and 1 makes it shrink. So
# everything depends on the steepest direction: with a curvature of $\lambda_{\max}$ there, 25 here,
#
# $$|1 - \alpha \lambda_{\max}| < 1 \quad\Longleftrightarrow\quad
#   \alpha < \frac{2}{\lambda_{\max}}$$
#
# Below 0.08 this valley is safe, above it gradient descent climbs out of it sideways. (The gradient
# comes from `backward`, and only that: D0, section 3.1, says that backpropagation updates the
# parameters. It does not move them.)

# %%
CURVATURES = np.array([1.0, 25.0])
START = np.array([4.0, 1.0])


def valley(t):
    """Half of x^2 + 25 y^2."""
    return 0.5 * (t[0] ** 2 + 25 * t[1] ** 2)


def descend(surface, make, start=START, steps=60):
    """Follow one of minigrad's optimisers down a surface; return all points on the way."""
    t = mg.tensor(start, requires_grad=True)
    optimiser = make([t])
    path = [t.tolist()]
    for _ in range(steps):
        optimiser.zero_grad()
        surface(t).backward()
        optimiser.step()
        path.append(t.tolist())
    return np.array(path)


def walk(rule, steps=60):
    """Follow a rule written by hand down the valley, with the gradient by formula."""
    p, kept = START.copy(), {}
    path = [p]
    for n in range(1, steps + 1):
        p = rule(p, CURVATURES * p, kept, n)
        path.append(p)
    return np.array(path)


def gd(rate):
    """Return minigrad's gradient descent with this rate."""
    return lambda parameters: optim.GD(parameters, lr=rate)


def heights(path):
    """Return J at each point of a path through the valley."""
    return 0.5 * (path**2 @ CURVATURES)


RATES = {"too small": 0.004, "right": 1 / 13, "too big": 0.081}
print("height above the bottom, J    rate    after 0       20         60 steps")
paths = {name: descend(valley, gd(rate)) for name, rate in RATES.items()}
for name, path in paths.items():
    J = heights(path)
    print(f"  {name:23} {RATES[name]:8.4f} {J[0]:10.3f} {J[20]:9.3f} {J[60]:12.6f}")
assert heights(paths["too small"])[60] > 4
assert heights(paths["right"])[60] < 0.01
assert (np.diff(np.abs(paths["too big"][:, 1])) > 0).all()
assert np.abs(walk(lambda p, g, kept, n: p - 0.05 * g) - descend(valley, gd(0.05))).max() < 1e-14

# %% [markdown]
# Why is 1/13 right? The two numbers should be equally small: $1 - \alpha = -(1 - 25 \alpha)$ gives
# $\alpha = 2 / (1 + 25)$, and both lose one thirteenth in each step. No rate does better in this
# valley, because the flat direction wants a large one and the steep direction forbids it. The ratio
# of the two curvatures, 25, is the valley's *condition*.
#
# Now the limit by experiment, without the formula: halve an interval of rates again and again,
# according to whether the last hundred of three hundred steps lead up or down. Then the same on
# data: the petal's width of the 150 shipped iris flowers as a linear function of their three other
# lengths. There the curvatures are the eigenvalues of the matrix of second derivatives, the
# *Hessian*, which `mg.hessian` finds.

# %%
iris = load_iris()
OTHERS = (iris.x[:, :3] - iris.x[:, :3].mean(axis=0)) / iris.x[:, :3].std(axis=0)
INPUTS = mg.tensor(np.column_stack([OTHERS, np.ones(150)]))
WIDTHS = mg.tensor(iris.x[:, 3])


def petal_error(w):
    """Half the mean squared error of the predicted widths."""
    return 0.5 * ((INPUTS @ w - WIDTHS) ** 2).mean()


def stability_limit(surface, start, steps=300):
    """Return the rate above which gradient descent leads up, found by halving."""
    low, high = 1e-3, 10.0
    while high - low > 1e-5 * high:
        rate = math.sqrt(low * high)
        t = mg.tensor(start, requires_grad=True)
        optimiser, lengths = optim.GD([t], lr=rate), []
        for _ in range(steps):
            optimiser.zero_grad()
            surface(t).backward()
            optimiser.step()
            lengths.append(t.grad.norm().item())
            if lengths[-1] > 1e9:
                break
        low, high = (low, rate) if lengths[-1] > lengths[len(lengths) * 2 // 3] else (rate, high)
    return low


print("\nthe largest stable rate       2 / lambda_max   by experiment")
for name, surface, start in (("valley", valley, START), ("iris", petal_error, np.zeros(4))):
    largest = np.linalg.eigvalsh(mg.hessian(surface)(mg.tensor(start)).cpu().numpy()).max()
    found = stability_limit(surface, start)
    print(f"  {name:25} {2 / largest:16.5f} {found:15.5f}")
    assert abs(found * largest / 2 - 1) < 1e-3


# %%
def contours(axes, surface, x, y, levels, colour=GREY):
    """Draw lines of equal height; the surface gets the grid as two arrays."""
    grid = np.meshgrid(np.linspace(*x, 241), np.linspace(*y, 241))
    axes.contour(*grid, surface(np.array(grid)), levels=levels, colors=colour, linewidths=0.5)
    axes.set_xlim(*x)
    axes.set_ylim(*y)


LEVELS = [0.05, 0.3, 1, 2.5, 5, 10, 20, 40, 80]
figure, panels = plt.subplots(2, 2, figsize=(11, 6.4), layout="constrained")
for axes, (name, colour) in zip(
    panels.flat, (("too small", GREY), ("right", BLUE), ("too big", RED)), strict=False
):
    contours(axes, valley, (-3, 4.5), (-1.7, 1.7), LEVELS)
    axes.plot(*paths[name][:21].T, ".-", color=colour, linewidth=1)
    axes.plot(*START, "o", color="black", markersize=5)
    axes.set_title(f"{name}: rate {RATES[name]:.3f}")
    axes.set_xlabel("parameter x")
    axes.set_ylabel("parameter y")
rates = np.geomspace(0.002, 0.1, 60)
ends = [heights(descend(valley, gd(rate), steps=40))[-1] for rate in rates]
axes = panels[1, 1]
axes.loglog(rates, ends, color=BLUE)
axes.axhline(heights(START[None])[0], color=GREY, linestyle=":", label="height of the start")
axes.axvline(0.08, color=RED, linestyle="--", label=r"$2 / \lambda_{max}$ = 0.08")
axes.set_xlabel("learning rate")
axes.set_ylabel("height J after 40 steps")
axes.set_title("A cliff just behind the best rate")
axes.legend()
lesson.save(
    figure,
    "06_gradient_descent_rates.png",
    "Twenty steps of gradient descent from the black dot at three rates, in a valley 25 times as "
    "steep across as along (lines of equal height), and how high forty steps end for every rate: "
    "the best rate is close to the limit of 0.08.",
)

lesson.formula(
    "D1 gradient descent, D2 math 3",
    "gradient descent: theta - alpha * gradient",
    lambda: walk(lambda p, g, kept, n: p - 0.05 * g),
    descend(valley, gd(0.05)),
    "60 steps down a valley",
)
t = mg.tensor(START, requires_grad=True)
valley(t).backward()
lesson.statement(
    "D0 3.1",
    "backpropagation is a method that updates the parameters",
    t.tolist() != START.tolist(),
    f"backward left the point at {t.tolist()} and its gradient at {t.grad.tolist()}",
    "it computes the gradient; right: what updates is the rule above",
    expect=FAILS,
)

# %% [markdown]
# ## 2. All the data, or one flower
#
# D1 prints this formula twice, once for *batch* gradient descent (BGD) and once for *stochastic*
# gradient descent (SGD), letter by letter the same. The difference, it says, is that SGD takes a
# random sample in each step, and BGD all of them. (Where it introduces SGD, earlier, it is a random
# *part* of the samples. That is what most people mean today, and what the lessons before did.) With
# J as the loss over all data, the printed formula is BGD; that of SGD needs another letter,
#
# $$\theta_{\text{new}} = \theta_{\text{old}} - \alpha \nabla_\theta J_i(\theta), \qquad
#   J = \frac1n \sum_i J_i$$
#
# with i drawn anew in each step. The mean of all single gradients is the gradient of J, so SGD goes
# right on average, and wrong in each step. Two parameters, so that one can see it: the petal's
# width from its length alone, $\hat y = u + v x$.

# %%
LENGTHS = (iris.x[:, 2] - iris.x[:, 2].mean()) / iris.x[:, 2].std()
LINE = np.column_stack([np.ones(150), LENGTHS])
BEST = np.linalg.lstsq(LINE, iris.x[:, 3], rcond=None)[0]


def gradient_of(w, rows, inputs=LINE):
    """Return the gradient of half the mean squared error of these flowers."""
    t = mg.tensor(w, requires_grad=True)
    (0.5 * ((mg.tensor(inputs[rows]) @ t - mg.tensor(iris.x[rows, 3])) ** 2).mean()).backward()
    return t.grad.cpu().numpy()


def line_error(u, v):
    """Return half the mean squared error, for arrays of u and v."""
    return 0.5 * np.mean((u[..., None] + v[..., None] * LENGTHS - iris.x[:, 3]) ** 2, axis=-1)


def one_by_one(rate_at, steps, start=(0.0, -0.6), inputs=LINE, seed=0):
    """Descend with one random flower a step; return the path."""
    rng, w = np.random.default_rng(seed), np.array(start)
    path = [w]
    for n in range(1, steps + 1):
        w = w - rate_at(n) * gradient_of(w, [rng.integers(150)], inputs)
        path.append(w)
    return np.array(path)


here = np.array([0.0, -0.6])
singles = np.array([gradient_of(here, [i]) for i in range(150)])
full = gradient_of(here, np.arange(150))
print(f"\ngradient over all flowers: {full.round(3)}, mean of the 150 single ones: ", end="")
print(f"{singles.mean(axis=0).round(3)}, their deviation {singles.std(axis=0).round(3)}")
assert np.abs(singles.mean(axis=0) - full).max() < 1e-14
assert (singles.std(axis=0) > 0.5).all()

batch = [here]
for _ in range(15):
    batch.append(batch[-1] - 0.3 * gradient_of(batch[-1], np.arange(150)))
batch = np.array(batch)
RUNS = {
    "constant rate 0.1": (lambda n: 0.1, ORANGE),
    "rate 0.1 / (1 + n / 50)": (lambda n: 0.1 / (1 + n / 50), GREEN),
}
single = {name: one_by_one(rate, 1500) for name, (rate, _) in RUNS.items()}
afar = {name: np.linalg.norm(path[-300:] - BEST, axis=1).mean() for name, path in single.items()}
print("one random flower a step: mean distance from the best line, last 300 of 1,500 steps")
for name, distance in afar.items():
    print(f"  {name:25} {distance:.4f}")
assert afar["constant rate 0.1"] > 3 * afar["rate 0.1 / (1 + n / 50)"]

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")
rings = line_error(*BEST) + np.geomspace(0.005, 4, 9)
contours(left, lambda grid: line_error(*grid), (-0.1, 1.7), (-0.8, 1.1), rings)
left.plot(*batch.T, "s-", color=BLUE, markersize=3, linewidth=1, label="all flowers, rate 0.3")
for name, (_, colour) in RUNS.items():
    left.plot(*single[name][:400].T, color=colour, linewidth=0.7, label=f"one flower, {name}")
    right.semilogy(
        np.linalg.norm(single[name] - BEST, axis=1), color=colour, linewidth=0.7, label=name
    )
left.plot(*BEST, "k*", markersize=10)
left.set_xlabel("intercept u (cm)")
left.set_ylabel("slope v (cm per standard deviation)")
left.set_title("The way to the best line (star)")
left.legend(fontsize=8, loc="upper left")
right.set_xlabel("step: one random flower each")
right.set_ylabel("distance from the best line (cm)")
right.set_title("A constant rate never settles")
right.legend()
lesson.save(
    figure,
    "06_gradient_descent_flowers.png",
    "Batch gradient descent and two runs of stochastic gradient descent on the line that predicts "
    "an iris petal's width from its length; with a constant rate the noise of single flowers keeps "
    "SGD at a distance.",
)

flower = one_by_one(lambda n: 0.1, 1)[1]
lesson.formula(
    "D1 gradient descent",
    "SGD, one random sample a step: theta - alpha * gradient of J",
    lambda: here - 0.1 * full,
    flower,
    "the formula is printed twice; SGD's gradient is that of one sample's loss J_i",
    conventions={"BGD, if J is the loss over all samples": here - 0.1 * full},
    expect=CONVENTION,
)

# %% [markdown]
# The noise is the price. The gain: after 150 looks at a flower SGD has made 150 steps, and BGD one.
# D1 (algorithms) calls slow convergence the drawback of SGD. Slow in what? Here are the looks that
# each needs for the petals' width from the three other lengths, BGD at the best of thirty rates.

# %%
ALL = np.column_stack([OTHERS, np.ones(150)])
LEAST = petal_error(mg.tensor(np.linalg.lstsq(ALL, iris.x[:, 3], rcond=None)[0])).item()
ends = [one_by_one(lambda n: 0.05, 150, np.zeros(4), ALL, seed)[-1] for seed in range(3)]
after_one_pass = np.mean([petal_error(mg.tensor(w)).item() for w in ends]) - LEAST


def passes_of_bgd(rate, goal, at_most=50):
    """Return how many steps over all flowers it takes to an error this near the least."""
    path = descend(petal_error, gd(rate), np.zeros(4), at_most)
    errors = np.array([petal_error(mg.tensor(w)).item() for w in path]) - LEAST
    return int(np.argmax(errors < goal)) if (errors < goal).any() else at_most


passes = min(passes_of_bgd(rate, after_one_pass) for rate in np.linspace(0.1, 0.98, 30))
print()
lesson.statement(
    "D1 algorithms",
    "SGD converges slowly, which is its drawback",
    passes <= 1,
    f"what SGD reaches by 150 looks at a flower takes BGD {150 * passes}",
    "right: it is fast at first; its drawback is the noise, which keeps it at a distance",
    expect=FAILS,
)
assert passes >= 5

# %% [markdown]
# ## 3. Momentum
#
# In the valley gradient descent wastes its steps on bouncing from side to side. Let the step be a
# running sum of gradients, of which a part $\mu$ is kept each time:
#
# $$b = \mu\, b_{\text{old}} + g, \qquad \theta_{\text{new}} = \theta_{\text{old}} - \alpha\, b$$
#
# What bounces cancels in the sum, what stays adds up, to $1 / (1 - \mu)$ times the gradient: ten
# times for $\mu = 0.9$. D0 (section 5) trains with 0.9 and does not say what it is; D1 and D2 name
# momentum only as a part of Adam.
#
# For a valley of condition $\kappa$ gradient descent at its best loses the factor
# $(\kappa - 1) / (\kappa + 1)$ a step, here 12/13. Momentum at its best has the root of $\kappa$ in
# its place, here 4/6, with $\mu = (4/6)^2$ and the rate $4 / (1 + 5)^2 = 1/9$. (The best $\mu$ is
# so small because this valley is gentle; for a condition of 400 it is 0.82.)


# %%
def momentum(p, g, kept, n):
    """Momentum, with its best numbers for this valley."""
    kept["b"] = 4 / 9 * kept.get("b", 0) + g
    return p - 1 / 9 * kept["b"]


def with_momentum(parameters):
    """The same by minigrad."""
    return optim.SGD(parameters, lr=1 / 9, momentum=4 / 9)


def steps_until(path, height=1e-3):
    """Return after how many steps a path through the valley stays below a height."""
    above = np.flatnonzero(heights(path) >= height)
    assert above[-1] < len(path) - 1, "it does not within this path"
    return int(above[-1] + 1)


needed = {
    "gradient descent, 1/13": steps_until(descend(valley, gd(1 / 13), steps=100)),
    "momentum 4/9, 1/9": steps_until(descend(valley, with_momentum, steps=100)),
}
print("\nsteps until J stays below 0.001")
for name, steps in needed.items():
    print(f"  {name:25} {steps}")
needed_gd, needed_momentum = needed.values()
assert needed_momentum < 0.5 * needed_gd
assert round(((20 - 1) / (20 + 1)) ** 2, 2) == 0.82

# %% [markdown]
# NB: PyTorch's momentum is this one. Many texts (and Keras) keep $v = \mu v - \alpha g$ and add it.
# That is the same as long as the rate does not change. A third kind takes
# $b = \mu b + (1 - \mu) g$, a mean instead of a sum, and so steps ten times shorter for
# $\mu = 0.9$ at the same rate. Look before you copy a rate.
#
# ## 4. A rate for each parameter: AdaGrad and RMSprop
#
# The valley's trouble is that one rate must do for both directions. AdaGrad, says D1
# (algorithms), adapts it by the accumulated squares of all gradients of that parameter:
#
# $$s = s_{\text{old}} + g^2, \qquad
#   \theta_{\text{new}} = \theta_{\text{old}} - \alpha \frac{g}{\sqrt s + \epsilon}$$
#
# The first step is $\alpha$ long in each coordinate, whatever the gradient. A parameter that seldom
# gets a gradient keeps its rate until it does, which is why D1 recommends AdaGrad for sparse data.
# But s only grows, so rates only fall. RMSprop replaces the sum by a running mean, so that it
# forgets. D2 (mathematics, part 3) prints it:
#
# $$v = \beta_1 v_{\text{old}} + (1 - \beta_1)\, g^2, \qquad
#   \theta_{\text{new}} = \theta_{\text{old}} - \alpha \frac{g}{\sqrt v + \epsilon}$$


# %%
def adagrad(p, g, kept, n):
    """AdaGrad."""
    kept["s"] = kept.get("s", 0) + g**2
    return p - 0.5 * g / (np.sqrt(kept["s"]) + 1e-10)


def rmsprop(p, g, kept, n):
    """RMSprop, as D2 prints it."""
    kept["v"] = 0.9 * kept.get("v", 0) + 0.1 * g**2
    return p - 0.1 * g / (np.sqrt(kept["v"]) + 1e-8)


def by_adagrad(parameters):
    """AdaGrad by minigrad."""
    return optim.Adagrad(parameters, lr=0.5, eps=1e-10)


def by_rmsprop(parameters):
    """RMSprop by minigrad; what D2 calls beta_1 is alpha there and in PyTorch."""
    return optim.RMSprop(parameters, lr=0.1, alpha=0.9, eps=1e-8)


lesson.formula(
    "D1 algorithms",
    "AdaGrad: rates by the accumulated squares of each parameter's gradients",
    lambda: walk(adagrad),
    descend(valley, by_adagrad),
    "D1 has it in words only; 60 steps down a valley",
)
lesson.formula(
    "D1 algorithms, D2 math 3",
    "RMSprop: v is a running mean of squared gradients",
    lambda: walk(rmsprop),
    descend(valley, by_rmsprop),
    "60 steps down a valley",
)


def rare_and_common(make, steps=1000, every=100):
    """Return the last step of a parameter with a gradient in each step, and of one with few."""
    t = mg.zeros(2, dtype=mg.float64, requires_grad=True)
    optimiser, before = make([t]), np.zeros(2)
    for n in range(1, steps + 1):
        before = np.array(t.tolist())
        t.grad = mg.tensor(np.array([1.0, float(n % every == 0)]))
        optimiser.step()
    return np.abs(np.array(t.tolist()) - before)


common, rare = rare_and_common(by_adagrad)
print(f"\nAdaGrad's 1,000th step: {common:.5f} for a parameter with a gradient of 1 each time, ")
print(f"{rare:.5f} for one that had 10 of them, {rare / common:.1f} = sqrt(1000 / 10) times as far")
assert abs(rare / common - 10) < 1e-6

# %% [markdown]
# ## 5. Two Adams in print
#
# Adam keeps two running means, one of the gradients, as momentum does, and one of their squares, as
# RMSprop does:
#
# $$m = \beta_1 m_{\text{old}} + (1 - \beta_1)\, g, \qquad
#   v = \beta_2 v_{\text{old}} + (1 - \beta_2)\, g^2$$
#
# Both begin at 0, so at first both are too small: after t steps with the same gradient m is
# $(1 - \beta_1^t)\, g$. Adam corrects for that before it steps:
#
# $$\hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t}, \qquad
#   \theta_{\text{new}} = \theta_{\text{old}} - \alpha \frac{\hat m}{\sqrt{\hat v} + \epsilon}$$
#
# D2 (mathematics, part 3) has the two means and leaves the correction out (F4). Does it matter? Let
# the gradient be the same in every step. Adam's step is then $\alpha$, always. The printed one is
#
# $$\alpha\, \frac{1 - \beta_1^t}{\sqrt{1 - \beta_2^t}}$$
#
# because m recovers in ten steps and v, with the usual $\beta_2 = 0.999$, in a thousand. (RMSprop
# has no correction either. But what is too small there is only v, and with 0.9 not for long.)


# %%
def adam(p, g, kept, n, corrected=True, rate=0.2, beta1=0.9, beta2=0.999):
    """Adam, or what D2 prints."""
    kept["m"] = beta1 * kept.get("m", 0) + (1 - beta1) * g
    kept["v"] = beta2 * kept.get("v", 0) + (1 - beta2) * g**2
    m, v = kept["m"], kept["v"]
    if corrected:
        m, v = m / (1 - beta1**n), v / (1 - beta2**n)
    return p - rate * m / (np.sqrt(v) + 1e-8)


def adam_of_d2(p, g, kept, n):
    """Adam without its correction."""
    return adam(p, g, kept, n, corrected=False)


def by_adam(parameters):
    """Adam by minigrad."""
    return optim.Adam(parameters, lr=0.2)


def sizes(rule, steps=3000):
    """Return the size of each step for a gradient of 3 in every step, in units of the rate."""
    p, kept, found = 0.0, {}, []
    for n in range(1, steps + 1):
        q = rule(p, 3.0, kept, n)
        found.append(abs(q - p))
        p = q
    return np.array(found)


steady = {
    "Adam": sizes(adam) / 0.2,
    "Adam as D2 prints it": sizes(adam_of_d2) / 0.2,
    "RMSprop": sizes(rmsprop) / 0.1,
    "AdaGrad": sizes(adagrad) / 0.5,
}
SHOWN = (1, 2, 3, 12, 100, 1000, 3000)
print("\nsteps in units of the rate, for a gradient that stays the same")
print("  step                " + "".join(f"{n:8}" for n in SHOWN))
for name, size in steady.items():
    print(f"  {name:20}" + "".join(f"{size[n - 1]:8.3f}" for n in SHOWN))
t = np.arange(1, 3001)
uncorrected = steady["Adam as D2 prints it"]
assert np.abs(steady["Adam"] - 1).max() < 1e-7
assert np.abs(uncorrected - (1 - 0.9**t) / np.sqrt(1 - 0.999**t)).max() < 1e-6
assert abs(uncorrected[0] - math.sqrt(10)) < 1e-5
assert (uncorrected.argmax() + 1, round(uncorrected.max(), 2)) == (12, 6.57)
assert np.abs(steady["AdaGrad"] - 1 / np.sqrt(t)).max() < 1e-9

lesson.formula(
    "D2 math 3",
    "F4: Adam, alpha m / (sqrt(v) + eps), the first 60 steps",
    lambda: walk(adam_of_d2),
    descend(valley, by_adam),
    "right: with m / (1 - beta_1^t) and v / (1 - beta_2^t); else, under a constant gradient, the "
    "first step is sqrt(10) = 3.16 times too long, the twelfth 6.57 times",
    expect=FAILS,
)

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")
for name, colour in zip(steady, (BLUE, RED, ORANGE, GREEN), strict=True):
    left.loglog(t, steady[name], color=colour, label=name)
left.set_xlabel("step t, all with the same gradient")
left.set_ylabel("size of the step, in units of the rate")
left.set_title("What a missing correction does to first steps")
left.legend()
contours(right, valley, (-4.2, 4.5), (-2.2, 2.2), LEVELS)
for name, rule, colour in (("Adam", adam, BLUE), ("as D2 prints it", adam_of_d2, RED)):
    right.plot(*walk(rule).T, ".-", color=colour, markersize=4, linewidth=1, label=name)
right.plot(*START, "o", color="black", markersize=5)
right.set_xlabel("parameter x")
right.set_ylabel("parameter y")
right.set_title("60 steps down the valley, rate 0.2")
right.legend()
lesson.save(
    figure,
    "06_gradient_descent_first_steps.png",
    "Left: step sizes under a constant gradient; Adam's are the rate, without the bias correction "
    "they begin 3.16 times too long and grow to 6.57 times. Right: the two in the valley.",
)

# %% [markdown]
# D1 (mathematics, optimisers) prints another one (F3), and says that m and v are moments of the
# gradients:
#
# $$m_t = \beta_1 x_t + (1 - \beta_1)(x_t - x_{t-1}), \qquad
#   v_t = \beta_2 y_t + (1 - \beta_2)(y_t - y_{t-1})$$
#
# What x and y are is not said, and neither m nor v is on the right side: nothing is kept but the
# value before, so there is no running mean. Read kindly, x is the gradient and y its square. Then m
# is the last gradient less a tenth of the one before, and v can be negative:
# $v_t = y_t - (1 - \beta_2)\, y_{t-1}$, below 0 as soon as a gradient is less than
# $\sqrt{0.001} \approx 1/32$ of the one before.


# %%
def adam_of_d1(p, g, kept, n, rate=0.2, beta1=0.9, beta2=0.999):
    """What D1 prints, with the gradient for x and its square for y."""
    x, y = g, g**2
    x_before, y_before = kept.get("x", 0), kept.get("y", 0)
    kept["x"], kept["y"] = x, y
    m = beta1 * x + (1 - beta1) * (x - x_before)
    v = beta2 * y + (1 - beta2) * (y - y_before)
    return p - rate * m / (np.sqrt(v) + 1e-8)


def gradients_in_turn(rule, gradients):
    """Return where a rule goes from 0 with these gradients."""
    p, kept, path = 0.0, {}, []
    for n, g in enumerate(gradients, 1):
        p = rule(p, g, kept, n)
        path.append(p)
    return np.array(path)


lesson.formula(
    "D1 optimisers",
    "F3: Adam, m = beta_1 x_t + (1 - beta_1) (x_t - x_{t-1}), as it stands",
    lambda: eval("beta_1 * x_t + (1 - beta_1) * (x_t - x_before)", {"beta_1": 0.9}),
    0.3,
    "x and y are not defined, and no m or v is kept",
    expect=NOT_COMPUTABLE,
)
lesson.formula(
    "D1 optimisers",
    "F3: the same, with the gradient as x and its square as y, the first 60 steps",
    lambda: walk(adam_of_d1),
    descend(valley, by_adam),
    "no running means; right: m = beta_1 m + (1 - beta_1) g, v = beta_2 v + (1 - beta_2) g^2, "
    "both corrected",
    expect=FAILS,
)
lesson.formula(
    "D1 optimisers",
    "F3: the same, with the gradients 1 and 0.01 in turn",
    lambda: gradients_in_turn(adam_of_d1, [1.0, 0.01]),
    gradients_in_turn(adam, [1.0, 0.01]),
    "v = 0.0001 - 0.001 * 1 is negative, and has no root",
    expect=NOT_COMPUTABLE,
)

# %% [markdown]
# Two statements remain. Both documents call v the *variance* of the gradients: it is the mean of
# their squares, and for a gradient that is always 3 the variance is 0 and v goes to 9. (Dividing by
# the root of a variance of 0 would be no good idea.) And both say that Adam joins gradient descent
# with momentum. What is new in it is RMSprop's: multiply a loss by 1000, and momentum steps 1000
# times as far, where Adam does not notice.


# %%
def scaled(factor):
    """Return the valley with its heights multiplied."""
    return lambda t: factor * valley(t)


def longer(make, factor=1000.0):
    """Return how many times as far an optimiser goes in two steps if J is multiplied."""
    once, often = (descend(scaled(by), make, steps=2) for by in (1.0, factor))
    return np.abs(often[2] - START).max() / np.abs(once[2] - START).max()


def slow_momentum(parameters):
    """Momentum at a rate that survives the multiplication for two steps."""
    return optim.SGD(parameters, lr=1e-6, momentum=0.9)


t3 = mg.zeros(1, dtype=mg.float64, requires_grad=True)
three = optim.Adam([t3])
for _ in range(5000):
    t3.grad = mg.tensor(np.array([3.0]))
    three.step()
second_moment = three.state_dict()["state"][0]["exp_avg_sq"].item() / (1 - 0.999**5000)
print()
lesson.formula(
    "D1 algorithms, D2 math 3",
    "v is the variance of the gradients, here of 5,000 that are all 3",
    lambda: np.var(np.full(5000, 3.0)),
    second_moment,
    "right: the mean of their squares, 9; nothing is subtracted",
    expect=FAILS,
)
of_momentum, of_adam = longer(slow_momentum), longer(by_adam)
assert abs(of_momentum / 1000 - 1) < 0.01
lesson.statement(
    "D1 algorithms, D1 optimisers, D2 math 3",
    "Adam joins gradient descent and momentum",
    abs(of_adam / of_momentum - 1) < 0.01,
    f"if the loss is multiplied by 1000, momentum goes {of_momentum:.0f} times as far, "
    f"Adam {of_adam:.3f} times",
    "right: momentum and RMSprop, whose division by sqrt(v) takes the scale out",
    expect=FAILS,
)

# %% [markdown]
# ## 6. The family in the valley
#
# All rules beside minigrad's optimisers, 60 steps each, then all of them drawn: in the valley, and
# in the same valley turned by 45 degrees. A turn changes nothing for gradient descent and momentum,
# which see the surface as it is. AdaGrad, RMSprop and Adam look at each coordinate by itself. Where
# the valley lies along an axis, that is all they need; where it does not, x and y get gradients of
# much the same size, hence the same rate, and the advantage is gone.


# %%
def adamw(p, g, kept, n, decay=0.1):
    """AdamW: Adam, after a small step towards 0 that owes nothing to gradients (section 8)."""
    return adam((1 - 0.2 * decay) * p, g, kept, n)


def by_adamw(parameters):
    """AdamW by minigrad."""
    return optim.AdamW(parameters, lr=0.2, weight_decay=0.1)


def plain(p, g, kept, n):
    """Gradient descent at its best rate for this valley."""
    return p - 1 / 13 * g


FAMILY = {
    "gradient descent": (plain, gd(1 / 13), GREY),
    "momentum": (momentum, with_momentum, BLUE),
    "AdaGrad": (adagrad, by_adagrad, GREEN),
    "RMSprop": (rmsprop, by_rmsprop, ORANGE),
    "Adam": (adam, by_adam, RED),
    "AdamW": (adamw, by_adamw, PURPLE),
}
TURN = np.array([[1.0, -1.0], [1.0, 1.0]]) / math.sqrt(2)
BACK = mg.tensor(TURN.T)


def turned(t):
    """The valley turned by 45 degrees."""
    return valley(BACK @ t)


ways, turned_ways, off = {}, {}, {}
print("\n60 steps: by hand against minigrad, J at the end, and J in the turned valley")
for name, (rule, make, _) in FAMILY.items():
    ways[name] = descend(valley, make)
    turned_ways[name] = descend(turned, make, TURN @ START) @ TURN  # turned back
    off[name] = np.abs(walk(rule) - ways[name]).max()
    ends = heights(ways[name])[-1], heights(turned_ways[name])[-1]
    print(f"  {name:18} differ by {off[name]:7.0e}   J = {ends[0]:8.2e} {ends[1]:10.2e}")
    assert off[name] < 1e-12
for name in ("gradient descent", "momentum"):
    assert np.abs(turned_ways[name] - ways[name]).max() < 1e-12
for name in ("AdaGrad", "RMSprop"):
    assert heights(turned_ways[name])[-1] > 10 * heights(ways[name])[-1]
hover = heights(descend(valley, by_rmsprop, steps=300))[-50:].max()
print(f"RMSprop at a constant rate hovers: in steps 251 to 300 its J is up to {hover:.3f}, for its")
print("steps are about 0.1 long wherever the gradient only changes its sign")
assert hover > 0.02

figure, panels = plt.subplots(1, 2, figsize=(12.5, 4.9), layout="constrained")
angles = (np.eye(2), TURN)
for axes, turn, found, name in zip(
    panels, angles, (ways, turned_ways), ("along the axes", "turned by 45 degrees"), strict=True
):
    contours(
        axes, lambda grid, turn=turn: valley(np.tensordot(turn.T, grid, 1)),
        (-1.6, 4.4), (-1.6, 4.4) if turn[0, 1] else (-2.1, 2.3), LEVELS,
    )  # fmt: skip
    for label, (_, _, colour) in FAMILY.items():
        dashes = "--" if label == "AdamW" else "-"
        axes.plot(
            *(found[label] @ turn.T).T, dashes, color=colour, marker=".", markersize=4,
            linewidth=1, label=label, alpha=0.85,
        )  # fmt: skip
    axes.plot(*(turn @ START), "o", color="black", markersize=6)
    axes.set_xlabel("parameter x")
    axes.set_ylabel("parameter y")
    axes.set_title(f"The valley {name}")
panels[0].legend(fontsize=8, ncols=2)
lesson.save(
    figure,
    "06_gradient_descent_family.png",
    "Sixty steps of six optimisers from the black dot, in the valley and in the same valley "
    "turned: gradient descent and momentum walk the same way in both, those with a rate for each "
    "coordinate do not (AdaGrad lies under RMSprop, and stops earlier).",
)

# %% [markdown]
# ## 7. A saddle
#
# Not every flat place is a bottom. This surface is a saddle at the origin, down to two bottoms at
# y = 1 and y = -1:
#
# $$J(x, y) = \tfrac12 x^2 - \tfrac12 y^2 + \tfrac14 y^4$$
#
# Start one thousandth beside the ridge. Down there along y the gradient is as small as y itself, so
# gradient descent multiplies it by $1 + \alpha$ in each step, and takes about
# $\ln(500) / \ln(1 + \alpha)$ steps to get anywhere: its loss curve looks as if it had arrived.
# Momentum does better. Those that divide by the gradient's usual size do not even notice.


# %%
def saddle(t):
    """A saddle at the origin between two bottoms."""
    return 0.5 * t[0] ** 2 - 0.5 * t[1] ** 2 + 0.25 * t[1] ** 4


ON_THE_RIDGE = np.array([-1.5, 0.001])
ESCAPES = {
    "gradient descent": (gd(0.05), GREY),
    "momentum 0.9": (lambda p: optim.SGD(p, lr=0.05, momentum=0.9), BLUE),
    "AdaGrad": (lambda p: optim.Adagrad(p, lr=0.05), GREEN),
    "RMSprop": (lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9), ORANGE),
    "Adam": (lambda p: optim.Adam(p, lr=0.05), RED),
}
routes = {name: descend(saddle, make, ON_THE_RIDGE, 250) for name, (make, _) in ESCAPES.items()}
left_after = {name: int(np.argmax(np.abs(path[:, 1]) > 0.5)) for name, path in routes.items()}
print("\nsteps from the ridge (y = 0.001) to y = 0.5, all at the rate 0.05")
for name, steps in left_after.items():
    print(f"  {name:18} {steps:4}")
assert all(steps > 0 for steps in left_after.values())
assert abs(left_after["gradient descent"] / (math.log(500) / math.log(1.05)) - 1) < 0.1
assert left_after["momentum 0.9"] < 0.5 * left_after["gradient descent"]
assert left_after["Adam"] < 15
for make, _ in ESCAPES.values():
    assert (descend(saddle, make, np.array([-1.5, 0.0]), 250)[:, 1] == 0).all()
print("from y = 0 exactly, y is 0 after 250 steps of each")

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained")
contours(left, saddle, (-1.7, 0.7), (-0.4, 1.4), np.arange(-0.24, 1.4, 0.08))
for name, (_, colour) in ESCAPES.items():
    left.plot(*routes[name].T, ".-", color=colour, markersize=3, linewidth=1)
    y = routes[name][:, 1]
    right.plot(y, color=colour, label=f"{name}: {left_after[name]} steps")
left.plot(*ON_THE_RIDGE, "o", color="black", markersize=6)
left.plot(0, 0, "x", color="black")
left.set_xlabel("parameter x")
left.set_ylabel("parameter y")
left.set_title("From the ridge (dot) past the saddle (cross)")
right.axhline(0.5, color=GREY, linestyle=":", linewidth=0.8)
right.set_xlabel("step")
right.set_ylabel("parameter y; the bottom is at 1")
right.set_title("How long each stays, to y = 0.5")
right.legend(loc="lower right")
lesson.save(
    figure,
    "06_gradient_descent_saddle.png",
    "Five optimisers started one thousandth beside the ridge of a saddle, at the same rate: "
    "gradient descent stays for over a hundred steps, Adam leaves at once. Dashed lines lie below "
    "the saddle.",
)

# %% [markdown]
# From the ridge exactly none of them leaves, for its gradient along y is exactly 0, and 0 divided
# by anything is 0. Only noise helps there: SGD has it for nothing.
#
# ## 8. AdamW is not Adam with an L2 term (F24)
#
# *Weight decay* pulls each weight towards 0 a little in every step (lesson 7 says what for). There
# are two ways to write it. One adds $\frac{\lambda}{2} |\theta|^2$ to the loss, an L2 term, and so
# $\lambda \theta$ to the gradient. The other leaves the gradient alone and multiplies the weight by
# $1 - \alpha \lambda$. For gradient descent they are the same thing:
#
# $$\theta - \alpha (g + \lambda \theta) = (1 - \alpha \lambda)\, \theta - \alpha g$$
#
# D1 says of AdamW, in two places, that it is Adam with an L2 term. That is what it is *not*: Adam
# with an L2 term divides the pull by $\sqrt{\hat v}$ with all the rest. At the first step Adam goes
# $\alpha$ far whatever the gradient, so that an L2 term has no effect at all unless it turns the
# sign. Later, a weight with large gradients is hardly pulled, and one with small gradients is torn.
# AdamW takes the second way, and pulls all alike.
#
# Weights with nothing to learn, whose gradients are pure noise of three sizes, are to fall with
# $\lambda = 0.1$ at the rate 0.02. Four hundred of each size, so that the noise averages out:


# %%
NOISES = np.array([[0.1], [1.0], [10.0]])


def under_noise(make, steps=1000):
    """Return the mean of 400 weights for each size of noise, after every step, from 1 on."""
    rng, w = np.random.default_rng(0), mg.ones(3, 400, dtype=mg.float64, requires_grad=True)
    optimiser, means = make([w]), [np.ones(3)]
    for _ in range(steps):
        w.grad = mg.tensor(rng.normal(size=(3, 400)) * NOISES)
        optimiser.step()
        means.append(np.array(w.detach().mean(axis=1).tolist()))
    return np.array(means)


DECAYS = {
    "Adam with L2": lambda p: optim.Adam(p, lr=0.02, weight_decay=0.1),
    "AdamW": lambda p: optim.AdamW(p, lr=0.02, weight_decay=0.1),
}
means = {name: under_noise(make) for name, make in DECAYS.items()}
aim = (1 - 0.02 * 0.1) ** np.arange(1001)
print(f"\nleft of a weight of 1 after 500 steps; (1 - 0.002)^500 = {aim[500]:.3f} is meant")
print("  size of the gradients  0.1        1       10")
for name, way in means.items():
    print(f"  {name:16}" + "".join(f"{value:9.3f}" for value in way[500]))
assert np.abs(means["AdamW"] - aim[:, None]).max() < 0.06
assert np.abs(means["Adam with L2"][500, 0]) < 0.05
assert means["Adam with L2"][500, 2] > 0.8


def one_step(make, start=(1.0, 1.0), gradient=(0.01, 10.0)):
    """Return where a single step goes."""
    w = mg.tensor(np.array(start), requires_grad=True)
    optimiser = make([w])
    w.grad = mg.tensor(np.array(gradient))
    optimiser.step()
    return np.array(w.tolist())


by_l2, by_w = (one_step(make) for make in DECAYS.values())
without = one_step(lambda p: optim.Adam(p, lr=0.02))
print("two weights of 1 after one step, gradients 0.01 and 10, at the rate 0.02")
for name, w in (("Adam, no decay", without), ("Adam with L2", by_l2), ("AdamW", by_w)):
    print(f"  {name:16} {w[0]:.6f} {w[1]:.6f}")
assert np.abs(by_l2 - without).max() < 1e-6
assert np.abs(without - by_w - 0.02 * 0.1).max() < 1e-12

by_gd = one_step(lambda p: optim.GD(p, lr=0.02, weight_decay=0.1))
by_gd_decoupled = one_step(
    lambda p: optim.GD(p, lr=0.02, weight_decay=0.1, decoupled_weight_decay=True)
)
assert np.abs(by_gd - by_gd_decoupled).max() < 1e-15
lesson.formula(
    "D1 algorithms, D1 optimisers",
    "F24: AdamW is Adam with an L2 term: weights of 1 after 500 steps",
    lambda: means["Adam with L2"][500],
    means["AdamW"][500],
    "the L2 term is divided by sqrt(v) like the gradient; right: AdamW multiplies the weight by "
    "1 - alpha lambda",
    expect=FAILS,
)

figure, panels = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained", sharey=True)
for axes, (name, way) in zip(panels, means.items(), strict=True):
    for size, line, colour in zip(NOISES.ravel(), way.T, (GREEN, BLUE, RED), strict=True):
        axes.plot(line, color=colour, label=f"gradients of size {size:g}")
    axes.plot(aim, "k:", label=r"$(1 - \alpha \lambda)^t$")
    axes.set_title(name)
    axes.set_xlabel("step t")
    axes.grid(alpha=0.25)
panels[0].set_ylabel("mean of 400 weights")
panels[1].legend()
lesson.save(
    figure,
    "06_gradient_descent_decay.png",
    "The same weight decay, written as an L2 term under Adam and as AdamW, on weights whose "
    "gradients are noise of three sizes: the L2 term pulls each at another speed, AdamW all alike.",
)

# %% [markdown]
# NB: PyTorch's `Adam(weight_decay=...)` is Adam with L2 and its `AdamW` is AdamW; the defaults are
# 0 and 0.01. Its $\lambda$ belongs to $\frac{\lambda}{2} |\theta|^2$, with the half.

# %%
lesson.finish()

# %% [markdown]
# ## Exercises
#
# Those that are graded: `python -m minigrad lessons next 6`. And to try in this file:
#
# 1. Give the valley a condition of 400. What are the limit, the best rate, and the best momentum?
#    How many steps does each take to a height of 0.001?
# 2. Find the bug: an Adam computes its corrections with `1 - beta1 * t` and `1 - beta2 * t`. What
#    is its first step, and what happens at the second?
# 3. Give AdamW the noise of section 8 and 4,000 steps: it comes to rest around 0, but how far
#    around? Which rate halves that?
# 4. Find the bug: a training loop never calls `zero_grad`. Which rule of this lesson is it running,
#    with which $\mu$? Try it in the valley.
# 5. Let Adam start one thousandth beside the ridge with `eps=1`. How long does it stay now, and
#    which optimiser has it become?
#
# Next: lesson 7 uses weight decay for what it is for, to keep a network from learning by heart.
