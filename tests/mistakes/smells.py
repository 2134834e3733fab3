"""Mistakes that run without a word, and what `minigrad.check.lint` says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.check import Findings, lint
from minigrad.data import StandardScaler, load_iris, train_test_split
from mistakes.catalogue import smell

CE = nn.CrossEntropyLoss()


def data(n: int = 32) -> tuple[mg.Tensor, mg.Tensor]:
    """Return examples of 4 features, and labels of 3 classes."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 4)).astype(np.float32)
    return mg.tensor(x), mg.tensor((x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0))


def network(*last: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), *last)


def set_values(parameter: nn.Parameter, values: Any) -> None:
    with mg.no_grad():
        parameter.copy_(mg.tensor(np.broadcast_to(np.float32(values), parameter.shape).copy()))


# ---- the loss -----------------------------------------------------------------------------------


@smell(
    "double-softmax",
    """
1 finding: one step of training of Sequential on 32 examples
error    double-softmax: '3' (Softmax)
  seen   cross_entropy applies a softmax itself and here gets probabilities, so its gradient
         shrinks: each row of the output sums to 1, and its largest value is 0.463
  cure   remove the softmax; take it only to show probabilities
""",
)
def double_softmax() -> Findings:
    return lint(network(nn.Softmax(dim=1)), CE, data())


@double_softmax.cured
def _() -> Findings:
    return lint(network(), CE, data())


@smell(
    "double-softmax by hand",
    """
1 finding: one step of training of Sequential on 32 examples
error    double-softmax: the output
  seen   cross_entropy applies a softmax itself and here gets probabilities, so its gradient
         shrinks: each row of the output sums to 1, and its largest value is 0.463
  cure   remove the softmax; take it only to show probabilities
""",
)
def double_softmax_by_hand() -> Findings:
    class Probabilities(nn.Module):
        def forward(self, x: Any) -> Any:
            e = mg.exp(x)
            return e / e.sum(dim=1, keepdim=True)

    return lint(network(Probabilities()), CE, data())


@double_softmax_by_hand.cured
def _() -> Findings:
    return lint(network(), CE, data())


@smell(
    "double-sigmoid",
    """
1 finding: one step of training of Sequential on 32 examples
error    double-sigmoid: '1' (Sigmoid)
  seen   binary_cross_entropy_with_logits applies a sigmoid itself and here gets probabilities
  cure   remove the sigmoid, or use binary_cross_entropy
""",
)
def double_sigmoid() -> Findings:
    x, y = data()
    model = nn.Sequential(nn.Linear(4, 1), nn.Sigmoid(), nn.Flatten(0))
    return lint(model, nn.BCEWithLogitsLoss(), (x, (y > 0).float()))


@double_sigmoid.cured
def _() -> Findings:
    x, y = data()
    model = nn.Sequential(nn.Linear(4, 1), nn.Flatten(0))
    return lint(model, nn.BCEWithLogitsLoss(), (x, (y > 0).float()))


@smell(
    "wrong-softmax-axis",
    """
1 finding: one step of training of Sequential on 32 examples
error    wrong-softmax-axis: '3' (LogSoftmax)
  seen   log_softmax over dim=0 of shape [32, 3]: it shares 1 among the 32 examples of the
         batch, not among the 3 classes
  cure   take it over the classes: dim=-1
""",
)
def wrong_softmax_axis() -> Findings:
    return lint(network(nn.LogSoftmax(dim=0)), nn.NLLLoss(), data())


@wrong_softmax_axis.cured
def _() -> Findings:
    return lint(network(nn.LogSoftmax(dim=1)), nn.NLLLoss(), data())


@smell(
    "nll-needs-log-probabilities",
    """
1 finding: one step of training of Sequential on 32 examples
error    nll-needs-log-probabilities: the output
  seen   nll_loss takes logarithms of probabilities, but exp of the output's rows sums to 4.19
         at least and 4.21 at most, not to 1
  cure   put nn.LogSoftmax(dim=-1) last, or use nn.CrossEntropyLoss on the scores
""",
)
def nll_of_scores() -> Findings:
    return lint(network(nn.Softmax(dim=1)), nn.NLLLoss(), data())


