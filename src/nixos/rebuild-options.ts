import { accepted, refused, type OptionTable } from "../domain/option-table.js";
import { settingTable } from "../nix/setting-table.js";

const inputs = "it changes which inputs are built; commit the change to flake.lock instead";
const lockFile = "a deployment never changes a lock file; run `nix flake lock` and commit flake.lock instead";
const flake = "use the inputs flake and targets (host#configuration)";
const host = "the input targets sets the machine";
const elevation = "use the inputs elevate and elevate-password";
const channels = "a flake has no channels; run `nix flake update` and commit flake.lock instead";
const expression = "the system is an attribute of the flake; put what it needs into the flake";
const ofSwitch = "it has no effect on a build";

/**
 * The options of `nixos-rebuild`, from the manual pages and the parsers of both implementations (bash up to NixOS 25.05, Python
 * from 25.11): what `rebuild-args` may hold. They are arguments of `nixos-rebuild build`.
 */
export const rebuildOptions: OptionTable = {
  program: "nixos-rebuild",
  // argparse without `append`; the bash implementation takes all.
  lastWins: ["--option"],
  settings: settingTable,
  options: [
    accepted("--builders", "remote machines that build, as in nix.conf(5)", ["BUILDERS"]),
    accepted("--cores", "processor cores that one build may use", ["NUMBER"]),
    accepted("--fallback", "build what cannot be downloaded"),
    accepted("--keep-failed", "keep the directory of a failed build"),
    accepted("--keep-going", "continue with other builds after one has failed"),
    accepted("--max-jobs", "number of builds at a time", ["NUMBER"], ["-j"]),
    accepted("--offline", "download nothing", [], ["--no-net"]),
    accepted("--option", "change a setting of Nix (below)", ["NAME", "VALUE"]),
    accepted("--print-build-logs", "print the logs of builds", [], ["-L"]),
    accepted("--quiet", "print less"),
    accepted("--refresh", "download again what was downloaded before"),
    accepted("--repair", "repair files that are damaged in the machine's store"),
    accepted("--show-trace", "show the whole trace of an evaluation error"),
    accepted("--verbose", "print more; each `v` is one level", [], ["-v", "-vv", "-vvv", "-vvvv", "-vvvvv"]),
    refused("-k", "flakes are built by `nix build`, which only supports --keep-going"),
    refused("-K", "flakes are built by `nix build`, which only supports --keep-failed"),
    refused("--no-build-output", "flakes are built by `nix build`, which prints no logs unless --print-build-logs is set", [], ["-Q"]),
    refused("--flake", flake, ["FLAKE"], ["-F"]),
    refused("--no-flake", flake),
    refused("--file", expression, ["FILE"], ["-f"]),
    refused("--attr", expression, ["ATTRIBUTE"], ["-A"]),
    refused("--include", expression, ["PATH"], ["-I"]),
    refused("--arg", expression, ["NAME", "EXPRESSION"]),
    refused("--argstr", expression, ["NAME", "TEXT"]),
    refused(
      "--impure",
      "the system would depend on the machine's environment, and the same commit would not always give the same system; put what it needs into the flake",
    ),
    refused("--store-path", "the action activates the system that it has built", ["PATH"]),
    refused("--profile-name", "other profiles than the system profile are not supported", ["NAME"], ["-p"]),
    refused("--specialisation", "use the input specialisation", ["NAME"], ["-c"]),
    refused("--install-bootloader", "use the input install-bootloader", [], ["--install-grub"]),
    refused("--rollback", "use operation: rollback"),
    refused("--image-variant", "images are not supported", ["NAME"]),
    refused("--target-host", host, ["HOST"]),
    refused("--build-host", `${host}; use --builders for machines that build`, ["HOST"]),
    refused("--use-substitutes", "it is for --target-host and --build-host", [], ["--substitute-on-destination", "-s"]),
    refused("--no-ssh-tty", "it is for --target-host"),
    refused("--sudo", elevation, [], ["--use-remote-sudo"]),
    refused("--ask-sudo-password", elevation, [], ["--ask-elevate-password", "-S"]),
    refused("--elevate", elevation, ["METHOD"]),
    refused("--upgrade", channels, [], ["--upgrade-all"]),
    refused("--override-input", inputs, ["INPUT", "FLAKE"]),
    refused("--update-input", inputs, ["INPUT"]),
    refused("--recreate-lock-file", lockFile),
    refused("--commit-lock-file", lockFile),
    refused("--no-write-lock-file", lockFile),
    refused("--no-update-lock-file", "the flake that is built has a complete flake.lock already"),
    refused("--no-registries", "a complete flake.lock needs no registry"),
    refused("--accept-flake-config", "it lets a flake change the settings of Nix; put the settings that you trust into nix.conf instead"),
    refused("--log-format", "the action parses the output of Nix", ["FORMAT"]),
    refused("--json", ofSwitch),
    refused("--fast", ofSwitch, [], ["--no-build-nix", "--no-reexec"]),
    refused("--diff", "use the input diff"),
    refused("--debug", "the bash implementation does not support it; use --verbose"),
    refused("--help", "nothing would be built", [], ["-h", "--version"]),
  ],
};
