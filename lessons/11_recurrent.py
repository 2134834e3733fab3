# %% [markdown]
# # 11. Recurrent networks: the same weights at every step
#
# A sentence, a melody or a river's level comes one step after the other, and has no fixed length.
# You will see one small layer read any number of steps, its gradient go back through them by hand,
# and one number that says whether this gradient vanishes or explodes. Then the remedy against
# explosions, which saves a training that otherwise ends in NaN, the remedy against vanishing, which
# comes with a bias that is easy to get wrong, and the price of going back only a few steps.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import load_digits, train_test_split
from minigrad.learn import BLUE, CONVENTION, FAILS, GREY, RED, begin

lesson = begin("11_recurrent", "Recurrent networks: the same weights at every step.")


def host(tensor):
    """Return a tensor's values as an array, wherever the tensor is."""
    return tensor.detach().cpu().numpy()


# %% [markdown]
# ## 1. One layer, used again
#
# D3, section 3.2, prints the formula. The layer keeps a *state* h, which starts at zero. Each step
# makes a new one, from the input at that step and from the state before:
#
# $$h_t = f(W x_t + U h_{t-1} + b)$$
#
# W, U and b are the same at every step. That is the whole idea: there is one layer, and it is used
# again. (D3 and D4 call this a *recursive* network. The usual word is recurrent; recursive networks
# walk over trees.) By hand it is a loop over the steps:


# %%
def states_by_hand(W, U, b, inputs):
    """Return the states h_0 = 0, h_1, ..., one for each step and one more."""
    states = [np.zeros(len(b))]
    for x in inputs:
        states.append(np.tanh(W @ x + U @ states[-1] + b))
    return np.array(states)


STEPS, INPUTS, UNITS = 6, 2, 3
mg.manual_seed(0)
rng = np.random.default_rng(0)
layer = nn.RNN(INPUTS, UNITS, dtype=mg.float64)
x = rng.normal(size=(STEPS, INPUTS))
W, U = host(layer.weight_ih_l0), host(layer.weight_hh_l0)
b = host(layer.bias_ih_l0) + host(layer.bias_hh_l0)
states = states_by_hand(W, U, b, x)
outputs, last = layer(mg.tensor(x))
print("t    x_t               h_t")
for t in range(1, STEPS + 1):
    print(f"{t}    {np.array2string(x[t - 1], precision=3):16}  "
          f"{np.array2string(states[t], precision=4)}")  # fmt: skip
lesson.formula(
    "D3 3.2", "RNN: h_t = f(W x_t + U h_(t-1) + b)",
    lambda: states_by_hand(W, U, b, x)[1:], host(outputs),
    "against minigrad's RNN, f = tanh, whose two biases add up to b",
)  # fmt: skip
assert np.abs(host(last)[0] - states[-1]).max() < 1e-14

count = sum(p.numel() for p in layer.parameters())
longer, _ = layer(mg.tensor(rng.normal(size=(500, INPUTS))))
print(f"{count} parameters read {STEPS} steps, or {len(longer)}")
assert count == UNITS * INPUTS + UNITS * UNITS + 2 * UNITS
assert longer.shape == (500, UNITS)

# %% [markdown]
# NB: PyTorch's `nn.RNN` has the same two biases, `bias_ih` and `bias_hh`, of which one would do.
# It takes the steps first, then the batch, unless told `batch_first=True`.
#
# ## 2. Backward through time
#
# Write the loop out, and it is a deep network: as many layers as steps, all with the same weights.
# Backward is then lesson 1's, layer by layer, from the last step to the first. What is new is the
# rule of lesson 2: U was used at every step, so its gradient is a *sum*, one share for each step.
#
# Let the loss be $J = \sum_t c_t \cdot h_t$ with random numbers c. At each step a gradient arrives
# from the loss, $c_t$, and one from the step after:
#
# $$g_t = c_t + U^T \delta_{t+1}, \qquad \delta_t = g_t \odot (1 - h_t^2)$$
#
# $$\frac{\partial J}{\partial W} = \sum_t \delta_t x_t^T, \qquad
#   \frac{\partial J}{\partial U} = \sum_t \delta_t h_{t-1}^T, \qquad
#   \frac{\partial J}{\partial b} = \sum_t \delta_t$$


