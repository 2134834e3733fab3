"""How m2 is graded: random formulas, whose gradients minigrad and its narrator know."""

import minigrad as mg
from minigrad import explain
from minigrad.learn.exercises import Property, WrongAnswerError, expect, expect_near

HINTS = (
    "Follow a = 3 x, b = a + 1, y = a b with a pencil: what does a hand on at its first visit, and "
    "what happens to the share that b brings?",
    "A node may hand on only when all its shares have come. Lesson 2, section 3, says in which "
    "order that is so; exercise 02a has the code.",
    "First a list of all nodes, operands first; then through it from the end, each node once, with "
    "+= into the operands' sums, and edges = () after the node has handed on.",
)


def random_formula(rng, count, steps):
    """Return a formula of ``count`` numbers, the same for any kind of number, and its text."""
    plan, names = [], [f"x{i}" for i in range(count)]
    for _ in range(steps):
        i, j = (int(k) for k in rng.integers(max(0, len(names) - 3), len(names), 2))
        plan.append((str(rng.choice(["+", "*", "tanh"])), i, j))
        names.append(f"v{len(names)}")

    def formula(*numbers):
        known = list(numbers)
        for word, i, j in plan:
            if word == "tanh":
                known.append(known[i].tanh())
            else:
                known.append(known[i] + known[j] if word == "+" else known[i] * known[j])
        total = known[count]
        for value in known[count + 1 :]:
            total = total + value
        return total

    return formula


def by_minigrad(formula, numbers):
    """Return value and derivatives."""
    leaves = [mg.tensor(n, dtype=mg.float64, requires_grad=True) for n in numbers]
    end = formula(*leaves)
    end.backward()
    return end.item(), [0.0 if x.grad is None else x.grad.item() for x in leaves]


def told(formula, numbers):
    """Return the narrator's story of a formula."""
    x, *others = (mg.tensor(n, dtype=mg.float64, requires_grad=True) for n in numbers)
    with explain.watching():
        end = formula(x, *others)
    return explain.walk(end).text()


def diamond(x):
    """Return a b, with a = x + x and b = a + x."""
    a = x + x
    b = a + x
    return a * b


def compared(answer, rng):
    """Compare the diamond, with the narrator's story of it; then random formulas."""
    formulas = [(diamond, 1)]
    for count, steps in ((1, 2), (2, 3), (2, 5), (3, 8), (4, 12)):
        formulas.append((random_formula(rng, count, steps), count))
    for formula, count in formulas:
        numbers = [float(n) for n in rng.uniform(-1, 1, count)]
        right = by_minigrad(formula, numbers)
        found = answer.call("gradients", formula, numbers)
        what = "a = x + x, b = a + x, y = a b" if formula is diamond else f"{count} numbers"
        try:
            expect_near(found, right, f"gradients ({what})", names=("the value", "the derivatives"))
        except WrongAnswerError as error:
            story = ""
            if formula is diamond:
                story = f"\nthe same formula, told by mg.explain:\n{told(formula, numbers)}"
            raise WrongAnswerError(f"{error}\nat {numbers}{story}") from None


def deep(answer, rng):
    """Look at a chain of 2,000 nodes, deeper than Python calls."""

    def chain(x, y):
        end = x
        for _ in range(1000):
            end = end * y + end
        return end + x * y

    numbers = [float(rng.uniform(0.5, 1)), float(rng.uniform(-1e-3, 1e-3))]
    found = answer.call("gradients", chain, numbers)
    expect_near(found, by_minigrad(chain, numbers), "gradients (a chain of 2,000 nodes)", rtol=1e-9)


def freed(answer, rng):
    """Look whether the graph is let go, and whether grad adds up over two graphs."""
    kind = answer.get("Value")
    x, y = kind(float(rng.uniform(0.5, 1))), kind(float(rng.uniform(0.5, 1)))
    a = x * y
    b = a.tanh() + x
    end = b * a
    answer.call("backward", end)
    for name, node in (("the end", end), ("its operand b", b), ("a number used twice, a", a)):
        expect(not node.edges, f"after backward {name} still has operands: memory is not let go")
    first = x.grad
    answer.call("backward", x * y)
    expect_near(x.grad - first, y.data, "what a second backward, of x * y, adds to x.grad")


CHECKS = (
    Property("gradients: random formulas, numbers used several times", compared, ("gradients",)),
    Property("gradients: deep formulas", deep, ("gradients",)),
    Property("backward: the graph is let go, and grad adds up", freed, ()),
)
WRONG = {
    "overwrite": (
        ("sums[operand] += sums[value] * slope", "sums[operand] = sums[value] * slope"),
        ("value.grad += sums[value]", "value.grad = sums[value]"),
    ),
    "missing term": (
        ("sums[operand] += sums[value] * slope", "sums[operand] += slope"),
        ("        value.edges = ()\n", ""),
        ("1 - t * t", "1 - t"),
    ),
    "typical mistake": (
        ("in reversed(order)", "in order"),
        (
            "    order = operands_first(end)\n",
            "    order = list(dict.fromkeys(n for n in operands_first(end)))\n"
            "    order.sort(key=lambda n: n is end)\n    order[:-1] = order[:-1][::-1]\n",
        ),
        ("stack.append((value, True))", "order.append(value)"),
        ("sums = dict.fromkeys(order, 0.0)", "sums = {value: value.grad for value in order}"),
    ),
}
