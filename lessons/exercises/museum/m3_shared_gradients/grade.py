"""How m3 is graded: gradients and steps beside minigrad's, for formulas that share much."""

import minigrad as mg
from minigrad.learn.exercises import (
    Property,
    WrongAnswerError,
    expect_near,
    floats,
    tensor_function,
    tool_says,
)

HINTS = (
    "Compute total(add(w, b)) and ask: w.grad is b.grad? And may you write into it?",
    "The gradients are right until somebody changes one of two variables that share it, in place. "
    "Where does the engine itself do so?",
    "In backward, let the first share be copied: parent.grad = np.array(share).",
)

FORMULAS = {
    "(w + b) + w * w": lambda add, mul, total, w, b: add(add(w, b), mul(w, w)),
    "total(w + b)": lambda add, mul, total, w, b: total(add(w, b)),
    "total((w + b) * w)": lambda add, mul, total, w, b: total(mul(add(w, b), w)),
    "total((w + b) + w * w)": lambda add, mul, total, w, b: total(add(add(w, b), mul(w, w))),
    "total(a + a * b), a = w + b": lambda add, mul, total, w, b: total(
        (lambda a: add(a, mul(a, b)))(add(w, b))
    ),
    "total(w) * total(b) + total(w)": lambda add, mul, total, w, b: add(
        mul(total(w), total(b)), total(w)
    ),
    "total((w * b) * (w + b))": lambda add, mul, total, w, b: total(mul(mul(w, b), add(w, b))),
    "total(w + w) + total(b + w)": lambda add, mul, total, w, b: add(
        total(add(w, w)), total(add(b, w))
    ),
}


def right_gradients(formula, arrays):
    """Return the gradients by minigrad."""
    leaves = [mg.tensor(x, requires_grad=True) for x in arrays]
    formula(mg.add, mg.mul, mg.sum, *leaves).sum().backward()
    return [x.grad.numpy().copy() for x in leaves]


def value(formula, *arrays):
    """Return the sum of a formula's values."""
    return formula(mg.add, mg.mul, mg.sum, *map(mg.tensor, arrays)).sum().numpy()


def says_gradcheck(answer, formula, arrays):
    """Return what mg.gradcheck says of the learner's gradients of a formula."""
    function = tensor_function(
        lambda w, b: value(formula, w, b),
        lambda g, w, b: tuple(g * x for x in answer.call("gradients", formula, [w, b])),
    )
    return tool_says(lambda: mg.gradcheck(function, [mg.tensor(x) for x in arrays]))


def by_gradients(answer, rng):
    """Compare gradients, and show what gradcheck says of a wrong one."""
    for shape in ((3,), (2, 2)):
        for text, formula in FORMULAS.items():
            arrays = list(floats(rng, shape, shape))
            right = right_gradients(formula, arrays)
            found = answer.call("gradients", formula, arrays)
            try:
                names = ("the gradient by w", "the gradient by b")
                expect_near(found, right, "gradients", names=names)
            except WrongAnswerError as error:
                says = says_gradcheck(answer, formula, arrays)
                raise WrongAnswerError(f"{text}: {error}\nmg.gradcheck says\n{says}") from None


def by_step(answer, rng):
    """Compare a step with weight decay."""
    for text, formula in FORMULAS.items():
        arrays = list(floats(rng, (2, 3), (2, 3)))
        rate, decay = rng.uniform(0.1, 0.9, 2)
        slopes = right_gradients(formula, arrays)
        right = [x - rate * (g + decay * x) for x, g in zip(arrays, slopes, strict=True)]
        found = answer.call("step", formula, arrays, rate, decay)
        expect_near(found, right, f"step for {text}", names=("the new w", "the new b"))


CHECKS = (
    Property("gradients: formulas that use an array twice", by_gradients, ("gradients",)),
    Property("step: weight decay of two parameters", by_step, ("step",)),
)
WRONG = {
    "overwrite": (("parent.grad += share", "parent.grad = np.array(share)"),),
    "missing term": (
        ("variable.grad += decay * variable.data", "variable.grad += decay"),
        ("(g * b.data, g * a.data)", "(b.data, a.data)"),
    ),
    "typical mistake": (
        ("np.array(share)  # its own", "share"),
        (
            "parent.grad = np.array(share)  # its own",
            "parent.grad = share if variable.rule is None else np.asarray(share)",
        ),
        (
            "                parent.grad = np.array(share)  # its own\n"
            "            else:\n                parent.grad += share\n",
            "                parent.grad = share\n"
            "            else:\n                parent.grad = parent.grad + share\n",
        ),
        ("lambda g: (g * b.data, g * a.data)", "lambda g: (g * a.data, g * b.data)"),
    ),
}