# %%
def backward_by_hand(U, inputs, states, from_loss):
    """Return delta of each step, and each step's share of the gradients by W, U and b."""
    deltas = np.zeros_like(from_loss)
    arriving = np.zeros(len(U))
    for t in range(len(inputs) - 1, -1, -1):
        deltas[t] = (from_loss[t] + arriving) * (1 - states[t + 1] ** 2)
        arriving = U.T @ deltas[t]
    shares_W = [np.outer(d, x) for d, x in zip(deltas, inputs, strict=True)]
    shares_U = [np.outer(d, h) for d, h in zip(deltas, states[:-1], strict=True)]
    return deltas, {"W": shares_W, "U": shares_U, "b": list(deltas)}


def by_difference(f, at, h=1e-6):
    """Return the gradient of f at an array, from central differences."""
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        nudge = np.zeros_like(at)
        nudge[place] = h
        found[place] = (f(at + nudge) - f(at - nudge)) / (2 * h)
    return found


c = rng.normal(size=(STEPS, UNITS))
deltas, shares = backward_by_hand(U, x, states, c)
(outputs * mg.tensor(c)).sum().backward()
engine = {"W": layer.weight_ih_l0, "U": layer.weight_hh_l0, "b": layer.bias_hh_l0}
forward = {
    "W": lambda v: (c * states_by_hand(v, U, b, x)[1:]).sum(),
    "U": lambda v: (c * states_by_hand(W, v, b, x)[1:]).sum(),
    "b": lambda v: (c * states_by_hand(W, U, v, x)[1:]).sum(),
}
print("\ngradient by    length     by hand - engine    differences - engine")
for name, value in {"W": W, "U": U, "b": b}.items():
    by_engine = host(engine[name].grad)
    apart = np.abs(sum(shares[name]) - by_engine).max()
    from_differences = np.abs(by_difference(forward[name], value) - by_engine).max()
    print(f"  {name:8} {np.linalg.norm(by_engine):10.4f} {apart:18.0e} {from_differences:20.0e}")
    assert apart < 1e-14
    assert from_differences < 1e-8
lengths = [np.linalg.norm(share) for share in shares["U"]]
print("shares of U's gradient, step 1 to 6: " + ", ".join(f"{v:.3f}" for v in lengths))
assert lengths[0] == 0  # there was no state before the first step

# %% [markdown]
# An engine that *overwrites* a gradient where it should add would keep one of these shares, and
# would still train, somehow (exercise 1).
#
# ## 3. One number decides
#
# Follow the gradient back without any activation. Each step multiplies it by $U^T$, always the same
# matrix. Multiply by one matrix often enough, and only its largest eigenvalue is left: the length
# changes by a factor of
#
# $$\rho(U) = \max_i |\lambda_i|$$
#
# at every step, the *spectral radius*. Lesson 4 had a new matrix in each layer, and factors that
# were near $s \sqrt n$ on average. Here one number of the one matrix decides: below 1 the gradient
# vanishes, above 1 it explodes.
#
# A random 64 x 64 matrix is scaled to several radii, and the gradient goes back from step 100. Its
# factor is measured over the first 50 steps, that is, the last 50 on its way. With tanh there are
# slopes below 1 as well, more so the larger the states are.

# %%
WIDTH, LONG = 64, 100


def way_back(radius, activation):
    """Return the lengths of the gradient at h_0 ... h_100, and the largest singular value of U."""
    draw = np.random.default_rng(0)
    U = draw.normal(size=(WIDTH, WIDTH))
    U *= radius / np.abs(np.linalg.eigvals(U)).max()
    inputs = mg.tensor(0.1 * draw.normal(size=(LONG, WIDTH)))
    matrix = mg.tensor(U)
    h = mg.tensor(0.1 * draw.normal(size=WIDTH), requires_grad=True)
    all_states = [h]
    for t in range(LONG):
        h = activation(matrix @ h + inputs[t])
        h.retain_grad()
        all_states.append(h)
    h.backward(mg.tensor(draw.normal(size=WIDTH)))
    return np.array([s.grad.norm().item() for s in all_states]), np.linalg.norm(U, 2)


def factor(lengths):
    """Return the mean factor of a step back over the first 50 steps."""
    return (lengths[0] / lengths[50]) ** (1 / 50)


RADII = (0.5, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.5, 2.0)
plain = {radius: way_back(radius, lambda z: z) for radius in RADII}
bent = {radius: way_back(radius, mg.tanh) for radius in RADII}
print("\nspectral   largest singular   factor per step back")
print("radius     value              no activation    tanh")
for radius in RADII:
    (lengths, singular), (lengths_tanh, _) = plain[radius], bent[radius]
    print(f"  {radius:6.2f} {singular:12.2f} {factor(lengths):19.4f} {factor(lengths_tanh):11.4f}")
    assert abs(factor(lengths) / radius - 1) < 0.01
    assert factor(lengths_tanh) < factor(lengths)
