# %% [markdown]
# # 7. Regularisation: what keeps a network from learning by heart
#
# A network with more parameters than examples can learn each example by heart, the wrong ones
# included. You will see one do it, and then what keeps it from it, each measured over five seeds:
# weights that are pulled towards 0 (L2) or to 0 exactly (L1), units or connections dropped at
# random, more images, and stopping in time. The document D1 recommends all of them. Several of its
# sentences on how they work are wrong, and the run that it prints as its result has accuracies that
# no number of images gives.

# %%
import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import KFold, load_digits
from minigrad.learn import BLUE, CONVENTION, FAILS, GREEN, GREY, HOLDS, RED, begin
from minigrad.train import Callback, EarlyStopping, Trainer

lesson = begin("07_regularisation", "Regularisation: what keeps a network from learning by heart.")
import matplotlib.pyplot as plt

# %% [markdown]
# ## 1. By heart
#
# Data in the world have mistakes. So have these: three in ten labels of the 1,797 shipped digits
# are drawn anew, so that about 27 in 100 are wrong. From 200 of them the network 64-128-10 of
# lesson 5 is to learn, with 9,610 parameters. Another 200 are for *validation*, to choose settings
# by; their labels are as bad. The other 1,397 are for the test, with the true labels, and steer
# nothing.
#
# Training is AdamW's (lesson 6), in batches of 50. From here on minigrad's own loop does the work:
# `Trainer` is what you wrote by hand so far, with `fit` and `evaluate`, and remembers the numbers
# of every epoch. `Callback`s may look on, and stop it.

# %%
digits = load_digits()
IMAGES = (digits.x / digits.pixel_max).astype(np.float32)
TRUE = digits.y
WRONG_SHARE, EPOCHS, RATE = 0.3, 60, 4e-3


def parts(seed):
    """Return indices for training, validation and test, and what the labels say."""
    rng = np.random.default_rng(seed)
    order, said = rng.permutation(len(TRUE)), TRUE.copy()
    drawn_anew = rng.random(len(TRUE)) < WRONG_SHARE
    said[drawn_anew] = rng.integers(0, 10, drawn_anew.sum())
    return order[:200], order[200:400], order[400:], said


