"""What upstream Nix from 2.35 on and Determinate Nix with lazy trees have in common: a source is copied to the store by
`flake archive`, `flake prefetch` and by what refers to it, and by nothing else."""

import fcntl
import sys

from stand_in import MISSING_PATH, Call, Rewrite, locked, remove_sources, run, scratch_store, sources

COPY_NOTHING = ("flake metadata", "flake info", "flake lock", "flake update", "flake show")
EVALUATE = ("eval", "build", "flake check")


def missing_source(line: str) -> str:
    match = MISSING_PATH.match(line)
    return line if match is None else f'error: opening file "{match[1]}": No such file or directory\n'


def run_lazily(call: Call, rewrite: Rewrite) -> tuple[int, str]:
    """Runs a call as a lazy Nix does. Returns its exit code, and its output, which has not been printed."""
    arguments = call.arguments
    if call.command in COPY_NOTHING and not call.has("--store"):
        with scratch_store() as store:
            return run([*arguments, "--store", store], rewrite, capture=True)
    if call.command in EVALUATE and not call.has("--store"):
        with locked(fcntl.LOCK_SH):
            before = sources()
            code, output = run(arguments, rewrite, capture=True)
            remove_sources({name for name in sources() - before if name not in output})
            return code, output
    # Those to several machines run side by side.
    if call.has("--to"):
        return run(arguments, rewrite, capture=True)
    # What it has copied stays, whatever ends beside it.
    with locked(fcntl.LOCK_EX):
        return run(arguments, rewrite, capture=True)


def passes(call: Call) -> bool:
    """Whether the call has to do with sources at all."""
    return call.command in COPY_NOTHING or call.command in EVALUATE or call.command.startswith("flake ")


def finish(code: int, output: str) -> None:
    sys.stdout.write(output)
    sys.exit(code)