assert plain[0.8][1] > 1.5
assert plain[0.8][0][0] < 1e-8 * plain[0.8][0][-1]
assert factor(bent[1.5][0]) < 1.1

# %% [markdown]
# The factor is the radius, to within a percent. It is not the largest singular value, which only
# bounds what a single step can do: with a radius of 0.8 that is 1.57, and the gradient vanishes all
# the same. And tanh tames explosions in part: with a radius of 1.5 the states are large, the slopes
# small, and the factor near 1. It never helps against vanishing.

# %%
SHADES = dict(zip((0.5, 0.9, 1.0, 1.1, 1.5), ("#08306b", BLUE, GREY, "#e08a00", RED), strict=True))
figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.4), layout="constrained")
for radius, colour in SHADES.items():
    for table, line in ((plain, "-"), (bent, "--")):
        lengths = table[radius][0]
        label = f"radius {radius}" if line == "-" else None
        left.semilogy(range(LONG + 1), lengths / lengths[-1], line, color=colour, label=label)
left.set_xlabel("step t (the gradient runs to the left)")
left.set_ylabel("length of the gradient at $h_t$, of that at $h_{100}$")
left.set_ylim(1e-14, 1e14)
left.set_title("solid: no activation, dashed: tanh")
left.legend(fontsize=9)
right.plot(RADII, RADII, ":", color=GREY, label="factor = radius")
right.plot(RADII, [factor(plain[r][0]) for r in RADII], "o", color=BLUE, label="no activation")
right.plot(RADII, [factor(bent[r][0]) for r in RADII], "s--", color=RED, label="tanh")
right.axhline(1, color=GREY, linewidth=0.8)
right.set_xlabel("spectral radius of U")
right.set_ylabel("factor per step back")
right.set_title("The factor is the radius")
right.legend()
figure.supxlabel("64 units, 100 steps, U random and scaled to its radius", fontsize=9)
lesson.save(
    figure, "11_recurrent_radius.png",
    "The gradient's length on its way back through 100 steps, for several spectral radii of U.",
)  # fmt: skip

# %% [markdown]
# ## 4. The cliff, and clipping
#
# What does an exploding gradient do to a training? The smallest network that shows it has one unit
# and no input, $h_t = \tanh(w h_{t-1} + b)$ from $h_0 = 0.5$, and should arrive at -0.7 after 50
# steps. Two parameters, so its loss is a landscape: two plains, and between them a cliff, where the
# state tips from one side of zero to the other. Gradient descent comes along the plain, steps over
# the edge, sees a huge slope there, and is thrown far away.
#
# *Clipping* looks at the length n of the gradient, of all parameters together, and if it is above a
# limit, scales the gradient down to it (R. Pascanu and others, 2013):
#
# $$g \leftarrow g \cdot \min\Bigl(1, \frac{\text{limit}}{n}\Bigr)$$
#
# The direction stays, the step becomes bearable. `nn.utils.clip_grad_norm_` does this in place,
# between `backward` and the optimiser's `step`, and returns n.

# %%
GOAL, SINGLE_STEPS = -0.7, 50


def tip(w, b):
    """Return the squared error of the single unit; numbers, arrays or tensors will do."""
    h = 0.5
    for _ in range(SINGLE_STEPS):
        z = w * h + b
        h = mg.tanh(z) if isinstance(z, mg.Tensor) else np.tanh(z)
    return (h - GOAL) ** 2


def walk(limit, steps=200, rate=0.05):
    """Follow gradient descent from (2, -0.2); return the points, and the gradients' lengths."""
    w, b = (mg.tensor(v, dtype=mg.float64, requires_grad=True) for v in (2.0, -0.2))
    optimiser = optim.SGD([w, b], lr=rate)
    path, norms = [(w.item(), b.item())], []
    for _ in range(steps):
        optimiser.zero_grad()
        tip(w, b).backward()
        norms.append(nn.utils.clip_grad_norm_([w, b], limit).item())
        optimiser.step()
        path.append((w.item(), b.item()))
    return np.array(path), norms


free, free_norms = walk(math.inf)
clipped, clipped_norms = walk(1.0)
print("\nthe single unit, 200 steps          longest gradient   longest step   loss at the end")
for name, path, norms in (("as it is", free, free_norms), ("clipped", clipped, clipped_norms)):
    step = np.linalg.norm(np.diff(path, axis=0), axis=1).max()
    print(f"  {name:34} {max(norms):12.1f} {step:16.3f} {tip(*path[-1]):15.6f}")
