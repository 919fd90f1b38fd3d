#!/usr/bin/python3 -ESB
"""Stands for Lix 2.95.3, on a machine and on the runner."""

import json
import os
import re
import shlex
import sys
import time

import lix_lock
from missing_date import uses_date
from stand_in import Call, dump, fail, output_of, query_of, real, run, unknown_command, unknown_flag

VERSION = f"""nix (Lix, like Nix) 2.95.3
System type: x86_64-linux
Additional system types: i686-linux, x86_64-v1-linux, x86_64-v2-linux, x86_64-v3-linux, x86_64-v4-linux
Features: gc, signed-caches
System configuration file: /etc/nix/nix.conf
User configuration files: {os.environ.get("HOME", "")}/.config/nix/nix.conf:/etc/xdg/nix/nix.conf
Store directory: /nix/store
State directory: /nix/var/nix
Data directory: /usr/share"""

# What takes a flake.
FLAKES = ("eval", "build", "run", "shell", "develop", "print-dev-env")
DAEMON = "/nix/var/nix/daemon-socket/socket"


def rewrite(line: str) -> str | None:
    # Its path-info and hash know nothing of these.
    if "'--json' without '--json-format' is deprecated" in line or "subcommands of `nix hash` were deprecated" in line:
        return None
    found = re.match(r"^(\s*)error: failed to start SSH connection to '(.*)'$", line)
    return line if found is None else f"{found[1]}error: cannot open connection to remote store 'ssh-ng://{found[2]}': error: unexpected end-of-file\n"


def refuse(call: Call) -> None:
    if call.command == "store info":
        unknown_command("info")
    if call.command == "hash convert":
        unknown_command("convert")
    if call.command == "flake archive" and call.has("--no-check-sigs"):
        unknown_flag("--no-check-sigs")
    if call.has("--json-format"):
        unknown_flag("--json-format")


def without_query(call: Call) -> None:
    """A bare path loses its query: `P?dir=SUB` is the flake at the root."""
    for position in call.operands:
        reference, mark, fragment = call.arguments[position].partition("#")
        if reference.startswith(("/", ".")):
            call.arguments[position] = reference.partition("?")[0] + mark + fragment


def refuse_date(reference: str) -> None:
    """Without a hash, the source in the store is read anew, whose date is 0 there."""
    query = query_of(reference)
    date = query.get("lastModified", "0")
    if not reference.startswith("path:/nix/store/") or "narHash" in query or date == "0":
        return
    path = reference.partition("?")[0].removeprefix("path:")
    if not os.path.exists(path):
        return
    found = {**query, "lastModified": "0", "narHash": output_of(["hash", "path", path]).strip().replace("+", "%2B").replace("=", "%3D")}
    found.pop("dir", None)
    described = "&".join(f"{name}={value}" for name, value in sorted(found.items()))
    fail(f"'lastModified' attribute mismatch in input 'path:{path}?{described}', expected {date}")


def path_info(output: str) -> list[dict]:
    """An array, in which what is empty or false is missing."""
    found = []
    for path, info in json.loads(output).items():
        if info is None:
            found.append({"path": path, "valid": False})
            continue
        kept = {name: info[name] for name in ("narHash", "narSize", "references", "registrationTime")}
        optional = {name: info[name] for name in ("ca", "deriver", "signatures", "ultimate") if info.get(name)}
        found.append({"path": path, "valid": True, **kept, **optional})
    return found


def main() -> None:
    call = Call(sys.argv[1:])
    if "--version" in call.arguments and not call.command:
        print(VERSION)
        return
    refuse(call)
    # Root uses the daemon too, wherever there is one.
    if os.path.exists(DAEMON):
        os.environ.setdefault("NIX_REMOTE", "daemon")
    # It splits the options at white space, and knows no quotes.
    if "NIX_SSHOPTS" in os.environ:
        os.environ["NIX_SSHOPTS"] = shlex.join(os.environ["NIX_SSHOPTS"].split())
    takes_flake = call.command in FLAKES or (call.command.startswith("flake ") and call.command not in ("flake init", "flake new"))
    if not takes_flake:
        if call.command != "path-info" or not call.json():
            sys.exit(run(call.arguments, rewrite)[0])
        code, output = run(call.arguments, rewrite, capture=True)
        if code == 0 or output.startswith("{"):
            dump(path_info(output))
        sys.exit(code)
    without_query(call)
    references = call.references()
    for reference in references:
        refuse_date(reference)
        if "narHash" in query_of(reference) and call.command != "flake metadata" and uses_date(reference):
            fail("attribute 'lastModified' missing")
    began = int(time.time())
    with lix_lock.read(references, call) as arguments:
        code, output = run(arguments, rewrite, capture=True)
    lix_lock.write(references, call)
    if code != 0 or not call.json():
        sys.stdout.write(output)
        sys.exit(code)
    if call.command in ("flake metadata", "flake info"):
        data = json.loads(output)
        data.pop("fingerprint", None)
        data["locked"].pop("__final", None)
        lix_lock.restore(data["locks"], references[0])
        dump(data)
    elif call.command == "flake archive":
        data = json.loads(output)
        lix_lock.add_paths(data, references[0])
        dump(data)
    elif call.command == "build":
        times = {"startTime": began, "stopTime": int(time.time())}
        dump([{**built, **times} for built in json.loads(output)])
    else:
        sys.stdout.write(output)


main()