def network(*before_last, last=nn.Linear, **options):
    """Return 64-128-10, with other layers before the last, or another last one."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), *before_last, last(128, 10, **options)
    )


def fit(x, y, seed, build=network, epochs=EPOCHS, validation=None, callbacks=(), **decay):
    """Train a network; return its trainer."""
    mg.manual_seed(seed)
    model = build()
    optimiser = optim.AdamW(model.parameters(), lr=RATE, **({"weight_decay": 0.0} | decay))
    trainer = Trainer(model, nn.CrossEntropyLoss(), optimiser, ["accuracy"])
    trainer.fit(
        (x, y), epochs, batch_size=50, validation_data=validation, callbacks=callbacks, verbose=0
    )
    return trainer


def accuracy(trainer, x, y):
    """Return the share of right answers, in evaluation mode."""
    return trainer.evaluate((x, y), batch_size=2000)["accuracy"]


assert sum(p.numel() for p in network().parameters()) == 9_610
train, valid, test, said = parts(0)
by_heart = fit(IMAGES[train], said[train], 0, validation=(IMAGES[valid], said[valid]), epochs=100)
seen = by_heart.history
best_epoch, least = seen.best("val_loss")
wrong = said[train] != TRUE[train]
learned_wrong = accuracy(by_heart, IMAGES[train][wrong], said[train][wrong])
right_again = accuracy(by_heart, IMAGES[train][wrong], TRUE[train][wrong])
print(f"{len(train)} images to learn from, {wrong.sum()} of them with a wrong label")
print(f"  after 100 epochs: training loss {seen['loss'][-1]:.3f}, ", end="")
print(f"accuracy {seen['accuracy'][-1]:.1%}")
print(f"  validation loss {seen['val_loss'][-1]:.3f}; it was least, {least:.3f}, at epoch ", end="")
print(f"{best_epoch + 1}")
print(f"  of the wrong labels it gives back {learned_wrong:.1%}, the truth in {right_again:.1%}")
print(f"  test, with true labels: {accuracy(by_heart, IMAGES[test], TRUE[test]):.1%}")
assert seen["accuracy"][-1] > 0.95
assert learned_wrong > 0.8
assert best_epoch < 40
assert seen["val_loss"][-1] > 1.2 * least

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
epochs = range(1, 101)
for axes, name, what in ((left, "loss", "cross-entropy (nats)"), (right, "accuracy", "accuracy")):
    axes.plot(epochs, seen[name], color=BLUE, label="training (200 images)")
    axes.plot(epochs, seen["val_" + name], "--", color=RED, label="validation (200 others)")
    axes.axvline(best_epoch + 1, color=GREY, linestyle=":", label="least validation loss")
    axes.set_xlabel("epoch")
    axes.set_ylabel(what)
    axes.grid(alpha=0.25)
left.set_title("From the dotted line on, it learns mistakes")
right.set_title("Labels are wrong for 27 images in 100, in both")
right.legend()
lesson.save(
    figure,
    "07_regularisation_by_heart.png",
    "Loss and accuracy of 64-128-10 on 200 digits, more than a quarter of them with a wrong label: "
    "the training loss falls on, the validation loss turns and rises.",
)

# %% [markdown]
# ## 2. L2 and L1
#
# D1 (regularisers) adds a term to the loss, with a number $\lambda$:
#
# $$J = \sum_i (y_i - \hat y_i)^2 + \lambda \sum_j |\theta_j| \quad (L_1), \qquad
#   J = \sum_i (y_i - \hat y_i)^2 + \lambda \sum_j \theta_j^2 \quad (L_2)$$
#
# Two remarks before using them. The first sum has no 1/n here, which it has where D1 defines the
# mean squared error. So its $\lambda$ means n times less than the same number does in a library.
# And the L2 term has no 1/2. minigrad's (and PyTorch's) `weight_decay` has: the D1 number doubled.

# %%
rng = np.random.default_rng(1)
y, guess, theta, LAMBDA = rng.normal(size=8), rng.normal(size=8), rng.normal(size=5), 0.1
tensors = mg.tensor(guess), mg.tensor(y), mg.tensor(theta)
summed = mg.mse_loss(*tensors[:2], reduction="sum").item()
meant = mg.mse_loss(*tensors[:2]).item()
for name, term, library, same in (
    ("L1", np.abs(theta).sum(), optim.l1_penalty, 1),
    ("L2", (theta**2).sum(), optim.l2_penalty, 2),
):
    lesson.formula(
        "D1 regularisers",
        f"{name}: sum of squared errors + lambda * {'|theta|' if same == 1 else 'theta^2'}",
        lambda term=term: np.sum((y - guess) ** 2) + LAMBDA * term,
        meant + library(tensors[2], LAMBDA).item(),
        "D1's own mean squared error has 1/n, with which the same lambda weighs n times as much"
        + ("" if same == 1 else "; libraries halve the square"),
        conventions={
            "a sum over the examples" + ("" if same == 1 else ", and lambda = weight_decay / 2"): (
                summed + library(tensors[2], same * LAMBDA).item()
            )
        },
        expect=CONVENTION,
    )

# %% [markdown]
# D1 describes both in the same words: they penalise parameters of large weight, and make the model
# less complex. The gradient says what they do. That of $\lambda \theta^2$ is $2 \lambda \theta$, a
# spring: weak near 0, strong far out. That of $\lambda |\theta|$ is $\lambda$ towards 0, however
# small or large the weight is (at 0 itself it has a kink, lesson 3).
#
# What is the best weight, if the data alone want it to be a? Set the slope of
# $\frac12 (w - a)^2$ plus the term to 0:
#
# $$w_{L_2} = \frac{a}{1 + 2 \lambda}, \qquad
#   w_{L_1} = \begin{cases} a - \lambda & a > \lambda \\ 0 & |a| \le \lambda \\
#   a + \lambda & a < -\lambda \end{cases}$$
#
# L2 makes all of them smaller by the same factor, and none 0. L1 takes the same amount off each,
# and whatever has less than that becomes exactly 0. Here by gradient descent, for 81 values of a:

# %%
pulls = {}
for name, penalty in (("L1", optim.l1_penalty), ("L2", optim.l2_penalty)):
    w = mg.tensor(np.array([0.1, 10.0]), requires_grad=True)
    penalty(w, LAMBDA).backward()
    pulls[name] = w.grad.tolist()
    lesson.statement(
        "D1 algorithms",
        f"{name} penalises the parameters that have large weights",
        pulls[name][1] > pulls[name][0],
        f"it pulls a weight of 0.1 with {pulls[name][0]:.2g}, one of 10 with {pulls[name][1]:.2g}",
        "right: it pulls all alike, so the small ones get to 0" if name == "L1" else "",
        expect=FAILS if name == "L1" else HOLDS,
    )

WANTED = np.linspace(-2, 2, 81)


def settle(steps=200, rate=0.1, **decay):
    """Return where gradient descent brings weights whose data want the 81 values."""
    w = mg.zeros(81, dtype=mg.float64, requires_grad=True)
    optimiser = optim.GD([w], lr=rate, **decay)
    for _ in range(steps):
        optimiser.zero_grad()
        (0.5 * ((w - mg.tensor(WANTED)) ** 2).sum()).backward()
        optimiser.step()
    return w.detach().cpu().numpy()


settled = {
    "no penalty": settle(),
    "L2, lambda 0.5": settle(weight_decay=2 * 0.5),
    "L1, lambda 0.5": settle(l1_decay=0.5, decoupled_weight_decay=True),
    "L1 as a term": settle(l1_decay=0.5),
}
by_formula = {
    "no penalty": WANTED,
    "L2, lambda 0.5": WANTED / (1 + 2 * 0.5),
    "L1, lambda 0.5": np.sign(WANTED) * np.maximum(np.abs(WANTED) - 0.5, 0),
}
print("\nweights whose data want 81 values from -2 to 2")
for name, w in settled.items():
    print(f"  {name:16} largest {np.abs(w).max():.4f}, exactly 0: {np.sum(w == 0):2} of 81")
for name, w in by_formula.items():
    assert np.abs(settled[name] - w).max() < 1e-6
assert np.sum(settled["L1, lambda 0.5"] == 0) == np.sum(np.abs(WANTED) <= 0.5 + 1e-12)
assert np.sum(settled["L2, lambda 0.5"] == 0) <= 1
inside = np.abs(WANTED) < 0.4
assert 1e-4 < np.abs(settled["L1 as a term"][inside]).max() < 0.1
assert np.sum(settled["L1 as a term"] == 0) <= 1

# %% [markdown]
# The last row: the kink. With L1 as a term of the loss a step is $\alpha \lambda$ long right up
# to 0, and jumps over it, back and forth. So libraries that are after the zeros do not follow the
# gradient of $|\theta|$ but take a *soft threshold* after each step: subtract
# $\alpha \lambda$, and stop at 0. That is minigrad's `l1_decay` wherever decay is decoupled, as in
# AdamW.
#
# Now the digits. A network of one layer has one weight for each of 64 pixels and 10 classes, and
# its weights can be looked at.


# %%
def pixels_to_classes():
    """Return the network of a single layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


