"""Mistakes that are refused, with what the refusal says."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
from support.other_device import on_other_device

import minigrad as mg
from minigrad import nn, optim
from mistakes.catalogue import error


def data() -> tuple[mg.Tensor, mg.Tensor]:
    """Return 8 examples of 4 features, and labels of 3 classes."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((8, 4)).astype(np.float32)
    return mg.tensor(x), mg.tensor(rng.integers(0, 3, 8))


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


# ---- the loss and its target --------------------------------------------------------------------


@error(
    "pairwise-loss",
    """
ValueError: mse_loss(x float32[8, 1], target float32[8], reduction='mean'): the input has shape
  [8, 1], the target [8]; broadcasting to [8, 8] would compare inputs with targets of other
  examples; drop the axis of size 1 first: input.squeeze(1)
  at errors.py:N: return nn.MSELoss()(nn.Linear(4, 1)(x), y.float())
""",
)
def pairwise_loss() -> Any:
    x, y = data()
    return nn.MSELoss()(nn.Linear(4, 1)(x), y.float())


@pairwise_loss.cured
def _() -> Any:
    x, y = data()
    return nn.MSELoss()(nn.Linear(4, 1)(x).squeeze(1), y.float())


@error(
    "pairwise-absolute-loss",
    """
ValueError: l1_loss: the input has shape [8, 1], the target [8]; broadcasting to [8, 8] would
  compare inputs with targets of other examples; drop the axis of size 1 first: input.squeeze(1)
  at errors.py:N: return nn.L1Loss()(nn.Linear(4, 1)(x), y.float())
""",
)
def pairwise_absolute_loss() -> Any:
    x, y = data()
    return nn.L1Loss()(nn.Linear(4, 1)(x), y.float())


@pairwise_absolute_loss.cured
def _() -> Any:
    x, y = data()
    return nn.L1Loss()(nn.Linear(4, 1)(x), y.float().unsqueeze(1))


@error(
    "one-hot-targets",
    """
ValueError: cross_entropy(x float32[8, 3], target int64[8, 3], weight None, ignore_index=-100,
  reduction='mean', label_smoothing=0.0): the input has shape [8, 3], so the class labels must
  have shape [8], not [8, 3]; they look one-hot: give class numbers, target.argmax(1), or
  probabilities, target.float()
  at errors.py:N: return nn.CrossEntropyLoss()(network()(x), mg.one_hot(y, 3))
""",
)
def one_hot_targets() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss()(network()(x), mg.one_hot(y, 3))


@one_hot_targets.cured
def _() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss()(network()(x), mg.one_hot(y, 3).argmax(1))


@error(
    "float-labels",
    """
TypeError: cross_entropy(x float32[8, 3], target float32[8], weight None, ignore_index=-100,
  reduction='mean', label_smoothing=0.0): the target is float32[8]: class labels must be ints of
  shape [8] (target.long()), class probabilities floats of the input's shape [8, 3]
  at errors.py:N: return nn.CrossEntropyLoss()(network()(x), y.float())
""",
)
def float_labels() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss()(network()(x), y.float())


@float_labels.cured
def _() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss()(network()(x), y.float().long())


@error(
    "labels-from-one",
    """
IndexError: cross_entropy(x float32[8, 3], target int64[8], weight None, ignore_index=-100,
  reduction='mean', label_smoothing=0.0): labels go from 1 to 3, the input has 3 classes, so they
  must be from 0 to 2; if they count from 1, subtract 1: target - 1
  at errors.py:N: return nn.CrossEntropyLoss()(network()(x), y + 1)
""",
)
def labels_from_one() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss()(network()(x), y + 1)


@labels_from_one.cured
def _() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss()(network()(x), (y + 1) - 1)


@error(
    "labels-with-an-axis",
    """
ValueError: cross_entropy(x float32[8, 3], target int64[8, 1], weight None, ignore_index=-100,
  reduction='mean', label_smoothing=0.0): the input has shape [8, 3], so the class labels must
  have shape [8], not [8, 1]; use target.reshape([8])
  at errors.py:N: return nn.CrossEntropyLoss()(network()(x), y.unsqueeze(1))
""",
)
def labels_with_an_axis() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss()(network()(x), y.unsqueeze(1))


@labels_with_an_axis.cured
def _() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss()(network()(x), y.unsqueeze(1).reshape([8]))