@nll_of_scores.cured
def _() -> Findings:
    return lint(network(nn.LogSoftmax(dim=1)), nn.NLLLoss(), data())


@smell(
    "relu-output",
    """
1 finding: one step of training of Sequential on 32 examples
error    relu-output: '3' (ReLU)
  seen   cross_entropy takes scores of both signs; after ReLU 75% are 0, and get no gradient
  cure   remove the activation after the last layer
""",
)
def relu_output() -> Findings:
    return lint(network(nn.ReLU()), CE, data())


@relu_output.cured
def _() -> Findings:
    return lint(network(), CE, data())


@smell(
    "broadcast-loss",
    """
1 finding: one step of training of Linear on 32 examples
error    broadcast-loss: the loss
  seen   sub of the output [32, 1] and the target [32] is [32, 32]: each output is compared with
         every target
  cure   give both one shape first: output.reshape([32])
""",
)
def broadcast_loss() -> Findings:
    x, y = data()
    return lint(nn.Linear(4, 1), lambda out, goal: ((out - goal) ** 2).mean(), (x, y.float()))


@broadcast_loss.cured
def _() -> Findings:
    x, y = data()

    def loss_fn(out: Any, goal: Any) -> Any:
        return ((out.squeeze(1) - goal) ** 2).mean()

    return lint(nn.Linear(4, 1), loss_fn, (x, y.float()))


@smell(
    "worse-than-guessing",
    """
1 finding: one step of training of Sequential on 32 examples
warning  worse-than-guessing: the loss
  seen   the loss is 15.1; equal chances for all 3 classes would have ln 3 = 1.1, so the model
         is sure and wrong
  cure   before training: smaller first weights, scaled data; else look at the labels and the
         learning rate
""",
)
def worse_than_guessing() -> Findings:
    model = network()
    with mg.no_grad():
        for p in model.parameters():
            p *= 12.0
    return lint(model, CE, data())


@worse_than_guessing.cured
def _() -> Findings:
    return lint(network(), CE, data())


@smell(
    "not-finite-loss",
    """
1 finding: one step of training of Sequential on 32 examples
error    not-finite-loss: the loss
  seen   the loss is nan: log made 7 infinities among 32 values at smells.py:N: return -(goal
         * mg.log(p) + (1 - goal) * mg.log(1 - p)).mean()
  cure   use a loss that takes scores (cross_entropy, binary_cross_entropy_with_logits), keep
         log and division away from 0, and look at the data
""",
)
def not_finite_loss() -> Findings:
    x, y = data()
    model = nn.Sequential(nn.Linear(4, 1), nn.Sigmoid())
    set_values(model[0].weight, 100.0)

    def loss_fn(p: Any, goal: Any) -> Any:
        return -(goal * mg.log(p) + (1 - goal) * mg.log(1 - p)).mean()

    return lint(model, loss_fn, (x, (y > 0).float().unsqueeze(1)))


@not_finite_loss.cured
def _() -> Findings:
    x, y = data()
    model = nn.Sequential(nn.Linear(4, 1))
    set_values(model[0].weight, 100.0)
    return lint(model, nn.BCEWithLogitsLoss(), (x, (y > 0).float().unsqueeze(1)))


@smell(
    "no-graph",
    """
1 finding: one step of training of Sequential on 32 examples
error    no-graph: the loss
  seen   the output has a graph and the loss has none: the loss function leaves it
  cure   compute the loss from the output itself, with minigrad's ops: no item(), numpy(),
         detach() or argmax() on the way
""",
)
def no_graph() -> Findings:
    return lint(network(), lambda out, y: CE(out.detach(), y), data())


@no_graph.cured
def _() -> Findings:
    return lint(network(), CE, data())


@smell(
    "no-graph behind a forward without gradients",
    """
1 finding: one step of training of Frozen on 32 examples
error    no-graph: the loss
  seen   the output has no graph: the forward leaves it
  cure   no detach(), numpy(), mg.tensor(...) or no_grad inside forward
""",
)
def no_graph_forward() -> Findings:
    class Frozen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 3)

        @mg.no_grad()
        def forward(self, x: Any) -> Any:
            return self.layer(x)

    return lint(Frozen(), CE, data())


