"""Behaves as NixOS's switch-to-configuration of 2026: its actions, order, lock, messages and exit codes.

0 done; 1 refused, or the boot loader failed; 2 the activation script failed; 4 units failed; 11 another switch holds the
lock; 100 reboot needed. The wrapper in the toplevel sets OUT, TOPLEVEL, DISTRO_ID, INSTALL_BOOTLOADER, PRE_SWITCH_CHECK and SYSTEMD."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import syslog
from pathlib import Path

import user
from bus import BusError
from changes import SYSTEM, Changes, collect, is_indirect, modify, template_of
from file_systems import collect_file_systems
from says import say, say_units
from systemd import NAME, Systemd
from unit_files import is_true, read_unit

ACTIONS = ("check", "switch", "boot", "test", "dry-activate")
REACTIVATION = "sysinit-reactivation.target"
SYSTEM_BUS = "/run/dbus/system_bus_socket"
LOGIN = "org.freedesktop.login1"
USAGE = """Usage: switch-to-configuration [check|switch|boot|test|dry-activate]
check:        run pre-switch checks and exit
switch:       make the configuration the boot default and activate now
boot:         make the configuration the boot default
test:         activate the configuration, but don't make it the boot default
dry-activate: show what would be done if this configuration were activated
"""


class Fatal(Exception):
    """Ends the program with 1."""


def variable(name: str) -> str:
    if name not in os.environ:
        raise Fatal(f"missing required environment variable ${name}\n\nCaused by:\n    environment variable not found")
    return os.environ[name]


def end(code: int, text: str) -> None:
    say(text)
    sys.exit(code)


def succeeds(command: list) -> bool:
    return subprocess.run(command, check=False).returncode == 0


def real(path: Path) -> Path:
    return path.resolve() if path.exists() else Path("/unknown")


class Switch:
    def __init__(self, action: str):
        self.out, self.toplevel = Path(variable("OUT")), Path(variable("TOPLEVEL"))
        self.old_toplevel = Path("/run/current-system").resolve()
        self.distribution, self.check, self.boot_loader = variable("DISTRO_ID"), variable("PRE_SWITCH_CHECK"), variable("INSTALL_BOOTLOADER")
        self.systemd_path = Path(variable("SYSTEMD"))
        self.action = action
        self.code = 0
        os.environ["NIXOS_ACTION"] = action

    def run(self) -> int:
        self.require_nixos()
        self.lock()
        if os.environ.get("NIXOS_NO_CHECK") != "1" and not succeeds([*self.check.split(), self.toplevel, self.action]):
            end(1, "Pre-switch checks failed")
        if self.action == "check":
            return 0
        if self.action in ("switch", "boot") and not succeeds([*self.boot_loader.split(), self.toplevel]):
            end(1, "Failed to install bootloader")
        if self.action == "boot":
            return 0
        self.require_same_init()
        self.systemd = Systemd(SYSTEM_BUS)
        self.active = self.systemd.units()
        self.changes = Changes(SYSTEM, recorded=self.action != "dry-activate")
        collect(self.systemd, self.changes, self.active, Path("/etc/systemd/system"), self.toplevel)
        collect_file_systems(self.changes, self.toplevel, self.action)
        pid1 = real(self.systemd_path / "lib/systemd/systemd")
        conf = "etc/systemd/system.conf"
        self.restarts_systemd = real(Path("/proc/1/exe")) != pid1 or real(Path("/", conf)) != real(self.toplevel / conf)
        if self.action == "dry-activate":
            return self.dry_activate()
        syslog.syslog(syslog.LOG_INFO, f"switching to system configuration {self.toplevel}")
        self.stop()
        self.activate()
        self.renew_systemd()
        self.switch_users()
        self.bring_up()
        self.report()
        if self.code == 0:
            syslog.syslog(syslog.LOG_INFO, f"finished switching to system configuration {self.toplevel}")
        else:
            syslog.syslog(syslog.LOG_ERR, f"switching to system configuration {self.toplevel} failed (status {self.code})")
        return self.code

    def require_nixos(self) -> None:
        distribution = re.search(r'^ID="?(.*?)"?$', Path("/etc/os-release").read_text(), re.MULTILINE)
        if not Path("/etc/NIXOS").is_file() and (distribution is None or distribution[1] != self.distribution):
            end(2, "This is not a NixOS installation!")

    def lock(self) -> None:
        SYSTEM.lists.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.lock_file = (SYSTEM.lists / "switch-to-configuration.lock").open("a")
        try:
            fcntl.flock(self.lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            end(11, "Could not acquire lock")
        if not Path("/dev/log").exists():
            raise Fatal("Failed to initialize logger")
        syslog.openlog("nixos", 0, syslog.LOG_USER)

    def require_same_init(self) -> None:
        running = Path("/run/current-system/init-interface-version")
        before = running.read_text() if running.exists() else ""
        if before != (self.toplevel / "init-interface-version").read_text():
            end(
                100,
                "Warning: the new NixOS configuration has an ‘init’ that is\n"
                "incompatible with the current configuration.  The new configuration\n"
                "won't take effect until you reboot the system.\n",
            )

    def dry_activate(self) -> int:
        say_units("would stop the following units", self.changes.stop - self.changes.silent)
        say_units("would NOT stop the following changed units", self.changes.skip)
        say("would activate the configuration...")
        if (self.out / "dry-activate").exists():
            subprocess.run([self.out / "dry-activate", self.out], check=False)
        self.requests("dry-activation")
        if self.restarts_systemd:
            say("would restart systemd")
        say_units("would reload the following units", self.changes.reload)
        say_units("would restart the following units", self.changes.restart)
        say_units("would start the following units", self.changes.start - self.changes.silent)
        return 0

    def stop(self) -> None:
        say_units("stopping the following units", self.changes.stop - self.changes.silent)
        for unit in self.changes.stop:
            try:
                self.systemd.submit("stop", unit)
            except BusError:
                pass
        self.systemd.wait_for_jobs()
        say_units("NOT restarting the following changed units", self.changes.skip)

    def activate(self) -> None:
        say("activating the configuration...")
        if (self.out / "activate").exists() and not succeeds([self.out / "activate", self.out]):
            say("Failed to run activate script")
            self.code = 2
        self.requests("activation")

    def requests(self, prefix: str) -> None:
        """Units that an activation script wants restarted or reloaded."""
        restart, reload = (SYSTEM.lists / f"{prefix}-{word}-list" for word in ("restart", "reload"))
        if restart.exists() or reload.exists():
            say("WARN: restarting or reloading systemd units from the activation script is deprecated and will be removed in NixOS 26.11.")
        new = self.toplevel / SYSTEM.directory
        for unit in restart.read_text().splitlines() if restart.exists() else []:
            if unit not in self.active:
                self.changes.add("start", unit)
                continue
            base = template_of(unit) if template_of(unit) and not (new / unit).exists() else unit
            after = {} if is_indirect(unit) or unit.endswith((".mount", ".socket")) else read_unit(new / unit, new / base)
            modify(self.changes, unit, base, after, self.active, self.toplevel, by_activation=True)
        for unit in reload.read_text().splitlines() if reload.exists() else []:
            if unit in self.active and unit not in self.changes.restart | self.changes.stop:
                self.changes.add("reload", unit)
        restart.unlink(missing_ok=True)
        reload.unlink(missing_ok=True)

    def renew_systemd(self) -> None:
        if self.restarts_systemd:
            say("restarting systemd...")
            self.systemd.reexecute()
        self.systemd.reset_failed()
        self.systemd.reload()
        self.systemd.forget("Reloading")

    def switch_users(self) -> None:
        try:
            users = self.systemd.bus.call(LOGIN, "/org/freedesktop/login1", f"{LOGIN}.Manager", "ListUsers")[0]
        except BusError as error:
            end(11, f"Unable to list users with logind: {error}")
        for uid, name, path in users:
            # Fails, after the activation, when the user's last session has ended meanwhile.
            gid = self.user_property(path, "GID", f"Failed to get GID for {name}")
            runtime = self.user_property(path, "RuntimePath", f"Failed to get runtime directory for {name}")
            say(f"reloading user units for {name}...")
            environment = {"XDG_RUNTIME_DIR": runtime, "TOPLEVEL": str(self.toplevel), "OLD_TOPLEVEL": str(self.old_toplevel), "NIXOS_ACTION": self.action}
            if self.run_as(uid, gid, environment) != 0:
                say(f"warning: user activation for {name} failed")
                self.code = 4

    def user_property(self, path: str, name: str, failure: str):
        try:
            return self.systemd.bus.get(LOGIN, path, f"{LOGIN}.User", name)
        except BusError as error:
            raise Fatal(f"{failure}\n\nCaused by:\n    {error}") from error

    def run_as(self, uid: int, gid: int, environment: dict[str, str]) -> int:
        """Does the user's part in a child process, which costs less than another interpreter. Returns its exit code."""
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setgroups([])
                os.setgid(gid)
                os.setuid(uid)
                os.environ.clear()
                os.environ.update(environment)
                code = user.switch_user()
            except (BusError, OSError) as error:
                say(f"Error: {error}")
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def submit(self, job: str, unit: str) -> None:
        try:
            self.systemd.submit(job, unit)
        except BusError as error:
            say(f"Failed to {job} {unit}: {error}")
            self.code = 4

    def bring_up(self) -> None:
        say(f"restarting {REACTIVATION}")
        self.submit("restart", REACTIVATION)
        self.systemd.wait_for_jobs()
        for unit in set(self.changes.reload):
            if not self.systemd.is_active(unit):
                # Stopped with something that it requires: started instead.
                file = self.toplevel / SYSTEM.directory / unit
                if file.exists():
                    after = read_unit(file, file)
                    if not is_true(after, "Unit", "RefuseManualStart", False) or is_true(after, "Unit", "X-OnlyManualStart", False):
                        self.changes.add("start", unit)
                self.changes.drop("reload", unit)
        for job, verb in (("reload", "reloading"), ("restart", "restarting"), ("start", "starting")):
            units = getattr(self.changes, job)
            say_units(f"{verb} the following units", units - self.changes.silent if job == "start" else units)
            for unit in sorted(units, key=str.lower):
                self.submit(job, unit)
            self.systemd.wait_for_jobs()
            # An empty list of what to reload stays behind, as with the real one.
            if units or job == "start":
                self.changes.done(job)
        for job, unit, result in self.systemd.ended:
            if result in ("timeout", "failed", "dependency"):
                say(f"Failed to {job} {unit}")
                self.code = 4
        self.systemd.forget("JobRemoved")

    def report(self) -> None:
        waited = 0.0
        while waited < 90 and self.systemd.bus.process(0.25):
            waited += 0.25
        failed, new = [], []
        for unit, state in self.systemd.units().items():
            restarts = state.substate == "auto-restart" and unit.endswith(".service")
            if state.state == "failed" or (restarts and self.systemd.unit_property(state.path, "ExecMainStatus", "Service") != 0):
                failed.append(unit)
            elif unit not in self.active and not unit.endswith(".scope"):
                new.append(unit)
        say_units("the following new units were started", new)
        say_units("warning: the following units failed", failed)
        if failed:
            subprocess.run([self.systemd_path / "bin/systemctl", "status", "--no-pager", "--full", *failed], check=False)
            self.code = 4


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # The name of the real program, in the list of processes.
    Path("/proc/self/comm").write_text("switch-to-configuration"[:15])
    action = sys.argv[1] if len(sys.argv) > 1 else ""
    if action not in ACTIONS:
        end(1, USAGE)
    try:
        if os.geteuid() != 0:
            raise Fatal("switch-to-configuration must be run as the root user")
        code = Switch(action).run()
    except (Fatal, BusError, OSError) as error:
        end(1, f"Error: {error}")
    sys.exit(code)


main()
