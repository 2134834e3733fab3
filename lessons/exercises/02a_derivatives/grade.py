"""How 02a is graded: random graphs, whose derivatives are computed forwards, from each node up."""

from minigrad.learn.exercises import Property, expect, expect_near

HINTS = (
    "Try your function on the diamond with print: in which order does it visit a and b? a gets a "
    "share from y and one from b, and may hand on only when it has both.",
    "First make a list of all nodes behind the end in which each comes after its operands; then "
    "go through it from the end. A node's sum is then complete at its visit.",
    "For the list: walk with a stack of pairs (node, are its operands done). Push a node again, "
    "marked as done, below its operands. In the pass: sums[operand] += sums[node] * slope.",
)


class Node:
    """A node as the task describes it."""

    def __init__(self, edges=()):
        self.value, self.edges = 0.0, tuple(edges)


def random_graph(rng, size):
    """Return nodes in the order of their making; many are used more than once."""
    nodes = [Node(), Node()]
    while len(nodes) < size:
        count = int(rng.integers(1, 4))
        chosen = [nodes[int(i)] for i in rng.integers(max(0, len(nodes) - 4), len(nodes), count)]
        nodes.append(Node([(node, float(rng.uniform(-2, 2))) for node in chosen]))
    return nodes


def row(rng, length, links):
    """Return a row of nodes, each computed from the one before through so many edges."""
    nodes = [Node()]
    for _ in range(length):
        slopes = rng.uniform(0.4, 0.6, links) * (2 / links)
        nodes.append(Node([(nodes[-1], float(slope)) for slope in slopes]))
    return nodes


def forwards(nodes, start):
    """Return the derivative of every node by one of them, which comes before what is made of it."""
    found = dict.fromkeys(nodes, 0.0)
    for node in nodes:
        found[node] = sum((found[operand] * slope for operand, slope in node.edges), start=0.0)
        if node is start:
            found[node] = 1.0
    return found


def small(answer, rng):
    """Look at random graphs of up to 30 nodes."""
    for size in (3, 4, 5, 6, 8, 12, 30):
        nodes = random_graph(rng, size)
        for end in (nodes[-1], nodes[-2]):
            right = [forwards(nodes, node)[end] for node in nodes]
            edges = sum(len(node.edges) for node in nodes)
            expect_near(
                answer.call("derivatives", end, nodes), right,
                f"derivatives (a graph of {size} nodes and {edges} edges, in the order of their "
                "making)",
            )  # fmt: skip


def deep(answer, rng):
    """Look at a chain that is deeper than Python recurses, and at a row of diamonds."""
    for what, nodes in (
        ("a chain of 3,000 nodes", row(rng, 3000, 1)),
        ("a row of 40 diamonds", row(rng, 40, 2)),
    ):
        wanted = [nodes[0], nodes[-5], nodes[-1]]
        right = [forwards(nodes, node)[nodes[-1]] for node in wanted]
        found = answer.call("derivatives", nodes[-1], wanted)
        expect_near(found, right, f"derivatives ({what})", atol=1e-12)


def alone(answer, rng):
    """Look at an end that was computed from nothing."""
    end, other = Node(), Node()
    expect_near(answer.call("derivatives", end, [end, other]), [1.0, 0.0], "derivatives")
    expect(
        answer.call("derivatives", end, []) == [],
        "for an empty list of nodes the answer is an empty list",
    )


CHECKS = (
    Property("derivatives: random graphs, nodes used several times", small, ("derivatives",)),
    Property("derivatives: deep graphs", deep, ("derivatives",)),
    Property("derivatives: an end alone", alone, ("derivatives",)),
)
WRONG = {
    "overwrite": (("sums[operand] += sums[node] * slope", "sums[operand] = sums[node] * slope"),),
    "missing term": (
        ("sums[operand] += sums[node] * slope", "sums[operand] += slope"),
        ("sums[operand] += sums[node] * slope", "sums[operand] += sums[node]"),
        ("for operand, slope in node.edges:", "for operand, slope in set(node.edges[:2]):"),
    ),
    "typical mistake": (
        ("in reversed(order)", "in sorted(order, key=lambda n: -len(n.edges))"),
        ("stack.append((node, True))", "order.insert(0, node)"),
        ("sums.get(node, 0.0)", "sums[node]"),
        ("sums[end] = 1.0", "sums[end] = end.value"),
    ),
}
