#!/usr/bin/python3
"""Stands for nixos-rebuild-ng (NixOS from 25.11): its options, order, streams, messages and exit codes, for a flake on the
machine itself. Nix, the profile, systemd-run and switch-to-configuration are real."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ACTIONS = ["switch", "boot", "test", "build", "dry-build", "dry-run", "dry-activate"]
FLAKE_FLAGS = ["--extra-experimental-features", "nix-command flakes"]
REEXEC = "_NIXOS_REBUILD_REEXEC"
UNIT = "nixos-rebuild-switch-to-configuration"
SYSTEMD_RUN = ["systemd-run", "-E", "LOCALE_ARCHIVE", "-E", "NIXOS_INSTALL_BOOTLOADER", "-E", "NIXOS_NO_CHECK", "--collect", "--no-ask-password"]
# systemd-run can show what a unit writes to the journal, from this version on.
JOURNAL_SINCE = 261

# What goes on to `nix build` as it is: flags, and options with one or two values.
BUILD_FLAGS = [
    "--keep-going", "--keep-failed", "--fallback", "--repair", "--quiet", "--print-build-logs", "--show-trace",
    "--accept-flake-config", "--refresh", "--impure", "--offline", "--no-net", "--recreate-lock-file",
    "--no-update-lock-file", "--no-write-lock-file", "--no-registries", "--commit-lock-file",
]  # fmt: skip
BUILD_OPTIONS = {
    "--max-jobs": 1, "--cores": 1, "--log-format": 1, "--builders": 1, "--include": 1, "--update-input": 1,
    "--option": 2, "--override-input": 2,
}  # fmt: skip
SHORT = {
    "--keep-going": "-k", "--keep-failed": "-K", "--print-build-logs": "-L", "--max-jobs": "-j", "--include": "-I",
}  # fmt: skip


class NixOSRebuildError(Exception):
    def __str__(self) -> str:
        return f"error: {super().__str__()}"


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="nixos-rebuild", add_help=False, allow_abbrev=False)
    p.add_argument("--help", "-h", action="store_true")
    p.add_argument("--verbose", "-v", action="count", default=0)
    p.add_argument("--flake", nargs="?", const=True)
    p.add_argument("--no-flake", dest="flake", action="store_false")
    p.add_argument("--install-bootloader", action="store_true")
    p.add_argument("--profile-name", "-p", default="system")
    p.add_argument("--rollback", action="store_true")
    p.add_argument("--no-reexec", action="store_true")
    p.add_argument("--fast", action="store_true", dest="no_reexec")
    p.add_argument("--sudo", action="store_true")
    p.add_argument("--use-substitutes", "-s", action="store_true")
    p.add_argument("--store-path")
    p.add_argument("--specialisation", "-c")
    for name in BUILD_FLAGS:
        p.add_argument(name, *([SHORT[name]] if name in SHORT else []), action="store_true")
    for name, values in BUILD_OPTIONS.items():
        p.add_argument(
            name, *([SHORT[name]] if name in SHORT else []), action="append", nargs=values, default=[]
        )
    p.add_argument("action", choices=ACTIONS, nargs="?")
    return p


def build_arguments(args: argparse.Namespace) -> list[str]:
    found: list[str] = []
    for name in BUILD_FLAGS:
        if getattr(args, name[2:].replace("-", "_")):
            found.append(name)
    for name in BUILD_OPTIONS:
        for values in getattr(args, name[2:].replace("-", "_")):
            found += [name, *values]
    return found + ["-" + "v" * args.verbose] * bool(args.verbose)


def log(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def run(command: list[str | Path], environment: dict[str, str] | None = None) -> None:
    """Runs a command with its standard output on standard error."""
    code = subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode
    if code != 0:
        raise subprocess.CalledProcessError(code, shlex.join(map(str, command)))


def output_of(command: list[str]) -> str:
    result = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE)
    if result.returncode != 0:
        raise subprocess.CalledProcessError(result.returncode, shlex.join(command))
    return result.stdout.strip()


def flake_attribute(reference: str) -> str:
    """`REF#NAME`, where NAME is the machine's own when there is none."""
    match = re.match(r"^(?P<path>[^#]*)(?:#(?P<name>[^#\"]*))?$", reference)
    if match is None:
        raise NixOSRebuildError(f"could not parse the flake reference {reference!r}")
    name = match["name"] or Path("/proc/sys/kernel/hostname").read_text().strip() or "default"
    return f'{match["path"]}#nixosConfigurations."{name}"'


def build(attribute: str, args: argparse.Namespace, *flags: str) -> Path:
    return Path(
        output_of(["nix", *FLAKE_FLAGS, "build", "--print-out-paths", attribute, *flags, *build_arguments(args)])
    )


