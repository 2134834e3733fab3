# %% [markdown]
# # 5. Losses: what a network is told
#
# A loss is a number, but a network only ever feels its gradient. You will see two losses that agree
# on who is right and differ in what they tell a network that is surely wrong; a formula with which
# a yes-or-no network learns to say yes to everything; how to compute a logarithm of 0 without
# doing so; a softmax applied twice, which nothing reports and which costs most of the gradient; and
# two players who cannot share one loss.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import load_digits, train_test_split
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

lesson = begin("05_losses", "Losses: what a network is told.")

# %% [markdown]
# ## 1. Two losses
#
# D1 (mathematics, loss functions) and D2 (mathematics, part 2) give two. For numbers, the mean
# squared error; for classes, the cross-entropy of the outputs, which are probabilities:
#
# $$\text{MSE} = \frac1n \sum_i (y_i - \hat y_i)^2 \qquad\qquad
#   \text{CE} = -\sum_i y_i \ln \hat y_i$$
#
# Probabilities come from scores z, by a softmax for several classes and a sigmoid for one:
#
# $$\hat y_k = \frac{e^{z_k}}{\sum_j e^{z_j}} \qquad\qquad \hat y = \frac{1}{1 + e^{-z}}$$
#
# Is the formula what minigrad computes? For one example and its classes, y being 1 for the right
# class and 0 for the others, yes. If the sum runs over examples as well, as D1 says, there is the
# question of the mean.

# %%
rng = np.random.default_rng(0)
y, guess = rng.normal(size=6), rng.normal(size=6)
scores = rng.normal(size=(6, 4))
labels = np.array([2, 0, 3, 1, 1, 2])
p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
one_hot = np.eye(4)[labels]
lesson.formula(
    "D1 losses, D2 math 2", "MSE",
    lambda: np.mean((y - guess) ** 2),
    mg.mse_loss(mg.tensor(guess), mg.tensor(y)).item(),
)  # fmt: skip
lesson.formula(
    "D2 math 2", "cross-entropy of one example",
    lambda: -np.sum(one_hot[0] * np.log(p[0])),
    mg.cross_entropy(mg.tensor(scores[0]), mg.tensor(labels[0])).item(),
)  # fmt: skip
lesson.formula(
    "D1 losses", "F8: cross-entropy, summed over the examples",
    lambda: -np.sum(one_hot * np.log(p)),
    mg.cross_entropy(mg.tensor(scores), mg.tensor(labels)).item(),
    "MSE has its 1/n, this one has not; libraries take the mean",
    conventions={
        "the sum": mg.cross_entropy(
            mg.tensor(scores), mg.tensor(labels), reduction="sum"
        ).item()
    },
    expect=CONVENTION,
)  # fmt: skip

# %% [markdown]
# ## 2. What a wrong network feels
#
# Take one output, a sigmoid of the score z, and an example with y = 1. By the chain rule
#
# $$\frac{d}{dz} (1 - \hat y)^2 = -2 (1 - \hat y)\, \hat y (1 - \hat y) \qquad\qquad
#   \frac{d}{dz} (-\ln \hat y) = -(1 - \hat y)$$
#
# The slope of the sigmoid is a factor of the first, and cancels in the second. At z = -10 the
# network is surely wrong. The squared error tells it next to nothing, the cross-entropy to go up at
# full speed.


# %%
def slopes_of(f, at):
    """Return the slope of an elementwise function at each of these points."""
    z = mg.tensor(at, requires_grad=True)
    f(z).sum().backward()
    return z.grad.cpu().numpy()


def squared(z):
    """(1 - sigmoid(z))^2, the squared error for y = 1."""
    return (1 - mg.sigmoid(z)) ** 2


def logistic(z):
    """-ln sigmoid(z), the cross-entropy for y = 1, from the score."""
    ones = mg.ones(*z.shape, dtype=z.dtype)
    return mg.binary_cross_entropy_with_logits(z, ones, reduction="none")