LAYER = {
    "no penalty": {},
    "L2": {"weight_decay": 3.0},
    "L1": {"l1_decay": 0.4},
}
weights = {}
blank = (IMAGES[train] == 0).all(axis=0).ravel()  # pixels that are white in all images
mg.manual_seed(0)
drawn = pixels_to_classes()[1].weight.detach().cpu().numpy()
print("\none layer, 640 weights           exactly 0   mean size   test accuracy")
for name, decay in LAYER.items():
    trainer = fit(IMAGES[train], said[train], 0, pixels_to_classes, 100, **decay)
    weights[name] = trainer.model[1].weight.detach().cpu().numpy()
    share = accuracy(trainer, IMAGES[test], TRUE[test])
    zeros, size = int((weights[name] == 0).sum()), np.abs(weights[name]).mean()
    print(f"  {name:30} {zeros:9} {size:11.3f} {share:15.1%}")
zeros = {name: int((w == 0).sum()) for name, w in weights.items()}
assert zeros["no penalty"] == zeros["L2"] == 0
assert zeros["L1"] > 200
assert blank.any()
assert np.array_equal(weights["no penalty"][:, blank], drawn[:, blank])
assert np.abs(weights["L2"]).mean() < 0.5 * np.abs(weights["no penalty"]).mean()
lesson.statement(
    "D1 regularisers",
    "F24: L1 and L2 do the same to a model: they penalise its weights and make it less complex",
    zeros["L1"] == zeros["L2"],
    f"of 640 weights L1 makes {zeros['L1']} exactly 0, L2 makes {zeros['L2']}",
    "right: L1 leaves weights out, L2 makes all of them smaller",
    expect=FAILS,
)

figure, panels = plt.subplots(
    1, 4, figsize=(14, 3.9), layout="constrained", gridspec_kw={"width_ratios": [1.5, 1, 1, 1]}
)
for name, colour in zip(by_formula, (GREY, GREEN, BLUE), strict=True):
    panels[0].plot(WANTED, settled[name], color=colour, linewidth=2, label=name)
panels[0].set_xlabel("weight that the data want, a")
panels[0].set_ylabel("weight that it becomes")
panels[0].set_title("L2 shrinks, L1 takes off and stops at 0")
panels[0].grid(alpha=0.25)
panels[0].legend()
for axes, (name, w) in zip(panels[1:], weights.items(), strict=True):
    image = w[3].reshape(8, 8)
    limit = np.abs(image).max()
    axes.imshow(image, cmap="RdBu", vmin=-limit, vmax=limit)
    for row, column in np.argwhere(image == 0):
        axes.plot(column, row, "x", color=GREY, markersize=5)
    axes.set_title(f"{name}: weights of class 3\nfrom {image.min():.2f} to {image.max():.2f}")
    axes.set_xlabel("pixel column")
    axes.set_ylabel("pixel row")
lesson.save(
    figure,
    "07_regularisation_l1_l2.png",
    "Left: the best weight under each penalty. Right: the 64 weights of the digit 3 in a network "
    "of one layer, red below 0 and blue above, each on its own scale; a cross is exactly 0.",
)

