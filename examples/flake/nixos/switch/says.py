"""What a switch prints."""

import os
import sys
from collections.abc import Iterable

def say(text: str, end: str = "\n") -> None:
    """Prints on standard error. Ends the program with 101 when nobody reads any more, as a program in Rust does."""
    try:
        sys.stderr.write(text + end)
        sys.stderr.flush()
    except OSError:
        os._exit(101)


def names(units: Iterable[str]) -> list[str]:
    return sorted(units, key=str.lower)


def say_units(prefix: str, units: Iterable[str]) -> None:
    """Prints "PREFIX: a, b" unless there are none."""
    if units:
        say(f"{prefix}: {', '.join(names(units))}")
