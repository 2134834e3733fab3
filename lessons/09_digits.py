# %% [markdown]
# # 9. Handwritten digits: a network learns to read them
#
# The document D0 builds a digit reader in its section 5: 784 pixels, two hidden layers of 128 and
# 64 units, ten outputs. Here the same network is trained by minigrad, on the 1,797 digits of 8x8
# pixels that come with the package, or with `--data mnist` on the document's own 60,000 digits of
# 28x28 with the document's own settings. Three things in that section are put right on the way:
# what its normalisation does, how its test leaves dropout switched on, and its picture of
# "predictions", which shows none.

# %%
import argparse
import math
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import matplotlib
import numpy as np
from tqdm import tqdm

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import (
    DataNotFoundError,
    load_digits,
    load_fashion_mnist,
    load_mnist,
    train_test_split,
)

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# %% [markdown]
# ## The images
#
# An image is a row of grey values and a label from 0 to 9. MNIST comes in two parts: 60,000 images
# to learn from, 10,000 to be tested on (the document gives both numbers to both parts). The shipped
# digits have no split of their own, so a seeded one is made: a quarter of each class is for
# testing. The same people wrote both parts, which makes this test easier than one on strangers.
#
# The document's settings are for 60,000 images: ten rounds in batches of 100 are 6,000 small steps.
# The shipped set would get 140 steps from them, so it has settings of its own, which were chosen
# by holding back a fifth of its *training* images; the test images steered nothing.


# %%
@dataclass(frozen=True)
class Settings:
    """How to train."""

    lr: float
    momentum: float
    batch: int
    epochs: int


DOCUMENT = Settings(lr=0.001, momentum=0.9, batch=100, epochs=10)
SHIPPED = Settings(lr=0.03, momentum=0.9, batch=50, epochs=40)


@dataclass(frozen=True)
class Task:
    """Images to learn from and to be tested on, with the settings that suit them."""

    title: str
    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    pixel_max: int
    class_names: tuple[str, ...]
    settings: Settings
    least_accuracy: float  # what these settings reach with every seed that was tried

    @property
    def pixels(self):
        return self.train_x[0].size


def load(name, offline=None):
    """Return the task called digits, mnist or fashion."""
    if name == "digits":
        data = load_digits()
        train, test = train_test_split(len(data.y), 0.25, seed=0, stratify=data.y)
        parts = (data.x[train], data.y[train], data.x[test], data.y[test])
        title, settings, least = "UCI digits, 8x8", SHIPPED, 0.96
    else:
        data = {"mnist": load_mnist, "fashion": load_fashion_mnist}[name](offline=offline)
        parts = (data.train_x, data.train_y, data.test_x, data.test_y)
        title, settings = {"mnist": "MNIST", "fashion": "Fashion-MNIST"}[name], DOCUMENT
        least = {"mnist": 0.93, "fashion": 0.8}[name]
    return Task(title, *parts, data.pixel_max, data.class_names, settings, least)


# %% [markdown]
# ## Normalising the pixels
#
# The document scales grey values to 0..1, subtracts 0.5 and divides by 0.5:
#
# $$x' = \frac{x - 0.5}{0.5} \in [-1, 1]$$
#
# Those 0.5 are not the mean and standard deviation of the data. MNIST's are 0.1307 and 0.3081:
# digits are mostly background. So after the document's step the mean is about -0.74, not 0, and
# almost every input is -1. What a network *can* compute does not depend on it, because the first
# layer absorbs any shift and scale. With $x' = (x - 0.5) / 0.5$ and $x'' = (x - \mu) / \sigma$:
#
# $$W x' + b = \underbrace{2 \sigma W}_{W''} x''
#   + \underbrace{b + (2 \mu - 1)\, W \mathbf{1}}_{b''}$$
#
# What it *learns* in a given number of steps does depend on it (exercise 1).


# %%
def normalise(images, pixel_max, mean=0.5, std=0.5):
    """Return images as rows of float32."""
    rows = images.reshape(len(images), -1).astype(np.float32) / np.float32(pixel_max)
    return (rows - np.float32(mean)) / np.float32(std)