assert max(free_norms) > 20
assert tip(*free[-1]) > 0.05
assert tip(*clipped[-1]) < 1e-4
assert np.linalg.norm(np.diff(clipped, axis=0), axis=1).max() < 0.05 + 1e-9

ws, bs = np.linspace(0.2, 2.4, 221), np.linspace(-1.8, 0.3, 211)
heights = tip(*np.meshgrid(ws, bs))
figure, axes = plt.subplots(figsize=(8.2, 5.2), layout="constrained")
shown = axes.pcolormesh(ws, bs, heights, cmap="Greys", alpha=0.75)
figure.colorbar(shown, ax=axes, label="loss after 50 steps")
for name, path, colour, mark in (
    ("as it is", free, RED, "x"),
    ("clipped to 1", clipped, BLUE, "."),
):
    label = f"{name}: ends at a loss of {tip(*path[-1]):.2g}"
    axes.plot(*path.T, marker=mark, color=colour, markersize=5, linewidth=1, label=label)
axes.plot(2.0, -0.2, "o", color="black", label="start")
axes.set_xlim(ws[0], ws[-1])
axes.set_ylim(bs[0], bs[-1])
axes.set_xlabel("weight w")
axes.set_ylabel("bias b")
axes.set_title("One tanh unit, 50 steps: a cliff, with and without clipping")
axes.legend(loc="lower right", fontsize=9)
lesson.save(
    figure, "11_recurrent_cliff.png",
    "The loss of a single recurrent unit over its two parameters, and two descents on it.",
)  # fmt: skip

# %% [markdown]
# Now a training that ends in NaN. The shipped digits become series: 16 steps of 4 pixels, from the
# top left to the bottom right, and after the last step the network names the digit. 64 ReLU units,
# which have no upper bound, start with an orthogonal U (radius 1), and the learning rate is bold.
# Three times, from other first weights:

# %%
digits = load_digits()
train, test = train_test_split(len(digits.y), 0.25, seed=0, stratify=digits.y)


def series(rows, pixels):
    """Return images as series, with so many pixels in each step."""
    return (digits.x[rows].reshape(len(rows), -1, pixels) / digits.pixel_max).astype(np.float32)


class Reader(nn.Module):
    """A recurrent layer, and ten scores from its state at every step."""

    def __init__(self, recurrent, units=64):
        super().__init__()
        self.recurrent = recurrent
        self.scores = nn.Linear(units, 10)

    def forward(self, x):
        return self.scores(self.recurrent(x)[0])


def train_reader(model, pixels, optimiser, limit=math.inf, epochs=15, every_step=False):
    """Train; return losses and lengths of the gradient, up to the first that is not finite."""
    order, losses, norms = np.random.default_rng(0), [], []
    batches = [rows for _ in range(epochs) for rows in np.array_split(order.permutation(train), 26)]
    with np.errstate(all="ignore"):  # one of the runs overflows, which is the subject
        for rows in batches:
            scores = model(mg.tensor(series(rows, pixels)))
            if not every_step:
                scores = scores[:, -1:]
            labels = np.repeat(digits.y[rows], scores.shape[1])
            loss = mg.cross_entropy(scores.reshape(-1, 10), mg.tensor(labels))
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                break
            optimiser.zero_grad()
            loss.backward()
            norms.append(nn.utils.clip_grad_norm_(list(model.parameters()), limit).item())
            optimiser.step()
    return losses, norms


def share_right(model, pixels):
    """Return the share of test images that it reads right, after each step."""
    with mg.no_grad():
        found = host(model(mg.tensor(series(test, pixels)))).argmax(axis=-1)
    return (found == digits.y[test][:, None]).mean(axis=0)


runs = {}
print("\n16 steps of 4 pixels, SGD with rate 0.5    batches   last loss   longest gradient   right")
for name, limit in (("as it is", math.inf), ("clipped to 1", 1.0)):
    for seed in range(3):
        mg.manual_seed(seed)
        model = Reader(nn.RNN(4, 64, nonlinearity="relu", batch_first=True))
        nn.init.orthogonal_(model.recurrent.weight_hh_l0)
        losses, norms = train_reader(model, 4, optim.SGD(model.parameters(), lr=0.5), limit)
        whole = math.isfinite(losses[-1])
        read = share_right(model, 4)[-1] if whole else 0.0
        runs[name, seed] = whole, read
        print(f"  {name:12} first weights {seed} {'':12} {len(losses):9} {losses[-1]:11.3f} "
              f"{max(norms):18.1e} {f'{read:.0%}' if whole else '-':>7}")  # fmt: skip
