import { messageOf } from "./errors.js";
import { ruleOf } from "./ssh-keywords.js";
import { checkHost, checkPort, checkUser } from "./target.js";

/** What options of the command ssh say about one target. */
export type SshOptions = {
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** The others, as lines of ssh_config(5): `ProxyJump bastion.example.org`. */
  readonly lines: readonly string[];
  /** What has no effect, and why, a sentence each. */
  readonly ignored: readonly string[];
};

type Setting = { readonly keyword: string; readonly value: string };

const accepted = "-p PORT, -l USER, -J HOST, -i FILE, -A and -o KEYWORD=VALUE";

/**
 * Parses options of the command ssh, as deploy-rs has them in `sshOpts` and colmena in `sshOptions`. Keywords are accepted as in the
 * input `ssh-config`; where one is repeated, the first counts, as with ssh. Throws an `Error` that names all that is refused.
 */
export function parseSshOptions(words: readonly string[]): SshOptions {
  const settings: Setting[] = [];
  const problems: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const [, letter = "", attached = ""] = /^\s*-([pliJo])(.*)$/s.exec(word) ?? [];
    if (word.trim() === "-A") settings.push({ keyword: "ForwardAgent", value: "yes" });
    else if (letter === "") problems.push(`${word} is not supported, only ${accepted}`);
    else {
      const value = attached.trim() === "" ? words[(index += 1)]?.trim() : attached.trim();
      if (value === undefined || value === "") problems.push(`-${letter} has no value`);
      else settings.push(settingOf(letter, value));
    }
  }
  const found = combine(settings, problems);
  if (problems.length > 0) throw new Error(problems.join("; "));
  return found;
}

/** Parses lines of ssh_config(5) for one target. Throws an `Error` that names all that is refused, or has no effect. */
export function parseSshLines(lines: readonly string[]): readonly string[] {
  const { user, port, lines: taken, ignored } = parseSshOptions(lines.flatMap((line) => ["-o", line]));
  if (user !== undefined || port !== undefined) throw new Error("User and Port have fields of their own: user and port");
  if (ignored.length > 0) throw new Error(ignored.join("; "));
  return taken;
}

function settingOf(letter: string, value: string): Setting {
  if (letter === "o") {
    const [, keyword = "", rest = ""] = /^([^\s=]*)\s*=?\s*(.*)$/s.exec(value) ?? [];
    return { keyword, value: rest };
  }
  const keywords: Readonly<Record<string, string>> = { p: "Port", l: "User", i: "IdentityFile", J: "ProxyJump" };
  return { keyword: keywords[letter] ?? letter, value };
}

function combine(settings: readonly Setting[], problems: string[]): SshOptions {
  let user: string | undefined;
  let port: number | undefined;
  const lines: string[] = [];
  const ignored: string[] = [];
  for (const { keyword, value } of settings) {
    const { name, rule } = ruleOf(keyword);
    const refusal = refusalIn(name, value);
    if (rule.owner === "ours") ignored.push(`${name} has no effect; ${ownerOf(name)}`);
    else if (rule.owner === "refused") problems.push(`${name} is not allowed: ${rule.reason}`);
    else if (refusal !== undefined) problems.push(refusal);
    else if (name === "User") user ??= value;
    else if (name === "Port") port ??= Number(value);
    else lines.push(`${name} ${value}`);
  }
  return { user, port, lines, ignored: [...new Set(ignored)] };
}

/** What an input, or the action itself, says in place of the flake. */
function ownerOf(name: string): string {
  if (name === "IdentityFile" || name === "CertificateFile") return "the inputs ssh-auth, ssh-key and ssh-certificate say how ssh authenticates";
  if (name === "StrictHostKeyChecking" || name.endsWith("KnownHostsFile")) return "the inputs ssh-known-hosts and ssh-strict say which host keys are trusted";
  if (name === "ForwardAgent") return "no agent is forwarded";
  return "the action sets it";
}

const jump = /^(?:[A-Za-z0-9_][A-Za-z0-9_.@+-]*@)?(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)(?::\d{1,5})?$/;

/** What speaks against a value of a keyword that lines of the input `ssh-config` may set. A flake is not as trusted as an input. */
function refusalIn(name: string, value: string): string | undefined {
  if (["Host", "Match", "Include"].includes(name)) return `${name} is not an option`;
  if (name === "ProxyCommand")
    return "ProxyCommand is not allowed: it would run a command of the flake on the runner, beside the ssh key. Put it into the input ssh-config";
  if (value === "") return `${name} has no value`;
  if (/[\p{C}]/u.test(value)) return `the value of ${name} contains control characters`;
  if (name === "ProxyJump" && !value.split(",").every((host) => jump.test(host)))
    return "the value of ProxyJump is not [user@]host[:port], or several of these with commas between them";
  try {
    if (name === "User") checkUser(value);
    if (name === "Port") checkPort(/^\d{1,5}$/.test(value) ? Number(value) : Number.NaN);
    if (name === "HostName") checkHost(value);
  } catch (error) {
    return messageOf(error);
  }
  return undefined;
}