def look_at_the_pixels(task):
    """Print the mean and deviation of the pixels, and check the equation above."""
    mean = task.train_x.mean() / task.pixel_max
    squares = after = 0.0
    for part in np.array_split(task.train_x, 60):  # as decimals, all of MNIST would take 376 MB
        squares += np.square(part / task.pixel_max - mean).sum()
        after += normalise(part, task.pixel_max).sum(dtype=float)
    std = math.sqrt(squares / task.train_x.size)
    after /= task.train_x.size
    print(f"pixels in 0..1: mean {mean:.4f}, standard deviation {std:.4f}")
    print(f"after the document's (x - 0.5) / 0.5: mean {after:.4f}, not 0")
    assert abs(after - (mean - 0.5) / 0.5) < 1e-6
    if task.title == "MNIST":
        assert (round(mean, 4), round(std, 4)) == (0.1307, 0.3081)

    layer = nn.Linear(task.pixels, 128)
    W, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    other = nn.Linear(task.pixels, 128)
    other.load_state_dict({"weight": 2 * std * W, "bias": b + (2 * mean - 1) * W.sum(axis=1)})
    few = task.train_x[:100]
    one = layer(mg.tensor(normalise(few, task.pixel_max)))
    two = other(mg.tensor(normalise(few, task.pixel_max, mean, std)))
    apart = (one - two).abs().max().item()
    print(f"the same layer behind either normalisation: outputs differ by at most {apart:.0e}")
    assert apart < 1e-4


# %% [markdown]
# ## The network
#
# Each hidden layer is followed by ReLU and by dropout, which while training sets a fifth of the
# values to zero at random and scales up the others. The ten outputs are scores (logits); the
# cross-entropy loss turns them into probabilities itself, so that no softmax layer is wanted.


# %%
def build(pixels):
    """Return the document's network for images of so many pixels."""
    return nn.Sequential(
        nn.Linear(pixels, 128),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(64, 10),
    )


def parameters_by_hand(pixels):
    """Weights and biases of the three dense layers, counted."""
    return (pixels * 128 + 128) + (128 * 64 + 64) + (64 * 10 + 10)


assert parameters_by_hand(784) == 109_386

# %% [markdown]
# ## Asking it
#
# A test wants the whole network, so `eval()` switches dropout off: then the same image gets the
# same answer every time. The document never does this. Its accuracy is that of a network which
# loses a fifth of its hidden values at random while it is being tested. The run below measures what
# that costs: one to three points on MNIST.


# %%
def scores(model, images, pixel_max, *, device="cpu", training=False):
    """Return the ten scores of each image; ``training`` leaves dropout on."""
    model.train(training)
    found = []
    with mg.no_grad():
        for start in range(0, len(images), 1000):
            batch = mg.tensor(normalise(images[start : start + 1000], pixel_max), device=device)
            found.append(model(batch).cpu().numpy())
    return np.concatenate(found)


def accuracy(model, task, *, device="cpu", training=False):
    """Return the share of test images that it reads right."""
    found = scores(model, task.test_x, task.pixel_max, device=device, training=training)
    return float((found.argmax(axis=1) == task.test_y).mean())


# %% [markdown]
# ## Training
#
# One epoch shows every training image once, in a new order. After each batch the gradients of the
# mean loss move the parameters by stochastic gradient descent with momentum:
# $v \leftarrow 0.9\, v + g$, then $\theta \leftarrow \theta - \text{lr} \cdot v$.


# %%
@dataclass
class History:
    """What was seen while training: one entry for each epoch."""

    losses: list = field(default_factory=list)
    accuracies: list = field(default_factory=list)
    seconds: list = field(default_factory=list)  # of training alone, without the test


