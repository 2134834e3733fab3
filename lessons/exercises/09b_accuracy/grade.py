"""How 09b is graded: by exact shares, and by what a network sees of how it is asked."""

import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.learn.exercises import Property, expect, expect_near

HINTS = (
    "Ask twice for the accuracy of a network with dropout. Then ask with batches of 2 and of 3 for "
    "five images of which the last is read wrong.",
    "model.eval() before, and afterwards back: model.train(was_training), with "
    "was_training = model.training. Count right answers instead of averaging shares.",
    "Wrap the loop in 'with mg.no_grad():'.",
)


class Spy(nn.Module):
    """A network of one layer and dropout that notes how it is asked."""

    def __init__(self, weights):
        super().__init__()
        self.layer = nn.Linear(weights.shape[1], weights.shape[0], bias=False)
        with mg.no_grad():
            self.layer.weight.copy_(mg.tensor(weights))
        self.dropout = nn.Dropout(0.5)
        self.recorded, self.trained, self.sizes = 0, 0, []

    def forward(self, x):
        """Return the scores."""
        self.recorded += mg.is_grad_enabled()
        self.trained += self.training
        self.sizes.append(len(x))
        return self.layer(self.dropout(x))


def asked(rng, n):
    """Return a network, images, and labels of which it reads a part right."""
    weights = rng.normal(size=(4, 6)).astype(np.float32)
    images = rng.normal(size=(n, 6)).astype(np.float32)
    labels = (images @ weights.T).argmax(axis=1)
    wrong = rng.random(n) < 0.4
    wrong[-1] = True  # in the last batch, which is a small one
    labels = np.where(wrong, (labels + 1) % 4, labels)
    return Spy(weights), images, labels, float((~wrong).mean())


def shares(answer, rng):
    """Look at the answer for batches that divide the images, and for those that do not."""
    for n, batch in ((6, 3), (7, 3), (11, 5), (9, 20), (13, 1), (1, 4)):
        model, images, labels, right = asked(rng, n)
        for training in (True, False):
            model.train(training)
            found = answer.call("accuracy", model, images, labels, batch)
            mode = "training" if training else "eval"
            expect_near(
                found, right, f"accuracy of {n} images in batches of {batch}, found in {mode} mode"
            )


def manners(answer, rng):
    """Look at how the network was asked, and how it was left."""
    for training in (True, False):
        model, images, labels, _ = asked(rng, 8)
        model.train(training)
        answer.call("accuracy", model, images, labels, 3)
        expect(model.trained == 0, "it was asked in training mode, with dropout on")
        expect(model.recorded == 0, "it was asked with gradients on: everything was recorded")
        expect(
            max(model.sizes) <= 3 and sum(model.sizes) == 8,
            f"8 images in batches of 3 were asked as batches of {model.sizes}",
        )
        expect(
            model.training == training and model.dropout.training == training,
            f"it was found with training={training} and left with training={model.training}",
        )
        expect(mg.is_grad_enabled(), "gradients are off afterwards")


CHECKS = (
    Property("accuracy: the share itself", shares, ("accuracy",)),
    Property("accuracy: how the network is asked, and left", manners, ("accuracy",)),
)
WRONG = {
    "missing term": (
        ("    model.eval()\n", ""),
        ("        with mg.no_grad():\n", "        if True:\n"),
        ("        model.train(was_training)\n", "        model.eval()\n"),
    ),
    "wrong axis": (("scores.argmax(axis=1)", "scores.argmax(axis=0)[0]"),),
    "typical mistake": (
        ("model.train(was_training)", "model.train()"),
        ("right / len(labels)", "right / (batch * ((len(labels) + batch - 1) // batch))"),
        ("range(0, len(labels), batch)", "range(0, len(labels) - batch + 1, batch)"),
        ("range(0, len(labels), batch)", "range(0, len(labels), len(labels))"),
    ),
}
