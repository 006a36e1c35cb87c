"""Functions in a process of their own.

Recording a model starts threads of torch, after which no test of the same process could fork and train.
"""

import functools
import multiprocessing
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_a_child(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return the function, run in a forked process; what it returns or raises comes back, and its files stay."""

    def answer(connection: Any, *arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        try:
            found = (function(*arguments, **named), None)
        except BaseException as error:
            found = (None, error)
        connection.send(found)

    @functools.wraps(function)
    def called(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(target=answer, args=(theirs, *arguments), kwargs=named)
        process.start()
        theirs.close()
        try:
            found, error = ours.recv()
        except EOFError:
            found, error = None, AssertionError("the process ended without a word")
        process.join()
        if error is not None:
            raise error
        return found

    return called
