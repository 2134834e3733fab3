"""Whether sums on a GPU have to come out with the same bits at every run."""

from __future__ import annotations

_wanted = False


def use_deterministic(mode: bool = True) -> None:
    """Let every op give the same bits at every run, on a GPU as well.

    On the CPU this is so anyway. On a GPU several threads add into one element where an index
    occurs twice (gradients of `embedding`, `index_select`, ``x[index]``, `gather`; `scatter_add`,
    `index_add`), in an order that is another one each time, so that the last bits differ from run
    to run. With ``mode=True`` the places are sorted first and each is added up in the order of
    its values, as NumPy does: some times slower.

    Products of matrices are cuBLAS's, which repeats its bits on the same GPU and versions as long
    as one stream is used. torch's name is ``use_deterministic_algorithms``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.use_deterministic(True)
    >>> mg.is_deterministic()
    True
    >>> mg.use_deterministic(False)
    """
    global _wanted
    _wanted = bool(mode)


def is_deterministic() -> bool:
    """Say whether `use_deterministic` is on."""
    return _wanted