# %% [markdown]
# Some pixels are white in all images and get no gradient at all. Without a penalty their weights
# stay as they were drawn: noise that waits for the first image with a speck there.
#
# ## 3. Dropout
#
# *Dropout* sets each value of a layer to 0 with probability p, anew in every step. No unit can rely
# on another one being there. D1 (algorithms) says that it drops units in training, and no more.
# Then something is missing: with half of the units gone, what the next layer receives is half as
# large on average, and in the test, with all of them there, twice as large as what it learned from.
# Either the test multiplies by 1 - p (Srivastava's paper), or the training divides by it (minigrad,
# and everybody today, for then the test has nothing to do):
#
# $$\mathrm{E}\Bigl[\frac{M}{1 - p}\, a\Bigr] = a, \qquad
#   \mathrm{Var}\Bigl[\frac{M}{1 - p}\, a\Bigr] = \frac{p}{1 - p}\, a^2
#   \qquad\text{for } M = 0 \text{ with probability } p\text{, else } 1$$
#
# The input z of one unit of the last layer, for one image and 20,000 masks:

# %%
P, MASKS = 0.5, 20_000
hidden = by_heart.model[:3]
one = mg.tensor(IMAGES[test[:1]])
with mg.no_grad():
    a = hidden(one)
    w = by_heart.model[3].weight[3]
    whole = (a @ w).item()
    mg.manual_seed(0)
    scaled = (mg.dropout(a.expand(MASKS, 128), P) @ w).cpu().numpy()
dropped_only = (1 - P) * scaled  # what dropping alone gives
terms = (a[0] * w).cpu().numpy().astype(float)
deviation = np.sqrt(P / (1 - P) * np.sum(terms**2))
print(f"\ninput of a unit: {whole:.3f} with all units, and over {MASKS:,} masks with p = {P}")
print(f"  dropped only:          mean {dropped_only.mean():7.3f}")
print(f"  divided by 1 - p:      mean {scaled.mean():7.3f}, deviation {scaled.std():.3f}, ", end="")
print(f"by formula {deviation:.3f}")
standard_error = deviation / np.sqrt(MASKS)
assert abs(scaled.mean() - whole) < 4 * standard_error
assert abs(scaled.std() / deviation - 1) < 0.03
lesson.statement(
    "D1 algorithms",
    "dropout: units are dropped in training, and that is all",
    abs(whole - dropped_only.mean()) < 4 * standard_error,
    f"a unit then gets {whole / dropped_only.mean():.1f} times as much in the test as in training",
    "right: divided by 1 - p in training, or multiplied by it in the test",
    expect=FAILS,
)

# %% [markdown]
# ## 4. DropConnect, and the test
#
# *DropConnect* drops single weights instead of units. D1 (algorithms) says that it does so *in
# training and in the test*. Whoever does that gets another answer each time, and a worse one.
# `eval()` leaves all weights in. Wan's paper averages over many draws instead. Five seeds, the last
# layer with p = 0.5; the same network is tested with weights dropped (200 times), with all weights,
# and by the mean of the 200 answers.

# %%
SEEDS = range(5)


def dropping():
    """Return 64-128-10 whose last layer drops half of its weights."""
    return network(last=nn.DropConnect, p=0.5)


def draws_of(trainer, images, count=200):
    """Return the probabilities that a network gives with its weights dropped, count times."""
    trainer.model.train()
    x, found = mg.tensor(images), []
    with mg.no_grad():
        for _ in range(count):
            found.append(mg.softmax(trainer.model(x), -1).cpu().numpy())
    trainer.model.eval()
    return np.array(found)


tested = []
for seed in SEEDS:
    train, _, test, said = parts(seed)
    trainer = fit(IMAGES[train], said[train], seed, dropping)
    draws = draws_of(trainer, IMAGES[test])
    each = (draws.argmax(-1) == TRUE[test]).mean(axis=1)
    apart = (draws[0].argmax(-1) != draws[1].argmax(-1)).mean()
    mean = (draws.mean(axis=0).argmax(-1) == TRUE[test]).mean()
    whole_net = accuracy(trainer, IMAGES[test], TRUE[test])
    tested.append((each.mean(), each.std(), apart, whole_net, mean))
dropped, spread, apart, whole_net, averaged = np.array(tested).T
print("\ntest of a network with DropConnect, mean of 5 seeds")
print(f"  weights dropped in the test    {dropped.mean():.1%}, give or take {spread.mean():.1%};")
print(f"    two tests answer differently for {apart.mean():.1%} of the images")
print(f"  all weights (eval)             {whole_net.mean():.1%}")
print(f"  mean answer of 200 tests       {averaged.mean():.1%}")
assert (whole_net > dropped + 0.01).all()
assert (np.abs(averaged - whole_net) < 0.02).all()
lesson.statement(
    "D1 algorithms",
    "DropConnect drops connections in training and in the test",
    bool((dropped >= whole_net).any()),
    f"with weights dropped in the test {100 * dropped.mean():.1f} % are right and two tests differ "
    f"in {100 * apart.mean():.1f} %, with all of them {100 * whole_net.mean():.1f} %",
    "right: in training only, or the mean of many draws",
    expect=FAILS,
)

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
bins = np.linspace(min(dropped_only.min(), scaled.min()), scaled.max(), 70)
left.hist(dropped_only, bins, color=RED, alpha=0.6, label="dropped only")
left.hist(scaled, bins, color=BLUE, alpha=0.6, label="divided by 1 - p")
left.axvline(whole, color="black", linestyle="--", label="all units, as in the test")
left.set_xlabel("input of a unit")
left.set_ylabel(f"masks, of {MASKS:,}")
left.set_title("Dropout, p = 0.5: the mean must stay where it is")
left.legend()
right.hist(100 * each, 20, color=RED, alpha=0.6, label="200 tests, weights dropped")
right.axvline(100 * whole_net[-1], color="black", linestyle="--", label="all weights")
right.axvline(100 * averaged[-1], color=GREEN, linestyle=":", label="mean answer of the 200")
right.set_xlabel("test accuracy (%)")
right.set_ylabel("tests")
right.set_title("DropConnect left on in the test")
right.legend()
lesson.save(
    figure,
    "07_regularisation_dropout.png",
    "Left: one unit's input over 20,000 dropout masks, with and without the division by 1 - p. "
    "Right: the accuracy of one network over 200 tests with DropConnect left on, against one test "
    "with all weights.",
)

