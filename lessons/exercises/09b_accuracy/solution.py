"""The four:

1. `model.eval()` is missing. With dropout on, a fifth of the hidden values is lost in the test, and
   the same image gets another answer each time. D0 never calls it.
2. The mean of the batches' shares counts an image of a small last batch for more. Count right
   answers, and divide once.
3. Without `no_grad` every batch is recorded for a backward that never comes. (`detach`
   takes the result out of the record, when everything has been recorded already.)
4. The network goes back into the mode in which it was, or the rest of the training runs without
   its dropout. `try ... finally` does so even if a batch raises.
"""

import minigrad as mg


def accuracy(model, images, labels, batch):
    """Return the share of images whose label has the largest score; asked in batches."""
    was_training = model.training
    model.eval()
    right = 0
    try:
        with mg.no_grad():
            for start in range(0, len(labels), batch):
                scores = model(mg.tensor(images[start : start + batch])).detach().numpy()
                right += int((scores.argmax(axis=1) == labels[start : start + batch]).sum())
    finally:
        model.train(was_training)
    return right / len(labels)