def train(model, task, settings, *, device="cpu", show=True):
    """Train a model in place, and return its history."""
    loss_function = nn.CrossEntropyLoss()
    optimiser = optim.SGD(model.parameters(), lr=settings.lr, momentum=settings.momentum)
    n = len(task.train_y)
    history = History()
    bar = tqdm(
        total=settings.epochs * math.ceil(n / settings.batch),
        disable=None if show else True,  # None: no bar where the output is not a terminal
        file=sys.stdout,
        ascii=True,
        unit="batch",
    )
    for epoch in range(1, settings.epochs + 1):
        start, total = time.perf_counter(), 0.0
        model.train()
        order = mg.randperm(n).numpy()
        for first in range(0, n, settings.batch):
            chosen = order[first : first + settings.batch]
            x = mg.tensor(normalise(task.train_x[chosen], task.pixel_max), device=device)
            y = mg.tensor(task.train_y[chosen], device=device)
            optimiser.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(chosen)
            bar.update()
        history.seconds.append(time.perf_counter() - start)
        history.losses.append(total / n)
        history.accuracies.append(accuracy(model, task, device=device))
        line = f"loss {history.losses[-1]:.4f}, test accuracy {history.accuracies[-1]:.2%}"
        bar.set_postfix_str(line)
        if show and bar.disable and epoch % max(1, settings.epochs // 10) == 0:
            print(f"  epoch {epoch:3}/{settings.epochs}: {line}, {history.seconds[-1]:.2f} s")
    bar.close()
    return history


# %% [markdown]
# ## Before the first step
#
# A network that knows nothing should give each digit a chance of about 1/10, so that the
# cross-entropy is about $-\ln \tfrac1{10} = \ln 10 = 2.3026$. A start far from it is a sign of bad
# first weights or of labels that are out of place.


# %%
def check_the_start(model, task, device):
    """Print and check what an untrained network gives; return its loss and its accuracy."""
    count = sum(p.numel() for p in model.parameters())
    found = scores(model, task.train_x[:1000], task.pixel_max, device=device)
    loss = nn.CrossEntropyLoss()(mg.tensor(found), mg.tensor(task.train_y[:1000])).item()
    start = accuracy(model, task, device=device)
    print(f"{task.pixels}-128-64-10: {count:,} parameters")
    print(f"untrained: loss {loss:.4f} (ln 10 = {math.log(10):.4f}), test accuracy {start:.1%}")
    assert count == parameters_by_hand(task.pixels)
    assert abs(loss - math.log(10)) < 0.1
    return loss, start


# %% [markdown]
# ## Pictures
#
# The course of training, and the first 25 test images with what the network takes them for. A
# reading that is right has a blue check mark, a wrong one a red cross and the true label.

# %%
RIGHT, WRONG = "#0b5fa5", "#c8102e"


def draw_history(history, start, task, settings, folder):
    """Draw loss and accuracy by epoch."""
    epochs = np.arange(settings.epochs + 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
    left.plot(epochs[1:], history.losses, "o-", markersize=3, color=WRONG)
    left.plot([0], [start[0]], "s", color=WRONG, label="untrained")
    left.axhline(math.log(10), color="grey", linestyle=":", label="ln 10: every class at 1/10")
    left.set_xlabel("epoch")
    left.set_ylabel("training loss (cross-entropy, nats)")
    left.set_ylim(bottom=0)
    left.set_title("The loss, with dropout on")
    left.legend(loc="center right")
    percent = 100 * np.array([start[1], *history.accuracies])
    right.plot(epochs, percent, "o-", markersize=3, color=RIGHT)
    right.annotate(
        f"{percent[-1]:.2f} %",
        (epochs[-1], percent[-1]),
        xytext=(0, -18),
        textcoords="offset points",
        ha="right",
    )
    right.axhline(10, color="grey", linestyle=":", label="guessing: 10 %")
    right.set_xlabel("epoch")
    right.set_ylabel("test accuracy (%)")
    right.set_ylim(0, 102)
    right.set_title("The accuracy, with dropout off")
    right.legend(loc="center right")
    figure.supxlabel(
        f"{task.title}: {task.pixels}-128-64-10, SGD with lr {settings.lr}, momentum "
        f"{settings.momentum}, batch {settings.batch}; {len(task.train_y):,} images to learn from, "
        f"{len(task.test_y):,} to be tested on",
        fontsize=9,
    )
    return save(figure, folder, "09_digits_training.png")


def draw_predictions(found, task, folder):
    """Draw the first 25 test images and up to 25 wrong ones, each with its prediction."""
    predicted = found.argmax(axis=1)
    wrong = np.flatnonzero(predicted != task.test_y)
    sure = np.exp(found - found.max(axis=1, keepdims=True))
    sure = sure.max(axis=1) / sure.sum(axis=1)
    worst = wrong[np.argsort(-sure[wrong])][:25]
    figure = plt.figure(figsize=(12, 7.4), layout="constrained")
    blocks = figure.subfigures(1, 2, wspace=0.06)
    draw_block(blocks[0], np.arange(25), predicted, task, "The first 25 test images")
    what = f"Wrong: {len(wrong):,} of {len(predicted):,} test images"
    if len(wrong) > 25:
        what += ", the 25 surest"
    draw_block(blocks[1], worst, predicted, task, what)
    figure.supxlabel(
        "check mark and blue: read right; cross and red: read wrong, with the true label below",
        fontsize=9,
    )
    return save(figure, folder, "09_digits_predictions.png")


def draw_block(figure, places, predicted, task, title):
    """Draw up to 25 images in five rows, each with its prediction."""
    figure.suptitle(title, fontsize=12)
    for axes, place in zip(figure.subplots(5, 5).flat, range(25), strict=True):
        axes.set_xticks([])
        axes.set_yticks([])
        if place >= len(places):
            axes.axis("off")
            continue
        i = places[place]
        is_right = predicted[i] == task.test_y[i]
        colour = RIGHT if is_right else WRONG
        sign = "\N{CHECK MARK}" if is_right else "\N{BALLOT X}"
        truth = "" if is_right else f"\nis {task.class_names[task.test_y[i]]}"
        axes.imshow(task.test_x[i], cmap="gray_r", vmin=0, vmax=task.pixel_max)
        text = f"{sign} {task.class_names[predicted[i]]}{truth}"
        axes.set_title(text, color=colour, fontsize=9, pad=3)
        axes.spines[:].set_color(colour)
        axes.spines[:].set_linewidth(1 if is_right else 2.5)


def save(figure, folder, name):
    """Write a picture, and return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / name, dpi=120)
    plt.close(figure)
    return folder / name


# %% [markdown]
# ## Which are mistaken for which
#
# Rows are what an image is, columns what it was taken for; the diagonal is right.


# %%
def print_confusions(predicted, task):
    """Print the table of all test images, and the pairs that are confused most."""
    table = np.zeros((10, 10), int)
    np.add.at(table, (task.test_y, predicted), 1)
    names = [name if name == str(k) else f"{k} {name}" for k, name in enumerate(task.class_names)]
    width = max(map(len, names))
    print("\ntest images by what they are (row) and what they were taken for (column)")
    print(" " * (width + 2) + "".join(f"{k:5}" for k in range(10)) + "   right")
    for name, row, right in zip(names, table, np.diag(table), strict=True):
        cells = "".join(f"{n:5}" if n else "    ." for n in row)
        print(f"  {name:{width}}{cells}{right / max(1, row.sum()):8.1%}")
    off = table - np.diag(np.diag(table))
    for place in np.argsort(-off, axis=None, kind="stable")[:3]:
        is_k, taken = divmod(int(place), 10)
        if n := off[is_k, taken]:
            names = task.class_names
            print(f"  {n} x {names[is_k]} taken for {names[taken]}")
    assert table.sum() == len(task.test_y)
    return table


# %% [markdown]
# ## The run

# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A network learns to read handwritten digits.")
    parser.add_argument("--out", default="lessons-output", help="folder for the pictures")
    parser.add_argument("--data", default="digits", choices=["digits", "mnist", "fashion"])
    parser.add_argument("--epochs", type=int, help="instead of the stated number")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and dropout")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--offline", action="store_true", help="never download")
    options = parser.parse_args([] if "ipykernel" in sys.modules else None)  # none in a notebook
    if options.epochs is not None and options.epochs < 1:
        parser.error(f"--epochs must be at least 1, not {options.epochs}")
    try:
        mg.zeros(1, device=options.device)
        task = load(options.data, offline=options.offline or None)
    except (mg.DeviceError, DataNotFoundError) as error:
        raise SystemExit(f"error: {error}") from None
    settings = task.settings
    if options.epochs is not None:
        settings = replace(settings, epochs=options.epochs)

    print(f"{task.title}: {len(task.train_y):,} images to learn from, {len(task.test_y):,} to test")
    mg.manual_seed(options.seed)
    look_at_the_pixels(task)
    mg.manual_seed(options.seed)  # again, so that nothing before it matters to the training
    model = build(task.pixels).to(options.device)
    start = check_the_start(model, task, options.device)

    print(f"\ntraining on {options.device}: {settings}")
    history = train(model, task, settings, device=options.device)
    print(f"trained in {sum(history.seconds):.1f} s")

    found = scores(model, task.test_x, task.pixel_max, device=options.device)
    predicted = found.argmax(axis=1)
    final = float((predicted == task.test_y).mean())
    print(f"\ntest accuracy: {final:.2%} ({np.sum(predicted != task.test_y)} wrong)")
    assert final == history.accuracies[-1]
    assert np.array_equal(found, scores(model, task.test_x, task.pixel_max, device=options.device))

    # As the document tests: dropout on. No two tests agree, so the mean of several is taken.
    repeats = 20 if options.data == "digits" else 3
    dropped = [accuracy(model, task, device=options.device, training=True) for _ in range(repeats)]
    print(
        f"with dropout left on, as in the document: {np.mean(dropped):.2%} "
        f"(mean of {repeats} tests, from {min(dropped):.2%} to {max(dropped):.2%})"
    )
    assert min(dropped) < max(dropped)
    if options.epochs is None:
        assert final >= task.least_accuracy, (final, task.least_accuracy)
        if options.data == "mnist":  # 449 test images are too few to say it of each seed
            assert 0.01 < final - np.mean(dropped) < 0.03

    print_confusions(predicted, task)
    folder = Path(options.out)
    for picture in (
        draw_history(history, start, task, settings, folder),
        draw_predictions(found, task, folder),
    ):
        print(f"picture: {picture}")

# %% [markdown]
# ## Exercises
#
# 1. Normalise MNIST with its own mean and deviation, 0.1307 and 0.3081, and train with the
#    document's settings. How many epochs does it take to the accuracy that 0.5 and 0.5 end with?
# 2. Train the shipped digits with `DOCUMENT` in place of `SHIPPED`. Why is the accuracy so low,
#    and how many epochs of 14 batches would make as many steps as MNIST gets?
# 3. Remove both dropout layers. What happens to the training loss, and what to the test accuracy?
# 4. Write a network that always answers 1. What is its accuracy on the test images, and what is
#    the smallest cross-entropy that it can have if it may choose its certainty?