@error(
    "labels-in-a-list",
    """
TypeError: cross_entropy(x float32[8, 3], target [0, 1, 2, 0, 1, 2, 0, 1], weight None,
  ignore_index=-100, reduction='mean', label_smoothing=0.0): the target must be a tensor, not [0,
  1, 2, 0, 1, 2, 0, 1]: mg.tensor(labels)
  at errors.py:N: return nn.CrossEntropyLoss()(network()(x), [0, 1, 2, 0, 1, 2, 0, 1])
""",
)
def labels_in_a_list() -> Any:
    x, _ = data()
    return nn.CrossEntropyLoss()(network()(x), [0, 1, 2, 0, 1, 2, 0, 1])


@labels_in_a_list.cured
def _() -> Any:
    x, _ = data()
    return nn.CrossEntropyLoss()(network()(x), mg.tensor([0, 1, 2, 0, 1, 2, 0, 1]))


@error(
    "loss-arguments-swapped",
    """
TypeError: cross_entropy(x int64[8], target float32[8, 3], weight None, ignore_index=-100,
  reduction='mean', label_smoothing=0.0): the input is int64[8]; it must be floating, with one
  score for each class: (N, C), (N, C, d1, ...) or (C,)
  at errors.py:N: return nn.CrossEntropyLoss()(y, network()(x))
""",
)
def loss_arguments_swapped() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss()(y, network()(x))


@loss_arguments_swapped.cured
def _() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss()(network()(x), y)


@error(
    "loss-class-called",
    """
TypeError: CrossEntropyLoss(...) makes the loss; then call it: CrossEntropyLoss()(input, target)
""",
)
def loss_class_called() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss(network()(x), y)


@loss_class_called.cured
def _() -> Any:
    x, y = data()
    return nn.CrossEntropyLoss()(network()(x), y)


@error(
    "scores-as-probabilities",
    """
ValueError: bernoulli_loss(x float32[3], target float32[3]): the input goes from -2 to 3, it must
  be from 0 to 1; for scores use binary_cross_entropy_with_logits, or take sigmoid first
  at errors.py:N: return mg.binary_cross_entropy(scores, mg.tensor([0.0, 1.0, 1.0]))
""",
)
def scores_as_probabilities() -> Any:
    scores = mg.tensor([-2.0, 0.5, 3.0])
    return mg.binary_cross_entropy(scores, mg.tensor([0.0, 1.0, 1.0]))


@scores_as_probabilities.cured
def _() -> Any:
    scores = mg.tensor([-2.0, 0.5, 3.0])
    return mg.binary_cross_entropy_with_logits(scores, mg.tensor([0.0, 1.0, 1.0]))


@error(
    "softmax-without-axis",
    """
TypeError: softmax() misses dim; say which axis, for example dim=-1, the last
""",
)
def softmax_without_axis() -> Any:
    return mg.softmax(mg.ones(2, 3))


@softmax_without_axis.cured
def _() -> Any:
    return mg.softmax(mg.ones(2, 3), dim=-1)


@error(
    "log-of-zero",
    """
AnomalyError: log made 1 infinity among 3 values
  at errors.py:N: return -mg.log(p).mean()
  inputs: float32[3] finite values 0 to 0.8, 0 not finite
  look for log or division of 0, exp of a large number, sqrt of a negative one, or a learning rate
    that diverges
""",
)
def log_of_zero() -> Any:
    p = mg.tensor([0.2, 0.0, 0.8], requires_grad=True)
    with mg.detect_anomaly():
        return -mg.log(p).mean()


@log_of_zero.cured
def _() -> Any:
    p = mg.tensor([0.2, 0.0, 0.8], requires_grad=True)
    with mg.detect_anomaly():
        return -mg.log(p.clamp(min=1e-7)).mean()


@error(
    "gradient-of-sqrt-at-zero",
    """
AnomalyError: backward of sqrt made 1 infinity among 1 values
  at errors.py:N: mg.sqrt((x * x).sum()).backward()
  inputs: float32[] finite values 1 to 1, 0 not finite; float32[] finite values 0 to 0, 0 not
    finite
  look for log or division of 0, exp of a large number, sqrt of a negative one, or a learning rate
    that diverges
""",
)
def gradient_of_sqrt_at_zero() -> Any:
    x = mg.zeros(3, requires_grad=True)
    with mg.detect_anomaly():
        mg.sqrt((x * x).sum()).backward()