z = np.linspace(-10, 10, 401)
by_squared, by_logistic = slopes_of(squared, z), slopes_of(logistic, z)
y_hat = 1 / (1 + np.exp(-z))
assert np.abs(by_squared + 2 * (1 - y_hat) ** 2 * y_hat).max() < 1e-15
assert np.abs(by_logistic + (1 - y_hat)).max() < 1e-15
print("slope by the score, for y = 1     z = -10        z = 0       z = 10")
for name, slopes in (("squared error", by_squared), ("cross-entropy", by_logistic)):
    print(f"  {name:26}{slopes[0]:13.6f}{slopes[200]:13.6f}{slopes[400]:13.6f}")
assert abs(by_logistic[0]) > 10_000 * abs(by_squared[0])

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.1), layout="constrained")
for name, f, slopes, colour, line in (
    ("squared error", squared, by_squared, RED, "--"),
    ("cross-entropy", logistic, by_logistic, BLUE, "-"),
):
    left.plot(z, f(mg.tensor(z)).cpu().numpy(), line, color=colour, label=name)
    right.plot(z, slopes, line, color=colour, label=name)
left.set_ylabel("loss for y = 1 (cross-entropy: nats)")
left.set_title("Both fall as the score rises")
right.set_ylabel("slope of the loss by the score")
right.set_title("But where the network is surely wrong, one is silent")
for axes in (left, right):
    axes.set_xlabel("score z; the probability is sigmoid(z)")
    axes.grid(alpha=0.25)
    axes.legend()
figure.supxlabel("one output, y = 1; to the left the network is surely wrong", fontsize=9)
lesson.save(
    figure,
    "05_losses_slopes.png",
    "Both losses fall as the score rises, but where the network is surely wrong the squared "
    "error is silent.",
)

# %% [markdown]
# ## 3. Yes to everything (F8)
#
# D1 adds that y is usually 0 or 1. With a single output that is a trap: for y = 0 the printed loss
# is -0 ln(y), which is 0 whatever the network says. Binary cross-entropy has a second term for it:
#
# $$-\bigl( y \ln \hat y + (1 - y) \ln (1 - \hat y) \bigr)$$
#
# One sigmoid unit on the 64 pixels of the shipped digits is asked: is this an 8? About one in ten
# is.

# %%
digits = load_digits()
IMAGES = digits.x.reshape(len(digits.x), -1).astype(np.float32) / digits.pixel_max
train, test = train_test_split(len(digits.y), 0.25, seed=0, stratify=digits.y)
IS_8 = (digits.y == 8).astype(np.float32)


def printed(z, y):
    """The mean of -y ln sigmoid(z)."""
    return -(y * mg.log(mg.sigmoid(z))).mean()


def eights(loss_function, steps=400):
    """Train one sigmoid unit; return its shares of yes and of right answers on the test images."""
    mg.manual_seed(0)
    unit = nn.Linear(64, 1)
    optimiser = optim.SGD(unit.parameters(), lr=2.0)
    x, y = mg.tensor(IMAGES[train]), mg.tensor(IS_8[train])
    for _ in range(steps):
        optimiser.zero_grad()
        loss_function(unit(x)[:, 0], y).backward()
        optimiser.step()
    says_yes = unit(mg.tensor(IMAGES[test]))[:, 0].detach().cpu().numpy() > 0
    return says_yes.mean(), (says_yes == (IS_8[test] == 1)).mean()


print(f"\nis it an 8? {IS_8[test].mean():.1%} of the test images are")
answers = {}
for name, loss_function in (
    ("as printed", printed),
    ("binary cross-entropy", mg.binary_cross_entropy_with_logits),
):
    answers[name] = eights(loss_function)
    print("  {:21} says yes to {:6.1%}, right {:6.1%}".format(name, *answers[name]))
assert answers["as printed"][0] == 1
assert answers["as printed"][1] < 0.12
assert answers["binary cross-entropy"][1] > 0.93