lost = sum(not runs["as it is", seed][0] for seed in range(3))
least = min(runs["clipped to 1", seed][1] for seed in range(3))
lesson.statement(
    "D2 math 4", "gradient clipping is a remedy for exploding gradients",
    lost >= 2 and least > 0.65,
    f"{lost} of 3 recurrent networks end in NaN; clipped, each of the 3 reads at least "
    f"{100 * least:.0f} % of the test digits right",
    "unlike lesson 4's deep network, these have good weights and meet a cliff now and then",
)  # fmt: skip

# %% [markdown]
# Without clipping one long step is enough: the next gradient is longer still, and soon there are no
# numbers left. When this happens is a matter of chance, and of the last digit of a sum. With
# clipping the same weights meet the same cliffs, and survive.
#
# D2 describes clipping otherwise: the *values* of the gradient are to be kept in a range. That
# exists as well, as `clip_grad_value_`. It cuts each entry by itself, so the gradient points
# elsewhere afterwards, where cutting by length keeps the direction. And D2 advises it against
# vanishing gradients too. But a minimum of 1 and something lengthens nothing.

# %%
g = rng.normal(size=200) * 10.0 ** rng.uniform(-2, 1, size=200)


def clipped_by(clip, gradient, limit):
    """Return a gradient, as one of minigrad's functions clips it."""
    parameter = mg.zeros(len(gradient), dtype=mg.float64, requires_grad=True)
    parameter.grad = mg.tensor(gradient)
    clip([parameter], limit)
    return host(parameter.grad)


def cosine(a, b):
    """Return the cosine of the angle between two directions."""
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


by_norm = clipped_by(nn.utils.clip_grad_norm_, g, 1.0)
by_value = clipped_by(nn.utils.clip_grad_value_, g, 1.0)
print(f"\na gradient of length {np.linalg.norm(g):.1f}, clipped")
for name, cut in (("by length", by_norm), ("by value", by_value)):
    angle = math.degrees(math.acos(min(1.0, cosine(g, cut))))
    print(f"  {name:10} length {np.linalg.norm(cut):6.3f}, turned by {angle:.1f} degrees")
assert cosine(g, by_norm) > 1 - 1e-12
assert cosine(g, by_value) < 0.9
lesson.formula(
    "D2 math 4", "clipping: the values of the gradient are kept in a range",
    lambda: np.clip(g, -1.0, 1.0), by_norm,
    "it turns the gradient; the usual way limits its length and keeps its direction",
    conventions={"clipping by value": by_value},
    expect=CONVENTION,
)  # fmt: skip

faint = 1e-9 * g
kept = clipped_by(nn.utils.clip_grad_norm_, faint, 1.0)
lesson.statement(
    "D2 math 4", "gradient clipping is a remedy for vanishing gradients",
    np.linalg.norm(kept) > np.linalg.norm(faint),
    f"a gradient of length {np.linalg.norm(faint):.0e} has length {np.linalg.norm(kept):.0e} "
    "after clipping",
    "right: it only ever shortens; the remedies for vanishing are in section 5",
    expect=FAILS,
)  # fmt: skip
assert np.array_equal(kept, faint)

# %% [markdown]
# ## 5. A memory with a gate
#
# D4, section 3.3, says of recurrent networks that they capture dependencies over long distances.
# Test it: a series begins with one of 8 symbols, then come only distracting ones of another kind,
# and at its end the network has to name the first. Nothing else is asked, and guessing is right in
# one case of eight.
#
# *Long short-term memory*, LSTM (S. Hochreiter and J. Schmidhuber, 1997), was made for this. Beside
# its output it keeps a *cell* c, and three gates, sigmoids of input and output, decide what happens
# to it: how much is kept (forget gate f), written (i) and shown (o).
#
# $$c_t = f_t \odot c_{t-1} + i_t \odot \tanh(\ldots), \qquad h_t = o_t \odot \tanh(c_t)$$
#
# There is no matrix on the way from cell to cell. Along it the gradient is multiplied by f at each
# step, and f is between 0 and 1. Close to 1 it keeps for a long time what came in. But at the start
# the gates' sums are near 0, so that f = 1/2, and after 60 steps $2^{-60} \approx 10^{-18}$ is left
# in the cell: no better than the simple network. So one gives the forget gate a bias. For a memory
# of T steps, ln(T - 1) is right, because then $f = 1 - 1/T$ (C. Tallec and Y. Ollivier, 2018).

