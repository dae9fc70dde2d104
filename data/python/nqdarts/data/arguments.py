"""Checks of arguments: what is wrong is a ValueError that names the argument, its value and what was expected."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Iterable
from typing import Any

from nqdarts.data import _native

INT32 = 2**31 - 1
INT64 = 2**63 - 1


def wrong(name: str, value: Any, expected: str) -> ValueError:
    return ValueError(f"{name}: is {value!r}; expected {expected}")


def integer(name: str, value: Any, low: int, high: int = INT32) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise wrong(name, value, "an integer") from None
    if isinstance(value, bool) or not low <= number <= high:
        raise wrong(name, value, f"an integer of {low} to {high}")
    return number


def number(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise wrong(name, value, "a number") from None
    if not (math.isfinite(result) and low <= result <= high):
        raise wrong(name, value, f"a number of {low:g} to {high:g}")
    return result


def numbers(name: str, value: Any, count: int, low: float = -math.inf) -> list[float]:
    items = list(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes)) else []
    if len(items) != count:
        raise wrong(name, value, f"{count} numbers")
    return [number(name, item, low) for item in items]


def boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong(name, value, "True or False")
    return value


def choice(name: str, value: Any, choices: Iterable[str]) -> str:
    known = list(choices)
    if value not in known:
        raise wrong(name, value, "one of " + ", ".join(map(repr, known)))
    return value


def path(name: str, value: Any) -> str:
    """As a string with what is no UTF-8 in Python's escapes resolved."""
    try:
        text = os.fspath(value)
    except TypeError:
        raise wrong(name, value, "a path") from None
    if not text:
        raise wrong(name, value, "a path")
    return os.fsdecode(text)


def threads(value: int | None) -> int:
    """As many as this process may use processors, if none are given."""
    return len(os.sched_getaffinity(0)) if value is None else integer("threads", value, 1, 1024)


def fields(value: Any) -> _native.FieldChoice:
    """``"all"``, or names."""
    choice = _native.FieldChoice()
    if value == "all":
        choice.all = True
        return choice
    names = None if isinstance(value, (str, bytes)) or not isinstance(value, Iterable) else list(value)
    if names is None or not all(isinstance(name, str) for name in names):
        raise wrong("fields", value, "'all' or a list of names")
    choice.names = names
    return choice


KINDS = ("auto", "folder", "tar", "cifar", "idx", "beton", "shards")
ON_BAD_SAMPLE = ("fail", "skip")
