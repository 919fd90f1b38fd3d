"""The part of one user: a child process of the switch that runs as that user, with the manager of its session."""

import os
from pathlib import Path

from bus import BusError
from changes import Changes, Scope, collect, user_scope
from says import names, say, say_units
from systemd import Systemd

ACTIVATION = "nixos-activation.service"


def switch_user() -> int:
    runtime = os.environ["XDG_RUNTIME_DIR"]
    toplevel, old = Path(os.environ["TOPLEVEL"]), Path(os.environ["OLD_TOPLEVEL"])
    scope = user_scope(runtime)
    try:
        scope.lists.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        say(f"Error: Failed to create {scope.lists}\n\nCaused by:\n    {error.strerror} (os error {error.errno})")
        return 1
    try:
        systemd = Systemd(f"{runtime}/bus")
    except (OSError, BusError) as error:
        say(f"Error: Failed to open dbus connection\n\nCaused by:\n    {error}")
        return 1
    changes = Changes(scope, recorded=True)
    collect(systemd, changes, systemd.units(), old / scope.directory, toplevel)
    changes.skip.discard(ACTIVATION)
    refused = run_jobs(systemd, changes)
    refused |= run_activation(systemd, toplevel, scope)
    failed = [(job, unit) for job, unit, result in systemd.ended if result in ("timeout", "failed", "dependency")]
    for job, unit in failed:
        say(f"Failed to {job} user unit {unit}")
    if failed:
        units = names(unit for _, unit in failed)
        say(f"warning: the following user units failed: {', '.join(units)}\nSee `systemctl --user status {' '.join(units)}` for details.")
    return 4 if failed or refused else 0


def run_jobs(systemd: Systemd, changes: Changes) -> bool:
    """Does what has changed. Returns whether systemd has refused a job."""
    say_units("stopping the following user units", changes.stop)
    for unit in changes.stop:
        try:
            systemd.submit("stop", unit)
        except BusError:
            pass
    systemd.wait_for_jobs()
    say_units("NOT restarting the following user units", changes.skip)
    # Its end is not signalled; what follows meets a manager that may be away for a moment.
    for method in ("Reexecute", "ResetFailed", "Reload"):
        systemd.ask(method)
    refused = False
    for job, verb in (("reload", "reloading"), ("restart", "restarting"), ("start", "starting")):
        units = getattr(changes, job)
        say_units(f"{verb} the following user units", units - changes.silent if job == "start" else units)
        for unit in units:
            try:
                systemd.submit(job, unit)
            except BusError as error:
                say(f"Failed to {job} user unit {unit}: {error}")
                refused = True
        systemd.wait_for_jobs()
        changes.done(job)
    return refused


def run_activation(systemd: Systemd, toplevel: Path, scope: Scope) -> bool:
    """Restarts the user's own activation and waits for it without a limit, whatever its result."""
    if not (toplevel / scope.directory / ACTIVATION).exists():
        return False
    say(f"restarting the following user units: {ACTIVATION}")
    systemd.awaited.add(ACTIVATION)
    try:
        systemd.restart_apart(ACTIVATION)
    except BusError as error:
        say(f"Failed to restart {ACTIVATION}: {error}")
        return True
    while ACTIVATION in systemd.awaited:
        systemd.bus.process(0.5)
    return False