@gradient_of_sqrt_at_zero.cured
def _() -> Any:
    x = mg.zeros(3, requires_grad=True)
    with mg.detect_anomaly():
        mg.sqrt((x * x).sum() + 1e-12).backward()
    return x.grad


# ---- backward -----------------------------------------------------------------------------------


@error(
    "second-backward",
    """
GraphError: backward through <cross_entropy float32[]> a second time: what its derivative needs
  was freed by the first backward; compute the loss again, detach() what is carried over from an
  earlier step, or give the first backward retain_graph=True
""",
)
def second_backward() -> Any:
    x, y = data()
    loss = nn.CrossEntropyLoss()(network()(x), y)
    loss.backward()
    loss.backward()


@second_backward.cured
def _() -> Any:
    x, y = data()
    loss = nn.CrossEntropyLoss()(network()(x), y)
    loss.backward(retain_graph=True)
    loss.backward()
    return loss


@error(
    "state-carried-with-its-graph",
    """
GraphError: backward through <tanh float32[1, 4]> a second time: what its derivative needs was
  freed by the first backward; compute the loss again, detach() what is carried over from an
  earlier step, or give the first backward retain_graph=True
""",
)
def state_carried_with_its_graph() -> Any:
    cell = nn.Linear(4, 4)
    h = mg.ones(1, 4)
    for _ in range(2):
        h = cell(h).tanh()
        (h * h).sum().backward()


@state_carried_with_its_graph.cured
def _() -> Any:
    cell = nn.Linear(4, 4)
    h = mg.ones(1, 4)
    for _ in range(2):
        h = cell(h.detach()).tanh()
        (h * h).sum().backward()
    return cell.weight.grad


@error(
    "backward-of-several-losses",
    """
GraphError: backward() without a gradient needs one element, this tensor has shape [8]; reduce it
  (y.sum(), y.mean()) or pass gradient=
""",
)
def backward_of_several_losses() -> Any:
    x, y = data()
    nn.CrossEntropyLoss(reduction="none")(network()(x), y).backward()


@backward_of_several_losses.cured
def _() -> Any:
    x, y = data()
    net = network()
    nn.CrossEntropyLoss(reduction="none")(net(x), y).mean().backward()
    return net[0].weight.grad


@error(
    "backward-under-no-grad",
    """
GraphError: this float32[] tensor has no graph: nothing that it was computed from requires grad,
  or it was computed under no_grad or detached
""",
)
def backward_under_no_grad() -> Any:
    x, y = data()
    with mg.no_grad():
        loss = nn.CrossEntropyLoss()(network()(x), y)
    loss.backward()


@backward_under_no_grad.cured
def _() -> Any:
    x, y = data()
    net = network()
    nn.CrossEntropyLoss()(net(x), y).backward()
    return net[0].weight.grad


@error(
    "loss-made-of-a-number",
    """
GraphError: this float32[] tensor has no graph: nothing that it was computed from requires grad,
  or it was computed under no_grad or detached
""",
)
def loss_made_of_a_number() -> Any:
    x, y = data()
    loss = nn.CrossEntropyLoss()(network()(x), y)
    mg.tensor(loss.item()).backward()


@loss_made_of_a_number.cured
def _() -> Any:
    x, y = data()
    loss = nn.CrossEntropyLoss()(network()(x), y)
    loss.backward()
    return loss.item()


@error(
    "saved-array-changed",
    """
MutationError: backward of exp needs a float32[2] array that was changed in place by add_ after
  exp had saved it
  changed at errors.py:N: y += 1.0
  exp ran at (mg.detect_anomaly() shows the line)
  fix: make the change out of place, x = x + y instead of x += y, or change a copy, x.clone()
""",
)
def saved_array_changed() -> Any:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    y += 1.0
    y.sum().backward()


@saved_array_changed.cured
def _() -> Any:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    y = y + 1.0
    y.sum().backward()
    return x.grad


@error(
    "parameter-changed-before-backward",
    """
MutationError: backward of linear needs a float32[3, 8] array that was changed in place by
  SGD.step after linear had saved it
  changed at errors.py:N: optimizer.step()
  linear ran at (mg.detect_anomaly() shows the line)
  fix: run every backward before the optimiser's step, or compute the loss again after it
""",
)
def parameter_changed_before_backward() -> Any:
    x, y = data()
    net = network()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(2):
        first = nn.CrossEntropyLoss()(net(x), y)
        second = nn.CrossEntropyLoss()(net(x), y)
        first.backward()
        optimizer.step()
        second.backward()


