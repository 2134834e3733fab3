# %% [markdown]
# # 1. Forward, backward, update: one network, every number four ways
#
# The document D0 works a small network through by hand in its section 4.3: three layers of
# sigmoids, a squared error, one step of gradient descent. Its numbers do not fit together.
# Here each printed number is recomputed and judged. Then the smallest consistent reading of the
# example (repair R1) is computed in four ways that share no code: by minigrad's engine, by an
# engine of single numbers that fits on a page, by closed formulas, and by central differences.

# %%
import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad.check.scalar import Value, in_order
from minigrad.learn import (
    BLUE,
    CONVENTION,
    DIFFERENCES,
    FAILS,
    GREY,
    NOT_COMPUTABLE,
    RED,
    begin,
)

lesson = begin("01_forward_backward", "Forward, backward, update: every number four ways.")

# %% [markdown]
# ## What the document prints
#
# Each claim is computed twice: by the document's formulas from the start, with nothing rounded, and
# from the numbers that stand in its own line, which it rounded (or got wrong) on the way. A printed
# decimal holds if the computed value rounds to it, that is, within half a unit of its last digit;
# if only the second way gives it, it holds as rounded.


# %%
def sigmoid(z):
    """The logistic function 1 / (1 + e^-z)."""
    return 1 / (1 + np.exp(-z))


WHERE = "D0 4.3"
z1 = np.array([0.1 * 1 + 0.1, 0.2 * 2 + 0.2, 0.3 * 3 + 0.3, 0.4 * 3 + 0.4])
a1 = sigmoid(z1[:2])
z2 = 0.5 * a1 + [0.1, 0.2]
z3 = 0.7 * sigmoid(z2) + [0.2, 0.3]
terms = np.array([1, 0, 0]) - sigmoid(z3)[[0, 1, 1]]
as_printed = np.array([1 - 0.45625, 0 - 0.8255, 0 - 0.8255])

NO_SIGMOID = "the sum is {:.5g}, and it is passed on as an activation with no sigmoid"
print(f"{WHERE}: printed numbers against the document's own expressions")
lesson.claim(WHERE, "z1, row 1, left: 0.1*1 + 0.1", "0.2", z1[0])
lesson.claim(WHERE, "z1, row 1, right: 0.2*2 + 0.2", "0.8", z1[1], "wrong sum", expect=FAILS)
lesson.claim(WHERE, "z1, row 2, left: 0.3*3 + 0.3", "1.2", z1[2])
lesson.claim(WHERE, "z1, row 2, right: 0.4*3 + 0.4", "2.2", z1[3], "wrong sum", expect=FAILS)
lesson.claim(WHERE, "a1, left: sigmoid(0.2)", "0.55", a1[0])
lesson.claim(
    WHERE, "a1, right: sigmoid(0.8)", "0.86", a1[1],
    "no printed z gives it: sigmoid(0.8) = 0.6900, sigmoid(1.2) = 0.7685, sigmoid(2.2) = 0.9002",
    rounded=sigmoid(0.8), expect=FAILS,
)  # fmt: skip
for what, printed, exact, rounded in (
    ("z2, left: 0.5*0.55 + 0.1", "0.3625", z2[0], 0.5 * 0.55 + 0.1),
    ("z2, right: 0.5*0.86 + 0.2", "0.665", z2[1], 0.5 * 0.86 + 0.2),
    ("z3, left: 0.7*0.3625 + 0.2", "0.45625", z3[0], 0.7 * 0.3625 + 0.2),
    ("z3, right: 0.7*0.665 + 0.3", "0.8255", z3[1], 0.7 * 0.665 + 0.3),
):
    note = NO_SIGMOID.format(rounded)
    lesson.claim(WHERE, what, printed, exact, note, rounded=rounded, expect=FAILS)
lesson.claim(
    WHERE, "J, half the sum of three squares", "0.1300625", np.sum(terms**2) / 2,
    "its own three terms add up to 0.82928",
    rounded=np.sum(as_printed**2) / 2, expect=FAILS,
)  # fmt: skip

# %% [markdown]
# Beyond the digits, the shapes do not fit: W1 is 2x2 and x has three entries, so that `W1 x` does
# not exist; z1 is printed as a 2x2 matrix and goes on as two numbers; the output has two entries
# and the target three. And the terms of J pair the outputs with (1, 0, 0), although y = (0, 1, 0).

