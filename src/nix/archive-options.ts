import { accepted, refused, type OptionTable } from "../domain/option-table.js";
import { settingTable } from "./setting-table.js";

const builds = "nix flake archive builds nothing; use rebuild-args";
const inputs = "it changes which inputs are deployed; commit the change to flake.lock instead";
const lockFile = "a deployment never changes a lock file; run `nix flake lock` and commit flake.lock instead";
const own = "the action sets it";
const output = "the action parses the output of Nix";
const nothing = "nothing would be sent to the machine";
const expression = "nix flake archive does not evaluate expressions";

/** The options of `nix flake archive`, from its manual page and `nix --help` (2.8 to 2.35): what `archive-args` may hold. */
export const archiveOptions: OptionTable = {
  program: "nix flake archive",
  lastWins: [],
  settings: settingTable,
  options: [
    accepted("--debug", "print everything that Nix does"),
    accepted("--offline", "download nothing", [], ["--no-net"]),
    accepted("--option", "change a setting of Nix (below)", ["NAME", "VALUE"]),
    accepted("--print-build-logs", "print the logs of builds", [], ["-L"]),
    accepted("--quiet", "print less"),
    accepted("--refresh", "download again what was downloaded before"),
    accepted("--repair", "repair files that are damaged in the runner's store"),
    accepted("--show-trace", "show the whole trace of an evaluation error"),
    accepted("--verbose", "print more; each `v` is one level", [], ["-v", "-vv", "-vvv", "-vvvv", "-vvvvv"]),
    refused("--to", "the action sends to each target", ["STORE"]),
    refused("--store", "the action sets the store", ["STORE"]),
    refused("--eval-store", "the action sets the store", ["STORE"]),
    refused("--json", own),
    refused("--no-update-lock-file", own),
    refused("--extra-experimental-features", "write --option, extra-experimental-features and the value, each on its own line", ["FEATURES"]),
    refused("--no-check-sigs", "use the input check-sigs"),
    refused("--dry-run", `${nothing}; use operation: build or dry-activate`),
    refused("--help", nothing, [], ["-h"]),
    refused("--version", nothing),
    refused("--accept-flake-config", "it lets a flake change the settings of Nix; put the settings that you trust into nix.conf instead"),
    refused("--override-input", inputs, ["INPUT", "FLAKE"]),
    refused("--update-input", inputs, ["INPUT"]),
    refused("--inputs-from", inputs, ["FLAKE"]),
    refused("--override-flake", inputs, ["FLAKE", "FLAKE"]),
    refused("--reference-lock-file", inputs, ["FILE"]),
    refused("--output-lock-file", lockFile, ["FILE"]),
    refused("--recreate-lock-file", lockFile),
    refused("--commit-lock-file", lockFile),
    refused("--no-write-lock-file", lockFile),
    refused("--no-registries", "a complete flake.lock needs no registry", [], ["--no-use-registries"]),
    refused("--impure", "the same commit must give the same flake everywhere"),
    refused("--include", expression, ["PATH"], ["-I"]),
    refused("--arg", expression, ["NAME", "EXPRESSION"]),
    refused("--argstr", expression, ["NAME", "TEXT"]),
    refused("--arg-from-file", expression, ["NAME", "FILE"]),
    refused("--arg-from-stdin", expression, ["NAME"]),
    refused("--debugger", "it is interactive"),
    refused("--log-format", output, ["FORMAT"]),
    refused("--pretty", output, [], ["--no-pretty"]),
    refused("--max-jobs", builds, ["NUMBER"], ["-j"]),
    refused("--cores", builds, ["NUMBER"]),
    refused("--keep-going", builds, [], ["-k"]),
    refused("--keep-failed", builds, [], ["-K"]),
    refused("--fallback", builds),
    refused("--builders", builds, ["BUILDERS"]),
  ],
};