@parameter_changed_before_backward.cured
def _() -> Any:
    x, y = data()
    net = network()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(2):
        loss = nn.CrossEntropyLoss()(net(x), y)
        loss.backward()
        optimizer.step()
    return loss


@error(
    "parameter-updated-on-the-tape",
    """
GraphError: sub_ would change a leaf that requires grad (float32[2]) in place; its gradient would
  have no meaning. To update a parameter, do it under mg.no_grad(); to compute with it, write x =
  x + y instead of x += y
""",
)
def parameter_updated_on_the_tape() -> Any:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    w -= 0.1 * w.grad  # type: ignore[operator]


@parameter_updated_on_the_tape.cured
def _() -> Any:
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    with mg.no_grad():
        w -= 0.1 * w.grad  # type: ignore[operator]
    return w


# ---- dtypes, devices, data ----------------------------------------------------------------------


@error(
    "integers-with-gradient",
    """
TypeError: only floating tensors have gradients, this one is int64; make it with dtype=mg.float32,
  or convert it with .float()
""",
)
def integers_with_gradient() -> Any:
    return mg.tensor([1, 2, 3], requires_grad=True)


@integers_with_gradient.cured
def _() -> Any:
    return mg.tensor([1, 2, 3], dtype=mg.float32, requires_grad=True)


@error(
    "integer-parameter",
    """
TypeError: only floating tensors have gradients, this one is int64; make it with dtype=mg.float32,
  or convert it with .float()
""",
)
def integer_parameter() -> Any:
    return nn.Parameter([0, 0, 0])


@integer_parameter.cured
def _() -> Any:
    return nn.Parameter([0.0, 0.0, 0.0])


@error(
    "two-devices",
    """
DeviceMismatchError: mul(a float32[4], b float32[4] on cuda:0): the operands are on cpu and
  cuda:0; move one of them, for example with .to('cuda:0')
  at errors.py:N: return mg.ones(4) * x
""",
)
def two_devices() -> Any:
    with on_other_device(np.ones(4, np.float32)) as x:
        return mg.ones(4) * x


@two_devices.cured
def _() -> Any:
    with on_other_device(np.ones(4, np.float32)) as x:
        return mg.ones(4) * x.cpu()


@error(
    "no-such-device",
    """
DeviceError: to_device(x float32[8, 4], device='cuda'): device 'cuda:0' cannot be used: the driver
  shows no CUDA device
  at errors.py:N: return network().to("cuda")
""",
)
def no_such_device() -> Any:
    problem = "the driver shows no CUDA device"
    with patch("minigrad.backend.gpu_problem", lambda: problem):
        return network().to("cuda")


@no_such_device.cured
def _() -> Any:
    return network().to("cpu")(data()[0])


@error(
    "text-as-data",
    """
TypeError: cannot make a tensor of ['setosa', 'virginica'] (it would be <U9); tensors hold bools,
  ints and floats: turn text into numbers first
""",
)
def text_as_data() -> Any:
    return mg.tensor(["setosa", "virginica"])


@text_as_data.cured
def _() -> Any:
    names = ["setosa", "virginica"]
    return mg.tensor([names.index(name) for name in names])


@error(
    "rows-of-different-lengths",
    """
ValueError: cannot make a tensor of [[1.0, 2.0], [3.0]]: its rows have different lengths (pad them
  to one length first); NumPy says: setting an array element with a sequence. The requested array
  has an inhomogeneous shape after 1 dimensions. The detected shape was (2,) + inhomogeneous part.
""",
)
def rows_of_different_lengths() -> Any:
    return mg.tensor([[1.0, 2.0], [3.0]])


@rows_of_different_lengths.cured
def _() -> Any:
    return mg.tensor([[1.0, 2.0], [3.0, 0.0]])


@error(
    "word-out-of-vocabulary",
    """
IndexError: embedding(ids int64[3], weight float32[10, 4], padding_idx=None): id 10 is out of
  range: the table has rows 0 to 9
  at errors.py:N: return mg.embedding(mg.tensor([0, 7, 10]), mg.ones(10, 4))
""",
)
def word_out_of_vocabulary() -> Any:
    return mg.embedding(mg.tensor([0, 7, 10]), mg.ones(10, 4))


