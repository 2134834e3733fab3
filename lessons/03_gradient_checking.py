# %% [markdown]
# # 3. Is this gradient right? How to check one, and how checks fool themselves
#
# A wrong gradient gives no error. The cure is a second number from nothing but values of the
# function, and the question of this lesson is when to believe it. You will see how small a step
# may be, five habits by which a check passes what is wrong, and what a check can and cannot say
# at a kink. Then the check is turned on the documents: nineteen of their statements about
# backpropagation, each computed as it is printed. Two of them hold.

# %%
import textwrap

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.learn import (
    BLUE,
    CONVENTION,
    DIFFERENCES,
    FAILS,
    GREEN,
    GREY,
    NOT_COMPUTABLE,
    RED,
    begin,
)

lesson = begin("03_gradient_checking", "How to check a gradient, and how checks are fooled.")

# %% [markdown]
# ## 1. The second number, and its step
#
# One number is nudged by h, and the loss watched: to one side (forward), or better to both
# (central):
#
# $$\frac{f(p + h) - f(p)}{h} \qquad\qquad \frac{f(p + h) - f(p - h)}{2h}$$
#
# By Taylor's series the first is off by about $h f''/2$, the second by $h^2 f'''/6$: the
# *truncation* error, which asks for a small h. But values are rounded, by about one part in
# $\varepsilon = 2.2 \times 10^{-16}$, and the difference of two nearly equal ones is divided by h:
# a *rounding* error of about $\varepsilon f / h$, which asks for a large h. The two are equal near
# $\sqrt{\varepsilon}$ for the forward and $\sqrt[3]{\varepsilon}$ for the central difference.
#
# The network for it is D0's of section 4, with layers of 3, 4, 3 and 2 so that no two shapes agree
# by accident: sigmoid layers, and half the squared error.

# %%
rng = np.random.default_rng(3)
SIZES = (3, 4, 3, 2)
weights = {}
for layer in (1, 2, 3):
    weights[f"W{layer}"] = rng.normal(size=(SIZES[layer], SIZES[layer - 1]))
    weights[f"b{layer}"] = rng.normal(size=SIZES[layer])
x = np.array([1.0, 2.0, 3.0])
y = np.array([0.0, 1.0])


def sigmoid(z):
    """The logistic function 1 / (1 + e^-z), whose slope is a (1 - a)."""
    return 1 / (1 + np.exp(-z))


def activations(p, x):
    """Return x and the activations of the three layers."""
    a = [x]
    for layer in "123":
        a.append(sigmoid(p["W" + layer] @ a[-1] + p["b" + layer]))
    return a


def loss(p, x=x):
    """Half the squared error of the last layer."""
    a = activations(p, x)[3]
    return np.sum((a - y.astype(a.dtype)) ** 2) / 2


def numeric(p, name, h=1e-5, *, central=True, x=x):
    """Return the gradient by one parameter from differences of the loss."""
    found = np.zeros_like(p[name])
    for place in np.ndindex(found.shape):
        values = []
        for step in (h, -h if central else 0 * h):
            moved = p[name].copy()
            moved[place] += step
            values.append(loss({**p, name: moved}, x))
        found[place] = (values[0] - values[1]) / (2 * h if central else h)
    return found


def by_formula(p, x=x):
    """Return the gradients, and the errors of the layers, from the closed formulas of lesson 1."""
    a = activations(p, x)
    delta, found, deltas = (a[3] - y) * a[3] * (1 - a[3]), {}, {}
    for layer in (3, 2, 1):
        deltas[layer] = delta
        found[f"W{layer}"], found[f"b{layer}"] = np.outer(delta, a[layer - 1]), delta
        if layer > 1:
            delta = (p[f"W{layer}"].T @ delta) * a[layer - 1] * (1 - a[layer - 1])
    return found, deltas


formula, deltas = by_formula(weights)
for name in weights:
    assert np.abs(numeric(weights, name) - formula[name]).max() < 1e-9

