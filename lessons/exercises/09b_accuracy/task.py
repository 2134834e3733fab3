"""Find the bug: a test that does not test the network.

`accuracy` asks a network about all images, in batches, and returns the share of right answers.
This one follows D0 (section 5), and its numbers look sound. It has four mistakes: one makes the
network answer at random, one weighs the images unevenly, one costs memory and time, and one is
what is missing afterwards. Mend it.

It must leave the network in the mode, training or not, in which it found it.
"""

import minigrad as mg


def accuracy(model, images, labels, batch):
    """Return the share of images whose label has the largest score; asked in batches."""
    shares = []
    for start in range(0, len(labels), batch):
        scores = model(mg.tensor(images[start : start + batch])).detach().numpy()
        right = scores.argmax(axis=1) == labels[start : start + batch]
        shares.append(right.mean())
    return sum(shares) / len(shares)