def reexec(attribute: str, args: argparse.Namespace) -> None:
    new = build(f"{attribute}.config.system.build.nixos-rebuild", args, "--no-link") / "bin/nixos-rebuild"
    os.execve(new, sys.argv, os.environ | {REEXEC: "1"})


def set_profile(profile: Path, toplevel: Path) -> None:
    if not (toplevel / "nixos-version").exists() and not os.environ.get(
        "NIXOS_REBUILD_I_UNDERSTAND_THE_CONSEQUENCES_PLEASE_BREAK_MY_SYSTEM"
    ):
        raise NixOSRebuildError(
            "your NixOS configuration path seems to be missing essential files.\n"
            "To avoid corrupting your current NixOS installation, the activation will abort.\n\n"
            f"This is the evaluated NixOS configuration path: {toplevel}."
        )
    run(["nix-env", "-p", profile, "--set", toplevel])


def previous_generation(profile: Path) -> Path:
    numbers: list[str] = []
    for line in output_of(["nix-env", "-p", str(profile), "--list-generations"]).splitlines():
        if "(current)" in line:
            break
        numbers.append(line.split()[0])
    if not numbers:
        raise NixOSRebuildError("could not find previous generation")
    return profile.parent / f"{profile.name}-{numbers[-1]}-link"


def systemd_run() -> list[str]:
    version = output_of(["systemctl", "--version"]).split()[1]
    follows = int(re.match(r"\d+", version)[0]) >= JOURNAL_SINCE
    pipe, journal = ([], ["--wait", "--verbose", "--output=cat"]) if follows else (["--pipe"], [])
    return [*SYSTEMD_RUN, *pipe, "--quiet", "--service-type=exec", f"--unit={UNIT}", *journal]


def switch_to_configuration(toplevel: Path, action: str, install_boot_loader: bool, specialisation: str | None) -> None:
    if specialisation is not None:
        if action not in ("switch", "test"):
            raise NixOSRebuildError("'--specialisation' can only be used with 'switch' and 'test'")
        toplevel = toplevel / "specialisation" / specialisation
        if not toplevel.exists():
            raise NixOSRebuildError(f"specialisation not found: {specialisation}")
    environment = os.environ | {"NIXOS_INSTALL_BOOTLOADER": "1" if install_boot_loader else "0"}
    for name in ("LOCALE_ARCHIVE", "NIXOS_NO_CHECK"):
        environment.setdefault(name, "")
    # Without a working systemd (a chroot): directly.
    prefix = systemd_run() if Path("/run/systemd/system").exists() else []
    run([*prefix, toplevel / "bin/switch-to-configuration", action], environment)


def done(toplevel: Path) -> None:
    # The toplevel alone goes to standard output.
    print("Done. The new configuration is", end=" ", file=sys.stderr, flush=True)
    print(toplevel, flush=True)


def execute() -> None:
    args = parser().parse_args()
    if args.help or args.action is None:
        parser().print_help()
        return
    action = "dry-build" if args.action == "dry-run" else args.action
    if not isinstance(args.flake, str) and not args.rollback and not args.store_path:
        raise NixOSRebuildError("this stand-in builds flakes only")
    attribute = flake_attribute(args.flake) if isinstance(args.flake, str) else ""
    if action in ("switch", "boot", "test") and attribute and not args.no_reexec and not os.environ.get(REEXEC):
        reexec(attribute, args)

    profile = Path("/nix/var/nix/profiles/system")
    if args.profile_name != "system":
        profile = Path("/nix/var/nix/profiles/system-profiles") / args.profile_name
        profile.parent.mkdir(mode=0o755, parents=True, exist_ok=True)

    log("building the system configuration...")
    if args.store_path:
        toplevel = Path(args.store_path)
    elif args.rollback and action in ("switch", "boot"):
        run(["nix-env", "--rollback", "-p", profile])
        toplevel = profile
    elif args.rollback and action in ("test", "build"):
        toplevel = previous_generation(profile)
    elif args.rollback:
        raise NixOSRebuildError(f"--rollback is incompatible with '{action}'")
    else:
        flags = {"build": [], "dry-build": ["--dry-run"]}.get(action, ["--no-link"])
        toplevel = build(f"{attribute}.config.system.build.toplevel", args, *flags)

    if action in ("switch", "boot") and not args.rollback:
        set_profile(profile, toplevel)
    if action in ("switch", "boot", "test", "dry-activate"):
        switch_to_configuration(toplevel, action, args.install_bootloader, args.specialisation)
    if action != "dry-build":
        done(toplevel)


def main() -> None:
    try:
        execute()
    except subprocess.CalledProcessError as error:
        log(str(error))
        # A command that a signal has ended has a negative code: 1 where nothing was switched yet.
        sys.exit(error.returncode if error.returncode > 0 else 1)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001
        sys.exit(str(error))


if __name__ == "__main__":
    main()