@word_out_of_vocabulary.cured
def _() -> Any:
    return mg.embedding(mg.tensor([0, 7, 9]), mg.ones(10, 4))


# ---- shapes -------------------------------------------------------------------------------------


@error(
    "flatten-to-another-size",
    """
ValueError: linear(x float32[2, 4096], weight float32[128, 2304], bias float32[128]): x has 4096
  features in its last axis, the weight expects 2304 (shape (out=128, in=2304)); make the layer
  nn.Linear(4096, 128), or change what comes before it
  at errors.py:N: return nn.Linear(64 * 6 * 6, 128)(maps.flatten(1))
""",
)
def flatten_to_another_size() -> Any:
    maps = mg.ones(2, 64, 8, 8)  # what D4's convolutions make of 32 x 32 images
    return nn.Linear(64 * 6 * 6, 128)(maps.flatten(1))


@flatten_to_another_size.cured
def _() -> Any:
    maps = mg.ones(2, 64, 8, 8)
    return nn.Linear(64 * 8 * 8, 128)(maps.flatten(1))


@error(
    "view-to-another-size",
    """
ValueError: view(x float32[2, 64, 8, 8], size=(-1, 2304)): [2, 64, 8, 8] has 8192 elements, [-1,
  2304] holds a multiple of 2304; each of the 2 examples has 64 * 8 * 8 = 4096: flatten(1) keeps
  them apart whatever their size
  at errors.py:N: return mg.ones(2, 64, 8, 8).view(-1, 64 * 6 * 6)
""",
)
def view_to_another_size() -> Any:
    return mg.ones(2, 64, 8, 8).view(-1, 64 * 6 * 6)


@view_to_another_size.cured
def _() -> Any:
    return mg.ones(2, 64, 8, 8).flatten(1)


@error(
    "view-mixes-examples",
    """
ValueError: cross_entropy(x float32[16, 10], target int64[9], weight None, ignore_index=-100,
  reduction='mean', label_smoothing=0.0): the input has shape [16, 10], so the class labels must
  have shape [16], not [9]; if the model got as many examples as there are labels, it changed
  their number: keep the first axis, flatten(1) in place of reshape(-1, n)
  at errors.py:N: return nn.CrossEntropyLoss()(nn.Linear(64 * 6 * 6, 10)(rows), mg.zeros(9,
    dtype=mg.int64))
""",
)
def view_mixes_examples() -> Any:
    rows = mg.ones(9, 64, 8, 8).view(-1, 64 * 6 * 6)  # 9 * 4096 = 16 * 2304
    return nn.CrossEntropyLoss()(nn.Linear(64 * 6 * 6, 10)(rows), mg.zeros(9, dtype=mg.int64))


@view_mixes_examples.cured
def _() -> Any:
    rows = mg.ones(9, 64, 8, 8).flatten(1)
    return nn.CrossEntropyLoss()(nn.Linear(64 * 8 * 8, 10)(rows), mg.zeros(9, dtype=mg.int64))


@error(
    "layers-that-do-not-fit",
    """
ValueError: linear(x float32[8, 8], weight float32[3, 16], bias float32[3]): x has 8 features in
  its last axis, the weight expects 16 (shape (out=3, in=16)); make the layer nn.Linear(8, 3), or
  change what comes before it
  at errors.py:N: return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(16, 3))(data()[0])
""",
)
def layers_that_do_not_fit() -> Any:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(16, 3))(data()[0])


@layers_that_do_not_fit.cured
def _() -> Any:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))(data()[0])


@error(
    "images-not-flattened",
    """
ValueError: linear(x float32[32, 28, 28], weight float32[10, 784], bias float32[10]): x has 28
  features in its last axis, the weight expects 784 (shape (out=10, in=784)); flatten each sample
  into one axis first: x.reshape(32, 784)
  at errors.py:N: return nn.Linear(784, 10)(mg.ones(32, 28, 28))
""",
)
def images_not_flattened() -> Any:
    return nn.Linear(784, 10)(mg.ones(32, 28, 28))


@images_not_flattened.cured
def _() -> Any:
    return nn.Linear(784, 10)(mg.ones(32, 28, 28).flatten(1))


