"""Reads unit files, and compares them as switch-to-configuration does."""

import re
from enum import Enum
from glob import escape, glob
from pathlib import Path

Unit = dict[str, dict[str, list[str]]]

# A change of these in [Unit] is none.
IGNORED = {
    "X-Reload-Triggers",
    "Description",
    "Documentation",
    "OnFailure",
    "OnSuccess",
    "OnFailureJobMode",
    "IgnoreOnIsolate",
    "StopWhenUnneeded",
    "RefuseManualStart",
    "RefuseManualStop",
    "AllowIsolate",
    "CollectMode",
    "SourcePath",
}
# A change of these alone is a reload.
RELOADED = {"Unit": "X-Reload-Triggers", "Service": "ExecReload", "Mount": "Options"}


class Comparison(Enum):
    EQUAL = "equal"
    RESTART = "restart"
    RELOAD = "reload"


def present(file: Path) -> bool:
    """Whether a unit file exists and is not masked."""
    return file.exists() and file.resolve() != Path("/dev/null")


def drop_ins(file: Path) -> list[Path]:
    return [Path(found) for found in sorted(glob(f"{escape(str(file))}.d/*.conf"))]


def read_unit(file: Path, base: Path) -> Unit:
    """Reads a unit with its drop-ins. `base` is the template of an instance, or the file itself."""
    unit: Unit = {}
    add_file(unit, base)
    for more in drop_ins(base) + (drop_ins(file) if file != base else []):
        add_file(unit, more)
    return unit


def add_file(unit: Unit, file: Path) -> None:
    section = None
    found: Unit = {}
    for line in file.read_text().splitlines():
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if heading := re.fullmatch(r"\[(.*)\]", line):
            section = heading[1]
            if section != "Install":
                found.setdefault(section, {})
        elif section not in (None, "Install"):
            name, _, value = line.partition("=")
            found[section].setdefault(name.strip(), []).append(value.strip())
    for section, keys in found.items():
        known = unit.setdefault(section, {})
        for name, values in keys.items():
            # An empty value takes back what came before.
            last = max((at for at, value in enumerate(values) if value == ""), default=-1)
            if last >= 0:
                known[name] = values[last + 1 :]
            else:
                known[name] = known.get(name, []) + values


def is_true(unit: Unit, section: str, name: str, default: bool) -> bool:
    values = unit.get(section, {}).get(name)
    return default if not values else values[-1] in ("1", "yes", "true", "on")


def compare(old: Unit, new: Unit) -> Comparison:
    """Compares the unit of the running system with that of the new one."""
    result = Comparison.EQUAL
    for section in old.keys() - new.keys():
        harmless = IGNORED if section == "Unit" else {"ExecReload"} if section == "Service" and old[section] else set()
        if section not in ("Unit", "Service") or not old[section].keys() <= harmless or (section == "Service" and not old[section]):
            return Comparison.RESTART
    came = new.keys() - old.keys()
    if came:
        section = next(iter(came))
        keys = new[section].keys()
        if len(came) > 1 or section not in ("Unit", "Service"):
            return Comparison.RESTART
        if section == "Service" and keys != {"ExecReload"} or section == "Unit" and not keys <= IGNORED:
            return Comparison.RESTART
        if keys & {"X-Reload-Triggers", "ExecReload"}:
            result = Comparison.RELOAD
    for section in old.keys() & new.keys():
        before, after = old[section], new[section]
        for name in before.keys() | after.keys():
            if before.get(name) == after.get(name):
                continue
            if name not in after and (section, name) in (("Unit", "X-Reload-Triggers"), ("Service", "ExecReload")):
                # What cannot be reloaded any more is left as it is.
                continue
            came_alone = name not in before and section == "Mount"
            several = name not in before and section == "Service" and len(after.keys() - before.keys()) > 1
            if RELOADED.get(section) == name and name in after and not came_alone and not several:
                result = Comparison.RELOAD
            elif section != "Unit" or name not in IGNORED:
                return Comparison.RESTART
    return result
