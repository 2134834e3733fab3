"""Processes that measure: each library in one of its own, with the same number of threads.

Environment variables set those of BLAS, `set_num_threads` those of torch and of minigrad, which
keeps BLAS to one where it shares the work itself; `minigrad.capture` takes as many.

A server is a function that answers requests; requests and answers are lines of JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

MISSING = "is not installed here and is left out"


def installed(framework: str) -> bool:
    """Say whether a framework can be measured here; ``torch@cuda`` is torch on that device."""
    framework, _, device = framework.partition("@")
    if device.startswith("cuda"):
        return installed(framework) and _usable(framework)
    if framework == "captured":
        import minigrad

        return hasattr(minigrad, "capture")
    framework = framework.removesuffix("-inference")
    if framework in ("minigrad", "numpy"):
        return True
    return importlib.util.find_spec(framework) is not None


def _usable(framework: str) -> bool:
    """Say whether a framework has a GPU that it can use."""
    if framework == "torch":
        import torch

        return bool(torch.cuda.is_available())
    from minigrad.backend import gpu_problem

    return gpu_problem() is None


def thread_environment(threads: int) -> dict[str, str]:
    """Return the environment of a process: the same number of threads for every library."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    # XLA takes as many threads as it may use cores
    jax = f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()}"
    fixed = {"PYTHONUTF8": "1", "XLA_FLAGS": jax, "JAX_PLATFORMS": "cpu"}
    return {**os.environ, **dict.fromkeys(names, str(threads)), **fixed}


class Failed(RuntimeError):
    """A process could not answer; the text is the error it met."""


class Process:
    """A server in a process of its own.

    Parameters
    ----------
    server
        ``"module:function"``; the function gets ``options`` and returns what answers requests.
    threads
        Of the libraries in it.
    """

    def __init__(self, server: str, threads: int, /, **options: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.process", server, str(threads), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=thread_environment(threads),
        )

    def ask(self, request: Any) -> Any:
        """Send a request and wait for the answer.

        Raises
        ------
        Failed
            The server raised, or the process ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Failed("the process ended without an answer") from None
        line = self._process.stdout.readline()
        if not line:
            raise Failed("the process ended without an answer")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer["answer"]

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended by itself
            self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def serve(server: str, threads: int, options: dict[str, Any]) -> None:
    """Be a process of `Process`."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is no answer
    named = {str(value).partition("@")[0] for value in options.values()}
    if any(name.startswith("torch") for name in named):
        import torch

        torch.set_num_threads(threads)
    if {"minigrad", "captured"} & named:
        import minigrad

        minigrad.set_num_threads(threads)
    module, _, name = server.partition(":")
    answer: Callable[[Any], Any] | None = None
    for line in sys.stdin:
        try:
            if answer is None:
                answer = getattr(importlib.import_module(module), name)(**options)
            result = {"answer": answer(json.loads(line))}
        except Exception as error:  # told to who asked, who decides
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
