"""The scikit-learn estimators: scikit-learn's own checks, and what they are for."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

pytest.importorskip("sklearn")

from sklearn.datasets import make_regression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from minigrad.sklearn import Classifier, Regressor


def name_of(check: Any) -> str:
    """Return the name of a check, under the options that are bound to it."""
    return str(getattr(check, "func", check).__name__)


def ident(x: Any) -> str:
    if not hasattr(x, "fit"):
        bound = getattr(x, "keywords", {})
        return "-".join([name_of(x), *(f"{k}={v}" for k, v in bound.items() if k != "name")])
    return type(x).__name__


IRIS = mg.data.load_iris()


ESTIMATORS = [
    Classifier((20,), learning_rate_init=0.02, max_iter=60),
    Regressor((20,), learning_rate_init=0.02, max_iter=60),
]
CHECKS = [
    (estimator, check)
    for one in ESTIMATORS
    for estimator, check in estimator_checks_generator(one)
    if name_of(check) != "check_array_api_input"  # arrays of other libraries are not claimed
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=ident)
def test_scikit_learns_checks_of_estimators(estimator: Any, check: Any) -> None:
    check(estimator)


def test_pipelines_searches_and_cross_validation() -> None:
    network = make_pipeline(
        StandardScaler(), Classifier((16,), learning_rate_init=0.02, max_iter=40, random_state=0)
    )
    assert cross_val_score(network, IRIS.x, IRIS.y, cv=3).mean() > 0.9
    search = GridSearchCV(network, {"classifier__activation": ["relu", "tanh"]}, cv=3)
    assert search.fit(IRIS.x, IRIS.y).best_score_ > 0.9


def test_labels_of_any_kind_come_back() -> None:
    names = np.array(["setosa", "versicolor", "virginica"])[IRIS.y]
    network = Classifier((8,), learning_rate_init=0.05, max_iter=30, random_state=0)
    network.fit(IRIS.x, names)
    assert network.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert set(network.predict(IRIS.x)) <= set(names)
    shares = network.predict_proba(IRIS.x)
    assert shares.shape == (150, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-6)
    assert (network.classes_[shares.argmax(axis=1)] == network.predict(IRIS.x)).all()


def test_same_seed_same_network_and_the_users_draws_go_on() -> None:
    mg.manual_seed(1)
    ahead = mg.rand(1).item()
    mg.manual_seed(1)
    one, two = (Classifier((4,), max_iter=3, random_state=5).fit(IRIS.x, IRIS.y) for _ in "ab")
    assert mg.rand(1).item() == ahead
    assert (one.predict_proba(IRIS.x) == two.predict_proba(IRIS.x)).all()
    other = Classifier((4,), max_iter=3, random_state=6).fit(IRIS.x, IRIS.y)
    assert (one.predict_proba(IRIS.x) != other.predict_proba(IRIS.x)).any()


def test_several_targets_and_a_network_of_ones_own() -> None:
    x, y = make_regression(200, 5, n_targets=2, noise=0.1, random_state=0)
    linear = Regressor(
        module=lambda inputs, outputs: nn.Linear(inputs, outputs),
        alpha=0.0, learning_rate_init=0.05, max_iter=300, tol=0.0, random_state=0,
    )  # fmt: skip
    assert linear.fit(x, y).score(x, y) > 0.999
    assert linear.predict(x).shape == (200, 2)
    assert isinstance(linear.module_, nn.Linear)


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="activation='gelu'; use one of relu, tanh, logistic"):
        Classifier(activation="gelu").fit(IRIS.x, IRIS.y)
    with pytest.raises(ValueError, match="solver='lbfgs'; use one of adam, sgd"):
        Regressor(solver="lbfgs").fit(IRIS.x, IRIS.y)


def test_without_scikit_learn_the_cure_is_named() -> None:
    code = "import sys; sys.modules['sklearn.base'] = None; import minigrad.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'python -m pip install "minigrad-engine[sklearn]"' in done.stderr
