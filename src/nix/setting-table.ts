import type { SettingRow } from "../domain/option-table.js";

const accept = (name: string, meaning: string): SettingRow => ({ name, verdict: { kind: "accepted", meaning } });
const refuse = (reason: string, ...names: readonly string[]): SettingRow[] => names.map((name) => ({ name, verdict: { kind: "refused", reason } }));

const source = "it changes where store paths come from, and a substituter can declare itself trusted; set it in nix.conf, on NixOS with nix.settings";
const trust = "it changes what is trusted; set it in nix.conf, on NixOS with nix.settings";
const sandbox = "it changes what builds can access, and so what they build; set it in nix.conf, on NixOS with nix.settings";
const evaluation = "it changes what the flake evaluates to, so that the same commit gives another system; put it into the flake instead";
const secret = "every user can read command lines; put secrets into nix.conf, or into a file that it includes";
const program = "it names a program or a library that Nix runs; set it in nix.conf, on NixOS with nix.settings";
const platform = "it changes what is built, and for which platform; set it in the flake's configuration";

/**
 * The settings that `--option` may set: those that change how Nix works, but not what it builds or trusts. All others are
 * refused, common ones with a reason. Names are from nix.conf(5) of Nix 2.8 to 2.35.
 */
export const settingTable: readonly SettingRow[] = [
  accept("always-allow-substitutes", "`true`: also substitute derivations that prefer a local build"),
  accept("builders-use-substitutes", "`true`: remote builders download dependencies from substituters themselves"),
  accept("connect-timeout", "seconds to wait for a connection to a substituter"),
  accept("cores", "processor cores that one build may use"),
  accept("download-attempts", "how often a download is tried"),
  accept("download-buffer-size", "bytes of the buffer for downloads"),
  accept("download-speed", "KiB per second that a download may take"),
  accept("eval-cache", "`false`: evaluate again even if the same commit was evaluated before"),
  accept("extra-experimental-features", "features that the flake needs, for example `pipe-operators`"),
  accept("fallback", "`true`: build what cannot be downloaded"),
  accept("http2", "`false`: download with HTTP/1.1"),
  accept("http-connections", "number of connections for downloads"),
  accept("keep-failed", "`true`: keep the directory of a failed build"),
  accept("keep-going", "`true`: continue with other builds after one has failed"),
  accept("log-lines", "lines of a failed build's log that are shown"),
  accept("max-build-log-size", "bytes of output after which a build is terminated"),
  accept("max-call-depth", "depth of function calls in an evaluation"),
  accept("max-jobs", "number of builds at a time"),
  accept("max-silent-time", "seconds without output after which a build is terminated"),
  accept("max-substitution-jobs", "number of downloads at a time"),
  accept("narinfo-cache-negative-ttl", "seconds for which a missing path is not looked up again"),
  accept("narinfo-cache-positive-ttl", "seconds for which a found path is not looked up again"),
  accept("show-trace", "`true`: show the whole trace of an evaluation error"),
  accept("stalled-download-timeout", "seconds without data after which a download is tried again"),
  accept("substitute", "`false`: build everything"),
  accept("timeout", "seconds after which a build is terminated"),
  accept("user-agent-suffix", "text added to the user agent in requests to substituters"),
  accept("warn-dirty", "`false`: do not warn about a dirty Git tree"),
  ...refuse("it lets a flake change the settings of Nix; put the settings that you trust into nix.conf instead", "accept-flake-config"),
  ...refuse("it would replace the features that the action needs; use extra-experimental-features", "experimental-features"),
  ...refuse("the action sets the store", "store"),
  ...refuse(source, "substituters", "trusted-substituters", "binary-caches", "hashed-mirrors", "ssh-substituters"),
  ...refuse(trust, "require-sigs", "trusted-public-keys", "binary-cache-public-keys", "trusted-users", "allowed-users", "secret-key-files", "ssl-cert-file"),
  ...refuse(sandbox, "sandbox", "build-use-sandbox", "sandbox-paths", "sandbox-fallback", "filter-syscalls", "allow-new-privileges", "impure-env"),
  ...refuse(sandbox, "build-users-group", "auto-allocate-uids", "build-dir", "sandbox-dev-shm-size", "sandbox-build-dir"),
  ...refuse(evaluation, "pure-eval", "restrict-eval", "allowed-uris", "nix-path", "flake-registry", "use-registries", "allow-import-from-derivation"),
  ...refuse(evaluation, "allow-unsafe-native-code-during-evaluation", "lazy-trees", "tarball-ttl"),
  ...refuse(secret, "access-tokens", "netrc-file"),
  ...refuse(program, "post-build-hook", "pre-build-hook", "diff-hook", "run-diff-hook", "build-hook", "plugin-files"),
  ...refuse(platform, "system", "eval-system", "extra-platforms", "system-features"),
  ...refuse("use the option --builders", "builders"),
  ...refuse("the action parses the output of Nix", "log-format", "json-log-path"),
];