single = {name: value.astype(np.float32) for name, value in weights.items()}
steps = 10.0 ** np.arange(-12, 0.01, 0.25)
scale = np.abs(formula["W1"]).max()


def errors_of(p, *, central):
    """Return the error of dJ/dW1 at each step, relative to its largest entry."""
    kind = p["W1"].dtype.type
    x_ = x.astype(kind)
    found = [numeric(p, "W1", kind(h), central=central, x=x_) for h in steps]
    return np.array([np.abs(g - formula["W1"]).max() / scale for g in found])


curves = {
    "forward, float64": errors_of(weights, central=False),
    "central, float64": errors_of(weights, central=True),
    "central, float32": errors_of(single, central=True),
}
print("error of the difference quotient, relative to the largest gradient")
for name, errors in curves.items():
    best = int(np.argmin(errors))
    usual = errors[np.argmin(np.abs(steps - 1e-6))]
    print(f"  {name}: least {errors[best]:.0e} at h = {steps[best]:.0e}, {usual:.0e} at h = 1e-06")


def slope(errors, low, high):
    """Return the exponent with which errors grow between two steps."""
    inside = (steps > 0.99 * low) & (steps < 1.01 * high)
    return np.polyfit(np.log(steps[inside]), np.log(errors[inside]), 1)[0]


exponents = (
    slope(curves["forward, float64"], 1e-6, 1e-2),
    slope(curves["central, float64"], 1e-3, 1e-1),
    slope(curves["central, float64"], 1e-11, 1e-7),
)
print(f"  forward: truncation grows as h^{exponents[0]:.2f}")
print(f"  central: truncation grows as h^{exponents[1]:.2f}, rounding as h^{exponents[2]:.2f}")
assert abs(exponents[0] - 1) < 0.05
assert abs(exponents[1] - 2) < 0.05
assert abs(exponents[2] + 1) < 0.3
least = {name: errors.min() for name, errors in curves.items()}
assert least["central, float64"] < 1e-8 < least["forward, float64"] < 1e-5
assert least["central, float32"] > 1e-5
assert curves["central, float32"][np.argmin(np.abs(steps - 1e-6))] > 0.1

# %% [markdown]
# Three things to take along. A central difference in float64 with h near 1e-5 has nine good
# digits or so. A forward difference has six. And in float32 no step gives more than three or four,
# and at the h = 1e-6 that everyone types, not one: a check in float32 must either raise false
# alarms or look away.

# %%
figure, axes = plt.subplots(figsize=(8.5, 4.8), layout="constrained")
for (name, errors), colour, mark in zip(curves.items(), (GREEN, BLUE, RED), "s^o", strict=True):
    axes.loglog(steps, errors, mark + "-", color=colour, markersize=3.5, label=name)
guide = curves["central, float64"]
wide, narrow = steps > 10**-3.6, steps < 10**-6.4
axes.loglog(steps[wide], 0.2 * guide[-5] * (steps[wide] / steps[-5]) ** 2, ":", color=GREY)
axes.text(3e-2, 2e-6, "$h^2$", color=GREY)
axes.loglog(steps[narrow], 0.1 * guide[8] * steps[8] / steps[narrow], ":", color=GREY)
axes.text(1e-11, 1e-6, "$1/h$", color=GREY, ha="right")
axes.axvline(np.finfo(float).eps ** (1 / 3), color=BLUE, linestyle="--", linewidth=1,
             label=r"$\sqrt[3]{\varepsilon}$ of float64")  # fmt: skip
axes.set_ylim(1e-11, 30)
axes.set_xlabel("step h of the difference quotient")
axes.set_ylabel("error of dJ/dW1, relative to its largest entry")
axes.set_title("Rounding to the left, truncation to the right")
axes.legend(loc="lower left", fontsize=9)
figure.supxlabel("3-4-3-2 sigmoid network of D0 4, half the squared error", fontsize=9)
lesson.save(
    figure,
    "03_gradient_checking_step.png",
    "The error of a difference quotient by its step: rounding on the left, truncation on the "
    "right, and in float32 no step is good.",
)