# %%
W1_printed = mg.tensor([[0.1, 0.2], [0.3, 0.4]])
print("\nshapes, sigmoids and targets")
lesson.formula(
    WHERE, "W1 x, with W1 = [0.1, 0.2; 0.3, 0.4] and x = [1, 2, 3]",
    lambda: W1_printed @ mg.tensor([1.0, 2.0, 3.0]),
    [0.0, 0.0],
    "right: as many columns as x has entries",
    expect=NOT_COMPUTABLE,
)  # fmt: skip
lesson.formula(
    WHERE, "z1 = [0.2, 0.8; 1.2, 2.2]",
    lambda: [[0.2, 0.8], [1.2, 2.2]],
    W1_printed.cpu().numpy() @ [1, 2] + [0.1, 0.2],
    "right: a vector with one entry for each row of W1",
    expect=FAILS,
)  # fmt: skip
for name, goes_on, note in (
    ("a1", [0.55, 0.86], "right: a1 is (0.55, 0.86) itself; the sigmoid stands there twice"),
    ("a2", [0.3625, 0.665], "right: the sigmoid, applied and passed on; what goes on is without"),
    ("a3", [0.45625, 0.8255], "right: the sigmoid, applied and passed on; what goes on is without"),
):
    lesson.formula(
        WHERE, f"{name} = sigmoid({goes_on}), and {goes_on} goes on",
        lambda given=goes_on: sigmoid(np.array(given)),
        goes_on,
        note,
        expect=FAILS,
    )  # fmt: skip
lesson.formula(
    WHERE, "the y of J is (1, 0, 0)",
    lambda: [1, 0, 0],
    [0, 1, 0],
    "right: (0, 1, 0), as stated; and the network has two outputs",
    expect=FAILS,
)  # fmt: skip

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
    values = {name: tensor.detach().cpu().numpy() for name, tensor in steps.items()}
    return values | {"J": J.item()}, {n: tensor.grad.cpu().numpy() for n, tensor in p.items()}


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

lesson.formula(
    "D0 4.1", "forward: a_l = sigmoid(W_l a_(l-1) + b_l)",
    lambda: values["a3"],
    hand_values["a3"],
    "by the engine and by NumPy, for the network of R1",
)  # fmt: skip

# %% [markdown]
# ## The document's gradients
#
# D0 goes backward too, and writes each step out. Its steps are held against what is right for R1.
# Three slips go through all of them:
#
# - the inverse of the sigmoid is taken for its derivative, and the sigmoid for its inverse;
# - a layer's Jacobian, how each a by each a of the layer before, is one number, a sum of sigmoids
#   with no weight in it;
# - of dJ/da3 only the first entry goes on, and it loses its minus sign.

# %%
first = (1 - 0.45625) / 3  # what goes on of dJ/da3
last_three = sum(sigmoid(np.array([0.45625, 0.8255, 0.8255])))
last_two = sum(sigmoid(np.array([0.45625, 0.8255])))
inner_two = sum(sigmoid(np.array([0.3625, 0.665])))


def by_activations(number):
    """Return dJ/da of a layer of R1, from central differences."""
    found = []
    for e in np.eye(2) * 1e-6:
        sides = []
        for a in (values[f"a{number}"] + e, values[f"a{number}"] - e):
            for layer in range(number + 1, 4):
                a = sigmoid(start[f"W{layer}"] @ a + start[f"b{layer}"])
            sides.append(np.sum((y - a) ** 2) / 2)
        found.append((sides[0] - sides[1]) / 2e-6)
    return np.array(found)


def layer_jacobian(number):
    """Return how each a of a layer of R1 changes with each a of the layer before."""
    W, b, a = start[f"W{number}"], start[f"b{number}"], values[f"a{number - 1}"]
    columns = [
        (sigmoid(W @ (a + e) + b) - sigmoid(W @ (a - e) + b)) / 2e-6 for e in np.eye(2) * 1e-6
    ]
    return np.stack(columns, axis=-1)


def half_squares(a):
    """J of three outputs, with the target that the document's terms have."""
    return np.sum((np.array([1, 0, 0]) - a) ** 2) / 2


