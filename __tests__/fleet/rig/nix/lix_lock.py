"""Lix's lock file of inputs by a relative path: they have a hash and a date as every other, and no parent. The real Nix refuses
such a lock file, as Lix refuses Nix's."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from stand_in import Call, directory_of, fail, lock_file_of, output_of, read_lock


def by_path(node: dict) -> bool:
    return node.get("locked", {}).get("type") == "path"


def relative(node: dict) -> bool:
    return by_path(node) and not node["locked"]["path"].startswith("/")


def refuse_mutable(lock: dict) -> None:
    for node in lock.get("nodes", {}).values():
        if by_path(node) and "narHash" not in node["locked"]:
            text = json.dumps(node["locked"], separators=(",", ":"), sort_keys=True)
            fail(f"lock file contains mutable lock '{text}'")


@contextmanager
def read(references: list[str], call: Call) -> Iterator[list[str]]:
    """Arguments with which the real Nix reads Lix's lock file, if it has relative inputs. Fails as Lix does at one of Nix's."""
    locks = [read_lock(lock_file_of(reference)) for reference in references]
    for lock in locks:
        refuse_mutable(lock)
    if not any(relative(node) for lock in locks for node in lock.get("nodes", {}).values()):
        yield call.arguments
        return
    nodes = dict(locks[0]["nodes"])
    for name, node in nodes.items():
        if relative(node):
            nodes[name] = {**node, "locked": {"path": node["locked"]["path"], "type": "path"}, "parent": []}
    with tempfile.NamedTemporaryFile("w", suffix=".lock") as file:
        json.dump({**locks[0], "nodes": nodes}, file)
        file.flush()
        yield [*call.arguments, "--reference-lock-file", file.name]


def write(references: list[str], call: Call) -> None:
    """Turns what the real Nix has just locked into what Lix would have."""
    if call.has("--no-update-lock-file", "--no-write-lock-file"):
        return
    for reference in references:
        file = lock_file_of(reference)
        directory = directory_of(reference)
        lock = read_lock(file)
        changed = [node for node in lock.get("nodes", {}).values() if relative(node) and "parent" in node]
        for node in changed:
            del node["parent"]
            source = os.path.normpath(os.path.join(directory, node["locked"]["path"]))
            # What lies in the store has the date 1 of the file system there.
            node["locked"] |= {"lastModified": 1, "narHash": output_of(["hash", "path", source]).strip()}
        if changed:
            file.write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n")


def restore(locks: dict, reference: str) -> None:
    """The nodes as Lix's own lock file has them."""
    nodes = read_lock(lock_file_of(reference)).get("nodes", {})
    for name, node in locks["nodes"].items():
        if "parent" in node and name in nodes:
            locks["nodes"][name] = nodes[name]


def add_paths(archive: dict, reference: str) -> None:
    """Each input by a relative path has a store path of its own."""
    lock = read_lock(lock_file_of(reference))
    directory = directory_of(reference)
    root = lock.get("nodes", {}).get(lock.get("root"), {})
    for name, node in archive.get("inputs", {}).items():
        key = root.get("inputs", {}).get(name)
        if "path" in node or not isinstance(key, str) or not relative(lock["nodes"][key]):
            continue
        source = os.path.normpath(os.path.join(directory, lock["nodes"][key]["locked"]["path"]))
        node["path"] = output_of(["store", "add-path", "--name", "source", source]).strip()