@error(
    "weight-times-rows",
    """
ValueError: matmul(a float32[3, 4], b float32[8, 4]): the last axis of a is 4, the axis before the
  last of b is 8, and they must be equal; b.mT (b transposed) would fit
  at errors.py:N: return W @ x
""",
)
def weight_times_rows() -> Any:
    W, (x, _) = mg.ones(3, 4), data()
    return W @ x


@weight_times_rows.cured
def _() -> Any:
    W, (x, _) = mg.ones(3, 4), data()
    return x @ W.T


@error(
    "shapes-that-do-not-broadcast",
    """
ValueError: sub(a float32[8, 4], b float32[8]): axis -1 is 4 in the first operand and 8 in the
  second; sizes must be equal or 1, counted from the last axis (reshape one operand, or add an
  axis of size 1 with unsqueeze)
  at errors.py:N: return mg.ones(8, 4) - mg.ones(8)
""",
)
def shapes_that_do_not_broadcast() -> Any:
    return mg.ones(8, 4) - mg.ones(8)


@shapes_that_do_not_broadcast.cured
def _() -> Any:
    return mg.ones(8, 4) - mg.ones(8).unsqueeze(1)


@error(
    "channels-last",
    """
ValueError: conv2d(x float32[8, 32, 32, 3], weight float32[16, 3, 3, 3], bias None, stride=1,
  padding=0, dilation=1, groups=1): x has 32 channels (axis 1), the weight expects 3 (its second
  axis, 3, times groups=1); x has its channels last: move them, x.movedim(-1, -3)
  at errors.py:N: return mg.conv2d(mg.ones(8, 32, 32, 3), mg.ones(16, 3, 3, 3))
""",
)
def channels_last() -> Any:
    return mg.conv2d(mg.ones(8, 32, 32, 3), mg.ones(16, 3, 3, 3))


@channels_last.cured
def _() -> Any:
    return mg.conv2d(mg.ones(8, 32, 32, 3).movedim(-1, -3), mg.ones(16, 3, 3, 3))


@error(
    "image-without-channel",
    """
ValueError: conv2d(x float32[28, 28], weight float32[16, 1, 3, 3], bias None, stride=1, padding=0,
  dilation=1, groups=1): x has shape [28, 28]; it must be (N, C, H, W), or (C, H, W) for one
  image; give one channel an axis: x[None]
  at errors.py:N: return mg.conv2d(mg.ones(28, 28), mg.ones(16, 1, 3, 3))
""",
)
def image_without_channel() -> Any:
    return mg.conv2d(mg.ones(28, 28), mg.ones(16, 1, 3, 3))


@image_without_channel.cured
def _() -> Any:
    return mg.conv2d(mg.ones(28, 28)[None], mg.ones(16, 1, 3, 3))


@error(
    "batch-norm-of-one-example",
    """
ValueError: batch_norm: x has shape [1, 4], one value for each channel, so its variance is 0 and
  nothing would be left; train with a batch of at least 2 (a last batch of 1 comes from
  drop_last=False), or set training=False
  at errors.py:N: return nn.BatchNorm1d(4)(mg.ones(1, 4))
""",
)
def batch_norm_of_one_example() -> Any:
    return nn.BatchNorm1d(4)(mg.ones(1, 4))


@batch_norm_of_one_example.cured
def _() -> Any:
    return nn.BatchNorm1d(4)(data()[0])


# ---- the optimiser ------------------------------------------------------------------------------


@error(
    "parameters-read-twice",
    """
ValueError: Adam got no parameters. model.parameters() can be read only once; and layers in a
  plain list are not seen, keep them in nn.Sequential or nn.ModuleList
""",
)
def parameters_read_twice() -> Any:
    parameters = network().parameters()
    optim.SGD(parameters, lr=0.1)
    return optim.Adam(parameters)


@parameters_read_twice.cured
def _() -> Any:
    parameters = list(network().parameters())
    optim.SGD(parameters, lr=0.1)
    optim.Adam(parameters)


@error(
    "optimiser-of-one-tensor",
    """
TypeError: SGD takes a list of parameters, not one Tensor: wrap it in [ ]
""",
)
def optimiser_of_one_tensor() -> Any:
    return optim.SGD(mg.ones(2, requires_grad=True), lr=0.1)


@optimiser_of_one_tensor.cured
def _() -> Any:
    optim.SGD([mg.ones(2, requires_grad=True)], lr=0.1)


