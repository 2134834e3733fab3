# %% [markdown]
# # 1. Forward, backward, update: one network, every number four ways
#
# The document D0 works a small network through by hand in its section 4.3: three layers of
# sigmoids, a squared error, one step of gradient descent. Its numbers do not fit together.
# Here each printed number is recomputed and judged. Then the smallest consistent reading of the
# example (repair R1) is computed in four ways that share no code: by minigrad's engine, by an
# engine of single numbers that fits on a page, by closed formulas, and by central differences.

# %%
import argparse
import sys
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad.check.claims import Claim
from minigrad.check.scalar import Value, in_order

parser = argparse.ArgumentParser(description="Forward, backward, update: every number four ways.")
parser.add_argument("--out", default="lessons-output", help="folder for the picture")
options = parser.parse_args([] if "ipykernel" in sys.modules else None)  # none in a notebook

# %% [markdown]
# ## What the document prints
#
# Each claim takes the document's *own* expression and, where a line starts from an earlier one,
# the earlier numbers as printed. A printed decimal holds if the computed value rounds to it,
# that is, within half a unit of its last digit.


# %%
def sigmoid(z):
    """The logistic function 1 / (1 + e^-z)."""
    return 1 / (1 + np.exp(-z))


WHERE = "D0 4.3"
claims = [
    Claim(WHERE, "z1, row 1, left: 0.1*1 + 0.1", "0.2", 0.1 * 1 + 0.1),
    Claim(WHERE, "z1, row 1, right: 0.2*2 + 0.2", "0.8", 0.2 * 2 + 0.2,
          "the sum is 0.6"),
    Claim(WHERE, "z1, row 2, left: 0.3*3 + 0.3", "1.2", 0.3 * 3 + 0.3),
    Claim(WHERE, "z1, row 2, right: 0.4*3 + 0.4", "2.2", 0.4 * 3 + 0.4,
          "the sum is 1.6"),
    Claim(WHERE, "a1, left: sigmoid(0.2)", "0.55", sigmoid(0.2)),
    Claim(WHERE, "a1, right: sigmoid(0.8)", "0.86", sigmoid(0.8),
          "and no other printed z gives it: sigmoid(1.2) = 0.7685, sigmoid(2.2) = 0.9002"),
    Claim(WHERE, "z2, left: 0.5*0.55 + 0.1", "0.3625", 0.5 * 0.55 + 0.1,
          "wrong sum, and it is passed on as a2 with no sigmoid"),
    Claim(WHERE, "z2, right: 0.5*0.86 + 0.2", "0.665", 0.5 * 0.86 + 0.2,
          "wrong sum, and it is passed on as a2 with no sigmoid"),
    Claim(WHERE, "z3, left: 0.7*0.3625 + 0.2", "0.45625", 0.7 * 0.3625 + 0.2,
          "wrong sum, and it is passed on as a3 with no sigmoid"),
    Claim(WHERE, "z3, right: 0.7*0.665 + 0.3", "0.8255", 0.7 * 0.665 + 0.3,
          "wrong sum, and it is passed on as a3 with no sigmoid"),
    Claim(WHERE, "J from its own three terms", "0.1300625",
          0.5 * ((1 - 0.45625) ** 2 + (0 - 0.8255) ** 2 + (0 - 0.8255) ** 2),
          "and the terms pair the outputs with (1, 0, 0) although y = (0, 1, 0)"),
]  # fmt: skip

print(f"{WHERE}: printed numbers against the document's own expressions")
for claim in claims:
    print("  " + str(claim))
holding = sum(claim.holds for claim in claims)
print(f"  {holding} of {len(claims)} hold")
assert [claim.holds for claim in claims] == [i in (0, 2, 4) for i in range(11)]

# %% [markdown]
# Beyond the digits, the shapes do not fit: W1 is 2x2 and x has three entries, so that `W1 x` does
# not exist; the output has two entries and the target three. The engine says so at once:

# %%
W1_printed = mg.tensor([[0.1, 0.2], [0.3, 0.4]])
refusal = ""
try:
    W1_printed @ mg.tensor([1.0, 2.0, 3.0])
except ValueError as error:
    refusal = str(error)
print(f"\nthe engine, given the printed shapes:\n  {refusal}")
assert "the last axis of a is 2, the only axis of b is 3" in refusal

# %% [markdown]
# ## Repair R1
#
# The smallest change that makes it a network: drop the third input and the third target.
#
# $$z_l = W_l a_{l-1} + b_l, \qquad a_l = \sigma(z_l), \qquad a_0 = x, \qquad
#   J = \tfrac12 \sum_i (y_i - a_{3,i})^2$$
#
# with x = (1, 2), y = (0, 1), W1 as printed, W2 = 0.5 I, W3 = 0.7 I, and the printed biases.

