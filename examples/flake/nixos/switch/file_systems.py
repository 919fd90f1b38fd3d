"""What a switch does to file systems and swap devices, by the /etc/fstab of the running and of the new system."""

import subprocess
from pathlib import Path

from changes import Changes
from says import say


def collect_file_systems(changes: Changes, toplevel: Path, action: str) -> None:
    old, old_swaps = read(Path("/etc/fstab"))
    new, new_swaps = read(toplevel / "etc/fstab")
    for place, (device, kind, options) in old.items():
        mount = unit_of(place, "mount")
        if place not in new:
            changes.stop.add(unit_of(place, "automount") if "x-systemd.automount" in options else mount)
            continue
        new_device, new_kind, new_options = new[place]
        if (device, kind) == (new_device, new_kind) or place in ("/", "/nix"):
            if options != new_options:
                changes.add("reload", mount)
            elif (device, kind) != (new_device, new_kind):
                changes.skip.add(mount)
        else:
            changes.add("restart", mount)
    for device in old_swaps - new_swaps:
        if action == "dry-activate":
            say(f"would stop swap device: {device}")
        else:
            say(f"stopping swap device: {device}")
            if subprocess.run(["swapoff", device], capture_output=True, check=False).returncode != 0:
                say(f"Failed to stop swapping to {device}")


def read(file: Path) -> tuple[dict[str, tuple[str, str, str]], set[str]]:
    places, swaps = {}, set()
    for line in file.read_text().splitlines() if file.exists() else []:
        device, place, kind, options, *_ = [*line.split(), "", "", "", ""]
        if "#" in line or not kind:
            continue
        if kind == "swap":
            swaps.add(device)
        else:
            places[place] = (device, kind, options)
    return places, swaps


def unit_of(place: str, kind: str) -> str:
    command = ["systemd-escape", "--path", f"--suffix={kind}", place]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
