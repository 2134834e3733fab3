"""How m5 is graded: by mg.gradcheck, then beside mg.scaled_dot_product_attention."""

import numpy as np

import minigrad as mg
from minigrad.learn.exercises import Property, expect, expect_near, floats
from minigrad.learn.exercises.compare import show

HINTS = (
    "Print scores after the mask was applied, for three positions, once in float32.",
    "What is 1 - mask where one may look, with the mask that causal_mask makes? And which mask "
    "would attention like?",
    "causal_mask must be ones on and below the diagonal and zeros above: mg.tril of ones.",
)


def drawn(rng, n, d, dtype):
    """Return q, k and v."""
    return [mg.tensor(x.astype(dtype)) for x in floats(rng, (n, d), (n, d), (n, d))]


def checked(answer, rng):
    """Let gradcheck look at it in float64."""
    inputs = drawn(rng, 4, 3, np.float64)
    out = answer.call("causal_attention", *inputs)
    expect(isinstance(out, mg.Tensor), f"causal_attention must return a Tensor, not {show(out)}")
    report = mg.gradcheck(lambda *qkv: answer.call("causal_attention", *qkv), inputs)
    expect(report, f"mg.gradcheck says\n{report}")


def compared(answer, rng):
    """Compare values and gradients, in float32 too, and scores that are large."""
    for n, d, dtype, size in (
        (1, 2, np.float32, 1), (3, 3, np.float32, 1), (5, 2, np.float32, 3), (4, 4, np.float64, 1),
        (2, 5, np.float64, 5),
    ):  # fmt: skip
        q, k, v = drawn(rng, n, d, dtype)
        q = q * size
        cotangent = mg.tensor(floats(rng, (n, d)).astype(dtype))
        found, right = [], []
        for attend, into in (
            (lambda *qkv: answer.call("causal_attention", *qkv), found),
            (lambda *qkv: mg.scaled_dot_product_attention(*qkv, is_causal=True), right),
        ):
            leaves = [x.detach().clone().requires_grad_() for x in (q, k, v)]
            out = attend(*leaves)
            expect(out.shape == (n, d), f"it has the shape {list(out.shape)}, not {[n, d]}")
            slopes = mg.autograd.grad(out, leaves, cotangent, allow_unused=True)
            into += [out, *(0 * x if s is None else s for x, s in zip(leaves, slopes, strict=True))]
        names = ("what it returns", "the gradient by q", "the gradient by k", "the gradient by v")
        expect_near(
            found, right, f"causal_attention of {n} positions in {np.dtype(dtype)}",
            names=[f"{name} ({n} positions, {np.dtype(dtype)})" for name in names],
            atol=2e-5, rtol=2e-4,
        )  # fmt: skip


def of_any_mask(answer, rng):
    """Look at attention with masks of ones and zeros."""
    q, k, v = drawn(rng, 4, 3, np.float64)
    allowed = rng.random((4, 4)) < 0.6
    allowed[np.arange(4), rng.permutation(4)] = True
    scores = q.numpy() @ k.numpy().T / np.sqrt(3)
    weights = np.where(allowed, np.exp(scores), 0.0)
    right = weights / weights.sum(axis=1, keepdims=True) @ v.numpy()
    found = answer.call("attention", q, k, v, mg.tensor(allowed.astype(float)))
    expect_near(found, right, "attention, with a mask of ones (look) and zeros", atol=1e-6)


CHECKS = (
    Property("causal_attention: mg.gradcheck, in float64", checked, ("causal_attention",)),
    Property("causal_attention: beside minigrad's own", compared, ("causal_attention",)),
    Property("attention: any mask of ones and zeros", of_any_mask, ("attention",)),
)
WRONG = {
    "wrong axis": (
        ("mg.softmax(scores, -1)", "mg.softmax(scores, 0)"),
        ("mg.tril(", "mg.triu("),
    ),
    "missing term": (
        (" / math.sqrt(q.shape[-1])", ""),
        ("    scores = scores + (1 - mask) * -1e9\n", ""),
        ("mg.softmax(scores, -1) @ v", "mg.softmax(scores.detach(), -1) @ v"),
    ),
    "typical mistake": (
        ("mg.tril(mg.ones(n, n, dtype=dtype))", "mg.triu(mg.full((n, n), -1e9, dtype=dtype), 1)"),
        ("(1 - mask) * -1e9", "(1 - mask) * -9"),
        ("mg.tril(mg.ones(n, n, dtype=dtype))", "mg.tril(mg.ones(n, n, dtype=dtype), -1)"),
        ("q @ k.transpose(-1, -2)", "k @ q.transpose(-1, -2)"),
    ),
}