# %%
x = np.array([1.0, 2.0])
y = np.array([0.0, 1.0])
LEARNING_RATE = 0.1
start = {
    "W1": np.array([[0.1, 0.2], [0.3, 0.4]]),
    "b1": np.array([0.1, 0.2]),
    "W2": 0.5 * np.eye(2),
    "b2": np.array([0.1, 0.2]),
    "W3": 0.7 * np.eye(2),
    "b3": np.array([0.2, 0.3]),
}

# %% [markdown]
# ### The engine
#
# The forward pass is written once; `backward` fills in the gradients.


# %%
def by_engine(numbers):
    """Return z and a of each layer, J, and the gradient of J by each parameter."""
    p = {name: mg.tensor(value, requires_grad=True) for name, value in numbers.items()}
    a, steps = mg.tensor(x), {}
    for layer in "123":
        z = p["W" + layer] @ a + p["b" + layer]
        a = mg.sigmoid(z)
        steps["z" + layer], steps["a" + layer] = z, a
    J = 0.5 * ((mg.tensor(y) - a) ** 2).sum()
    J.backward()
    values = {name: tensor.detach().numpy() for name, tensor in steps.items()} | {"J": J.item()}
    return values, {name: tensor.grad.numpy() for name, tensor in p.items()}


# %% [markdown]
# ### An engine of single numbers
#
# What does `backward` do? The whole idea fits on a page: read `minigrad/check/scalar.py`. A
# `Value` is a number that remembers which numbers it was computed from, and how fast it changes
# with each. Its `backward` multiplies these slopes along each way that leads to a number, and adds
# the ways up. There are no arrays: a matrix product is written out, as one would on paper.


# %%
def by_scalars(numbers):
    """Return J, and its gradient by each parameter, with no arrays in between."""
    p = {name: [Value(v) for v in value.ravel()] for name, value in numbers.items()}
    a = [Value(v) for v in x]
    for layer in "123":
        W, b = p["W" + layer], p["b" + layer]
        z = [W[2 * i] * a[0] + W[2 * i + 1] * a[1] + b[i] for i in range(2)]
        a = [1 / (1 + (-v).exp()) for v in z]
    J = 0.5 * ((y[0] - a[0]) ** 2 + (y[1] - a[1]) ** 2)
    J.backward()
    shapes = {name: value.shape for name, value in numbers.items()}
    return J, {n: np.reshape([v.grad for v in values], shapes[n]) for n, values in p.items()}


J_scalars, scalars = by_scalars(start)
behind = in_order(J_scalars)
slopes = sum(len(value.edges) for value in behind)
print(f"\nthe engine of single numbers: J from {len(behind) - 1} numbers, over {slopes} slopes")

# %% [markdown]
# ### The closed formulas
#
# The chain rule by hand. With the error of a layer $\delta_l = \partial J / \partial z_l$ and
# $\sigma' = a (1 - a)$:
#
# $$\delta_3 = (a_3 - y) \odot a_3 (1 - a_3), \qquad
#   \delta_l = (W_{l+1}^T \delta_{l+1}) \odot a_l (1 - a_l), \qquad
#   \frac{\partial J}{\partial W_l} = \delta_l\, a_{l-1}^T, \qquad
#   \frac{\partial J}{\partial b_l} = \delta_l$$


# %%
def forward_by_hand(p):
    """Return z and a of each layer, and J, with NumPy alone."""
    values, a = {}, x
    for layer in "123":
        z = p["W" + layer] @ a + p["b" + layer]
        a = sigmoid(z)
        values["z" + layer], values["a" + layer] = z, a
    values["J"] = 0.5 * np.sum((y - a) ** 2)
    return values


def by_formula(p):
    """Return the gradients from the closed formulas."""
    v = forward_by_hand(p)
    a = [x, v["a1"], v["a2"], v["a3"]]
    delta = (a[3] - y) * a[3] * (1 - a[3])
    gradients = {}
    for layer in (3, 2, 1):
        gradients[f"W{layer}"] = np.outer(delta, a[layer - 1])
        gradients[f"b{layer}"] = delta
        if layer > 1:
            delta = (p[f"W{layer}"].T @ delta) * a[layer - 1] * (1 - a[layer - 1])
    return gradients


# %% [markdown]
# ### Central differences
#
# No calculus at all: nudge one parameter by h to both sides and watch J,
# $\partial J / \partial p \approx (J(p + h) - J(p - h)) / 2h$.


# %%
def by_difference(p, h=1e-6):
    """Return the gradients from central differences."""
    gradients = {}
    for name, value in p.items():
        gradients[name] = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            sides = []
            for sign in (1, -1):
                moved = {n: v.copy() for n, v in p.items()}
                moved[name][place] += sign * h
                sides.append(forward_by_hand(moved)["J"])
            gradients[name][place] = (sides[0] - sides[1]) / (2 * h)
    return gradients


# %% [markdown]
# ### Side by side

# %%
values, engine = by_engine(start)
hand_values = forward_by_hand(start)
formula = by_formula(start)
difference = by_difference(start)

