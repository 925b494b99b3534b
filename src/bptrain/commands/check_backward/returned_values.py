"""What a user's function returned, read quantity by quantity, with a message for what cannot be read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bptrain.commands.check_backward.contract import RETURNS, described, shape
from bptrain.commands.check_backward.user_functions import THEIRS, Called, Fault, described_error
from bptrain.gradient_check.submission import ExpectedQuantity, Key, SubmittedValues
from bptrain.parts.types import Array


def read(
    name: str, called: Called, expected: Sequence[ExpectedQuantity], L: int, N: int
) -> tuple[SubmittedValues, Fault | None]:
    """The quantities expected, and a fault of the whole."""
    words = RETURNS[name]
    if called.fault is not None and called.fault.code in ("raised", "unfinished", "memory_limit"):
        return reached(called.reached, expected, L), called.fault
    value = called.value
    if not isinstance(value, list | tuple) or len(value) != len(words):
        hint = ": is its return missing?" if value is None else ""
        message = f"{name} should return {', '.join(words)}; it returned {described(value)}{hint}"
        return {one.key: None for one in expected}, Fault("wrong_return", message)
    lists, fault = dict(zip(words, value, strict=True)), called.fault
    unread = set()
    for word, entries in lists.items():
        if not isinstance(entries, list | tuple) or len(entries) != L + 1:
            message = f"{word} should be a list of {L + 1} entries, 0 … {L}; it is {described(entries)}"
            fault = Fault("wrong_return", message)
            unread.add(word)
    return {
        one.key: None if one.name in unread else entry(lists[one.name][one.layer], one, N) for one in expected
    }, fault


def reached(variables: Mapping[str, Any], expected: Sequence[ExpectedQuantity], L: int) -> SubmittedValues:
    """What a function that raised had come to: entries of its own lists of these names.

    An entry of zeros alone was most likely put there to be filled in.
    """
    found: dict[Key, Array | str | None] = {}
    for one in expected:
        entries = variables.get(one.name)
        value = entries[one.layer] if isinstance(entries, list) and len(entries) == L + 1 else None
        array = entry(value, one, 0)
        blank = value is None or (isinstance(array, np.ndarray) and not array.any() and one.right.any())
        given = one.name in ("W", "b")  # what a step returns is named as what it was given
        found[one.key] = None if blank or given else array
    return found


def entry(value: Any, one: ExpectedQuantity, N: int) -> Array | str:
    """One entry of a list that was returned: an array of the right shape, or what is wrong with it."""
    if value is None:
        return "it is None"
    if isinstance(value, list | tuple | str | dict) or not hasattr(value, "__array__"):
        return f"it is {described(value)}, not an array"
    try:
        array = np.asarray(value)
    except THEIRS as error:  # such as a tensor that is part of a graph
        return f"it is {described(value)}, which NumPy cannot read: {described_error(error)}"
    if array.dtype.kind not in "fiub":
        return f"its numbers are of type {array.dtype}, not float64"
    if array.shape != one.right.shape:
        return f"its shape is {shape(array.shape)}, not {shape(one.right.shape)}{shape_hint(array, one, N)}"
    return array


def shape_hint(array: Array, one: ExpectedQuantity, N: int) -> str:
    """What most often makes a shape like this one."""
    n, got = one.right.shape[0], array.shape
    if one.name in ("db", "b"):
        if got == (n,):
            return ": a sum with axis=1 and keepdims=True stays a column"
        if got in ((1, N), (N,)):
            return ": it was summed over the units (axis=0) instead of over the instances (axis=1, keepdims=True)"
        if got == (n, N):
            return f": it was not summed over the {N} instances (axis=1, keepdims=True)"
        if got == (n, n):
            return ": a column and a row were added, as by a sum without keepdims=True"
    if got == one.right.shape[::-1]:
        return ": it is transposed"
    if one.name == "dW" and len(got) == 2 and got[0] == n and got[1] == N:
        return f": the product with x_{one.layer - 1} transposed is missing"
    if one.name == "dW" and got == (n * N, one.right.shape[1] * N):
        return ": np.outer flattens its arguments; use the matrix product δ @ x.T"
    return ""
