"""Networks as scikit-learn estimators: `Classifier` and `Regressor`.

They fit into pipelines, grid searches and cross-validation, and pass scikit-learn's own checks of
estimators. Needs the extra ``sklearn``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.backend import default_generator
from minigrad.data import DataLoader, StandardScaler, TensorDataset
from minigrad.engine.tensor import Tensor
from minigrad.nn import CrossEntropyLoss, Linear, Module, MSELoss, ReLU, Sequential, Sigmoid, Tanh
from minigrad.ops import softmax
from minigrad.optim import SGD, Adam, Optimizer
from minigrad.train import EarlyStopping, History, Trainer

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        'minigrad.sklearn needs scikit-learn: python -m pip install "minigrad-engine[sklearn]"'
    ) from error

ACTIVATIONS: dict[str, type[Module]] = {"relu": ReLU, "tanh": Tanh, "logistic": Sigmoid}
SOLVERS: dict[str, type[Optimizer]] = {"adam": Adam, "sgd": SGD}


class NetworkEstimator(BaseEstimator):  # type: ignore[misc]
    """What both estimators share; the parameters are those of scikit-learn's MLP estimators.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int
        Neurons of each hidden layer.
    activation : {"relu", "tanh", "logistic"}
        Of the hidden layers.
    solver : {"adam", "sgd"}
        The optimiser.
    alpha : float
        L2 penalty: the optimiser's weight decay.
    batch_size : int or "auto"
        Samples a batch; "auto" is 200, or all if there are fewer.
    learning_rate_init : float
        The learning rate.
    max_iter : int
        Epochs at most.
    tol : float
        Improvements of the training loss by less do not count.
    n_iter_no_change : int
        Stop after so many epochs without one that counts.
    momentum : float
        Of "sgd".
    shuffle : bool
        Draw a new order in each epoch.
    random_state : int, RandomState or None
        Decides first weights and order; None draws them anew each time.
    verbose : bool
        Print a line for each epoch.
    module : callable, optional
        ``module(n_inputs, n_outputs)`` makes another network than the perceptron.

    Attributes
    ----------
    module_ : Module
        The trained network.
    history_ : History
        The loss of each epoch.
    n_iter_ : int
        Epochs made.
    """

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        momentum: float = 0.9,
        shuffle: bool = True,
        random_state: Any = None,
        verbose: bool = False,
        module: Callable[[int, int], Module] | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.momentum = momentum
        self.shuffle = shuffle
        self.random_state = random_state
        self.verbose = verbose
        self.module = module

    def _train(self, x: Any, target: Any, outputs: int, loss: Module) -> None:
        """Make the network, from the estimator's own seed, and train it."""
        for name, known in (("activation", ACTIVATIONS), ("solver", SOLVERS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r}; use one of {', '.join(known)}")
        seed = int(check_random_state(self.random_state).randint(2**31))
        state = default_generator.get_state()  # the estimator does not disturb the user's draws
        default_generator.manual_seed(seed)
        try:
            self.module_ = self._network(x.shape[1], outputs)
            self._fit_module(x, target, loss, seed)
        finally:
            default_generator.set_state(state)

    def _fit_module(self, x: Any, target: Any, loss: Module, seed: int) -> None:
        options: dict[str, Any] = {"lr": self.learning_rate_init, "weight_decay": self.alpha}
        if self.solver == "sgd":
            options["momentum"] = self.momentum
        optimizer = SOLVERS[self.solver](self.module_.parameters(), **options)
        size = min(200, len(x)) if self.batch_size == "auto" else int(self.batch_size)
        loader = DataLoader(TensorDataset(x, target), size, shuffle=self.shuffle, seed=seed)
        stopping = EarlyStopping("loss", min_delta=self.tol, patience=self.n_iter_no_change)
        trainer = Trainer(self.module_, loss, optimizer)
        self.history_: History = trainer.fit(
            loader, self.max_iter, callbacks=[stopping], verbose=2 if self.verbose else 0
        )
        self.n_iter_ = self.history_.epochs

    def _network(self, inputs: int, outputs: int) -> Module:
        if self.module is not None:
            return self.module(inputs, outputs)
        layers: list[Module] = []
        for width in self.hidden_layer_sizes:
            layers += [Linear(inputs, width), ACTIVATIONS[self.activation]()]
            inputs = width
        return Sequential(*layers, Linear(inputs, outputs))

    def _outputs(self, x: Any) -> Tensor:
        """Return the network's outputs for checked inputs, on the host."""
        check_is_fitted(self)
        x = validate_data(self, x, reset=False)
        return Trainer(self.module_, MSELoss()).predict(x, batch_size=1000).cpu()


class Classifier(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]
    """A network that tells classes apart, trained on cross-entropy (see `NetworkEstimator`).

    Attributes
    ----------
    classes_ : ndarray
        The labels, in the order of `predict_proba`'s columns.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.sklearn import Classifier
    >>> iris = mg.data.load_iris()
    >>> network = Classifier((16,), learning_rate_init=0.01, random_state=0).fit(iris.x, iris.y)
    >>> bool(network.score(iris.x, iris.y) > 0.95)
    True
    """

    def fit(self, X: Any, y: Any) -> Classifier:
        """Train on samples ``(n, features)`` and labels ``(n,)`` of any kind."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs two classes, y has one class: {self.classes_[0]}")
        self._train(X, numbers, len(self.classes_), CrossEntropyLoss())
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class, ``(n, classes)``."""
        return softmax(self._outputs(X), dim=1).numpy()

    def predict(self, X: Any) -> Any:
        """Return the most probable label of each sample."""
        best = self._outputs(X).argmax(dim=1).numpy()
        return self.classes_[best]


class Regressor(RegressorMixin, NetworkEstimator):  # type: ignore[misc]
    """A network that predicts numbers, trained on the squared error (see `NetworkEstimator`).

    Inside, targets are standardised, so that the learning rate does not depend on their unit.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.sklearn import Regressor
    >>> x = np.linspace(-1, 1, 100)[:, None]
    >>> network = Regressor((32,), learning_rate_init=0.02, random_state=0).fit(x, x[:, 0] ** 2)
    >>> bool(network.score(x, x[:, 0] ** 2) > 0.95)
    True
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any) -> Regressor:
        """Train on samples ``(n, features)`` and targets ``(n,)`` or ``(n, outputs)``."""
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True)
        columns = np.asarray(y, np.float64).reshape(len(y), -1)
        self._scaler = StandardScaler().fit(columns)
        self._flat = y.ndim == 1
        self._train(X, self._scaler.transform(columns), columns.shape[1], MSELoss())
        return self

    def predict(self, X: Any) -> Any:
        """Return the predicted targets, in the shape that `fit` was given."""
        outputs = self._outputs(X).numpy().astype(np.float64)
        predicted = self._scaler.inverse_transform(outputs)
        return predicted[:, 0] if self._flat else predicted
