"""A systemd manager, the system's or a user's, over D-Bus: its units, and jobs with their results."""

from dataclasses import dataclass

from bus import Bus, BusError

NAME, ROOT = "org.freedesktop.systemd1", "/org/freedesktop/systemd1"
MANAGER = f"{NAME}.Manager"
# As systemd's own limit of a reload.
RELOAD_SECONDS = 180


@dataclass(frozen=True)
class UnitState:
    state: str
    substate: str
    path: str


class Systemd:
    def __init__(self, bus_path: str):
        self.bus = Bus(bus_path)
        self.bus.on_signal = self._on_signal
        self._jobs: dict[str, tuple[str, str]] = {}
        self._reloading = False
        self.awaited: set[str] = set()
        # Kind of job, unit and result of each job that has ended.
        self.ended: list[tuple[str, str, str]] = []
        self._call("Subscribe")
        self._rules = {signal: f"type='signal',sender='{NAME}',interface='{MANAGER}',member='{signal}'" for signal in ("JobRemoved", "Reloading")}
        for rule in self._rules.values():
            self.bus.match(rule)

    def units(self) -> dict[str, UnitState]:
        """All units but the inactive ones."""
        found = self._call("ListUnitsByPatterns", "asas", [], [])[0]
        return {name: UnitState(state, sub, path) for name, _, _, state, sub, following, path, *_ in found if state != "inactive" and not following}

    def unit_property(self, path: str, name: str, kind: str = "Unit"):
        return self.bus.get(NAME, path, f"{NAME}.{kind}", name)

    def is_active(self, unit: str) -> bool:
        return self.unit_property(self._call("GetUnit", "s", unit)[0], "ActiveState") in ("active", "activating")

    def submit(self, job: str, unit: str) -> None:
        """Enqueues a job: `start`, `stop`, `restart` or `reload`. Throws BusError when systemd refuses it."""
        path = self._call(f"{job.capitalize()}Unit", "ss", unit, "replace")[0]
        self._jobs[path] = (job, unit)

    def restart_apart(self, unit: str) -> None:
        """Restarts a unit whose result does not count; see `awaited`."""
        self._call("RestartUnit", "ss", unit, "replace")

    def wait_for_jobs(self) -> None:
        while self._jobs:
            self.bus.process(0.5)

    def reset_failed(self) -> None:
        self._call("ResetFailed")

    def reload(self) -> None:
        self._reload("Reload", "reload")

    def reexecute(self) -> None:
        self._reload("Reexecute", "reexecute")

    def ask(self, method: str) -> None:
        """Calls a method whose failure does not matter."""
        try:
            self._call(method)
        except BusError:
            pass

    def forget(self, signal: str) -> None:
        self.bus.match(self._rules[signal], wanted=False)

    def _call(self, method: str, signature: str = "", *arguments):
        return self.bus.call(NAME, ROOT, MANAGER, method, signature, *arguments)

    def _reload(self, method: str, word: str) -> None:
        self._reloading = True
        self.ask(method)
        waited = 0.0
        while self._reloading:
            self.bus.process(0.5)
            waited += 0.5
            if waited >= RELOAD_SECONDS:
                raise BusError(f"systemd daemon {word} failed, timeout after {RELOAD_SECONDS}s")

    def _on_signal(self, member: str, arguments: list) -> None:
        if member == "Reloading":
            self._reloading = arguments[0]
        elif member == "JobRemoved":
            _, path, unit, result = arguments
            self.awaited.discard(unit)
            if path in self._jobs:
                self.ended.append((self._jobs.pop(path)[0], unit, result))