bits, heads = np.array([1.0, 0.0, 0.0, 1.0]), np.array([0.9, 0.8, 0.3, 0.4])
lesson.formula(
    "D1 losses, D2 math 2", "F8: cross-entropy of single outputs, y in {0, 1}",
    lambda: -np.sum(bits * np.log(heads)),
    mg.binary_cross_entropy(mg.tensor(heads), mg.tensor(bits), reduction="sum").item(),
    "nothing is said of y = 0; right: with (1 - y) ln(1 - y_hat)",
    expect=FAILS,
)  # fmt: skip
lesson.formula(
    "D1 losses, D2 math 2", "F8: cross-entropy at the probabilities 0 and 1, y = (0, 1)",
    lambda: -np.sum(np.array([0.0, 1.0]) * np.log(np.array([0.0, 1.0]))),
    0.0,
    "0 times minus infinity; from the scores there is no such thing",
    expect=NOT_COMPUTABLE,
)  # fmt: skip

# %% [markdown]
# ## 4. From the scores
#
# A probability of 0 comes sooner than one thinks: e^-104 is 0 in float32, and e^89 is infinite. So
# the loss is computed from scores, in one go, with the largest score m taken out:
#
# $$-\ln \hat y_k = m - z_k + \ln \sum_j e^{z_j - m}$$
#
# The largest exponent is then 0, so nothing overflows, and the sum is at least 1, so its logarithm
# is harmless. Here are both ways for two classes, scores (0, d) and the first class right: the loss
# should be about d.


# %%
def by_probabilities(d, kind):
    """Return -ln of the softmax of (0, d), computed as it is written."""
    e = np.exp(np.array([0, d], dtype=kind))
    return float(-np.log(e[0] / e.sum()))


def from_scores(d, kind):
    """Return the same by minigrad, in one go."""
    both = mg.tensor(np.array([0, d], dtype=kind))
    return mg.cross_entropy(both, mg.tensor(0)).item()


print("\nloss for scores (0, d)    d = 10       50      100      800    10000")
ways = {
    "ln of softmax, float32": (by_probabilities, np.float32),
    "ln of softmax, float64": (by_probabilities, np.float64),
    "from scores, float32": (from_scores, np.float32),
}
table = {}
with np.errstate(all="ignore"):
    for name, (way, kind) in ways.items():
        table[name] = [way(d, kind) for d in (10, 50, 100, 800, 10_000)]
        print(f"  {name:24}" + "".join(f"{value:9.6g}" for value in table[name]))
assert table["ln of softmax, float32"][2:] == [math.inf] * 3
assert table["ln of softmax, float64"][3:] == [math.inf] * 2
assert table["from scores, float32"][3:] == [800, 10_000]

huge = mg.tensor([[0.0, 1e4]], requires_grad=True)
mg.cross_entropy(huge, mg.tensor([0])).backward()
print(f"  its gradient at (0, 10000): {huge.grad.tolist()[0]}, probabilities minus target")
assert huge.grad.tolist() == [[-1.0, 1.0]]

# %% [markdown]
# ## 5. A softmax too many (F16)
#
# D3 (section 4) ends its network with a softmax and gives the result to a cross-entropy that takes
# scores, and so applies a softmax itself. Nothing fails: the outputs are still numbers. But now the
# scores that it gets are probabilities, between 0 and 1. The surest it can be is a softmax of
# (1, 0, ..., 0), which for ten classes gives the right one e / (e + 9) = 23 %. So the loss never
# gets below
#
# $$\ln(1 + 9/e) = 1.4612$$
#
# and the gradient has the slopes of a softmax as a factor once more: who is surely wrong is told
# nothing, as with the squared error. First by one score, from surely wrong to surely right:

# %%
FLOOR = math.log(1 + 9 / math.e)


def by_score(double):
    """Return the loss and its slope by the right class's score; one other class has the score 0."""
    losses, slopes = [], []
    for value in z:
        start = np.full(10, -20.0)
        start[:2] = value, 0.0
        s = mg.tensor(start, requires_grad=True)
        loss = mg.cross_entropy(mg.softmax(s, 0) if double else s, mg.tensor(0))
        loss.backward()
        losses.append(loss.item())
        slopes.append(s.grad.cpu().numpy()[0])
    return np.array(losses), np.array(slopes)