# %% [markdown]
# ## 2. The check that comes with minigrad
#
# `mg.gradcheck` does this for any function: it compares every derivative in float64, and says
# what it thinks of a difference. To see it find something, make an op with a wrong rule on
# purpose. `detach` gives a value without its past; so the sum below has the value of the first
# tensor and the slope of the second.


# %%
def with_slope_of(value, path):
    """Return the first tensor's value with the second one's way back."""
    return value.detach() + (path - path.detach())


def wrong_tanh(z):
    """Tanh with the slope 1 - tanh(z), as D2 has it (steps, part 4)."""
    return with_slope_of(mg.tanh(z), z * (1 - mg.tanh(z)).detach())


points = mg.tensor([-1.5, -0.3, 0.4, 2.0], dtype=mg.float64)
print("\nmg.gradcheck of tanh")
print(mg.gradcheck(mg.tanh, points))
report = mg.gradcheck(wrong_tanh, points)
print("\nmg.gradcheck of tanh with the slope 1 - tanh")
print(report)
assert mg.gradcheck(mg.tanh, points).verdict == "passed"
assert report.verdict == "failed"

# %% [markdown]
# ## 3. Five ways to be fooled
#
# 1. **There is a gradient.** Tests of real engines ask that `.grad` is not None. All zeros pass.
# 2. **Ones.** `f(x).sum()` is handy, for its gradient needs no cotangent (the numbers that weigh
#    the outputs). But the outputs of a softmax always sum to 1, so the right gradient is 0, and a
#    sign or a factor on 0 is invisible; and a transpose does not matter to ones.
# 3. **A special point.** At 0, 1 - tanh is the right slope.
# 4. **float32** with a tolerance so wide that right gradients pass.
# 5. **A tolerance that is larger than the gradient**, as a fixed 1e-2 where gradients are 1e-3.
#
# Six functions with planted bugs against these habits. Each function stands there in a right
# form too, for a check that refuses what is right is of no use either.


# %%
def softmax(z):
    """The softmax of each row."""
    return mg.softmax(z, -1)


def transposed(z):
    """The rows as columns."""
    return mg.transpose(z, 0, 1)


def centred(z):
    """Each entry minus the mean of its row."""
    return z - z.mean(-1, keepdim=True)


def mean_square(z):
    """The mean of the squares of all entries."""
    return (z * z).mean()


def small_sine(z):
    """A sine of 0.0002."""
    return 2e-4 * mg.sin(z)


FUNCTIONS = {
    "tanh: slope 1 - tanh (D2)": (mg.tanh, wrong_tanh),
    "softmax: sign": (softmax, lambda z: with_slope_of(softmax(z), -softmax(z))),
    "transpose: not undone": (transposed, lambda z: with_slope_of(transposed(z), z)),
    "centring: slope 0": (centred, lambda z: with_slope_of(centred(z), 0 * z)),
    "mean square: 1/(n-1) for 1/n": (
        mean_square,
        lambda z: with_slope_of(mean_square(z), mean_square(z) * z.numel() / (z.numel() - 1)),
    ),
    "small sine: doubled": (
        small_sine,
        lambda z: with_slope_of(small_sine(z), 2 * small_sine(z)),
    ),
}
SQUARE = np.random.default_rng(0).normal(size=(6, 6))


def agrees(f, point, cotangent, h, rtol, atol):
    """Say whether the gradient of (cotangent * f).sum() agrees with central differences."""
    z = mg.tensor(point, requires_grad=True)
    v = mg.tensor(np.broadcast_to(cotangent, f(z).shape).astype(point.dtype))
    f(z).backward(v)
    found = np.zeros_like(point)
    for place in np.ndindex(point.shape):
        values = []
        for step in (h, -h):
            moved = point.copy()
            moved[place] += step
            values.append((f(mg.tensor(moved)) * v).sum().item())
        found[place] = (values[0] - values[1]) / (2 * h)
    allowed = atol + rtol * np.abs(found).max()
    return bool(np.abs(z.grad.cpu().numpy() - found).max() <= allowed)