# %%
SYMBOLS = 8


def first_symbol(draw, count, steps):
    """Return series of one-hot symbols, and the first symbol of each."""
    drawn = draw.integers(0, SYMBOLS, (count, steps))
    kind = np.where(np.arange(steps) == 0, 0, SYMBOLS)  # the distracting ones are other symbols
    return np.eye(2 * SYMBOLS, dtype=np.float32)[drawn + kind], drawn[:, 0]


class Memory(nn.Module):
    """A recurrent layer, and scores from its last output; an LSTM may have its forget gate open."""

    def __init__(self, kind, steps, units=32):
        super().__init__()
        self.recurrent = (nn.LSTM if "LSTM" in kind else nn.RNN)(
            2 * SYMBOLS, units, batch_first=True
        )
        if "open" in kind:
            with mg.no_grad():  # the gates stand in the order i, f, cell, o
                self.recurrent.bias_hh_l0[units : 2 * units] = math.log(steps - 1)
        self.scores = nn.Linear(units, SYMBOLS)

    def forward(self, x):
        return self.scores(self.recurrent(x)[0][:, -1])


def remember(kind, steps, seed=0, batches=200):
    """Train on fresh series; return the share right of 500 others, and the first gradient's way.

    The way: how long the loss's gradient by the input is at each step, before training.
    """
    mg.manual_seed(seed)
    model, draw = Memory(kind, steps), np.random.default_rng(seed)
    optimiser = optim.Adam(model.parameters(), lr=3e-3)
    x, y = first_symbol(draw, 32, steps)
    x = mg.tensor(x, requires_grad=True)
    mg.cross_entropy(model(x), mg.tensor(y)).backward()
    by_step = np.sqrt((host(x.grad) ** 2).sum(axis=(0, 2)))
    for _ in range(batches):
        x, y = first_symbol(draw, 32, steps)
        loss = mg.cross_entropy(model(mg.tensor(x)), mg.tensor(y))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(list(model.parameters()), 1.0)
        optimiser.step()
    x, y = first_symbol(draw, 500, steps)
    with mg.no_grad():
        return (host(model(mg.tensor(x))).argmax(axis=1) == y).mean(), by_step


KINDS = {"RNN": (RED, "s--"), "LSTM": (GREY, "^:"), "LSTM, forget gate open": (BLUE, "o-")}
DISTANCES = (5, 20, 60)
print("\nfirst symbol named right, after 200 batches of 32      steps: " + "".join(
    f"{steps:7}" for steps in DISTANCES))  # fmt: skip
found, ways = {}, {}
for kind in KINDS:
    for steps in DISTANCES:
        found[kind, steps], ways[kind, steps] = remember(kind, steps)
    print(f"  {kind:59}" + "".join(f"{found[kind, steps]:7.0%}" for steps in DISTANCES))
fractions = {kind: ways[kind, 60][0] / ways[kind, 60][-1] for kind in KINDS}
print("gradient by the first of 60 inputs, of that by the last, before training")
for kind in KINDS:
    print(f"  {kind:59} {fractions[kind]:9.1e}")
assert found["RNN", 5] > 0.9
assert found["LSTM, forget gate open", 60] > 0.6 > 0.3 > found["RNN", 60]
assert found["LSTM", 60] < 0.3
assert fractions["RNN"] < 1e-9
assert fractions["LSTM"] < 1e-9
assert fractions["LSTM, forget gate open"] > 0.1
lesson.statement(
    "D4 3.3", "an RNN captures dependencies over long distances",
    found["RNN", 60] > 2 / SYMBOLS,
    f"a symbol {DISTANCES[0]} steps ago is named right in {100 * found['RNN', 5]:.0f} %, one "
    f"60 steps ago in {100 * found['RNN', 60]:.0f} % (guessing: {100 / SYMBOLS:.1f} %); the "
    f"gradient has shrunk to {fractions['RNN']:.0e}",
    "right: gates that stay open do; an LSTM whose forget gate starts open gets "
    f"{100 * found['LSTM, forget gate open', 60]:.0f} %",
    expect=FAILS,
)  # fmt: skip

figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.3), layout="constrained")
for kind, (colour, style) in KINDS.items():
    way = ways[kind, 60]
    left.semilogy(range(1, 61), way / way[-1], style[1:], color=colour, label=kind)
    percent = [100 * found[kind, steps] for steps in DISTANCES]
    right.plot(DISTANCES, percent, style, color=colour, label=kind)
