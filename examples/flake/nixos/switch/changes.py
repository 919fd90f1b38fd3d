"""What a switch does to the units that are active, by the unit files of the running and of the new system."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from systemd import Systemd, UnitState
from unit_files import Comparison, Unit, compare, drop_ins, is_true, present, read_unit

# They are never started or restarted by name.
INDIRECT_TARGETS = ("sysinit.target", "basic.target", "multi-user.target", "graphical.target")
SLEEP_TARGETS = ("suspend.target", "hibernate.target", "hybrid-sleep.target")


@dataclass(frozen=True)
class Scope:
    """Where the unit files of a manager are."""

    directory: str
    lists: Path

    def list_file(self, name: str) -> Path:
        return self.lists / f"{name}-list"


SYSTEM = Scope("etc/systemd/system", Path("/run/nixos"))


def user_scope(runtime: str) -> Scope:
    return Scope("etc/systemd/user", Path(runtime) / "nixos")


@dataclass
class Changes:
    """Units by what happens to them. What is to be done after the activation is also kept in files, for the next switch if this one is killed."""

    scope: Scope
    recorded: bool
    stop: set[str] = field(default_factory=set)
    skip: set[str] = field(default_factory=set)
    start: set[str] = field(default_factory=set)
    restart: set[str] = field(default_factory=set)
    reload: set[str] = field(default_factory=set)
    # Active targets are started again, without a message.
    silent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name in ("start", "restart", "reload"):
            file = self.scope.list_file(name)
            if file.exists():
                getattr(self, name).update(filter(None, file.read_text().splitlines()))

    def add(self, name: str, unit: str) -> None:
        """Adds a unit to `start`, `restart` or `reload`."""
        getattr(self, name).add(unit)
        if self.recorded:
            with self.scope.list_file(name).open("a") as file:
                file.write(f"{unit}\n")

    def drop(self, name: str, unit: str) -> None:
        getattr(self, name).discard(unit)
        file = self.scope.list_file(name)
        if self.recorded and file.exists():
            file.write_text("".join(f"{line}\n" for line in file.read_text().splitlines() if line != unit))

    def done(self, name: str) -> None:
        self.scope.list_file(name).unlink(missing_ok=True)


def template_of(unit: str) -> str | None:
    instance = re.match(r"^(.*)@[^.]*\.(.*)$", unit)
    return f"{instance[1]}@.{instance[2]}" if instance else None


def is_indirect(unit: str) -> bool:
    return unit in INDIRECT_TARGETS or unit.endswith((".path", ".slice"))


def collect(systemd: Systemd, changes: Changes, active: dict[str, UnitState], old: Path, toplevel: Path) -> None:
    """Compares each active unit of /etc with its file of the new system. `old` is the directory of the running system's files."""
    new = toplevel / changes.scope.directory
    for unit, state in active.items():
        base = unit
        drop_ins_gone = False
        template = template_of(unit)
        if template and not (old / unit).exists() and not (new / unit).exists():
            base = template
            # An instance that the running system had by a drop-in of its own, and the new one has not.
            drop_ins_gone = any(map(present, drop_ins(old / unit))) and not any(map(present, drop_ins(new / unit)))
        if not (old / base).exists() or state.state not in ("active", "activating"):
            continue
        # Asked last, because each question takes a round trip.
        if not str(systemd.unit_property(state.path, "FragmentPath")).startswith(f"/{changes.scope.directory}"):
            continue
        before = read_unit(old / unit, old / base)
        if drop_ins_gone or not present(new / base):
            if is_true(before, "Unit", "X-StopOnRemoval", True):
                changes.stop.add(unit)
            continue
        after = read_unit(new / unit, new / base)
        if unit.endswith(".target"):
            collect_target(changes, unit, after)
            continue
        match compare(before, after):
            case Comparison.RESTART:
                modify(changes, unit, base, after, active, toplevel)
            case Comparison.RELOAD if unit not in changes.restart:
                changes.add("reload", unit)


def collect_target(changes: Changes, unit: str, after: Unit) -> None:
    by_hand = is_true(after, "Unit", "RefuseManualStart", False) or is_true(after, "Unit", "X-OnlyManualStart", False)
    if unit not in SLEEP_TARGETS and not by_hand:
        changes.add("start", unit)
        changes.silent.add(unit)
    if is_true(after, "Unit", "X-StopOnReconfiguration", False):
        changes.stop.add(unit)


def modify(changes: Changes, unit: str, base: str, after: Unit, active: dict[str, UnitState], toplevel: Path, by_activation: bool = False) -> None:
    """Decides about a unit that differs. An activation script asks for it when nothing can be stopped any more: then it is restarted."""
    if is_indirect(unit) or unit.endswith(".socket"):
        return
    if unit.endswith(".mount"):
        changes.add("reload" if unit in ("-.mount", "nix.mount") else "restart", unit)
        return
    stopping = changes.restart if by_activation else changes.stop
    if is_true(after, "Service", "X-ReloadIfChanged", False) and unit not in changes.restart and unit not in stopping:
        changes.add("reload", unit)
        return
    if (
        not is_true(after, "Service", "X-RestartIfChanged", True)
        or is_true(after, "Unit", "RefuseManualStop", False)
        or is_true(after, "Unit", "X-OnlyManualStart", False)
    ):
        changes.skip.add(unit)
        return
    if not is_true(after, "Service", "X-StopIfChanged", True) or not unit.endswith(".service"):
        changes.add("restart", unit)
    else:
        starting = "restart" if by_activation else "start"
        by_socket = stop_sockets(changes, base, after, active, toplevel, stopping, starting)
        if not by_socket or is_true(after, "Service", "X-NotSocketActivated", False):
            changes.add(starting, unit)
        stopping.add(unit)
    if unit in changes.reload:
        changes.drop("reload", unit)


def stop_sockets(changes: Changes, base: str, after: Unit, active: dict[str, UnitState], toplevel: Path, stopping: set[str], starting: str) -> bool:
    """Stops and starts the sockets of a service. Returns whether one of them starts the service."""
    by_socket = False
    name = base.rsplit(".", 1)[0].removesuffix("@")
    for socket in " ".join(after.get("Service", {}).get("Sockets", [])).split() or [f"{name}.socket"]:
        in_new = (toplevel / changes.scope.directory / socket).exists()
        if socket in active:
            stopping.add(socket)
            if in_new:
                changes.add(starting, socket)
        by_socket = by_socket or in_new
    return by_socket