single, double = by_score(False), by_score(True)
print("\nslope by the right class's score  z = -10        z = 0       z = 10")
for name, (_, slopes) in (("one softmax", single), ("two", double)):
    print(f"  {name:26}{slopes[0]:13.6f}{slopes[200]:13.6f}{slopes[400]:13.6f}")
print(f"  smallest loss with two: {double[0].min():.4f}, ln(1 + 9/e) = {FLOOR:.4f}")
assert abs(single[1][0]) > 10_000 * abs(double[1][0])
assert 0 <= double[0].min() - FLOOR < 1e-4

# %% [markdown]
# And in training: the small network of D3, here 64-128-10, with its rate of 0.01, for 30 rounds of
# the shipped digits in batches of 50, both ways from the same first weights.


# %%
class Double(nn.Module):
    """Cross-entropy of what already went through a softmax."""

    def forward(self, scores, labels):
        return mg.cross_entropy(mg.softmax(scores, -1), labels)


def train_digits(loss_function, epochs=30):
    """Return mean loss and test accuracy by epoch, and the first gradient's length."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimiser, order = optim.SGD(model.parameters(), lr=0.01), np.random.default_rng(0)
    losses, accuracies, first = [], [], 0.0
    for _ in range(epochs):
        total = 0.0
        for rows in np.array_split(order.permutation(train), len(train) // 50):
            optimiser.zero_grad()
            loss = loss_function(model(mg.tensor(IMAGES[rows])), mg.tensor(digits.y[rows]))
            loss.backward()
            first = first or model[2].weight.grad.norm().item()
            optimiser.step()
            total += loss.item() * len(rows)
        losses.append(total / len(train))
        with mg.no_grad():
            found = model(mg.tensor(IMAGES[test])).cpu().numpy().argmax(axis=1)
        accuracies.append(float((found == digits.y[test]).mean()))
    return losses, accuracies, first


runs = {"one softmax": train_digits(nn.CrossEntropyLoss()), "two": train_digits(Double())}
print("\n64-128-10 on shipped digits    first gradient   loss after 30   test accuracy")
for name, (losses, accuracies, first) in runs.items():
    print(f"  {name:28} {first:14.4f} {losses[-1]:15.4f} {accuracies[-1]:15.1%}")
shrunk = runs["one softmax"][2] / runs["two"][2]
print(f"  the first gradient is {shrunk:.1f} times shorter with two")
assert 5 < shrunk < 20
assert runs["two"][0][-1] > FLOOR
assert runs["one softmax"][1][-1] > runs["two"][1][-1] + 0.1

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for (name, (losses, accuracies, _)), (_, slopes), colour, line in zip(
    runs.items(), (single, double), (BLUE, RED), ("-", "--"), strict=True
):
    left.plot(z, slopes, line, color=colour, label=name)
    epochs = range(1, len(losses) + 1)
    right.plot(epochs, [100 * a for a in accuracies], line, color=colour, label=name)
left.set_xlabel("score of the right class, against 0 of one other")
left.set_ylabel("slope of the loss by that score")
left.set_title("Two softmaxes: silent at both ends")
right.axhline(10, color=GREY, linestyle=":", label="guessing: 10 %")
right.set_xlabel("epoch")
right.set_ylabel("test accuracy (%)")
right.set_ylim(0, 102)
right.set_title("The same network, trained with either")
for axes in (left, right):
    axes.grid(alpha=0.25)
    axes.legend()
figure.supxlabel(
    "right: 64-128-10 (D3 4) on the shipped digits, SGD with rate 0.01, batches of 50", fontsize=9
)
lesson.save(
    figure,
    "05_losses_double_softmax.png",
    "With a second softmax the loss is silent at both ends, and the same network learns far "
    "more slowly.",
)

lesson.statement(
    "D3 4", "F16: a softmax output is given to the cross-entropy of scores",
    shrunk < 1.01,
    f"the first gradient is {shrunk:.1f} times too short, the loss cannot fall below "
    f"{FLOOR:.4f}, the accuracy after 30 epochs is {runs['two'][1][-1]:.0%} for "
    f"{runs['one softmax'][1][-1]:.0%}",
    "leave the softmax out",
    expect=FAILS,
)  # fmt: skip

# %% [markdown]
# Nothing raised an error, and the accuracy rises, if slowly. minigrad can look at a step of
# training for mistakes of this kind:

# %%
mg.manual_seed(0)
as_printed = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10), nn.Softmax(-1))
batch = (mg.tensor(IMAGES[:50]), mg.tensor(digits.y[:50]))
findings = mg.check.lint(as_printed, nn.CrossEntropyLoss(), batch)
print(f"\nmg.check.lint\n{findings}")
assert "double-softmax" in [finding.id for finding in findings]

# %% [markdown]
# ## 6. Two players, one sum (F9)
#
# In a generative adversarial network two play against each other: a generator G makes examples
# from noise z, a discriminator D gives the probability that an example is real. D2 (mathematics,
# part 2) prints one loss for both:
#
# $$-\ln D(G(z)) - \ln (1 - D(z))$$
#
# No real example x is in it, and D is asked about the noise itself. Right are two losses:
#
# $$\text{of } D: \; -\ln D(x) - \ln (1 - D(G(z))) \qquad\qquad
#   \text{of } G: \; -\ln D(G(z))$$
#
# The smallest game: real numbers around 3 or around -3, noise around 0, G(z) = z + shift, and D a
# sigmoid unit, which is pulled towards 0 a little, or the two would circle around each other. The
# shift should find the data.


# %%
def minus_ln(score):
    """The mean of -ln sigmoid(score)."""
    return -mg.log(mg.sigmoid(score)).mean()


def two_losses(judge, real, noise, made):
    """The losses of the discriminator and of the generator."""
    of_judge = minus_ln(judge(real)) + minus_ln(-judge(made.detach()))
    return of_judge, minus_ln(judge(made))


def one_sum(judge, real, noise, made):
    """What D2 prints, for both."""
    both = minus_ln(judge(made)) + minus_ln(-judge(noise))
    return both, both


def play(losses, centre, rounds=600):
    """Let the two take turns; return the shift after each round."""
    mg.manual_seed(0)
    judge, shift = nn.Linear(1, 1), mg.zeros(1, requires_grad=True)
    players = (
        optim.SGD(judge.parameters(), lr=0.1, weight_decay=0.1),
        optim.SGD([shift], lr=0.1),
    )
    shifts = []
    for _ in range(rounds):
        real, noise = mg.randn(64, 1) + centre, mg.randn(64, 1)
        for turn, player in enumerate(players):
            player.zero_grad()
            losses(judge, real, noise, noise + shift)[turn].backward()
            player.step()
        shifts.append(shift.item())
    return shifts


GAMES = {"two losses": two_losses, "one sum (D2)": one_sum}
shifts = {(name, at): play(f, at) for name, f in GAMES.items() for at in (3, -3)}
print("\nthe generator's shift after 600 rounds    data at 3   data at -3")
for name in GAMES:
    print(f"  {name:37}" + "".join(f"{shifts[name, at][-1]:13.2f}" for at in (3, -3)))
assert all(abs(shifts["two losses", at][-1] - at) < 0.3 for at in (3, -3))
assert shifts["one sum (D2)", 3] == shifts["one sum (D2)", -3]  # it cannot know where they are

mg.manual_seed(1)
judge, shift = nn.Linear(1, 1).double(), mg.zeros(1, dtype=mg.float64, requires_grad=True)
real, noise = mg.randn(64, 1, dtype=mg.float64) - 3, mg.randn(64, 1, dtype=mg.float64)


def judged(weight, losses, player, h=1e-5):
    """Return how a player's loss changes with its own number, from differences of the loss."""
    found = []
    for step in (h, -h):
        at = [judge.weight.item(), 0.5]
        at[player] = weight + step
        score = lambda v, w=at[0]: w * v + judge.bias  # noqa: E731
        found.append(losses(score, real, noise, noise + at[1])[player].item())
    return (found[0] - found[1]) / (2 * h)