def random_cotangent(f):
    """Return random weights of the outputs."""
    return np.random.default_rng(1).normal(size=f(mg.tensor(SQUARE)).shape)


def there_is_one(f):
    """The habit of asking for any gradient at all."""
    z = mg.tensor(SQUARE, requires_grad=True)
    f(z).sum().backward()
    return z.grad is not None


def in_float32(f):
    """The habit of float32, with the step and tolerance that it needs."""
    return agrees(f, SQUARE.astype(np.float32), random_cotangent(f), 1e-2, 5e-2, 1e-6)


HABITS = {
    "not None": there_is_one,
    "ones": lambda f: agrees(f, SQUARE, 1.0, 1e-5, 1e-6, 1e-9),
    "at zero": lambda f: agrees(f, 0 * SQUARE, random_cotangent(f), 1e-5, 1e-6, 1e-9),
    "float32": in_float32,
    "atol 1e-2": lambda f: agrees(f, SQUARE, random_cotangent(f), 1e-5, 1e-6, 1e-2),
    "mg.gradcheck": lambda f: bool(mg.gradcheck(f, mg.tensor(SQUARE))),
}
print("\nplanted bug                    " + "".join(f"{habit:>13}" for habit in HABITS))
caught = {}
for name, (good, bad) in FUNCTIONS.items():
    assert all(check(good) for check in HABITS.values()), name
    caught[name] = [not check(bad) for check in HABITS.values()]
    print(f"  {name:29}" + "".join(f"{'caught' if hit else '-':>13}" for hit in caught[name]))
print("  (each habit lets all six pass in their right form)")


def missed_by(habit):
    """Return the bugs that a habit did not catch, by their first word."""
    column = list(HABITS).index(habit)
    return {name.partition(":")[0] for name, hits in caught.items() if not hits[column]}


assert len(missed_by("not None")) == 6
assert missed_by("ones") == {"softmax", "transpose", "centring"}
assert missed_by("at zero") == {"tanh", "mean square"}
assert missed_by("float32") == {"mean square"}
assert missed_by("atol 1e-2") == {"mean square", "small sine"}
assert missed_by("mg.gradcheck") == set()

# %% [markdown]
# ## 4. What a check can not say
#
# At a **kink** there is no derivative. ReLU at 0 has the slope 0 on the left and 1 on the right;
# the central difference gives 1/2, and backward some number by convention. At a **tie** of a
# maximum the same. And within h of a kink the difference straddles it. These are no errors, and
# moving the point a little decides. A check by itself of **sign** shows nothing: all is 0.

# %%
print("\nverdicts of mg.gradcheck, and why")
for what, f, point, verdict in (
    ("relu at 0", mg.relu, [0.0, 0.7], "kink"),
    ("relu at 0.0000004", mg.relu, [4e-7, 0.7], "kink"),
    ("maximum of 1 and 1", lambda z: z.amax(), [1.0, 1.0, 0.5], "passed"),
    ("sign", mg.sign, [-1.0, 0.5], "vacuous"),
    ("softmax, weighed by ones", softmax, [0.5, -1.0, 2.0], "vacuous"),
):
    z = mg.tensor(point, dtype=mg.float64)
    ones = mg.ones(len(point), dtype=mg.float64) if "ones" in what else None
    report = mg.gradcheck(f, z, cotangent=ones)
    print(f"  {what}: {report.verdict}")
    for note in report.notes:
        print(textwrap.indent(textwrap.fill(note, 92), "    "))
    assert report.verdict == verdict