# %% [markdown]
# ## 5. Stopping in time (F23)
#
# The validation loss of section 1 knew when to stop. `EarlyStopping` does it: it remembers the best
# epoch, waits for `patience` epochs without a better one, ends the training, and, if asked to, puts
# the best weights back.

# %%
train, valid, test, said = parts(0)
stopping = EarlyStopping("val_loss", patience=10, restore_best_weights=True)
stopped = fit(
    IMAGES[train], said[train], 0, epochs=100,
    validation=(IMAGES[valid], said[valid]), callbacks=[stopping],
)  # fmt: skip
print(f"\n{stopped.stop_reason}; stopped after epoch {stopped.epoch} of 100")
test_stopped, test_by_heart = (
    accuracy(trainer, IMAGES[test], TRUE[test]) for trainer in (stopped, by_heart)
)
print(f"test accuracy {test_stopped:.1%}, after all 100 epochs {test_by_heart:.1%}")
assert stopped.epoch == stopping.best_epoch + 1 + 10
assert test_stopped > test_by_heart + 0.03

# %% [markdown]
# D1 (project) trains for up to 100 epochs with a patience of 10 and `restore_best_weights` left
# out, and prints lines of its run (run): validation losses of 2.2025 and 2.1267 for the epochs 1
# and 2, then 1.4703 and 1.4495 for 90 and 91. There it ends, and the text says that the accuracy
# rose by and by. Can it have ended there? A callback of ours puts such losses into the record, and
# `EarlyStopping` reads them.


# %%
class Scripted(Callback):
    """Give each epoch the validation loss that is written for it."""

    def __init__(self, losses):
        self.losses = losses

    def add_logs(self, logs):
        """Add the loss of this epoch."""
        logs["val_loss"] = self.losses[self.trainer.epoch]


def stops_after(losses):
    """Return the epoch after which a patience of 10 ends 100 epochs with these losses."""
    model = nn.Linear(1, 1)
    trainer = Trainer(model, nn.MSELoss(), optim.GD(model.parameters(), lr=0.0))
    trainer.fit(
        (np.zeros((1, 1)), np.zeros((1, 1))), 100, verbose=0,
        callbacks=[Scripted(losses), EarlyStopping("val_loss", patience=10)],
    )  # fmt: skip
    return trainer.epoch


PRINTED = {1: 2.2025, 2: 2.1267, 90: 1.4703, 91: 1.4495}
falling = np.interp(np.arange(1, 101), [*PRINTED, 100], [*PRINTED.values(), 1.3])
dented = falling.copy()
dented[80] = 1.44  # epoch 81, which D1 does not print
dented[81:] = np.maximum(dented[81:], 1.4495)
print(f"\nlosses that fall through the four printed ones: stops after epoch {stops_after(falling)}")
print(f"the same with 1.44 at epoch 81: stops after epoch {stops_after(dented)}")
assert stops_after(dented) == 91
lesson.statement(
    "D1 run",
    "F23: with a patience of 10 the run ends after epoch 91 of 100, its val_loss still falling",
    stops_after(falling) == 91,
    f"on losses that fall through the printed ones it ends after epoch {stops_after(falling)}",
    "right: it can end there only if epoch 81, which is not printed, was the best, at most "
    "1.4495; then the loss rose after it, and without restore_best_weights that is what was tested",
    expect=FAILS,
)

# %% [markdown]
# Its other numbers settle the matter. The run has 2,000 training and 1,000 validation images, and
# an accuracy is a number of images by the number of images. 0.1760 is 176 of 1,000. 0.2245 would be
# 224.5 images. Of nine printed accuracies one is possible. The claim for each is the nearest
# possible accuracy. (Nor are they means of the accuracies of batches of 32: of those only 0.2004
# can be.)

