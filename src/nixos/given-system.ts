import { AnswerError, DeployError } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import type { StorePath } from "../domain/store-path.js";
import type { Download, HostLog } from "../deploy/ports.js";
import { downloadArguments, isDownload } from "../nix/download.js";
import { parseFacts } from "./facts.js";
import { LostJobError, runJob, UnstartedJobError, type CallScript } from "./job.js";

type Site = {
  readonly run: string;
  readonly privileged: boolean;
  readonly log: HostLog;
  readonly call: CallScript;
};

/** Has the machine download a store path from its own binary caches, and keep it until the end of the run, whose directory must be there. */
export async function downloadThere(path: StorePath, { run, privileged, log, call }: Site): Promise<Download> {
  let paths = 0;
  const onLine = (line: string): void => {
    if (isDownload(line)) paths += 1;
    log.output(line);
  };
  const command = ["nix-store", ...downloadArguments(path), "--add-root", "result"];
  const { exitCode, lines } = await runJob({ run, name: "download", phase: "copy", command, privileged, onLine }, call);
  if (exitCode !== 0) return { kind: "unavailable", lines: lastLines(lines.join("\n")) };
  log.note(`has ${path} from its own binary caches (run ${run})`);
  return { kind: "downloaded", copied: { paths, expectedPaths: paths, bytes: undefined } };
}

/**
 * Has the machine download what its own binary caches have of these paths, and nothing else. Whether that succeeds shows in what it
 * lacks afterwards.
 */
export async function downloadSome(paths: readonly StorePath[], { run, privileged, log, call }: Site): Promise<void> {
  const onLine = (line: string): void => {
    // Nix prints the paths that it has then.
    if (!line.startsWith("/")) log.output(line);
  };
  const command = ["nix-store", "--realise", "--ignore-unknown", ...paths];
  try {
    await runJob({ run, name: "downloads", phase: "copy", command, privileged, onLine }, call);
  } catch (error) {
    if (!(error instanceof UnstartedJobError || error instanceof LostJobError)) throw error;
  }
}

/** Throws a `DeployError` of the phase copy for a path of the machine's store that is no NixOS system. */
export async function requireSystem(path: StorePath, call: CallScript): Promise<void> {
  const end = await call(() => ({ script: "system", args: [path], privileged: false }), "copy");
  const answer = parseFacts(end.stdout).get("system");
  if (answer === "yes") return;
  if (answer !== "no") throw new AnswerError(`whether ${path} is a NixOS system was not answered`);
  throw new DeployError({
    phase: "copy",
    reason: `${path} is not a NixOS system: it has no bin/switch-to-configuration or no nixos-version`,
    hint: "Nothing has changed on the machine. Give config.system.build.toplevel of its configuration in the input systems",
    topic: "systems-unusable",
  });
}