print("\nrepair R1, forward                 engine        by hand")
for name in ("z1", "a1", "z2", "a2", "z3", "a3", "J"):
    for i, (e, h) in enumerate(
        zip(np.ravel(values[name]), np.ravel(hand_values[name]), strict=True), start=1
    ):
        label = name if name == "J" else f"{name}[{i}]"
        print(f"  {label:30}{e:12.8f}   {h:12.8f}")
        assert abs(e - h) < 1e-15

assert abs(J_scalars.data - values["J"]) < 1e-15
print("\ngradients              engine        scalars        formula     difference")
for name in start:
    for place in np.ndindex(start[name].shape):
        e, s = engine[name][place], scalars[name][place]
        f, d = formula[name][place], difference[name][place]
        label = f"dJ/d{name}[{', '.join(str(i + 1) for i in place)}]"
        print(f"  {label:18}{e:12.8f}   {s:12.8f}   {f:12.8f}   {d:12.8f}")
        assert abs(e - s) < 1e-15
        assert abs(e - f) < 1e-16
        assert abs(e - d) < 1e-9

# %% [markdown]
# ## One step downhill
#
# Every parameter moves against its gradient by the learning rate 0.1, and J must fall. To first
# order it falls by the learning rate times the squared length of the gradient.

# %%
updated = {name: start[name] - LEARNING_RATE * engine[name] for name in start}
new_values, _ = by_engine(updated)
print("\nafter one update")
for name, value in updated.items():
    print(f"  {name} = {np.array2string(value, precision=8, separator=', ').replace(chr(10), '')}")
J, new_J = values["J"], new_values["J"]
slope = sum(float(np.sum(g * g)) for g in engine.values())
print(f"  J fell from {J:.8f} to {new_J:.8f}, by {J - new_J:.8f}")
print(f"  first order predicts {LEARNING_RATE * slope:.8f}")
assert new_J < J
assert abs((J - new_J) / (LEARNING_RATE * slope) - 1) < 0.02

# %% [markdown]
# The same step by the optimiser, for a check that it does what the formula says:

# %%
parameters = {name: mg.tensor(value, requires_grad=True) for name, value in start.items()}
optimiser = mg.optim.SGD(list(parameters.values()), lr=LEARNING_RATE)
for name, parameter in parameters.items():
    parameter.grad = mg.tensor(engine[name])
optimiser.step()
for name, parameter in parameters.items():
    assert np.abs(parameter.detach().numpy() - updated[name]).max() < 1e-16

# %% [markdown]
# ## How good is a central difference?
#
# Its error falls with $h^2$ until the subtraction of two nearly equal numbers takes over; the best
# h is near the cube root of the machine's precision, about $6 \times 10^{-6}$. And J along the
# direction of steepest descent: the document's rate of 0.1 is a small step.

# %%
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

steps = 10.0 ** np.arange(-12, 0.01, 0.25)
errors = []
for h in steps:
    found = by_difference(start, h)
    errors.append(max(np.abs(found[n] - formula[n]).max() for n in start))
best = steps[int(np.argmin(errors))]
print(f"\ncentral difference: the largest error is least, {min(errors):.1e}, at h = {best:.0e}")
assert 1e-7 < best < 1e-4
assert min(errors) < 1e-10

rates = np.linspace(0, 60, 121)
losses = [forward_by_hand({n: start[n] - r * engine[n] for n in start})["J"] for r in rates]

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
left.loglog(steps, np.maximum(errors, 1e-17), "o-", markersize=3)
left.axvline(best, color="grey", linestyle=":", label=f"best h = {best:.0e}")
left.set_xlabel("step h of the central difference")
left.set_ylabel("largest error of a gradient entry")
left.set_title("Truncation error falls, rounding error rises")
left.legend()
right.plot(rates, losses)
right.plot([LEARNING_RATE], [new_J], "o", label=f"one update, rate 0.1: J = {new_J:.4f}")
right.set_xlabel("learning rate of a single step")
right.set_ylabel("loss J after the step")
right.set_title("The loss along the steepest descent")
right.legend()
figure.supxlabel(
    "D0 4.3 repaired (R1): 2-2-2-2 sigmoid network, x = (1, 2), y = (0, 1)", fontsize="medium"
)
folder = Path(options.out)
folder.mkdir(parents=True, exist_ok=True)
picture = folder / "01_forward_backward.png"
figure.savefig(picture, dpi=120)
print(f"picture: {picture}")

# %% [markdown]
# ## Exercises
#
# 1. The document's gradient has the factor 1/3 although its loss has 1/2 and no 1/m. Which J has
#    the gradient $-\tfrac1m (y - a)$? Check your answer with `by_difference`.
# 2. Replace the sigmoid by tanh in all four computations. Which single line of `by_formula`
#    changes, and how?
# 3. Give `Value` a method `sigmoid` with its slope, and use it in `by_scalars`. From how many
#    numbers, and over how many slopes, does J come then?
# 4. Take two updates instead of one. Does J fall by twice as much?