@error(
    "optimiser-of-a-set",
    """
TypeError: SGD takes a list of parameters, not a set, which has no order: pass a list
""",
)
def optimiser_of_a_set() -> Any:
    return optim.SGD(set(network().parameters()), lr=0.1)


@optimiser_of_a_set.cured
def _() -> Any:
    optim.SGD(list(network().parameters()), lr=0.1)


@error(
    "optimiser-of-a-model",
    """
TypeError: SGD takes a list of parameters, not a Linear: pass model.parameters()
""",
)
def optimiser_of_a_model() -> Any:
    return optim.SGD(nn.Linear(4, 3), lr=0.1)  # type: ignore[arg-type]


@optimiser_of_a_model.cured
def _() -> Any:
    optim.SGD(nn.Linear(4, 3).parameters(), lr=0.1)


@error(
    "parameters-not-called",
    """
TypeError: SGD takes a list of parameters, not a method: pass model.parameters()
""",
)
def parameters_not_called() -> Any:
    return optim.SGD(network().parameters, lr=0.1)  # type: ignore[arg-type]


@parameters_not_called.cured
def _() -> Any:
    optim.SGD(network().parameters(), lr=0.1)


@error(
    "named-parameters-optimised",
    """
TypeError: SGD: parameter 0 of group 0 is a tuple, not a Tensor (pass model.parameters(), not
  named_parameters())
""",
)
def named_parameters_optimised() -> Any:
    return optim.SGD(network().named_parameters(), lr=0.1)


@named_parameters_optimised.cured
def _() -> Any:
    optim.SGD((p for _, p in network().named_parameters()), lr=0.1)


@error(
    "computed-tensor-optimised",
    """
ValueError: SGD: parameter 0 of group 0 was computed by <mul float32[4, 3]>, and only leaves can
  be optimised: call requires_grad_() on the final tensor, or pass x.detach().requires_grad_()
""",
)
def computed_tensor_optimised() -> Any:
    w = mg.ones(4, 3, requires_grad=True) * 0.01
    return optim.SGD([w], lr=0.1)


@computed_tensor_optimised.cured
def _() -> Any:
    w = (mg.ones(4, 3) * 0.01).requires_grad_()
    optim.SGD([w], lr=0.1)


@error(
    "parameter-listed-twice",
    """
ValueError: SGD: parameter 4 of group 0 (float32[8, 4]) occurs twice; list it once
""",
)
def parameter_listed_twice() -> Any:
    net = network()
    return optim.SGD([*net.parameters(), net[0].weight], lr=0.1)


@parameter_listed_twice.cured
def _() -> Any:
    optim.SGD([*network().parameters()], lr=0.1)


@error(
    "negative-learning-rate",
    """
ValueError: SGD: lr must be a number >= 0, not -0.1
""",
)
def negative_learning_rate() -> Any:
    return optim.SGD(network().parameters(), lr=-0.1)


@negative_learning_rate.cured
def _() -> Any:
    optim.SGD(network().parameters(), lr=0.1)


# ---- modules ------------------------------------------------------------------------------------


class PlainList(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(4, 8), nn.Linear(8, 3)]


@error(
    "layers-in-a-plain-list",
    """
UserWarning: PlainList.layers is a plain list of modules: their parameters are not seen; use
  nn.ModuleList or nn.Sequential (nn.ModuleDict)
""",
)
def layers_in_a_plain_list() -> Any:
    return PlainList()


@layers_in_a_plain_list.cured
def _() -> Any:
    class Listed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(4, 8), nn.Linear(8, 3)])

    return len(list(Listed().parameters()))


class NoSuper(nn.Module):
    def __init__(self) -> None:
        self.layer = nn.Linear(4, 3)


@error(
    "super-init-forgotten",
    """
AttributeError: NoSuper is not set up: call super().__init__() first in NoSuper.__init__, before
  it sets parameters and modules
""",
)
def super_init_forgotten() -> Any:
    return NoSuper()


@super_init_forgotten.cured
def _() -> Any:
    class Super(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 3)

    return len(list(Super().parameters()))


class Misspelt(nn.Module):
    def foward(self, x: Any) -> Any:
        return x


@error(
    "forward-misspelt",
    """
NotImplementedError: Misspelt has no forward; rename 'foward' to 'forward'
""",
)
def forward_misspelt() -> Any:
    return Misspelt()(data()[0])