@no_graph_forward.cured
def _() -> Findings:
    return lint(nn.Linear(4, 3), CE, data())


# ---- the data -----------------------------------------------------------------------------------


@smell(
    "not-finite-data",
    """
2 findings: one step of training of Sequential on 32 examples
error    not-finite-data: the batch's input
  seen   2 NaN and 0 infinite of 128 values, in 2 of 32 examples, the first at [3, 2]
  cure   leave these examples out, or fill the gaps before training
error    not-finite-loss: the loss
  seen   the loss is nan: linear made 16 NaNs among 256 values at smells.py:N: return
         lint(network(), CE, (mg.tensor(rows), y), training=True)
  cure   use a loss that takes scores (cross_entropy, binary_cross_entropy_with_logits), keep
         log and division away from 0, and look at the data
""",
)
def not_finite_data() -> Findings:
    x, y = data()
    rows = x.numpy().copy()
    rows[3, 2] = rows[17, 0] = np.nan
    return lint(network(), CE, (mg.tensor(rows), y), training=True)


@not_finite_data.cured
def _() -> Findings:
    return lint(network(), CE, data())


@smell(
    "unscaled-data",
    """
2 findings: one step of training of Sequential on 32 examples
warning  unscaled-data: the batch's input
  seen   feature 1 has root mean square 4.5e+03, feature 2 0.00959
  cure   standardise each feature, (x - mean) / std, with the mean and std of the training data
         alone; divide pixels by 255
warning  worse-than-guessing: the loss
  seen   the loss is 382; equal chances for all 3 classes would have ln 3 = 1.1, so the model is
         sure and wrong
  cure   before training: smaller first weights, scaled data; else look at the labels and the
         learning rate
""",
)
def unscaled_data() -> Findings:
    x, y = data()
    return lint(network(), CE, (x * mg.tensor([1.0, 5000.0, 0.01, 1.0]), y))


@unscaled_data.cured
def _() -> Findings:
    x, y = data()
    x = x * mg.tensor([1.0, 5000.0, 0.01, 1.0])
    x = (x - x.mean(dim=0)) / x.std(dim=0)
    return lint(network(), CE, (x, y))


@smell(
    "mixed-dtype",
    """
1 finding: one step of training of Sequential on 32 examples
warning  mixed-dtype: the batch's input
  seen   it is float64, the parameters are float32: every layer computes in float64 and casts
         its parameters to it at each call
  cure   convert the data once: x.float()
""",
)
def mixed_dtype() -> Findings:
    x, y = data()
    return lint(network(), CE, (mg.tensor(x.numpy().astype(np.float64)), y))


@mixed_dtype.cured
def _() -> Findings:
    x, y = data()
    return lint(network(), CE, (mg.tensor(x.numpy().astype(np.float64)).float(), y))


@smell(
    "input-requires-grad",
    """
1 finding: one step of training of Sequential on 32 examples
warning  input-requires-grad: the batch's input
  seen   it requires grad, so each step computes and adds up a gradient that no one uses
  cure   make data without requires_grad; only parameters need it
""",
)
def input_requires_grad() -> Findings:
    x, y = data()
    return lint(network(), CE, (mg.tensor(x.numpy(), requires_grad=True), y))


@input_requires_grad.cured
def _() -> Findings:
    return lint(network(), CE, data())


@smell(
    "one-class-batch",
    """
1 finding: one step of training of Sequential on 20 examples
warning  one-class-batch: the batch's target
  seen   all 20 labels are 0, of 3 classes
  cure   shuffle the examples before cutting them into batches (shuffle=True)
""",
)
def one_class_batch() -> Findings:
    x, y = data(96)
    order = np.argsort(y.numpy(), kind="stable")[:20]  # the first batch of sorted data
    return lint(network(), CE, (x[order], y[order]))


@one_class_batch.cured
def _() -> Findings:
    x, y = data(96)
    order = np.random.default_rng(0).permutation(96)[:20]
    return lint(network(), CE, (x[order], y[order]))


