"""What the stand-ins for a Nix share. Each stands before the real Nix (2.34) of the suite, at /usr/bin/nix."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, unquote

REAL = "/usr/libexec/real-nix/nix"

# Options with values, so that these are not taken for words of the command line.
VALUES = {
    "--option": 2, "--override-input": 2, "--arg": 2, "--argstr": 2, "--extra-experimental-features": 1,
    "--experimental-features": 1, "--store": 1, "--eval-store": 1, "--to": 1, "--from": 1, "--apply": 1, "--out-link": 1,
    "-o": 1, "--profile": 1, "--update-input": 1, "--reference-lock-file": 1, "--output-lock-file": 1, "--log-format": 1,
    "--max-jobs": 1, "-j": 1, "--cores": 1, "--builders": 1, "-I": 1, "--include": 1, "--json-format": 1, "--inputs-from": 1,
    "--expr": 1, "--file": 1, "-f": 1, "--type": 1, "--hash-algo": 1, "--name": 1, "-n": 1, "--write-to": 1,
}  # fmt: skip


class Call:
    """One call of `nix`: its arguments, and which of them are words and not options."""

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments
        self.positions: list[int] = []
        index = 0
        while index < len(arguments):
            argument = arguments[index]
            if argument.startswith("-"):
                index += 1 + VALUES.get(argument, 0)
                continue
            self.positions.append(index)
            index += 1
        words = [arguments[position] for position in self.positions]
        size = 2 if words[:1] in (["flake"], ["store"], ["hash"], ["derivation"], ["profile"], ["key"]) else 1
        self.command = " ".join(words[:size])
        self.operands = self.positions[size:]

    def has(self, *options: str) -> bool:
        return any(option in self.arguments for option in options)

    def references(self) -> list[str]:
        """The flakes that the call names; a command without operands means the flake in the working directory."""
        if self.has("--expr", "--file", "-f"):
            return []
        found = [self.arguments[position].split("#")[0] for position in self.operands]
        if self.command.startswith("flake "):
            found = found[:1]
        return found or ["."]

    def json(self) -> bool:
        return self.has("--json")


def fail(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def unknown_flag(flag: str) -> None:
    fail(f"unrecognised flag '{flag}'\nTry 'nix --help' for more information.")


def unknown_command(word: str) -> None:
    fail(f"'{word}' is not a recognised command\nTry 'nix --help' for more information.")


def query_of(reference: str) -> dict[str, str]:
    """The query of a reference: `path:P?dir=SUB&rev=R`."""
    return dict(parse_qsl(reference.partition("?")[2], keep_blank_values=True))


def directory_of(reference: str) -> Path | None:
    """The directory of flake.nix, where it is on this disk."""
    base = unquote(reference.partition("?")[0])
    for scheme in ("path:", "git+file://", "git+file:"):
        if base.startswith(scheme):
            base = base[len(scheme) :]
            break
    else:
        if not base.startswith(("/", ".")):
            return None
    return Path(base, query_of(reference).get("dir", "")).absolute()


def lock_file_of(reference: str) -> Path | None:
    directory = directory_of(reference)
    return None if directory is None else directory / "flake.lock"


def read_lock(file: Path | None) -> dict:
    try:
        return json.loads(file.read_text()) if file is not None else {}
    except (OSError, ValueError):
        return {}


Rewrite = Callable[[str], str | None]


def run(arguments: list[str], rewrite: Rewrite, *, capture: bool = False) -> tuple[int, str]:
    """Runs the real Nix. Its error lines are rewritten one by one; its output is returned where it is wanted, else passed on."""
    process = subprocess.Popen(
        ["nix", *arguments], executable=REAL, stdout=subprocess.PIPE if capture else None, stderr=subprocess.PIPE, text=True, errors="surrogateescape"
    )

    def follow() -> None:
        for line in process.stderr:
            text = rewrite(line)
            if text is not None:
                sys.stderr.write(text)
                sys.stderr.flush()

    sys.stderr.reconfigure(errors="surrogateescape")
    sys.stdout.reconfigure(errors="surrogateescape")
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    signal.signal(signal.SIGINT, lambda *_: None)
    follower = threading.Thread(target=follow)
    follower.start()
    output = process.stdout.read() if capture else ""
    code = process.wait()
    follower.join()
    if code < 0:
        # It ends as the real one did.
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code, output


def output_of(arguments: list[str]) -> str:
    """What the real Nix prints. Ends as it ends where it fails."""
    result = subprocess.run(["nix", *arguments], executable=REAL, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        sys.exit(result.returncode)
    return result.stdout


def real(arguments: list[str]) -> None:
    """Becomes the real Nix."""
    os.execv(REAL, ["nix", *arguments])


def dump(value: object) -> None:
    print(json.dumps(value, separators=(",", ":"), sort_keys=True))


@contextmanager
def locked(kind: int):
    # The stand-ins' own file: everybody may read it, and nobody removes it.
    with open(__file__) as file:
        fcntl.flock(file, kind)
        yield


@contextmanager
def scratch_store():
    """A store for a command that leaves nothing in the real one."""
    directory = tempfile.mkdtemp(prefix="nix-stand-in-")
    try:
        yield directory
    finally:
        subprocess.run(["chmod", "-R", "u+w", directory], check=False)
        shutil.rmtree(directory, ignore_errors=True)


def sources() -> set[str]:
    try:
        return {name for name in os.listdir("/nix/store") if name.endswith("-source")}
    except OSError:
        return set()


def remove_sources(names: set[str]) -> None:
    """Removes source trees that nothing refers to; Nix itself refuses the others."""
    for name in names:
        subprocess.run(["nix-store", "--delete", f"/nix/store/{name}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def write_new_nodes(reference: str, before: dict, change: Callable[[dict], None]) -> None:
    """Changes those nodes of a lock file that a command has just written."""
    file = lock_file_of(reference)
    lock = read_lock(file)
    if file is None or lock == before or not lock:
        return
    former = before.get("nodes", {})
    for name, node in lock["nodes"].items():
        if former.get(name) != node and "locked" in node:
            change(node)
    file.write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n")


# A file system path that is not there, as 2.34 says it.
MISSING_PATH = re.compile(r"^\s*error: path '/?(/nix/store/[^']*)' does not exist$")