# %%
print()
LINES = (
    ("training accuracy, epoch 1", "0.1233", 2000, FAILS),
    ("training accuracy, epoch 2", "0.2004", 2000, FAILS),
    ("training accuracy, epoch 90", "0.5583", 2000, FAILS),
    ("training accuracy, epoch 91", "0.5656", 2000, FAILS),
    ("val_accuracy, epoch 1", "0.1760", 1000, HOLDS),
    ("val_accuracy, epoch 2", "0.2245", 1000, FAILS),
    ("val_accuracy, epoch 90", "0.5735", 1000, FAILS),
    ("val_accuracy, epoch 91", "0.5773", 1000, FAILS),
    ("test accuracy", "0.5773", 1000, FAILS),
)
for what, printed, images, verdict in LINES:
    lesson.claim(
        "D1 run",
        what,
        printed=printed,
        computed=round(float(printed) * images) / images,
        note=f"it would be {float(printed) * images:.1f} of {images:,} images"
        if verdict == FAILS
        else "",
        expect=verdict,
        check="the nearest share that a whole number of images has",
    )
BATCHES = {2000: 62 * 32 + 32, 1000: 31 * 32 + 32}  # the last counts as much as a whole one
possible = [
    printed
    for _, printed, images, _ in LINES[:8]
    if abs(round(float(printed) * BATCHES[images]) / BATCHES[images] - float(printed)) <= 5e-5
]
assert possible == ["0.2004"]
for seconds, verdict in ((126, FAILS), (125, HOLDS), (124, HOLDS)):
    lesson.claim(
        "D1 run",
        f"ms per sample, if 2,000 take {seconds} s",
        printed="62",
        computed=1000 * seconds / 2000,
        note="what rounds to 126 s is 62.75 to 63.25 ms" if verdict == FAILS else "",
        expect=verdict,
    )

# %% [markdown]
# (Is it a large model, as the text says? By its own definition, D1 history, such a one has more
# than a hundred million parameters. The project's has 2.4 million, and trains 165,258 of them, for
# 2,000 images.)
#
# And the last line, "test accuracy: 0.5773", is that of epoch 91's validation: `evaluate` was given
# the validation images. They decided when to stop. How much does it matter that a set which chose
# is asked again? Twenty networks, differing by their seeds, learn from the same 200 digits. Each of
# 300 sets of 50 other digits chooses the best of the twenty, and says how good it is; then 1,000
# digits that chose nothing say it.

# %%
BLOCKS = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))


def mobilenet_v2():
    """Count the parameters of MobileNetV2 without its top; each batch norm has four a channel."""
    total, channels = 3 * 9 * 32 + 4 * 32, 32
    for widening, out, repeats in BLOCKS:
        for _ in range(repeats):
            inner = widening * channels
            total += channels * inner + 4 * inner if widening > 1 else 0
            total += 9 * inner + 4 * inner + inner * out + 4 * out
            channels = out
    return total + channels * 1280 + 4 * 1280


HEAD = 1280 * 128 + 128 + 128 * 10 + 10
assert (mobilenet_v2(), HEAD) == (2_257_984, 165_258)
lesson.statement(
    "D1 project",
    "the run shows what large models can do, which D1 says have over 100,000,000 parameters",
    mobilenet_v2() + HEAD > 1e8,
    f"MobileNetV2 and the two layers on top have {mobilenet_v2() + HEAD:,} parameters",
    "right: a small one, made for telephones",
    expect=FAILS,
    check="the parameters, counted layer by layer",
)

# %%
train, valid, test, said = parts(0)
others = np.concatenate([valid, test])
right_answers = []
for seed in range(20):
    trainer = fit(IMAGES[train], said[train], seed, epochs=15)
    answers = trainer.predict(IMAGES[others], batch_size=2000).cpu().numpy().argmax(axis=1)
    right_answers.append(answers == TRUE[others])
right_answers = np.array(right_answers)
rng, by_chooser, by_stranger = np.random.default_rng(0), [], []
for _ in range(300):
    order = rng.permutation(len(others))
    chooser, stranger = order[:50], order[50:1050]
    best = right_answers[:, chooser].mean(axis=1).argmax()
    by_chooser.append(right_answers[best, chooser].mean())
    by_stranger.append(right_answers[best, stranger].mean())
by_chooser, by_stranger = np.mean(by_chooser), np.mean(by_stranger)
print(f"\nthe best of 20 networks: {by_chooser:.1%} say the 50 images that chose it, ", end="")
print(f"{by_stranger:.1%} say 1,000 others")
lesson.statement(
    "D1 project",
    "F23: the test accuracy is that on the validation images",
    abs(by_chooser - by_stranger) < 0.01,
    f"the best of 20 networks has {100 * by_chooser:.1f} % on the 50 images that chose it, and "
    f"{100 * by_stranger:.1f} % on others",
    "right: test on data that steered nothing",
    expect=FAILS,
)
assert by_chooser > by_stranger + 0.02

# %% [markdown]
# ## 6. Cross-validation
#
# With 200 images one does not like to give any away. *Cross-validation* cuts them into k parts, and
# trains k networks, each on all parts but one, and tests it on that one. Each image is tested once,
# by a network that has never seen it; the mean says how good one should expect to be. `KFold` deals
# the parts.
#
# D1 (FAQ 2) describes it as training and validating *on each subset*. It also lists it among the
# cures of overfitting. Both can be measured. So that the numbers can be compared, the test below
# has labels as bad as all the others.


