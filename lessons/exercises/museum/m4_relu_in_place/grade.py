"""How m4 is graded: values and gradients, and whether anything given was changed."""

import numpy as np

import minigrad as mg
from minigrad.learn.exercises import (
    Gradients,
    Property,
    Values,
    WrongAnswerError,
    expect_near,
    floats,
    shapes,
    tensor_function,
    tool_says,
)

HINTS = (
    "What is x, and what is y, after y = relu(x) with x = np.array([-1.0, 2.0])?",
    "x + relu(x): the name x stands for an array, and relu has written into that very array before "
    "the sum is taken.",
    "Make a new array: np.where(x < 0, 0, x), and np.where(x <= 0, 0, g).",
)


def relu(x):
    """Return x where it is positive, else 0."""
    return (x + np.abs(x)) / 2


def cases(rng):
    """Yield arrays of all shapes."""
    for shape in shapes(rng):
        yield (floats(rng, shape),)


def judged(answer, rng):
    """Compare the block's values with minigrad's, and say what gradcheck thinks of it."""
    for (x,) in cases(rng):
        right = (mg.tensor(x) + mg.relu(mg.tensor(x))).numpy()
        found = answer.get("shortcut")(x.copy())
        try:
            expect_near(found, right, "shortcut, x + relu(x),")
        except WrongAnswerError as error:
            block = tensor_function(answer.get("shortcut"), answer.get("shortcut_backward"))
            says = tool_says(lambda f=block, x=x: mg.gradcheck(f, mg.tensor(x)))
            raise WrongAnswerError(f"{error}\nof this block mg.gradcheck says\n{says}") from None


CHECKS = (
    Property("shortcut: its values, beside mg.relu's", judged, ("shortcut",)),
    Values("shortcut", lambda x: x + relu(x), cases),
    Values("relu", relu, cases),
    Gradients("relu_backward", relu),
    Gradients("shortcut_backward", lambda x: x + relu(x)),
    Values("gated", lambda x: x * relu(x), cases),
    Gradients("gated_backward", lambda x: x * relu(x)),
)
WRONG = {
    "missing term": (
        ("return g + relu_backward(g, x)", "return relu_backward(g, x)"),
        ("return g * relu(x) + relu_backward(g * x, x)", "return relu_backward(g * x, x)"),
        ("np.where(x <= 0, 0, g)", "1.0 * g"),
    ),
    "typical mistake": (
        ("return np.where(x < 0, 0, x)", "x[x < 0] = 0\n    return x"),
        ("return np.where(x <= 0, 0, g)", "g[x <= 0] = 0\n    return g"),
        ("return x + relu(x)", "return relu(x) + relu(x)"),
        ("np.where(x < 0, 0, x)", "np.maximum(x, 0, out=x)"),
        ("np.where(x <= 0, 0, g)", "np.where(g <= 0, 0, g)"),
    ),
}