left.set_xlabel("step (the gradient runs to the left)")
left.set_ylabel("gradient by the input, of that by the last")
left.set_title("What arrives, before training")
left.legend(fontsize=9)
right.axhline(100 / SYMBOLS, color="black", linestyle=":", linewidth=1, label="guessing: 12.5 %")
right.set_xlabel("steps from the first symbol to the question")
right.set_ylabel("named right (%)")
right.set_ylim(0, 104)
right.set_title("What is learned")
right.legend(fontsize=9)
figure.supxlabel("32 units, Adam with rate 0.003, 200 batches of 32 series", fontsize=9)
lesson.save(
    figure, "11_recurrent_memory.png",
    "How far a gradient reaches back before training, and over how many steps each layer learns.",
)  # fmt: skip

# %% [markdown]
# The gate makes the difference, and its bias: as it is drawn, the LSTM is over 60 steps no better
# than the simple network.
#
# NB: PyTorch draws an LSTM's biases around 0, and so does minigrad, which follows it. Keras sets
# the forget gate's to 1 (`unit_forget_bias=True`), which gives f = 0.73.
#
# ## 6. Reading as it goes
#
# A recurrent network can be asked at every step. The same digits, now a row of 8 pixels in each of
# 8 steps, and the loss is the mean over the answers after each row. When does an LSTM know what it
# is reading?

# %%
mg.manual_seed(0)
model = Reader(nn.LSTM(8, 64, batch_first=True))
adam = optim.Adam(model.parameters(), lr=1e-2)
train_reader(model, 8, adam, limit=1.0, epochs=20, every_step=True)
by_row = share_right(model, 8)
print("\ndigits read row by row, right after row")
print("  " + "".join(f"{row:7}" for row in range(1, 9)))
print("  " + "".join(f"{share:7.1%}" for share in by_row))
assert by_row[0] < 0.45 < 0.6 < by_row[3]
assert by_row[-1] > 0.85

chosen = test[[int(np.flatnonzero(digits.y[test] == label)[0]) for label in (0, 4, 6, 8)]]
with mg.no_grad():
    chances = host(mg.softmax(model(mg.tensor(series(chosen, 8))), -1))
figure, rows_of_axes = plt.subplots(
    2, 5, figsize=(13, 5), layout="constrained", width_ratios=(1, 1, 1, 1, 1.5)
)
for column, (i, table) in enumerate(zip(chosen, chances, strict=True)):
    above, below = rows_of_axes[:, column]
    above.imshow(digits.x[i], cmap="gray_r", vmin=0, vmax=digits.pixel_max)
    below.imshow(table, cmap="Blues", vmin=0, vmax=1)
    above.set_title(f"a {digits.y[i]}")
    below.set_xlabel("it takes it for a ...")
    below.set_xticks(range(10))
    for axes in (above, below):
        axes.set_yticks(range(8), [str(row) for row in range(1, 9)])
    above.set_xticks([])
rows_of_axes[0, 0].set_ylabel("row")
rows_of_axes[1, 0].set_ylabel("after row")
for axes in rows_of_axes[:, 4]:
    axes.remove()
axes = figure.add_subplot(rows_of_axes[0, 4].get_gridspec()[:, 4])
axes.plot(range(1, 9), 100 * by_row, "o-", color=BLUE)
axes.axhline(10, color=GREY, linestyle=":", label="guessing: 10 %")
axes.set_xlabel("rows read")
axes.set_ylabel("test images read right (%)")
axes.set_ylim(0, 102)
axes.legend(loc="lower right")
figure.supxlabel(
    "below the digits: the chance that the network gives to each, white for 0, dark for 1",
    fontsize=9,
)
lesson.save(
    figure, "11_recurrent_rows.png",
    "Four digits, what an LSTM takes each for after every row, and its accuracy by rows read.",
)  # fmt: skip

# %% [markdown]
# ## 7. Going back only so far
#
# A text of a million letters cannot be kept in memory for one backward pass. *Truncated* backward
# through time reads a stream in pieces of k steps. The state is carried over from piece to piece,
# but `detach` cuts the graph, so no gradient crosses the border.
#
# What does it cost? Here is a stream of 4 symbols, drawn at random, and the network has to say
# which came 4 steps ago. With k up to 4 the symbol is always in an earlier piece: no gradient ever
# connects it to the answer. With 5 some do, and since the weights are the same at every step, what
# is learned at one is known at all.
#
# Forgetting the state at each border is the mistake to make here. Then the first 4 answers of each
# piece can only be guessed, and of all answers at most $1 - \tfrac{4}{k} \cdot \tfrac34$ are right.