@smell(
    "target-in-input",
    """
1 finding: one step of training of Linear on 32 examples
error    target-in-input: the batch's input
  seen   feature 4 equals the target in all 32 examples
  cure   take the target's column out of the input
""",
)
def target_in_input() -> Findings:
    x, y = data()
    table = mg.cat([x, y.float().unsqueeze(1)], dim=1)  # with the column to be predicted
    return lint(nn.Linear(5, 3), CE, (table, y))


@target_in_input.cured
def _() -> Findings:
    x, y = data()
    table = mg.cat([x, y.float().unsqueeze(1)], dim=1)
    return lint(nn.Linear(4, 3), CE, (table[:, :4], y))


@smell(
    "fitted-before-split",
    """
1 finding: a scaler and the test rows
error    fitted-before-split: StandardScaler
  seen   it was fitted on 150 rows, and 30 of 30 test rows are among them: the test set has
         steered the training
  cure   split first; then scaler.fit(x_train), and transform both parts with it
""",
)
def fitted_before_split() -> Findings:
    x = load_iris().x
    train, test = train_test_split(len(x), 0.2, seed=42)
    scaler = StandardScaler().fit(x)  # D2's order
    scaler.transform(x[train])
    return Findings(scaler.check_leak(x[test]), "a scaler and the test rows")


@fitted_before_split.cured
def _() -> Findings:
    x = load_iris().x
    train, test = train_test_split(len(x), 0.2, seed=42)
    scaler = StandardScaler().fit(x[train])
    scaler.transform(x[train])
    return Findings(scaler.check_leak(x[test]), "a scaler and the test rows")


# ---- layers and gradients -----------------------------------------------------------------------


@smell(
    "no-nonlinearity",
    """
1 finding: one step of training of Sequential on 32 examples
warning  no-nonlinearity: '1' (Linear)
  seen   it takes what '0' (Linear) gives, with nothing between: linear layers in a row can do
         no more than one
  cure   put an activation such as nn.ReLU() between them
""",
)
def no_nonlinearity() -> Findings:
    return lint(nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3)), CE, data())


@no_nonlinearity.cured
def _() -> Findings:
    return lint(network(), CE, data())


@smell(
    "dead-relu",
    """
1 finding: one step of training of Sequential on 32 examples
warning  dead-relu: '1' (ReLU)
  seen   6 of 8 units are 0 on all 32 examples, so they get no gradient and stay so
  cure   a lower learning rate, smaller or newly drawn weights (biases that are not far below
         0), scaled data, or nn.LeakyReLU
""",
)
def dead_relu() -> Findings:
    model = network()
    set_values(model[0].bias, [-30.0] * 6 + [0.0] * 2)
    return lint(model, CE, data())


@dead_relu.cured
def _() -> Findings:
    model = network()
    set_values(model[0].bias, 0.0)
    return lint(model, CE, data())


class Functional(nn.Module):
    """A network whose activation is no module."""

    def __init__(self, function: Callable[[Any], Any], bias: float) -> None:
        super().__init__()
        self.function = function
        self.hidden, self.out = nn.Linear(4, 8), nn.Linear(8, 3)
        set_values(self.hidden.bias, bias)

    def forward(self, x: Any) -> Any:
        return self.out(self.function(self.hidden(x)))


@smell(
    "saturated",
    """
1 finding: one step of training of Functional on 32 examples
warning  saturated: tanh after 'hidden' (Linear)
  seen   100% of its values lie where the slope of tanh is below 1% of its greatest: hardly any
         gradient passes
  cure   scale the data, draw smaller first weights (nn.init.xavier_uniform_), or use ReLU
""",
)
def saturated() -> Findings:
    return lint(Functional(mg.tanh, -12.0), CE, data())


@saturated.cured
def _() -> Findings:
    return lint(Functional(mg.tanh, 0.0), CE, data())