z = mg.tensor([1.0, 1.0, 0.5], requires_grad=True)
z.amax().backward()
assert z.grad.tolist() == [0.5, 0.5, 0.0]
z = mg.tensor([0.0, 0.7], requires_grad=True)
mg.relu(z).sum().backward()
assert z.grad.tolist() == [0.0, 1.0]

refusal = ""
try:
    mg.gradcheck(mg.tanh, mg.ones(3))
except TypeError as error:
    refusal = str(error)
print("  float32 is refused:")
print(textwrap.indent(textwrap.fill(refusal, 92), "    "))
assert "float64" in refusal

# %% [markdown]
# NB: PyTorch takes the same sides: the slope of `relu` at 0 is 0, `amax` shares a tie evenly. Its
# `torch.autograd.gradcheck` compares the whole Jacobian too, wants float64 as well, and warns for
# float32 where minigrad refuses; at a kink it fails with a mismatch and leaves the reason to you.
#
# ## 5. The documents' formulas
#
# Now each formula for backpropagation, computed as it stands and held against central differences
# on the 3-4-3-2 network. In D0 (4.2):
#
# - **F1** the gradient of a layer's weights is dJ/da(l+1) times da(l+1)/da(l): the layer's own
#   input is not in it. Its bias likewise, with da(l+1)/db(l). And da(l+1)/da(l) is said to be the
#   slope of the activation: no weights in it.
# - **F2** the output's gradient is dJ/dz times dz/da, and that is -(1/m)(y - a).

# %%
a = activations(weights, x)


def jacobian(f, at, h=1e-5):
    """Return the derivatives of f's outputs (rows) by its inputs (columns)."""
    columns = [(f(at + h * e) - f(at - h * e)) / (2 * h) for e in np.eye(len(at))]
    return np.stack(columns, axis=-1)


def later(number, value, stop=3):
    """Return the activations of layer ``stop`` from those of an earlier layer."""
    for layer in range(number + 1, stop + 1):
        value = sigmoid(weights[f"W{layer}"] @ value + weights[f"b{layer}"])
    return value


def by_activations(number):
    """Return dJ/da of a layer."""
    return jacobian(lambda v: np.sum((later(number, v) - y) ** 2) / 2, a[number])


def third_by_bias(b2):
    """Return the activations of layer 3 for another bias of layer 2."""
    return later(2, sigmoid(weights["W2"] @ a[1] + b2))


print("\nthe formulas of the documents, as printed")
slope_3 = a[3] * (1 - a[3])
by_z3 = deltas[3]  # dJ/dz of the last layer
lesson.formula(
    "D0 4.2", "F1: dJ/dW2 = dJ/da3 . da3/da2",
    lambda: by_activations(3) @ jacobian(lambda v: later(2, v), a[2]),
    numeric(weights, "W2"),
    "right: the layer's error times its input, transposed",
    expect=FAILS, check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D0 4.2", "F1, bias: dJ/db2 = dJ/da3 . da3/db2",
    lambda: by_activations(3) @ jacobian(third_by_bias, weights["b2"]),
    numeric(weights, "b2"),
    "the chain rule, one layer late; the last layer has no l + 1",
    check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D0 4.2", "F1, slope: da3/da2 is the activation's derivative",
    lambda: np.diag(slope_3),
    jacobian(lambda v: later(2, v), a[2]),
    "right: the derivative times W3",
    expect=FAILS, check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D0 4.2", "F2: dJ/da3 = dJ/dz3 . dz3/da3, for sigmoid",
    lambda: by_z3 / slope_3,
    by_activations(3),
    "but in a circle: dJ/dz3 is what one wants from dJ/da3",
    check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D0 4.2", "F2: the same where an activation has slope 0 (ReLU)",
    lambda: (by_activations(3) * 0) / (0 * slope_3),
    by_activations(3),
    "0/0; right: dJ/dz3 = dJ/da3 times the slope",
    expect=NOT_COMPUTABLE,
)  # fmt: skip
lesson.formula(
    "D0 4.2", "F2: dJ/da3 = -(1/m)(y - a3)",
    lambda: -(y - a[3]) / len(y),
    by_activations(3),
    "for the J of D0 4.3 there is no 1/m",
    conventions={"J = (1/2m) sum of squares": by_activations(3) / len(y)},
    expect=CONVENTION, check=DIFFERENCES,
)  # fmt: skip

