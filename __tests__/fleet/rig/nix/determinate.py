"""Determinate Nix 3.22.2, with and without lazy trees."""

import json
import os
import sys

from lazy import COPY_NOTHING, finish, missing_source, passes, run_lazily
from missing_date import uses_date
from stand_in import Call, dump, fail, lock_file_of, read_lock, run, write_new_nodes

VERSION = "nix (Determinate Nix 3.22.2) 2.35.2"


def rewrite(line: str) -> str:
    return missing_source(line).replace("failed to start SSH connection to", "failed to start SSH master connection to")


def without_date(node: dict) -> None:
    """It locks an input by path without a date."""
    if node["locked"].get("type") == "path":
        node["locked"].pop("lastModified", None)


def metadata(text: str, lazy_trees: bool) -> None:
    data = json.loads(text)
    data["locked"].pop("__final", None)
    if "narHash" not in data["original"]:
        data["locked"].pop("narHash", None)
    if lazy_trees:
        data.pop("path", None)
    dump(data)


def main(lazy_trees: bool) -> None:
    call = Call(sys.argv[1:])
    if "--version" in call.arguments and not call.command:
        print(VERSION)
        return
    # A master of one's own is ignored, whatever the options or the file behind -F say.
    os.environ["NIX_SSHOPTS"] = f"{os.environ.get('NIX_SSHOPTS', '')} -S none".strip()
    if not passes(call):
        sys.exit(run(call.arguments, rewrite)[0])
    reference = call.references()[0]
    if call.command not in COPY_NOTHING and uses_date(reference):
        fail("attribute 'lastModified' missing")
    before = read_lock(lock_file_of(reference))
    code, output = run_lazily(call, rewrite) if lazy_trees else run(call.arguments, rewrite, capture=True)
    write_new_nodes(reference, before, without_date)
    if code == 0 and call.command in COPY_NOTHING[:2] and call.json():
        metadata(output, lazy_trees)
        return
    finish(code, output)
