"""How m1 is graded: against mg.conv2d and central differences, with strides of 1 to 3."""

import minigrad as mg
from minigrad.learn.exercises import (
    Gradients,
    Property,
    WrongAnswerError,
    expect_near,
    floats,
    tensor_function,
    tool_says,
)

HINTS = (
    "Write down by hand which rows of a column of 5 numbers the two outputs of a kernel of 3 with "
    "the stride 2 see. What does places(5, 3, 2) say?",
    "The stride says how far the window moves from one output to the next. Inside the window the "
    "rows are neighbours.",
    "stride * out + inside.",
)


def by_minigrad(image, weight, stride):
    """Return the convolution by minigrad's own op."""
    x, w = mg.tensor(image)[None, None], mg.tensor(weight)[None, None]
    return mg.conv2d(x, w, stride=stride)[0, 0].numpy()


def cases(rng):
    """Yield images, kernels and strides; outputs as many as kernel rows, fewer, and more."""
    for height, width, kernel, stride in (
        (3, 3, 2, 1), (7, 7, 3, 2), (5, 5, 3, 2), (6, 5, 2, 2), (5, 8, 2, 3), (4, 5, 1, 3),
        (3, 3, 3, 2), (8, 5, 2, 3),
    ):  # fmt: skip
        yield *floats(rng, (height, width), (kernel, kernel)), stride


def says_gradcheck(answer, image, weight, stride):
    """Return what mg.gradcheck says of the learner's convolution."""
    function = tensor_function(
        lambda x, w: answer.call("convolve", x, w, stride),
        lambda g, x, w: answer.call("convolve_backward", g, x, w, stride),
    )
    return tool_says(lambda: mg.gradcheck(function, [mg.tensor(image), mg.tensor(weight)]))


def judged(answer, rng):
    """Compare with minigrad, and say what gradcheck thinks of what differs."""
    for image, weight, stride in cases(rng):
        height, width = image.shape
        side = len(weight)
        what = f"convolve ({height}x{width} image, {side}x{side} kernel, stride {stride})"
        found = answer.call("convolve", image, weight, stride)
        try:
            expect_near(found, by_minigrad(image, weight, stride), what)
        except WrongAnswerError as error:
            says = says_gradcheck(answer, image, weight, stride)
            raise WrongAnswerError(
                f"{error}\nmg.conv2d has the right numbers; of yours mg.gradcheck says\n{says}"
            ) from None


CHECKS = (
    Property("convolve: beside mg.conv2d, with strides of 1 to 3", judged, ("convolve",)),
    Gradients("convolve_backward", by_minigrad, cases, by=("image", "weight")),
)
WRONG = {
    "overwrite": (
        (
            "np.add.at(by_image, (rows[:, None, :, None], columns[None, :, None, :]), shares)",
            "by_image[rows[:, None, :, None], columns[None, :, None, :]] = shares",
        ),
    ),
    "missing term": (
        ("shares = g[:, :, None, None] * weight", "shares = g[:, :, None, None] + 0 * weight"),
        (
            '"ijpq,ij->pq", windows(image, len(weight), stride), g',
            '"ijpq->pq", windows(image, len(weight), stride)',
        ),
    ),
    "typical mistake": (
        ("stride * out + inside", "out + stride * inside"),
        ("stride * out + inside", "out + inside"),
        ("stride * out + inside", "stride * (out + inside)"),
        ("stride * out + inside", "stride * out + inside[:, ::-1]"),
        ("(size - kernel) // stride + 1", "(size - kernel + 1) // stride"),
    ),
}