# %% [markdown]
# That F1 cannot be right one sees without its shape. Double the first layer's input and halve its
# weights: everything from z1 on stays as it was, so everything in F1 does. But the gradient by
# those weights doubles.

# %%
halved = {**weights, "W1": weights["W1"] / 2}
before, after = numeric(weights, "W1"), numeric(halved, "W1", x=2 * x)
print("\nthe input doubled, its weights halved: all activations are the same,")
print(f"  and dJ/dW1 grows by the factor {np.median(after / before):.6f}")
assert np.abs(activations(halved, 2 * x)[3] - a[3]).max() < 1e-15
assert np.abs(after - 2 * before).max() < 1e-8

# %% [markdown]
# In D1 (backpropagation, and layers before it):
#
# - **F5** the output's error is (y - a) times the slope, and parameters go *down* along it;
# - **F6** a gradient is the sum of the elementwise products of error and input;
# - **F7** in each layer z is W times x plus b.

# %%
lesson.formula(
    "D1 backprop", "F5: delta3 = (y - a3) * slope",
    lambda: (y - a[3]) * slope_3,
    numeric(weights, "b3"),
    "the sign: with theta - alpha * gradient the loss climbs (below)",
    expect=FAILS, check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D1 backprop", "F6: the gradient by W1 is delta1 * x, elementwise",
    lambda: deltas[1] * x,
    numeric(weights, "W1"),
    "right: the outer product; with equal sizes it runs and has the wrong shape",
    expect=NOT_COMPUTABLE, check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D1 layers", "F7: z2 = W2 x + b2",
    lambda: weights["W2"] @ x + weights["b2"],
    weights["W2"] @ a[1] + weights["b2"],
    "right: W2 a1 + b2",
    expect=NOT_COMPUTABLE,
)  # fmt: skip

# %% [markdown]
# F7 in a network where all layers are of one size does run, and the check finds what it does: the
# first layer has no say in the output.

# %%
mg.manual_seed(0)
W1, W2 = (mg.randn(3, 3, dtype=mg.float64, requires_grad=True) for _ in range(2))
out = mg.sigmoid(W2 @ mg.tensor(x))  # as printed: x where layer 1's activations belong
(unused,) = mg.autograd.grad(out.sum(), [W1], allow_unused=True)
print(f"\nF7 with layers of one size: the gradient by W1 is {unused}")
assert unused is None

# %% [markdown]
# And in the code of D2 (steps, parts 2 to 5), a network with a tanh layer and a sign at its end:
#
# - **F10** the slope of tanh is 1 - tanh;
# - **F11** the output is a sign, whose slope is taken as 1;
# - **F12** the weights of a layer are changed by the error that is handed on, with no input in it;
#   the error is target minus output, and subtracted; and backward reads names that live in forward;
# - **F13** ReLU is Python's max of 0 and an array.
#
# Three more stand in the same lines. The slope of tanh is taken at the product of the first weights
# with what is already their product with the input; the sizes of the weights are names that nothing
# defines; and the training loop leaves its input as three dots, which Python takes for a value.

# %%
SAMPLES = np.random.default_rng(5).normal(size=(20, 3))
TARGETS = np.stack([np.sin(SAMPLES[:, 0]), SAMPLES[:, 1] * SAMPLES[:, 2] / 2], axis=1)


def first_weights():
    """Return the weights of a 3-4-2 network, drawn small."""
    draw = np.random.default_rng(7)
    return [draw.normal(size=(3, 4)) / 2, draw.normal(size=(4, 2)) / 2]


def tanh_network(V):
    """Return the hidden activations and the outputs (without the sign)."""
    hidden = np.tanh(SAMPLES @ V[0])
    return hidden, hidden @ V[1]


