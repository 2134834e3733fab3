"""First values from a model that was trained before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from minigrad.nn.module import Module


class Pretrained(NamedTuple):
    """What `pretrained_` did, by the paths of parameters and buffers."""

    loaded: list[str]
    missing: list[str]
    unexpected: list[str]
    mismatched: list[str]


def pretrained_(module: Module, state_dict: Mapping[str, Any], prefix: str = "") -> Pretrained:
    """Fill a module from a state where name and shape agree, and leave the rest as it is.

    The usual start of transfer learning: the body is taken over, a head for other classes is not.
    `Module.load_state_dict` is the strict way.

    Parameters
    ----------
    module : Module
        What to fill.
    state_dict : mapping
        A state of another model, Tensors or arrays by path.
    prefix : str
        The part of the model to take over: only paths that start so, and without it.

    Returns
    -------
    Pretrained
        The paths that were ``loaded``, that the state lacks (``missing``), that the module lacks
        (``unexpected``), and whose shapes differ (``mismatched``).

    Raises
    ------
    ValueError
        Nothing fits: the names or the prefix are wrong, and the module would silently keep its
        own values.

    Examples
    --------
    >>> import minigrad as mg
    >>> old = mg.nn.Sequential(mg.nn.Linear(4, 8), mg.nn.ReLU(), mg.nn.Linear(8, 10))
    >>> new = mg.nn.Sequential(mg.nn.Linear(4, 8), mg.nn.ReLU(), mg.nn.Linear(8, 3))
    >>> done = mg.nn.init.pretrained_(new, old.state_dict())
    >>> done.loaded, done.mismatched
    (['0.weight', '0.bias'], ['2.weight', '2.bias'])
    """
    own = module.state_dict(keep_vars=True)
    given = {k.removeprefix(prefix): v for k, v in state_dict.items() if k.startswith(prefix)}
    common = [k for k in own if k in given]
    fitting = [k for k in common if tuple(own[k].shape) == tuple(getattr(given[k], "shape", ()))]
    if own and not fitting:
        raise ValueError(
            f"no value of the state fits {type(module).__name__}: it has {_some(own)}, "
            f"the state {_some(state_dict)}" + (f" (prefix {prefix!r})" if prefix else "")
        )
    module.load_state_dict({k: given[k] for k in fitting}, strict=False)
    return Pretrained(
        fitting,
        [k for k in own if k not in given],
        [k for k in given if k not in own],
        [k for k in common if k not in fitting],
    )


def _some(state: Mapping[str, Any]) -> str:
    shown = [f"{k} {list(getattr(v, 'shape', ()))}" for k, v in list(state.items())[:3]]
    return ", ".join(shown) + (", ..." if len(state) > 3 else "") if shown else "nothing"