lesson.formula(
    "D2 math 2", "F9: -ln D(G(z)) - ln(1 - D(z)), its slope by the weight of D",
    lambda: judged(judge.weight.item(), one_sum, 0),
    judged(judge.weight.item(), two_losses, 0),
    "right: -ln D(x) - ln(1 - D(G(z))), with the real x",
    expect=FAILS, check=DIFFERENCES,
)  # fmt: skip
lesson.formula(
    "D2 math 2", "F9: -ln D(G(z)) - ln(1 - D(z)), its slope by the shift of G",
    lambda: judged(0.5, one_sum, 1),
    judged(0.5, two_losses, 1),
    "what else is in the sum does not depend on G",
    check=DIFFERENCES,
)  # fmt: skip
lesson.statement(
    "D2 math 2", "F9: with this loss the generated come nearer to the real",
    abs(shifts["one sum (D2)", 3][-1] - 3) < 1 and abs(shifts["one sum (D2)", -3][-1] + 3) < 1,
    f"shift {shifts['one sum (D2)', 3][-1]:.1f} for data at 3 and at -3 alike; with two losses "
    f"{shifts['two losses', 3][-1]:.1f} and {shifts['two losses', -3][-1]:.1f}",
    "D never sees a real example",
    expect=FAILS,
)  # fmt: skip