def squared_error(V):
    """Half the squared error, mean over the samples."""
    return np.sum((tanh_network(V)[1] - TARGETS) ** 2) / 2 / len(SAMPLES)


def tanh_errors(V, slope_of=lambda h: 1 - h * h):
    """Return the error of each layer, from the slope of tanh at its value h."""
    hidden, out = tanh_network(V)
    delta_out = (out - TARGETS) / len(SAMPLES)
    return delta_out @ V[1].T * slope_of(hidden), delta_out


def tanh_gradients(V, slope_of=lambda h: 1 - h * h):
    """Return the gradients by both weights."""
    delta_hidden, delta_out = tanh_errors(V, slope_of)
    return [SAMPLES.T @ delta_hidden, tanh_network(V)[0].T @ delta_out]


def difference_of(f, at, h=1e-5):
    """Return the slopes of an elementwise function."""
    return (f(at + h) - f(at - h)) / (2 * h)


V = first_weights()
right = [np.zeros_like(v) for v in V]
for number, v in enumerate(V):
    for place in np.ndindex(v.shape):
        sides = []
        for step in (1e-5, -1e-5):
            moved = [w.copy() for w in V]
            moved[number][place] += step
            sides.append(squared_error(moved))
        right[number][place] = (sides[0] - sides[1]) / 2e-5
for mine, theirs in zip(tanh_gradients(V), right, strict=True):
    assert np.abs(mine - theirs).max() < 1e-9

names = {"np": np, "samples": SAMPLES, "V": V}
exec("def forward():\n    inner = samples @ V[0]\n    return np.tanh(inner)", names)
exec("def backward():\n    return 1 - np.tanh(inner) ** 2", names)
names["forward"]()
lesson.formula(
    "D2 steps 4", "F10: the slope of tanh is 1 - tanh",
    lambda: 1 - np.tanh(points.cpu().numpy()),
    difference_of(np.tanh, points.cpu().numpy()),
    "right: 1 - tanh^2",
    expect=FAILS, check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D2 steps 4", "F10: its gradient by the first weights",
    lambda: tanh_gradients(V, lambda h: 1 - h)[0],
    right[0],
    "right: with 1 - tanh^2; it is wrong by size and never by sign",
    expect=FAILS, check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D2 steps 4", "F10: the slope is taken at W1 times (W1 times x)",
    lambda: 1 - np.tanh((SAMPLES @ V[0]) @ V[0]),
    1 - np.tanh(SAMPLES @ V[0]) ** 2,
    "right: at W1 times x",
    expect=NOT_COMPUTABLE,
)  # fmt: skip
lesson.formula(
    "D2 steps 2, 4", "F11: the slope of sign is 1",
    lambda: np.ones(4),
    difference_of(np.sign, points.cpu().numpy()),
    "known as a straight-through estimate, which has to be said",
    expect=FAILS, check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D2 steps 5", "F12: the first weights are changed by the error at the input",
    lambda: V[0] - 0.1 * (tanh_errors(V)[0] @ V[0].T),
    V[0] - 0.1 * right[0],
    "right: input, transposed, times the hidden layer's error",
    expect=NOT_COMPUTABLE, check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D2 steps 4", "F12: the output's error is target - output, and subtracted",
    lambda: -tanh_gradients(V)[1],
    right[1],
    "even with the outer product it goes up",
    expect=FAILS, check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D2 steps 4", "F12: backward uses what forward computed",
    lambda: names["backward"](),
    0.0,
    "a local name of another function; return it, or pass it",
    expect=NOT_COMPUTABLE,
)  # fmt: skip
lesson.formula(
    "D2 steps 3", "F13: relu of an array is max(0, x)",
    lambda: max(0, points.cpu().numpy()),
    np.maximum(0, points.cpu().numpy()),
    "right: the elementwise maximum",
    expect=NOT_COMPUTABLE,
)  # fmt: skip
lesson.formula(
    "D2 steps 2", "the first weights are random, of input_size x hidden_size",
    lambda: eval("np.random.randn(input_size, hidden_size)", {"np": np}),
    0.0,
    "names that nothing defines; right: the number of columns, and one chosen",
    expect=NOT_COMPUTABLE,
)  # fmt: skip
lesson.formula(
    "D2 steps 5", "each round begins with input_data = ...",
    lambda: np.dot(..., V[0]),
    0.0,
    "three dots are a value of Python's; right: the samples",
    expect=NOT_COMPUTABLE,
)  # fmt: skip

