"""The training loop: `Trainer` with fit, evaluate and predict, in the manner of Keras."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minigrad.data import DataLoader
from minigrad.engine.modes import no_grad
from minigrad.engine.tensor import Tensor
from minigrad.io import load_checkpoint
from minigrad.nn import Module
from minigrad.ops import cat
from minigrad.optim import LBFGS, Optimizer
from minigrad.train.batches import loader_of, placed, split_end
from minigrad.train.callback import Callback
from minigrad.train.history import History
from minigrad.train.interrupt import interruptible
from minigrad.train.means import Means
from minigrad.train.metrics import Metric, metrics_of
from minigrad.train.progress import Progress, progress_of


class Trainer:
    """Train, evaluate and use a model.

    Parameters
    ----------
    model : Module
        Called with all members of a batch but the last.
    loss : callable
        ``loss(output, target)``, a number; the target is the last member of a batch.
    optimizer : Optimizer, optional
        Over the model's parameters. Only `fit` needs it.
    metrics : list of str or Metric
        What else to record: "accuracy", "top_5_accuracy", "precision", "recall", "f1",
        "confusion_matrix", "mse", "mae", "r2", or a `Metric`.
    accumulate : int
        Add up the gradients of so many batches for each step of the optimiser: the step of one
        large batch, if the batches are of one size and the loss is a mean.

    Attributes
    ----------
    history : History
        The numbers of the epochs so far.
    epoch, steps : int
        Epochs completed, and steps of the optimiser made.
    stop_reason : str or None
        Why training ended early.

    Raises
    ------
    ValueError
        A parameter of the model is not among the optimiser's: it would never be trained. Freeze
        it with ``requires_grad_(False)`` if that is meant.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.manual_seed(0)
    Generator(seed=0)
    >>> iris = mg.data.load_iris()
    >>> model = mg.nn.Sequential(mg.nn.Linear(4, 16), mg.nn.Tanh(), mg.nn.Linear(16, 3))
    >>> optimizer = mg.optim.Adam(model.parameters(), lr=0.02)
    >>> trainer = mg.train.Trainer(model, mg.nn.CrossEntropyLoss(), optimizer, ["accuracy"])
    >>> history = trainer.fit((iris.x, iris.y), epochs=20, batch_size=16, verbose=0)
    >>> list(history), history["accuracy"][-1] > 0.9
    (['loss', 'accuracy', 'lr'], True)
    >>> trainer.evaluate((iris.x, iris.y))["accuracy"] > 0.9
    True
    >>> trainer.predict(iris.x[:2]).shape
    (2, 3)
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[[Any, Any], Tensor],
        optimizer: Optimizer | None = None,
        metrics: Iterable[str | Metric] = (),
        *,
        accumulate: int = 1,
    ) -> None:
        if accumulate < 1:
            raise ValueError(f"accumulate={accumulate} must be 1 or more")
        if isinstance(optimizer, LBFGS) and accumulate > 1:
            raise ValueError("LBFGS evaluates each batch several times: use accumulate=1")
        if optimizer is not None:
            _check_covered(model, optimizer)
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.metrics = metrics_of(metrics)
        self.accumulate = accumulate
        self._begin()

    def _begin(self) -> None:
        self.epoch = self.steps = 0
        self.history = History()
        self.stop_reason: str | None = None
        self._interrupted = False
        self._means = Means(self.metrics)
        self._callbacks: list[Callback] = []
        self._loader: DataLoader | None = None

    # ---- what users call ------------------------------------------------------------------------

    def fit(
        self,
        train: Any,
        epochs: int = 1,
        *,
        validation_data: Any = None,
        validation_split: float = 0.0,
        batch_size: int = 32,
        shuffle: bool = True,
        callbacks: Sequence[Callback] = (),
        verbose: int | str = "auto",
        resume: str | os.PathLike[str] | None = None,
    ) -> History:
        """Train for a number of epochs.

        Ctrl-C ends it after the batch at hand, with everything that was trained kept; a second one
        breaks off.

        Parameters
        ----------
        train : DataLoader, data set, or tuple of arrays
            ``(x, y)``, or batches of such; floating members are cast to the model's dtype and
            moved to its device.
        epochs : int
            How many epochs in all, those before an interruption included.
        validation_data : as ``train``, optional
            Evaluated after each epoch, recorded as "val_loss" and so on.
        validation_split : float
            Without validation_data: this share of the samples, taken from the end before any
            shuffling, is not trained on but evaluated. Shuffle sorted data first.
        batch_size, shuffle
            For arrays and data sets; a DataLoader has its own.
        callbacks : list of Callback
            Called in this order; those that save go last.
        verbose : {"auto", 0, 1, 2}
            Nothing, bars, or a line an epoch; "auto" shows bars on a terminal and lines elsewhere.
        resume : path, optional
            Go on from this checkpoint of `ModelCheckpoint` if the file is there, with the same
            numbers as if there had been no interruption; else begin.

        Returns
        -------
        History
            A dict of lists: "loss", each metric, ``"val_..."`` of each, "lr".

        Raises
        ------
        CheckpointError
            The checkpoint to resume from is damaged or of another run; nothing was changed.
        TypeError, ValueError
            The data do not fit, or the loss is no number.
        """
        if self.optimizer is None:
            raise ValueError("fit needs an optimizer: Trainer(model, loss, optimizer)")
        if validation_split:
            if validation_data is not None:
                raise ValueError("give validation_data or validation_split, not both")
            train, validation_data = split_end(train, validation_split)
        self._begin()
        self._loader = loader = loader_of(train, batch_size, shuffle)
        if len(loader) == 0:
            raise ValueError(
                f"the loader has no batch: {len(loader.dataset)} samples, batch_size="
                f"{loader.batch_size}, drop_last={loader.drop_last}; take a smaller batch_size"
            )
        validation = None if validation_data is None else loader_of(validation_data, batch_size)
        self._callbacks = sorted(callbacks, key=lambda c: getattr(c, "saves", False))
        for callback in self._callbacks:
            callback.trainer = self
        if resume is not None and Path(resume).exists():
            load_checkpoint(resume, **self.parts())
        show = progress_of(verbose)
        with interruptible(self._interrupt), self._mode(training=True):
            try:
                self._call("on_train_begin")
                while self.epoch < epochs and self.stop_reason is None:
                    self._train_epoch(loader, validation, epochs, show)
            finally:
                show.close()
                self._call("on_train_end")
        if self.stop_reason is not None:
            show.note(f"stopped after epoch {self.epoch}: {self.stop_reason}")
        return self.history

    def evaluate(self, data: Any, *, batch_size: int = 32) -> dict[str, Any]:
        """Return the mean loss and the metrics over data, in evaluation mode, without a graph."""
        means = Means(self.metrics)
        with self._mode(training=False), no_grad():
            for batch in loader_of(data, batch_size):
                *inputs, target = self._placed(batch)
                output = self.model(*inputs)
                means.add(self._loss(output, target), output, target)
        return means.compute()

    def predict(self, x: Any, *, batch_size: int = 32) -> Tensor:
        """Return the model's outputs for inputs, in evaluation mode, without a graph.

        Parameters
        ----------
        x : array, Tensor, tuple of such, data set or DataLoader
            Inputs alone, or for a DataLoader batches whose last member is a target, left out.
        batch_size : int
            How many at a time.
        """
        outputs = []
        with self._mode(training=False), no_grad():
            for batch in loader_of(x, batch_size):
                members = self._placed(batch)
                outputs.append(
                    self.model(*(members[:-1] if isinstance(x, DataLoader) else members))
                )
        return cat(outputs)

    def stop(self, reason: str) -> None:
        """End training after the batch at hand; for callbacks."""
        self.stop_reason = reason

    def _interrupt(self, reason: str) -> None:
        self._interrupted = True
        self.stop(reason)

    # ---- an epoch -------------------------------------------------------------------------------

    def _train_epoch(
        self, loader: DataLoader, validation: Any, epochs: int, show: Progress
    ) -> None:
        assert self.optimizer is not None
        self._call("on_epoch_begin", self.epoch)
        batches, first = len(loader), loader.resumes_at
        show.begin_epoch(self.epoch, epochs, batches, first)
        for number, batch in enumerate(loader, first):
            self._call("on_train_batch_begin", number)
            loss = self._train_batch(self._placed(batch), number, batches)
            show.batch(self._means)
            self._call("on_train_batch_end", number, {"loss": loss})
            if self.stop_reason is not None:
                return
        logs = self._means.compute()
        if validation is not None:
            logs |= {f"val_{k}": v for k, v in self.evaluate(validation).items()}
        logs["lr"] = float(self.optimizer.param_groups[0]["lr"])
        self._call("add_logs", logs)
        self._means.reset()
        self.history.append(logs)
        show.end_epoch(logs)
        done, self.epoch = self.epoch, self.epoch + 1
        self._call("on_epoch_end", done, logs)

    def _train_batch(self, batch: tuple[Any, ...], number: int, batches: int) -> float:
        """Make the gradients of a batch, and a step when enough are added up; return the loss."""
        assert self.optimizer is not None
        *inputs, target = batch
        place = number % self.accumulate
        group = min(self.accumulate, batches - (number - place))
        if place == 0:
            self.optimizer.zero_grad()
        seen: list[Any] = []

        def closure() -> Tensor:
            if isinstance(self.optimizer, LBFGS):
                self.optimizer.zero_grad()
            output = self.model(*inputs)
            loss = self._loss(output, target)
            (loss if group == 1 else loss / group).backward()
            if not seen:
                seen.extend((loss, output))
            return loss

        if isinstance(self.optimizer, LBFGS):
            self._call("on_before_optimizer_step")
            self.optimizer.step(closure)
            self.steps += 1
        else:
            closure()
            if place == group - 1:
                self._call("on_before_optimizer_step")
                self.optimizer.step()
                self.steps += 1
        loss, output = seen
        return self._means.add(loss, output, target)

    def _loss(self, output: Any, target: Any) -> Tensor:
        loss = self.loss(output, target)
        if loss.numel() != 1:
            raise ValueError(
                f"the loss has shape {list(loss.shape)}, it must be one number: "
                "use reduction='mean'"
            )
        return loss

    def _placed(self, batch: Any) -> tuple[Any, ...]:
        p = next(iter(self.model.parameters()), None)
        if p is None:
            return placed(batch, Tensor(0.0).device, Tensor(0.0).dtype)
        return placed(batch, p.device, p.dtype)

    @contextmanager
    def _mode(self, training: bool) -> Any:
        """Put the model in a mode, and each of its modules back afterwards."""
        before = [(module, module.training) for module in self.model.modules()]
        self.model.train(training)
        try:
            yield
        finally:
            for module, mode in before:
                module.training = mode

    def _call(self, event: str, *args: Any) -> None:
        for callback in self._callbacks:
            getattr(callback, event)(*args)

    # ---- state ----------------------------------------------------------------------------------

    def parts(self) -> dict[str, Any]:
        """Return what a checkpoint of this run holds, by name."""
        return {
            "model": self.model,
            "optimizer": self.optimizer,
            "loader": self._loader,
            "trainer": self,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return where the run is: epoch, history, the means so far, the callbacks' states."""
        return {
            "epoch": self.epoch,
            "steps": self.steps,
            "stop_reason": None if self._interrupted else self.stop_reason,
            "history": dict(self.history),
            "means": self._means.state_dict(),
            "callbacks": [[type(c).__name__, c.state_dict()] for c in self._callbacks],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the run was.

        Raises
        ------
        ValueError
            The callbacks or the metrics are others than then.
        """
        then = [name for name, _ in state["callbacks"]]
        now = [type(c).__name__ for c in self._callbacks]
        if then != now:
            raise ValueError(f"the run had the callbacks {then}, this one has {now}")
        self._means.load_state_dict(state["means"])
        self.epoch, self.steps = state["epoch"], state["steps"]
        self.stop_reason = state["stop_reason"]
        self.history = History({k: list(v) for k, v in state["history"].items()})
        for callback, (_, entry) in zip(self._callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(entry)


def _check_covered(model: Module, optimizer: Optimizer) -> None:
    """Raise if a parameter that wants to be trained is not the optimiser's."""
    covered = {id(p) for group in optimizer.param_groups for p in group["params"]}
    missing = [
        name for name, p in model.named_parameters() if p.requires_grad and id(p) not in covered
    ]
    if missing:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise ValueError(
            f"{len(missing)} parameters of the model are not in the optimizer and would never be "
            f"trained: {shown}; pass model.parameters(), or freeze them: requires_grad_(False)"
        )