# %%
def cross_validate(rows, labels, seed=0, k=5, own=False, **decay):
    """Return the mean accuracy of k networks on parts they did not see (own: which they saw)."""
    found = []
    for learn, ask in KFold(k, shuffle=True, random_state=seed).split(rows):
        learn = ask if own else learn
        trainer = fit(IMAGES[rows[learn]], labels[rows[learn]], seed, **decay)
        found.append(accuracy(trainer, IMAGES[rows[ask]], labels[rows[ask]]))
    return np.mean(found)


estimates = []
for seed in range(3):
    train, _, test, said = parts(seed)
    alone = fit(IMAGES[train], said[train], seed)
    estimates.append(
        (
            cross_validate(train, said, seed, own=True),
            cross_validate(train, said, seed),
            accuracy(alone, IMAGES[test], said[test]),
        )
    )
printed_way, five_fold, strangers = np.mean(estimates, axis=0)
print("\nhow good is the network? mean of 3 seeds, labels as bad as in training")
print(f"  trained and validated on each fifth   {printed_way:.1%}")
print(f"  trained on four, validated on a fifth {five_fold:.1%}")
print(f"  1,397 other images                    {strangers:.1%}")
assert printed_way > strangers + 0.25
assert abs(five_fold - strangers) < 0.06
lesson.statement(
    "D1 FAQ",
    "cross-validation: the data are cut into subsets, each of which is trained and validated on",
    abs(printed_way - strangers) < 0.06,
    f"it says {100 * printed_way:.0f} % of a network that has {100 * strangers:.0f} % on new ones; "
    f"validating on the part left out says {100 * five_fold:.0f} %",
    "right: train on all parts but one, validate on that one",
    expect=FAILS,
)

# %% [markdown]
# It changed nothing about the network, which overfits as before. What it is good for is choosing,
# for instance AdamW's weight decay, without giving away a single image. The chosen number then
# does the work:

# %%
train, _, test, said = parts(0)
LADDER = (0.0, 0.3, 1.0, 3.0, 10.0)
alone = [fit(IMAGES[train], said[train], 0, weight_decay=number) for number in LADDER]
by_test = [accuracy(trainer, IMAGES[test], TRUE[test]) for trainer in alone]
by_folds = [cross_validate(train, said, weight_decay=number) for number in LADDER]
afterwards = accuracy(alone[0], IMAGES[test], TRUE[test])
print("\nweight decay   5 folds of the training images   test, true labels")
for number, folds, share in zip(LADDER, by_folds, by_test, strict=True):
    print(f"  {number:8} {folds:25.1%} {share:22.1%}")
chosen = int(np.argmax(by_folds))
print(f"  chosen by the folds: {LADDER[chosen]}")
assert chosen > 0
assert by_test[chosen] > by_test[0] + 0.03
assert by_test[chosen] > max(by_test) - 0.06

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for losses, colour, line in ((falling, BLUE, "-"), (dented, RED, "--")):
    end = stops_after(losses)
    left.plot(range(1, end + 1), losses[:end], line, color=colour, label=f"ends after epoch {end}")
left.plot(PRINTED.keys(), PRINTED.values(), "ko", label="printed by D1")
left.set_xlabel("epoch")
left.set_ylabel("validation loss (nats)")
left.set_title("To end at 91, epoch 81 must be the best")
left.legend()
places = range(len(LADDER))
right.plot(places, [100 * share for share in by_test], "o-", color=BLUE, label="test, true labels")
right.plot(
    places, [100 * share for share in by_folds], "s--", color=RED,
    label="5 folds of the training images,\nlabels with mistakes",
)  # fmt: skip
right.axvline(chosen, color=GREY, linestyle=":", label="chosen by the folds")
right.set_xticks(places, LADDER)
right.set_xlabel("weight decay")
right.set_ylabel("right answers (%)")
right.set_title("Cross-validation sees where the test will be best")
right.legend()
for axes in (left, right):
    axes.grid(alpha=0.25)
lesson.save(
    figure,
    "07_regularisation_choosing.png",
    "Left: losses through the four points that D1 prints, and where a patience of 10 ends them. "
    "Right: five folds of 200 images choose the weight decay that is also best in the test.",
)
lesson.statement(
    "D1 FAQ",
    "cross-validation is a cure for overfitting",
    afterwards > by_test[0],
    f"the network that it measured has {100 * by_test[0]:.1f} % in the test before and after, with "
    f"the weight decay that it chose {100 * by_test[chosen]:.1f} %",
    "right: it measures; what it helps to choose is the cure",
    expect=FAILS,
)

# %% [markdown]
# ## 7. What each is worth
#
# All of them, one at a time, on five seeds: other digits, other wrong labels, other first weights
# each time. The strengths of L2, L1 and dropout were chosen on the validation images of five other
# seeds, and DropConnect is that of section 4. *More images* is what D1 calls data augmentation: to
# each image four copies, moved by a pixel up, down, left and right, for a fifth of the epochs.


