"""How 05b is graded: by mg.check.lint, then by the numbers of three steps of training."""

import numpy as np

import minigrad as mg
from minigrad import optim
from minigrad.learn.exercises import Property, WrongAnswerError, expect, expect_near

HINTS = (
    "Read what lint says in the message of check: each finding has a line 'cure'.",
    "Which layers does the network of lesson 5, section 5, have? And what does backward do with a "
    "gradient that is there already (lesson 2, NB)?",
    "Leave the softmax out of build, and call optimiser.zero_grad() first thing in step.",
)


def sizes(rng):
    """Return numbers of pixels and classes."""
    return int(rng.integers(5, 9)), int(rng.integers(3, 6))


def batch(rng, pixels, classes):
    """Return images of several classes, which can be told apart, and labels."""
    labels = rng.integers(0, classes, 24)
    labels[:classes] = np.arange(classes)
    centres = rng.normal(size=(classes, pixels))
    images = centres[labels] + 0.3 * rng.normal(size=(24, pixels))
    return mg.tensor(images.astype(np.float32)), mg.tensor(labels)


def of_the_right_form(answer, rng):
    """Look at the network's sizes, and whether it is more than one linear layer."""
    pixels, classes = sizes(rng)
    model = answer.call("build", pixels, classes)
    expect(model is not None, "build returns None: is there a return?")
    x = mg.tensor(rng.normal(size=(5, pixels)).astype(np.float32))
    try:
        with mg.no_grad():
            at_0, at_x, at_2x = (model(k * x).numpy() for k in (0.0, 1.0, 2.0))
    except ValueError as error:
        raise WrongAnswerError(
            f"build({pixels}, {classes}) gives a network that does not take "
            f"{pixels} pixels:\n{error}"
        ) from None
    expect(
        at_x.shape == (5, classes),
        f"for {classes} classes and 5 images the output has the shape {list(at_x.shape)}",
    )
    bend = np.abs(at_2x - 2 * at_x + at_0).max()
    expect(bend > 1e-4, "the network is linear: its layers are worth one, without a ReLU")


def by_lint(answer, rng):
    """Let lint look at a step, and show the errors that it finds."""
    pixels, classes = sizes(rng)
    images, labels = batch(rng, pixels, classes)
    model = answer.call("build", pixels, classes)
    optimiser = optim.SGD(model.parameters(), lr=0.05)
    findings = mg.check.lint(
        model, answer.get("loss_of"), (images, labels), optimiser,
        step=lambda images, labels: answer.call("step", model, optimiser, images, labels),
    )  # fmt: skip
    errors = [str(found) for found in findings if found.severity == "error"]
    expect(not errors, "mg.check.lint says:\n" + "\n".join(errors))


def by_numbers(answer, rng):
    """Take three steps on different batches, and compare with the formula of gradient descent."""
    pixels, classes = sizes(rng)
    model = answer.call("build", pixels, classes)
    optimiser = optim.SGD(model.parameters(), lr=0.1)
    for number in range(1, 4):
        images, labels = batch(rng, pixels, classes)
        outputs = model(images)
        sums = outputs.detach().numpy().sum(axis=1)
        expect(
            np.abs(sums - 1).max() > 1e-3,
            "each row of the output sums to 1: these are probabilities, not scores",
        )
        loss = mg.cross_entropy(outputs, labels)
        own = dict(model.named_parameters())
        slopes = mg.autograd.grad(loss, list(own.values()))
        slope_of = dict(zip(own, slopes, strict=True))
        right = {n: p.detach().numpy() - 0.1 * slope_of[n].numpy() for n, p in own.items()}
        found = answer.call("step", model, optimiser, images, labels)
        expect_near(found, loss.item(), f"what step {number} returns", rtol=1e-5)
        moved = {name: p.detach().numpy().copy() for name, p in own.items()}
        expect_near(moved, right, f"the parameters after step {number}", atol=1e-6, rtol=1e-5)


def loss_values(answer, rng):
    """Compare the loss itself with minigrad's."""
    scores, labels = mg.tensor(rng.normal(size=(5, 3))), mg.tensor(rng.integers(0, 3, 5))
    right = mg.cross_entropy(scores, labels).item()
    expect_near(answer.call("loss_of", scores, labels), np.asarray(right), "what loss_of returns")


CHECKS = (
    Property("build: sizes, and a ReLU between", of_the_right_form, ("build",)),
    Property("loss_of: the mean cross-entropy of scores", loss_values, ("loss_of",)),
    Property("mg.check.lint finds no error in a step", by_lint, ("build", "step")),
    Property("step: three steps, against the formula", by_numbers, ("step",)),
)
WRONG = {
    "missing term": (
        ("    optimiser.zero_grad()\n", ""),
        ("    optimiser.step()\n", ""),
        ("        nn.ReLU(),\n", ""),
        ("    loss.backward()\n", ""),
    ),
    "wrong axis": (
        (
            "return mg.cross_entropy(outputs, labels)",
            "return mg.cross_entropy(outputs.softmax(0), labels)",
        ),
    ),
    "typical mistake": (
        ("nn.Linear(32, classes),", "nn.Linear(32, classes), nn.Softmax(-1),"),
        ("mg.cross_entropy(outputs, labels)", "mg.cross_entropy(mg.softmax(outputs, -1), labels)"),
        ("nn.Linear(32, classes),", "nn.Linear(32, classes), nn.ReLU(),"),
        ("loss.item()", "loss.item() / len(images)"),
        ("loss_of(model(images), labels)", "loss_of(model(images).detach(), labels)"),
    ),
}