outputs = np.array([0.45625, 0.8255, 0.8255])
own_slope = np.array(
    [(half_squares(outputs + e) - half_squares(outputs - e)) / 2e-6 for e in np.eye(3) * 1e-6]
)
lesson.formula(
    WHERE, "dJ/da3 = -(1/3) (1 - 0.45625, -0.8255, -0.8255)",
    lambda: -np.array([1 - 0.45625, -0.8255, -0.8255]) / 3,
    own_slope,
    "its J has the factor 1/2 and no 1/m",
    conventions={"J = (1/2m) sum of squares": own_slope / 3},
    expect=CONVENTION, check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    WHERE, "the inverse of the sigmoid at a is 1 / (1 + e^-a)",
    lambda: sigmoid(outputs),
    np.log(outputs / (1 - outputs)),
    "right: ln(a / (1 - a)); and the slope wanted is a (1 - a)",
    expect=FAILS,
)  # fmt: skip
lesson.formula(
    WHERE, "dJ/da2 goes on with +(1/3)(1 - 0.45625)",
    lambda: first,
    -first,
    "right: with the minus sign of its own dJ/da3",
    expect=FAILS,
)  # fmt: skip
BY_LAYER = "right: W, transposed, times the error of the layer above"
for what, printed, right, note in (
    ("da3/da2 = a sum of three sigmoids", last_three, layer_jacobian(3), "right: slope times W3"),
    ("dJ/da2 = (1/3)(1 - 0.45625)(a sum of three)", first * last_three, by_activations(2),
     BY_LAYER),
    ("da2/da1 = 1 / (1 + e^-a2)", sigmoid(np.array([0.3625, 0.665])), layer_jacobian(2),
     "right: slope times W2"),
    ("dJ/da1 = (1/3)(1 - 0.45625)(a sum of two)", first * inner_two, by_activations(1), BY_LAYER),
):  # fmt: skip
    lesson.formula(
        WHERE, what, lambda p=printed: p, right, note, expect=FAILS, check=DIFFERENCES
    )  # fmt: skip
for layer, terms, below in (
    (3, last_two, [0.3625, 0.665]),
    (2, inner_two, [0.55, 0.86]),
    (1, inner_two, [1, 2, 3]),
):
    step = 0.1 * first * terms
    what = "(0.1/3)(1 - 0.45625)(a sum of two)"
    lesson.formula(
        WHERE, f"Delta W{layer} = {what} [{'; '.join(map(str, below))}]^T",
        lambda step=step, below=below: step * np.array(below),
        0.1 * difference[f"W{layer}"],
        "right: the layer's error times its input, transposed",
        expect=FAILS, check=DIFFERENCES,
    )  # fmt: skip
    lesson.formula(
        WHERE, f"Delta b{layer} = {what}",
        lambda step=step: step,
        0.1 * difference[f"b{layer}"],
        "right: the layer's error, one number for each of its units",
        expect=FAILS, check=DIFFERENCES,
    )  # fmt: skip

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
    assert np.abs(parameter.detach().cpu().numpy() - updated[name]).max() < 1e-16

# %% [markdown]
# ## How good is a central difference?
#
# Its error falls with $h^2$ until the subtraction of two nearly equal numbers takes over; the best
# h is near the cube root of the machine's precision, about $6 \times 10^{-6}$. And J along the
# direction of steepest descent: the document's rate of 0.1 is a small step.

# %%
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
left.loglog(steps, np.maximum(errors, 1e-17), "o-", color=BLUE, markersize=3)
left.axvline(best, color=GREY, linestyle=":", label=f"best h = {best:.0e}")
left.set_xlabel("step h of the central difference")
left.set_ylabel("largest error of a gradient entry")
left.set_title("Truncation error falls, rounding error rises")
left.legend()
right.plot(rates, losses, color=BLUE)
right.plot([0.1], [new_J], "o", color=RED, label=f"one update, rate 0.1: J = {new_J:.4f}")
right.set_xlabel("learning rate of a single step")
right.set_ylabel("loss J after the step")
right.set_title("The loss along the steepest descent")
right.legend()
figure.supxlabel(
    "D0 4.3 repaired (R1): 2-2-2-2 sigmoid network, x = (1, 2), y = (0, 1)", fontsize="medium"
)
lesson.save(
    figure,
    "01_forward_backward.png",
    "Left: the error of a central difference has a least value, near h = 6e-6. Right: the loss "
    "along the steepest descent; the document's rate of 0.1 is a small step.",
)
lesson.finish()

# %% [markdown]
# ## Exercises
#
# Those that are graded: `python -m minigrad lessons next 1`. And to try in this file:
#
# 1. The document's gradient has the factor 1/3 although its loss has 1/2 and no 1/m. Which J has
#    the gradient $-\tfrac1m (y - a)$? Check your answer with `by_difference`.
# 2. Replace the sigmoid by tanh in all four computations. Which single line of `by_formula`
#    changes, and how?
# 3. Give `Value` a method `sigmoid` with its slope, and use it in `by_scalars`. From how many
#    numbers, and over how many slopes, does J come then?
# 4. Take two updates instead of one. Does J fall by twice as much?
#
# Next: lesson 2 lets a number be used twice, and asks in which order a backward pass may go.