@smell(
    "equal-units",
    """
1 finding: one step of training of Sequential on 32 examples
error    equal-units: 0.weight
  seen   all 8 units (rows) have the same weights and the same gradient, so no step will ever
         make them differ
  cure   draw the weights at random, as the layer does by itself; only biases start at 0
""",
)
def equal_units() -> Findings:
    model = network()
    for layer in (model[0], model[2]):
        set_values(layer.weight, 0.5)
        set_values(layer.bias, 0.0)
    return lint(model, CE, data())


@equal_units.cured
def _() -> Findings:
    model = network()
    for layer in (model[0], model[2]):
        set_values(layer.bias, 0.0)
    return lint(model, CE, data())


def deep(activation: type[nn.Module], gain: float = 1.0) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(10):
        layers += [nn.Linear(4 if i == 0 else 16, 16), activation()]
    model = nn.Sequential(*layers, nn.Linear(16, 3))
    with mg.no_grad():
        for p in model.parameters():
            p *= gain
    return model


@smell(
    "vanishing-gradient",
    """
1 finding: one step of training of Sequential on 32 examples
warning  vanishing-gradient: 0.weight
  seen   the gradient's norm falls from 0.62 in 20.weight to 9.1e-10 in 0.weight: the first
         layer gets 1e-09 of the last one's
  cure   ReLU in place of sigmoid or tanh, first weights for it (nn.init.kaiming_normal_),
         normalisation layers, shortcuts, or fewer layers
""",
)
def vanishing_gradient() -> Findings:
    return lint(deep(nn.Sigmoid), CE, data())


@vanishing_gradient.cured
def _() -> Findings:
    model = deep(nn.ReLU)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return lint(model, CE, data())


@smell(
    "exploding-gradient",
    """
2 findings: one step of training of Sequential on 32 examples
error    exploding-gradient: 20.weight
  seen   the gradient's norm is 4.3e+05, 5e+04 times that of the weights
  cure   smaller first weights, scaled data, normalisation layers, or clipping of the gradient's
         norm
warning  worse-than-guessing: the loss
  seen   the loss is 7.45e+05; equal chances for all 3 classes would have ln 3 = 1.1, so the
         model is sure and wrong
  cure   before training: smaller first weights, scaled data; else look at the labels and the
         learning rate
""",
)
def exploding_gradient() -> Findings:
    return lint(deep(nn.ReLU, gain=8.0), CE, data())


@exploding_gradient.cured
def _() -> Findings:
    model = deep(nn.ReLU)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return lint(model, CE, data())


# ---- parts --------------------------------------------------------------------------------------


class Grown(nn.Module):
    """Keeps its layers in a list that grows later, or in a list of the right kind."""

    def __init__(self, layers: Any) -> None:
        super().__init__()
        self.first, self.layers = nn.Linear(4, 8), layers
        for width in (8, 3):
            self.layers.append(nn.Linear(8, width))

    def forward(self, x: Any) -> Any:
        x = self.first(x)
        for layer in self.layers:
            x = layer(x.relu())
        return x


@smell(
    "hidden-part",
    """
1 finding: one step of training of Grown on 32 examples
error    hidden-part: layers
  seen   a list holds 2 modules with 99 parameters that the model does not see: they are not
         trained, saved or moved
  cure   use nn.ModuleList, nn.ModuleDict or nn.Sequential
""",
)
def hidden_part() -> Findings:
    return lint(Grown([]), CE, data())


@hidden_part.cured
def _() -> Findings:
    return lint(Grown(nn.ModuleList()), CE, data())


class Scaled(nn.Module):
    def __init__(self, scale: mg.Tensor) -> None:
        super().__init__()
        self.net, self.scale = network(), scale

    def forward(self, x: Any) -> Any:
        return self.net(x) * self.scale


@smell(
    "hidden-part that is a plain tensor",
    """
1 finding: one step of training of Scaled on 32 examples
error    hidden-part: scale
  seen   a plain Tensor [3] that requires grad: the model does not list it among its parameters,
         so it is not trained or saved
  cure   make it a parameter: nn.Parameter(...)
""",
)
def hidden_tensor() -> Findings:
    return lint(Scaled(mg.ones(3, requires_grad=True)), CE, data())


@hidden_tensor.cured
def _() -> Findings:
    return lint(Scaled(nn.Parameter(mg.ones(3))), CE, data())


