import { writeFileSync } from "node:fs";

import { CommandError, InputError, messageOf } from "../domain/errors.js";
import { mapLimited } from "../domain/map-limited.js";
import { checkHost, checkPort, checkUser, withDefaults, type NamedTarget, type RefusedTarget, type Target, type TargetDefaults } from "../domain/target.js";
import { run, type Command } from "../process/run.js";
import { renderQuestion, targetFiles, type SshSettings } from "./configuration.js";
import { refusalOf } from "../domain/ssh-keywords.js";

// ssh answers at once, unless a `Match exec` of the user's lines takes its time.
const answerSeconds = 60;

/**
 * Finds out where targets are, as `locateTarget`, at most `limit` at a time. The answers are in the order of the targets. One whose own
 * options ssh does not accept is refused alone.
 */
export async function locateTargets(
  targets: readonly NamedTarget[],
  directory: string,
  settings: SshSettings,
  { defaults, limit, signal }: { readonly defaults: TargetDefaults; readonly limit: number; readonly signal: AbortSignal },
): Promise<(Target | RefusedTarget)[]> {
  const work = async ([index, target]: [number, NamedTarget]): Promise<Target | RefusedTarget> => {
    const problem = await ownProblem(target, index, directory, settings, defaults, signal);
    return problem === undefined ? await locateTarget(target, index, directory, settings, defaults, signal) : { name: target.name, problem };
  };
  return await mapLimited([...targets.entries()], limit, work);
}

/**
 * Finds out where a target is: what it says itself, then the user's lines, then the defaults. It is ssh that reads the user's
 * lines, so that patterns, `Match` and `Include` work as usual; without any lines, ssh is not started. Throws an
 * `InputError` for lines that ssh does not accept, and for those that would lead it to what it must not be given.
 */
export async function locateTarget(
  target: NamedTarget,
  index: number,
  directory: string,
  settings: SshSettings,
  defaults: TargetDefaults,
  signal?: AbortSignal,
): Promise<Target> {
  if (settings.extra === "" && (target.sshOptions ?? []).length === 0) return withDefaults(target, defaults);
  const { configuration } = targetFiles(directory, index);
  const { text, extraBegins } = renderQuestion(target, index, directory, settings, defaults);
  const ask = async (question: string): Promise<string> => await askSsh(target, question, configuration, signal);
  let answer: string;
  try {
    answer = await ask(text);
  } catch (error) {
    if (!(error instanceof CommandError) || error.failure.kind === "aborted") throw error;
    throw refusal(`was rejected by ssh: ${reasonOf(error, configuration, extraBegins)}`);
  }
  const without = await ask(renderQuestion(target, index, directory, { ...settings, extra: "" }, defaults).text);
  return locatedTarget(target, answer, without);
}

async function askSsh(target: NamedTarget, question: string, configuration: string, signal: AbortSignal | undefined): Promise<string> {
  writeFileSync(configuration, question, { mode: 0o600 });
  return (await run(locationCommand(configuration, target), { signal, timeout: answerSeconds })).stdout;
}

/** What ssh has against the target's own options, without the user's lines. */
async function ownProblem(
  target: NamedTarget,
  index: number,
  directory: string,
  settings: SshSettings,
  defaults: TargetDefaults,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if ((target.sshOptions ?? []).length === 0) return undefined;
  const { configuration } = targetFiles(directory, index);
  try {
    await askSsh(target, renderQuestion(target, index, directory, { ...settings, extra: "" }, defaults).text, configuration, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError) || error.failure.kind === "aborted") throw error;
    return `ssh does not accept its options (${(target.sshOptions ?? []).join("; ")}): ${reasonOf(error, configuration, Number.POSITIVE_INFINITY)}`;
  }
}

/** Builds the command that asks ssh what it makes of its configuration, without connecting. */
export function locationCommand(configuration: string, target: Pick<Target, "host">): Command {
  return { file: "ssh", args: ["-G", "-F", configuration, "--", target.host] };
}

/**
 * Reads what `ssh -G` prints, with the same care as the targets themselves: ssh obeys shell characters in a `HostName` of its
 * configuration. `without` is what it prints without the user's lines. Throws an `InputError`.
 *
 *     user deploy
 *     hostname 192.0.2.7
 *     port 2222
 *     proxyjump bastion.example.org
 */
export function locatedTarget(target: NamedTarget, answer: string, without: string): Target {
  const found = parseAnswer(answer);
  const first = (keyword: string): string => found.get(keyword)?.[0] ?? "";
  const address = first("hostname");
  const user = first("user");
  const port = Number(first("port"));
  const check = (keyword: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      const problem = messageOf(error);
      throw refusal(`sets an invalid ${keyword} for ${target.host}: ${problem}`);
    }
  };
  check("HostName", () => checkHost(address));
  check("User", () => checkUser(user));
  check("Port", () => checkPort(port));
  requireOwned(target, found, parseAnswer(without));
  const { name, host, configuration, sshOptions, replaceUnknown } = target;
  const moved = address.toLowerCase() !== host.toLowerCase();
  const own = { ...(sshOptions === undefined ? {} : { sshOptions }), ...(replaceUnknown === undefined ? {} : { replaceUnknown }) };
  return { name, user, host, port, address: moved ? address : host, via: viaOf(host, found), configuration, ...own };
}

function parseAnswer(answer: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of answer.split("\n")) {
    const [, keyword = "", value = ""] = /^(\S+) (.*)$/.exec(line) ?? [];
    const values = found.get(keyword);
    if (values === undefined) found.set(keyword, [value]);
    else values.push(value);
  }
  return found;
}

// The order in the configuration is not enough: ssh accumulates some keywords, and the action does not set all of them.
function requireOwned({ host }: NamedTarget, found: ReadonlyMap<string, readonly string[]>, without: ReadonlyMap<string, readonly string[]>): void {
  const changed = [...new Set([...found.keys(), ...without.keys()])].filter(
    (keyword) => JSON.stringify(found.get(keyword)) !== JSON.stringify(without.get(keyword)),
  );
  const reasons = changed.toSorted().flatMap((keyword) => {
    const reason = refusalOf(keyword);
    return reason === undefined ? [] : [reason];
  });
  if (reasons.length > 0) throw refusal(`sets ${reasons.join(" and ")} for ${host}; remove this for the host`);
}

/** Distinguishes two machines with the same address. A ProxyCommand may select the host itself. */
function viaOf(host: string, found: ReadonlyMap<string, readonly string[]>): string | undefined {
  const jump = found.get("proxyjump")?.[0];
  if (jump !== undefined && jump !== "none") return jump;
  const command = found.get("proxycommand")?.[0];
  return command === undefined || command === "none" ? undefined : `the ProxyCommand of ${host}`;
}

function reasonOf({ failure, stderr }: CommandError, configuration: string, extraBegins: number): string {
  if (failure.kind === "timeout") return `reading the lines took longer than ${failure.seconds} s`;
  const place = /^line (\d+)/;
  const [line = "no reason given"] = stderr
    .replaceAll(`${configuration}: `, "")
    .replaceAll(`${configuration} `, "")
    .split(/\r?\n/)
    .filter((text) => text.trim() !== "");
  const number = Number(place.exec(line)?.[1] ?? 0) - extraBegins;
  return number > 0 ? line.replace(place, `line ${number}`) : line;
}

function refusal(problem: string): InputError {
  return new InputError([{ input: "ssh-config", problem, topic: "ssh-config-refused" }]);
}