figure, axes = plt.subplots(figsize=(8.5, 4.0), layout="constrained")
for (name, at), values in shifts.items():
    right = name == "two losses"
    if right or at == 3:
        axes.plot(values, "-" if right else "--", color=BLUE if right else RED, label=name)
for at in (3, -3):
    axes.axhline(at, color=GREY, linestyle=":", label="centre of the data")
by_name = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
axes.legend(by_name.values(), by_name.keys())
axes.set_xlabel("round (each player takes a step)")
axes.set_ylabel("shift of the generated numbers")
axes.set_title("The generator finds the data, if the discriminator sees them")
figure.supxlabel("G(z) = z + shift, D a sigmoid unit; 64 numbers a round, rate 0.1", fontsize=9)
lesson.save(
    figure,
    "05_losses_adversarial.png",
    "Two losses lead the generated numbers to the data, wherever these are; with the one sum of D2 "
    "they run the same way for any data.",
)

# %% [markdown]
# NB: PyTorch has the same names with the same meaning: `CrossEntropyLoss` and `BCEWithLogitsLoss`
# take scores, `NLLLoss` takes logarithms of probabilities, `BCELoss` takes probabilities and cuts
# its logarithms off at -100. It does not notice a softmax too many. Keras takes probabilities
# unless told `from_logits=True`, so that habits from there bring the second softmax along.

# %%
lesson.finish()

# %% [markdown]
# ## Exercises
#
# Those that are graded: `python -m minigrad lessons next 5`. And to try in this file:
#
# 1. Find the bug: a loss for yes-or-no questions is written as
#    `cross_entropy(unit(x), zeros)` with one score for each example. What is its value, always, and
#    its gradient?
# 2. Give section 3 the printed loss with *two* outputs and a softmax. Why is it right then?
# 3. Train with the double softmax at ten times the rate. Does it catch up? Which part of section 5
#    can no rate mend?
# 4. Find the bug: `((output - y) ** 2).mean()` with an output of shape (n, 1) and y of shape (n,).
#    How many numbers is the mean over? What does `mg.check.lint` say?
# 5. What is the smallest loss with a doubled softmax and two classes? And with a thousand?
# 6. Find the bug: in section 6, somebody trains both players with the sum of the two right losses.
#    What pulls the generator, and what pushes it away?
#
# Next: lesson 6 follows the gradient downhill, in more ways than one.
