import type { SettingRow } from "../domain/option-table.js";

const accept = (name: string, meaning: string): SettingRow => ({ name, verdict: { kind: "accepted", meaning } });
const refuse = (reason: string, ...names: readonly string[]): SettingRow[] => names.map((name) => ({ name, verdict: { kind: "refused", reason } }));

const source = "it changes where store paths come from, and a substituter can declare itself trusted; set it in nix.conf, on NixOS with nix.settings";
const trust = "it changes what is trusted; set it in nix.conf, on NixOS with nix.settings";
const sandbox = "it changes what builds may see, and so what they build; set it in nix.conf, on NixOS with nix.settings";
const evaluation = "it changes what the flake evaluates to, so that the same commit gives another system; write what it needs into the flake";
const secret = "command lines can be read by every user; write secrets into nix.conf, or into a file that it includes";
const program = "it names a program or a library that Nix runs; set it in nix.conf, on NixOS with nix.settings";
const platform = "it changes what is built, and for which platform; set it in the flake's configuration";

/**
 * The settings that `--option` may set: those that change how Nix works, and not what it builds or trusts. All others are
 * refused, those that people look for with a reason. Names are from nix.conf(5) of Nix 2.8 to 2.35.
 */
export const settingTable: readonly SettingRow[] = [
  accept("always-allow-substitutes", "`true`: substitute also what says that it prefers a local build"),
  accept("builders-use-substitutes", "`true`: remote builders get dependencies from substituters by themselves"),
  accept("connect-timeout", "seconds to wait for a connection to a substituter"),
  accept("cores", "processor cores that one build may use"),
  accept("download-attempts", "how often a download is tried"),
  accept("download-buffer-size", "bytes of the buffer for downloads"),
  accept("download-speed", "KiB per second that a download may take"),
  accept("eval-cache", "`false`: evaluate again although the same commit was evaluated before"),
  accept("extra-experimental-features", "features that the flake needs, for example `pipe-operators`"),
  accept("fallback", "`true`: build what cannot be downloaded"),
  accept("http2", "`false`: download with HTTP/1.1"),
  accept("http-connections", "number of connections for downloads"),
  accept("keep-failed", "`true`: keep the directory of a failed build"),
  accept("keep-going", "`true`: go on with other builds after one has failed"),
  accept("log-lines", "lines of a failed build's log that are shown"),
  accept("max-build-log-size", "bytes of output after which a build is ended"),
  accept("max-call-depth", "depth of function calls in an evaluation"),
  accept("max-jobs", "number of builds at a time"),
  accept("max-silent-time", "seconds without output after which a build is ended"),
  accept("max-substitution-jobs", "number of downloads at a time"),
  accept("narinfo-cache-negative-ttl", "seconds for which a substituter is not asked again for what it did not have"),
  accept("narinfo-cache-positive-ttl", "seconds for which a substituter is not asked again for what it had"),
  accept("show-trace", "`true`: show the whole trace of an evaluation error"),
  accept("stalled-download-timeout", "seconds without data after which a download is tried again"),
  accept("substitute", "`false`: build everything"),
  accept("timeout", "seconds after which a build is ended"),
  accept("user-agent-suffix", "text that is sent to substituters"),
  accept("warn-dirty", "`false`: no warning about a dirty Git tree"),
  ...refuse("it lets a flake change the settings of Nix; write the settings that you trust into nix.conf instead", "accept-flake-config"),
  ...refuse("it would replace the features that the action needs; use extra-experimental-features", "experimental-features"),
  ...refuse("the action decides which store is meant", "store"),
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
  ...refuse("the action reads what Nix prints", "log-format", "json-log-path"),
];