# %%
AGO, LETTERS, STREAM = 4, 4, 4000


def echo(k, carry):
    """Train on a stream in pieces of k steps; return the share right in its last tenth."""
    mg.manual_seed(0)
    stream = np.random.default_rng(0).integers(0, LETTERS, (STREAM + AGO, 16))
    net = nn.ModuleList([nn.RNN(LETTERS, 32), nn.Linear(32, LETTERS)])
    optimiser, state, right = optim.Adam(net.parameters(), lr=5e-3), None, []
    for start in range(AGO, STREAM + AGO - k + 1, k):
        x = np.eye(LETTERS, dtype=np.float32)[stream[start : start + k]]
        wanted = stream[start - AGO : start - AGO + k]
        outputs, state = net[0](mg.tensor(x), state)
        state = state.detach() if carry else None
        scores = net[1](outputs)
        loss = mg.cross_entropy(scores.reshape(-1, LETTERS), mg.tensor(wanted.ravel()))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(list(net.parameters()), 1.0)
        optimiser.step()
        right.append((host(scores).argmax(axis=-1) == wanted).mean())
    return float(np.mean(right[-len(right) // 10 :]))


PIECES = (2, 3, 4, 5, 6, 8, 16, 32)
carried = {k: echo(k, True) for k in PIECES}
reset = {k: echo(k, False) for k in PIECES if k > AGO}
most = {k: 1 - AGO / k * (1 - 1 / LETTERS) for k in reset}
print("\nwhich symbol came 4 steps ago? pieces of " + "".join(f"{k:7}" for k in PIECES))
print("  state carried over                   " + "".join(f"{carried[k]:7.1%}" for k in PIECES))
print("  state forgotten                      " + "".join(
    f"{reset[k]:7.1%}" if k in reset else f"{'':7}" for k in PIECES))  # fmt: skip
print("  the most there is then               " + "".join(
    f"{most[k]:7.1%}" if k in most else f"{'':7}" for k in PIECES))  # fmt: skip
assert all(carried[k] < 0.45 for k in PIECES if k <= AGO)
assert all(carried[k] > 0.9 for k in PIECES if k > AGO)
assert all(reset[k] < most[k] + 0.02 for k in reset)

figure, axes = plt.subplots(figsize=(7.6, 4.2), layout="constrained")
axes.semilogx(
    PIECES, [100 * v for v in carried.values()], "o-", color=BLUE, label="state carried over"
)
axes.semilogx(
    list(reset), [100 * v for v in reset.values()], "s--", color=RED, label="state forgotten"
)
ks = np.arange(AGO, 33)
axes.semilogx(ks, 100 * (1 - AGO / ks * 0.75), ":", color=RED, label="most without the state")
axes.axvspan(PIECES[0], AGO + 0.5, color=GREY, alpha=0.15)
axes.text(2.1, 60, "no gradient reaches\n4 steps back", fontsize=9)
axes.axhline(25, color=GREY, linestyle=":", label="guessing: 25 %")
axes.set_xticks(PIECES, [str(k) for k in PIECES])
axes.minorticks_off()
axes.set_xlabel("steps k of a piece, that is, how far back the gradient goes")
axes.set_ylabel("right in the last tenth of the stream (%)")
axes.set_ylim(0, 104)
axes.set_title("Truncated backward through time: which symbol came 4 steps ago?")
axes.legend(loc="lower right", fontsize=9)
lesson.save(
    figure, "11_recurrent_truncated.png",
    "How much of a stream's symbols 4 steps ago is named right, by the length of the pieces.",
)  # fmt: skip

# %%
print()
lesson.finish()

# %% [markdown]
# ## Exercises
#
# Those that are graded: `python -m minigrad lessons next 11`. And to try in this file:
#
# 1. In `backward_by_hand`, keep only the last share that is computed instead of the sum. By how
#    much is the gradient by U off, and which step's share is it?
# 2. Give section 3 a U that is orthogonal. What is its radius, what its largest singular value, and
#    what happens to the gradient with no activation?
# 3. Find the bug: a training loop calls `clip_grad_norm_` *before* `backward`, and zeroes the
#    gradients at its beginning. What does the function return, and what is clipped?
# 4. In section 5, set the forget gate's bias to 1, as Keras does, and predict from $0.73^{60}$ what
#    comes out for 60 steps. For how many steps is 1 enough?
# 5. In section 7, let the symbol be 8 steps back. From which k on is it learned? (It takes a
#    longer stream. Why?)
#
# Next: lesson 12 does away with the steps. Every word looks at all the others at once.