def stack(blocks: list[nn.Module]) -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), *blocks, nn.ReLU(), nn.Linear(8, 3))


@smell(
    "shared-module",
    """
1 finding: one step of training of Sequential on 32 examples
warning  shared-module: 1.1, 2.1, 3.1
  seen   these are one Linear, with one set of parameters: a change to one is a change to all
  cure   make each anew, [nn.Linear(8, 8) for _ in range(3)]; if sharing is meant, register the
         module once and call it several times
""",
)
def shared_module() -> Findings:
    return lint(stack([nn.Sequential(nn.ReLU(), nn.Linear(8, 8))] * 3), CE, data())


@shared_module.cured
def _() -> Findings:
    return lint(stack([nn.Sequential(nn.ReLU(), nn.Linear(8, 8)) for _ in range(3)]), CE, data())


class TwoBranches(nn.Module):
    """A network with a second branch: not called, cut off, or used."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode, self.main, self.side = mode, network(), network()

    def forward(self, x: Any) -> Any:
        if self.mode == "idle":
            return self.main(x)
        side = self.side(x)
        return self.main(x) + (side.detach() if self.mode == "cut" else side)


@smell(
    "unused-parameter",
    """
1 finding: one step of training of TwoBranches on 32 examples
warning  unused-parameter: side.0.weight, side.0.bias, side.2.weight, side.2.bias
  seen   no gradient: the modules were not called in forward
  cure   call them, or remove them
""",
)
def unused_parameter() -> Findings:
    return lint(TwoBranches("idle"), CE, data())


@unused_parameter.cured
def _() -> Findings:
    return lint(TwoBranches("used"), CE, data())


@smell(
    "unused-parameter behind detach",
    """
1 finding: one step of training of TwoBranches on 32 examples
warning  unused-parameter: side.0.weight, side.0.bias, side.2.weight, side.2.bias
  seen   no gradient, though the modules were called: what they gave did not reach the loss
         through recorded ops
  cure   look behind them for detach(), numpy(), item(), argmax() or no_grad, or for a result
         that is not used
""",
)
def detached_branch() -> Findings:
    return lint(TwoBranches("cut"), CE, data())


@detached_branch.cured
def _() -> Findings:
    return lint(TwoBranches("used"), CE, data())


@smell(
    "not-in-optimizer",
    """
1 finding: one step of training of Sequential on 32 examples
error    not-in-optimizer: 0.weight, 0.bias
  seen   2 of 4 parameters that want a gradient are not in the optimiser, and stay as they are
  cure   pass model.parameters(), after all layers are made; freeze with requires_grad_(False)
         what is not to be trained
""",
)
def not_in_optimizer() -> Findings:
    model = network()
    optimizer = optim.SGD(model[2].parameters(), lr=0.1)
    return lint(model, CE, data(), optimizer)


@not_in_optimizer.cured
def _() -> Findings:
    model = network()
    return lint(model, CE, data(), optim.SGD(model.parameters(), lr=0.1))


@smell(
    "foreign-in-optimizer",
    """
2 findings: one step of training of Sequential on 32 examples
error    not-in-optimizer: 0.weight, 0.bias, 2.weight, 2.bias
  seen   4 of 4 parameters that want a gradient are not in the optimiser, and stay as they are
  cure   pass model.parameters(), after all layers are made; freeze with requires_grad_(False)
         what is not to be trained
error    foreign-in-optimizer: SGD
  seen   4 of its 4 tensors are not of this model, and got no gradient from this loss
  cure   make the optimiser after the model, from the model that is trained (not from a copy,
         nor from the one before)
""",
)
def foreign_in_optimizer() -> Findings:
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    model = network()  # made again, as by running a notebook's cell twice
    return lint(model, CE, data(), optimizer)


@foreign_in_optimizer.cured
def _() -> Findings:
    model = network()
    return lint(model, CE, data(), optim.SGD(model.parameters(), lr=0.1))


# ---- modes --------------------------------------------------------------------------------------


@smell(
    "eval-mode",
    """
