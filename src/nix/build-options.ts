import { accepted, refused, type OptionTable } from "../domain/option-table.js";
import { settingTable } from "./setting-table.js";

const own = "it is set by the action";
const store = "the action decides which store is meant";
const expression = "the systems are attributes of the flake; write what they need into the flake";
const nothing = "nothing would be built";
const evaluation = "it is for evaluation; build-args are for builds alone";

/** The options of builds on the runner, from the manual page of `nix-store --realise` (2.8 to 2.35): what `build-args` may hold. */
export const buildOptions: OptionTable = {
  program: "nix-store",
  lastWins: [],
  settings: settingTable,
  options: [
    accepted("--builders", "remote machines that build, as in nix.conf(5)", ["BUILDERS"]),
    accepted("--cores", "processor cores that one build may use", ["NUMBER"]),
    accepted("--fallback", "build what cannot be downloaded"),
    accepted("--keep-failed", "keep the directory of a failed build", [], ["-K"]),
    accepted("--max-jobs", "number of builds at a time", ["NUMBER"], ["-j"]),
    accepted("--max-silent-time", "seconds without output after which a build is ended", ["SECONDS"]),
    accepted("--option", "change a setting of Nix (below)", ["NAME", "VALUE"]),
    accepted("--quiet", "print less"),
    accepted("--repair", "repair files that are damaged in the runner's store"),
    accepted("--timeout", "seconds after which a build is ended", ["SECONDS"]),
    accepted("--verbose", "print more; each `v` is one level", [], ["-v", "-vv", "-vvv", "-vvvv", "-vvvvv"]),
    refused("--keep-going", own, [], ["-k"]),
    refused("--no-build-output", own, [], ["-Q"]),
    refused("--print-build-logs", "the end of the log of each failed build is shown; `nix log` on the runner prints all of it", [], ["-L"]),
    refused("--add-root", "nothing collects garbage on the runner while the action runs", ["PATH"], ["--indirect"]),
    refused("--store", store, ["STORE"]),
    refused("--eval-store", store, ["STORE"]),
    refused("--dry-run", `${nothing}; use operation: build or dry-activate`),
    refused("--check", "it only builds again what is there, and compares"),
    refused("--ignore-unknown", "every system must be built"),
    refused("--serve", store),
    refused("--impure", "the same commit must give the same system everywhere"),
    refused("--include", expression, ["PATH"], ["-I"]),
    refused("--arg", expression, ["NAME", "EXPRESSION"]),
    refused("--argstr", expression, ["NAME", "TEXT"]),
    refused("--show-trace", evaluation),
    refused("--accept-flake-config", "it lets a flake change the settings of Nix; write the settings that you trust into nix.conf instead"),
    refused("--log-format", "the action reads what Nix prints", ["FORMAT"]),
    refused("--json", own),
    refused("--help", nothing, [], ["-h", "--version"]),
  ],
};