@forward_misspelt.cured
def _() -> Any:
    class Spelt(nn.Module):
        def forward(self, x: Any) -> Any:
            return x

    return Spelt()(data()[0])


@error(
    "class-for-a-layer",
    """
TypeError: Sequential: part 1 is the class ReLU, not a Module; write ReLU(...)
""",
)
def class_for_a_layer() -> Any:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU, nn.Linear(8, 3))  # type: ignore[arg-type]


@class_for_a_layer.cured
def _() -> Any:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))(data()[0])


@error(
    "tensor-for-a-parameter",
    """
TypeError: Linear.weight is a parameter: it can be set to a Parameter or None, not to Tensor; to
  change its values, write into it under mg.no_grad(); to use the name otherwise, del it
""",
)
def tensor_for_a_parameter() -> Any:
    layer = nn.Linear(4, 3)
    layer.weight = mg.zeros(3, 4)  # type: ignore[assignment]


@tensor_for_a_parameter.cured
def _() -> Any:
    layer = nn.Linear(4, 3)
    layer.weight = nn.Parameter(mg.zeros(3, 4))
    return layer(data()[0])


@error(
    "dropout-in-percent",
    """
ValueError: p is the probability of dropping an element, from 0 to 1, not 20
""",
)
def dropout_in_percent() -> Any:
    return nn.Dropout(20)


@dropout_in_percent.cured
def _() -> Any:
    return nn.Dropout(0.2)(data()[0])


@error(
    "state-of-another-size",
    """
RuntimeError: the state does not fit Linear, nothing was loaded:
  weight: the shape is [10, 4] here and [3, 4] in the state
  bias: the shape is [10] here and [3] in the state
  fix: build the module with the sizes that it had when saving (strict=False loads no other sizes
    either)
""",
)
def state_of_another_size() -> Any:
    nn.Linear(4, 10).load_state_dict(nn.Linear(4, 3).state_dict())


@state_of_another_size.cured
def _() -> Any:
    nn.Linear(4, 3).load_state_dict(nn.Linear(4, 3).state_dict())


@error(
    "state-of-other-names",
    """
RuntimeError: the state does not fit Sequential, nothing was loaded:
  missing: 0.weight, 0.bias
  unexpected: weight, bias
  fix: build the module as it was when saving, or pass strict=False to load the rest
""",
)
def state_of_other_names() -> Any:
    nn.Sequential(nn.Linear(4, 3)).load_state_dict(nn.Linear(4, 3).state_dict())


@state_of_other_names.cured
def _() -> Any:
    nn.Sequential(nn.Linear(4, 3))[0].load_state_dict(nn.Linear(4, 3).state_dict())


# ---- out of the graph, into Python --------------------------------------------------------------


@error(
    "item-of-several",
    """
ValueError: item() needs one element, this tensor has 6 (shape [2, 3]); reduce it first, or use
  .tolist()
""",
)
def item_of_several() -> Any:
    return mg.ones(2, 3).item()


@item_of_several.cured
def _() -> Any:
    return mg.ones(2, 3).mean().item()


@error(
    "numpy-of-a-graph",
    """
GraphError: numpy() on a tensor that requires grad would drop it from the graph without a word;
  say so with .detach().numpy()
""",
)
def numpy_of_a_graph() -> Any:
    return network()(data()[0]).numpy()


@numpy_of_a_graph.cured
def _() -> Any:
    return network()(data()[0]).detach().numpy()


@error(
    "truth-of-several",
    """
ValueError: the truth of a tensor of 32 elements is not one answer; say .any() or .all()
""",
)
def truth_of_several() -> Any:
    x, _ = data()
    if x > 0:
        return x


@truth_of_several.cured
def _() -> Any:
    x, _ = data()
    return mg.where(x > 0, x, 0.0) if (x > 0).any() else x


@error(
    "copy-of-a-computed-tensor",
    """
GraphError: only leaves can be deep-copied, this tensor is part of a graph; use .clone() to stay
  in the graph, or .detach().clone()
""",
)
def copy_of_a_computed_tensor() -> Any:
    import copy

    return copy.deepcopy(network()(data()[0]))


@copy_of_a_computed_tensor.cured
def _() -> Any:
    return network()(data()[0]).detach().clone()