# %%
def moved(images):
    """Return images with four copies of each, moved by a pixel."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    corners = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
    return np.concatenate([padded[:, r : r + 8, c : c + 8] for r, c in corners])


def with_dropout():
    """Return 64-128-10 with dropout before its last layer."""
    return network(nn.Dropout(0.7))


def trained(name, seed):
    """Train in one of the ways; return the trainer."""
    train, valid, _, said = parts(seed)
    x, y, given = IMAGES[train], said[train], (IMAGES[valid], said[valid])
    if name == "nothing":
        return fit(x, y, seed)
    if name == "L2":
        return fit(x, y, seed, weight_decay=3.0)
    if name == "L1":
        return fit(x, y, seed, l1_decay=0.3)
    if name == "dropout":
        return fit(x, y, seed, with_dropout)
    if name == "DropConnect":
        return fit(x, y, seed, dropping)
    if name == "more images":
        return fit(moved(x), np.tile(y, 5), seed, epochs=EPOCHS // 5)
    stop = EarlyStopping(patience=10, restore_best_weights=True)
    return fit(x, y, seed, validation=given, callbacks=[stop])


WAYS = ("nothing", "L2", "L1", "dropout", "DropConnect", "more images", "stopping in time")
results = {}
for name in WAYS:
    rows = []
    for seed in SEEDS:
        train, _, test, said = parts(seed)
        trainer = trained(name, seed)
        rows.append(
            (
                accuracy(trainer, IMAGES[train], said[train]),
                accuracy(trainer, IMAGES[test], TRUE[test]),
            )
        )
    results[name] = np.array(rows)
bare = results["nothing"][:, 1]
print("\nmean of 5 seeds      its 200 labels   test, true labels   gain: mean, least")
for name, rows in results.items():
    learned, share = rows.mean(axis=0)
    gain = rows[:, 1] - bare
    print(f"  {name:18} {learned:12.1%} {share:17.1%} {gain.mean():16.1%} {gain.min():7.1%}")
    if name != "nothing":
        assert gain.min() > 0
        assert gain.mean() > 0.03
        assert learned < results["nothing"][:, 0].mean()

figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
for row, rows in enumerate(results.values()):
    axes.plot(100 * rows[:, 0], np.full(5, row), "o", color=GREY, alpha=0.6, label="_")
    axes.plot(100 * rows[:, 1], np.full(5, row), "o", color=BLUE, alpha=0.8, label="_")
    axes.plot(100 * rows[:, 1].mean(), row, "|", color=BLUE, markersize=22, markeredgewidth=2)
axes.plot([], [], "o", color=GREY, label="its own 200 labels, 27 in 100 of them wrong")
axes.plot([], [], "o", color=BLUE, label="1,397 others, true labels (line: mean)")
axes.set_yticks(range(len(WAYS)), WAYS)
axes.set_xlabel("right answers (%)")
axes.set_ylim(len(WAYS) - 0.4, -0.6)
axes.grid(axis="x", alpha=0.25)
axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
lesson.save(
    figure,
    "07_regularisation_worth.png",
    "Five seeds of 64-128-10 on 200 digits with wrong labels among them: what each way gives back "
    "of its own labels (grey), and its share of right answers in the test (blue).",
)
least = min((results[name][:, 1] - bare).min() for name in ("L1", "L2", "dropout", "more images"))
lesson.statement(
    "D1 FAQ",
    "data augmentation, L1 and L2, and dropout help against overfitting",
    least > 0,
    f"each helps with each of 5 seeds, by {100 * least:.1f} points at least",
)

# %% [markdown]
# A network that gives back fewer of its own labels knows more about others. Without the wrong
# labels there is much less to gain (exercise 1): these cures are for a network that *can* learn
# what it should not.
#
# NB: PyTorch and Keras have dropout and weight decay as minigrad has. `AdamW`'s decay of 3 looks
# large, but what counts is the rate times it, 0.012 a step. Neither has DropConnect built in. An
# optimiser with a soft threshold is not in PyTorch; in Keras it is `Ftrl`.

# %%
lesson.finish()

# %% [markdown]
# ## Exercises
#
# Those that are graded: `python -m minigrad lessons next 7`. And to try in this file:
#
# 1. Set `WRONG_SHARE` to 0. Which of the cures of section 7 still helps, with each seed?
# 2. Find the bug: a training loop validates after each epoch with `model.eval()` and never calls
#    `model.train()` again. Which of the cures does it switch off, and from when?
# 3. Find the bug: `EarlyStopping("loss", patience=10)`. When does it stop the network of section 1?
# 4. Which `weight_decay` is the $\lambda = 0.1$ of D1's formula, for 200 examples and a loss with
#    1/n?
# 5. Give `KFold` the iris flowers in the order of their file, without `shuffle`, and k = 3. What
#    does each network never see?
#
# Next: lesson 8 turns to the data, and to the many ways in which a test can be told its answers.