1 finding: one step of evaluation of Sequential on 32 examples
error    eval-mode: '1' (BatchNorm1d), '3' (Dropout)
  seen   in training mode while evaluating: outputs are random, or depend on the rest of the
         batch, and differ from those of evaluation by up to 2.3
  cure   call model.eval() before evaluating, model.train() after
""",
)
def eval_mode() -> Findings:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5),
                          nn.Linear(8, 3))  # fmt: skip
    with mg.no_grad():
        return lint(model, CE, data(), training=False)


@eval_mode.cured
def _() -> Findings:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5),
                          nn.Linear(8, 3))  # fmt: skip
    model.eval()
    with mg.no_grad():
        return lint(model, CE, data(), training=False)


class Dropping(nn.Module):
    """Calls dropout as a function: tied to its mode, or always on."""

    def __init__(self, tied: bool) -> None:
        super().__init__()
        self.tied, self.net = tied, network()

    def forward(self, x: Any) -> Any:
        return mg.dropout(self.net(x), 0.5, training=self.training if self.tied else True)


@smell(
    "random-evaluation",
    """
1 finding: one step of evaluation of Dropping on 32 examples
warning  random-evaluation: the output
  seen   two evaluations of the same batch differ by up to 0.73, though no module is in training
         mode
  cure   tie dropout to the mode: nn.Dropout, or mg.dropout(x, p, training=self.training)
""",
)
def random_evaluation() -> Findings:
    model = Dropping(tied=False).eval()
    with mg.no_grad():
        return lint(model, CE, data(), training=False)


@random_evaluation.cured
def _() -> Findings:
    model = Dropping(tied=True).eval()
    with mg.no_grad():
        return lint(model, CE, data(), training=False)


@smell(
    "train-mode",
    """
1 finding: one step of training of Sequential on 32 examples
warning  train-mode: '2' (Dropout)
  seen   in evaluation mode while training: dropout drops nothing, batch norm learns no
         statistics
  cure   call model.train() before training, also after each evaluation
""",
)
def train_mode() -> Findings:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    model.eval()  # for an evaluation, and then forgotten
    return lint(model, CE, data())


@train_mode.cured
def _() -> Findings:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    model.eval()
    model.train()
    return lint(model, CE, data())


@smell(
    "no-grad",
    """
1 finding: one step of training of Sequential on 32 examples
error    no-grad: the mode
  seen   no_grad is on here, so nothing is recorded and backward has no graph
  cure   leave the no_grad block before training
""",
)
def left_no_grad() -> Findings:
    with mg.no_grad():
        return lint(network(), CE, data())


@left_no_grad.cured
def _() -> Findings:
    return lint(network(), CE, data())


@smell(
    "eval-grad",
    """
1 finding: one step of evaluation of Sequential on 32 examples
warning  eval-grad: the mode
  seen   evaluation is recorded: 4 ops with 2.4 KiB are kept for a backward that never comes
  cure   evaluate inside: with mg.no_grad(): ...
""",
)
def eval_grad() -> Findings:
    return lint(network(), CE, data(), training=False)


@eval_grad.cured
def _() -> Findings:
    with mg.no_grad():
        return lint(network(), CE, data(), training=False)


# ---- learning -----------------------------------------------------------------------------------


@smell(
    "lr-too-high",
    """
1 finding: one step of training of Linear on 32 examples
error    lr-too-high: SGD
  seen   with lr 5 the loss on this very batch goes 2.04 -> 217 -> 3.35e+04 -> 6.05e+06 ->
         1.16e+09 -> 2.25e+11
  cure   a lower learning rate: with 0.5 it falls
""",
)
def lr_too_high() -> Findings:
    x, y = data()
    model = nn.Linear(4, 1)
    optimizer = optim.SGD(model.parameters(), lr=5.0)
    return lint(model, nn.MSELoss(), (x, y.float().unsqueeze(1)), optimizer)


@lr_too_high.cured
def _() -> Findings:
    x, y = data()
    model = nn.Linear(4, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    return lint(model, nn.MSELoss(), (x, y.float().unsqueeze(1)), optimizer)


@smell(
    "lr-too-high for a sum",
    """
