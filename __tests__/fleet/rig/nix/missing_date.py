"""`self.lastModified` of a `path:` reference without a date: 0 on upstream Nix, missing on Determinate Nix and Lix."""

import re

from stand_in import directory_of, query_of

USE = re.compile(r"\bself\.lastModified(Date)?\b(?!\s+or\b)")


def uses_date(reference: str) -> bool:
    """Whether the flake behind a reference without a date asks for it, and has nothing in its place."""
    if not reference.startswith("path:/nix/store/") or "lastModified" in query_of(reference):
        return False
    try:
        return USE.search((directory_of(reference) / "flake.nix").read_text()) is not None
    except OSError:
        return False