# %% [markdown]
# ## 6. A wrong gradient at work
#
# The network of D2 without its sign, trained on 20 samples with three gradients: the right one,
# the one with the slope 1 - tanh (F10), and the one with D1's and D2's sign (F5, F12).

# %%
RULES = {
    "right": tanh_gradients,
    "slope 1 - tanh (F10)": lambda V: tanh_gradients(V, lambda h: 1 - h),
    "target - output, subtracted (F5, F12)": lambda V: [-g for g in tanh_gradients(V)],
}
histories = {}
for name, rule in RULES.items():
    V, errors = first_weights(), []
    for _ in range(400):
        errors.append(squared_error(V))
        if errors[-1] > 1e3:
            break
        V = [v - 0.3 * g for v, g in zip(V, rule(V), strict=True)]
    histories[name] = errors
print("\nsquared error while training, rate 0.3")
for name, errors in histories.items():
    print(f"  {name:38} {errors[0]:.4f}, after {len(errors) - 1} steps {errors[-1]:.4g}")
true, bent, climbing = histories.values()
assert true[-1] < 0.8 * bent[-1]
assert bent[-1] < 0.2 * bent[0]
assert climbing[-1] > 100 * climbing[0]

figure, axes = plt.subplots(figsize=(8.5, 4.4), layout="constrained")
for (name, errors), colour, line in zip(
    histories.items(), (BLUE, GREEN, RED), ("-", "--", ":"), strict=True
):
    axes.semilogy(errors, line, color=colour, label=name)
axes.set_xlabel("step of gradient descent")
axes.set_ylabel("half the squared error, mean")
axes.set_ylim(0.03, 2)
axes.set_title("One wrong gradient climbs; the other one learns, and stays behind")
axes.legend()
figure.supxlabel("3-4-2 network with a tanh layer (D2 steps), 20 samples, rate 0.3", fontsize=9)
lesson.save(
    figure,
    "03_gradient_checking_training.png",
    "Three gradients at work: with the wrong sign the error climbs; with the wrong slope it falls, "
    "but stays behind the right one.",
)
lesson.finish()

# %% [markdown]
# The sign is found by whoever looks at the loss. The slope is not: it is too large where tanh is
# negative and too small where it is positive, but never of the wrong sign, so that its loss falls
# too. Only the second number tells.
#
# ## Exercises
#
# Those that are graded: `python -m minigrad lessons next 3`. And to try in this file:
#
# 1. Find the bug: a colleague's backward of `z * z.sum()` hands on `g * z.sum()`. Which of the
#    habits in section 3 catch it? Add it to `FUNCTIONS`, and say what term is missing.
# 2. Find the bug: F10 passes at 0. At which other points does it, to six digits, and why does a
#    network with large weights not notice it?
# 3. Write a rule that is wrong only in its second derivative, and find it with
#    `mg.gradgradcheck`. What does `mg.gradcheck` say?
# 4. The five-point formula (8 f(p+h) - 8 f(p-h) - f(p+2h) + f(p-2h)) / 12h has a truncation error
#    that grows with h^4. Add its curve. Where is its best h, and what is the least error?
# 5. Why does a sum as the cotangent hide a wrong slope of `centred`, but not of `mean_square`?
#
# Next: lesson 4 sends gradients through thirty layers, and asks why they vanish or explode.