1 finding: one step of training of Linear on 32 examples
error    lr-too-high: SGD
  seen   with lr 0.1 the loss on this very batch goes 65.2 -> 2.57e+03 -> 1.5e+05 -> 1.03e+07 ->
         7.49e+08 -> 5.52e+10
  cure   a lower learning rate: with 0.01 it falls
""",
)
def lr_for_a_sum() -> Findings:
    x, y = data()
    model = nn.Linear(4, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    loss_fn = nn.MSELoss(reduction="sum")  # 32 times the mean's gradient
    return lint(model, loss_fn, (x, y.float().unsqueeze(1)), optimizer)


@lr_for_a_sum.cured
def _() -> Findings:
    x, y = data()
    model = nn.Linear(4, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    return lint(model, nn.MSELoss(), (x, y.float().unsqueeze(1)), optimizer)


@smell(
    "no-update",
    """
1 finding: one step of training of Sequential on 32 examples
error    no-update: SGD
  seen   with lr 0 a step leaves all parameters as they were, though they have gradients
  cure   raise the learning rate
""",
)
def no_update() -> Findings:
    model = network()
    return lint(model, CE, data(), optim.SGD(model.parameters(), lr=0.0))


@no_update.cured
def _() -> Findings:
    model = network()
    return lint(model, CE, data(), optim.SGD(model.parameters(), lr=0.1))


class Loop:
    """A training step in a learner's hand, with what may be forgotten in it."""

    def __init__(self, zero: bool = True, step: bool = True, keep: str = "number") -> None:
        self.model = network()
        self.optimizer = optim.SGD(self.model.parameters(), lr=0.1)
        self.zero, self.step, self.keep = zero, step, keep
        self.losses: list[Any] = []

    def __call__(self, x: Any, y: Any) -> None:
        if self.zero:
            self.optimizer.zero_grad()
        loss = CE(self.model(x), y)
        loss.backward(retain_graph=self.keep == "graph")
        if self.step:
            self.optimizer.step()
        self.losses.append(loss.item() if self.keep == "number" else loss)

    def lint(self) -> Findings:
        return lint(self.model, CE, data(), self.optimizer, step=self)


@smell(
    "missing-zero-grad",
    """
1 finding: one step of training of Sequential on 32 examples
error    missing-zero-grad: the training step
  seen   what is in .grad before a call is still in it after: called again and again on this
         batch, the gradient's norm in 0.weight goes 0.201 -> 0.396 -> 0.577 -> 0.733 -> 0.857
  cure   call optimizer.zero_grad() in each step, before loss.backward()
""",
)
def missing_zero_grad() -> Findings:
    return Loop(zero=False).lint()


@missing_zero_grad.cured
def _() -> Findings:
    return Loop().lint()


@smell(
    "no-update without a step",
    """
1 finding: one step of training of Sequential on 32 examples
error    no-update: the training step
  seen   one call leaves all parameters as they were
  cure   call loss.backward() and then optimizer.step(), of an optimiser over these parameters
         with lr > 0
""",
)
def missing_step() -> Findings:
    return Loop(step=False).lint()


@missing_step.cured
def _() -> Findings:
    return Loop().lint()


@smell(
    "graph-kept",
    """
1 finding: one step of training of Sequential on 32 examples
warning  graph-kept: the training step
  seen   each call leaves 1 recorded op alive: memory grows with every step
  cure   keep the number, not the tensor: losses.append(loss.item()), total += loss.item()
""",
)
def graph_kept() -> Findings:
    return Loop(keep="loss").lint()


@graph_kept.cured
def _() -> Findings:
    return Loop().lint()


@smell(
    "graph-kept with its values",
    """
1 finding: one step of training of Sequential on 32 examples
warning  graph-kept: the training step
  seen   each call leaves 4 recorded ops with 1.4 KiB of values alive: memory grows with every
         step
  cure   keep the number, not the tensor: losses.append(loss.item()), total += loss.item()
""",
)
def graph_kept_with_values() -> Findings:
    return Loop(keep="graph").lint()


@graph_kept_with_values.cured
def _() -> Findings:
    return Loop().lint()
