import { addProgress, type CopyProgress } from "../domain/copy-progress.js";
import { CommandError, DeployError } from "../domain/errors.js";
import { sentPaths, type SentFlake } from "../domain/flake.js";
import type { StorePath } from "../domain/store-path.js";
import type { HostLog, SentPaths } from "../deploy/ports.js";
import { copyPaths } from "../nix/copy-paths.js";
import { closureOf } from "../nix/export.js";
import { explainSendFailure, speaksOfDaemon, type DaemonState } from "../nix/send-failure.js";
import { sendFlake, type SendOptions } from "../nix/send.js";
import type { Connection } from "../ssh/connection.js";
import { speaksOfLostConnection, speaksOfRefusedSession } from "../ssh/failure.js";
import { parseFacts } from "./facts.js";
import { downloadSome } from "./given-system.js";
import { copyPacked, nothingSent } from "./packed-copy.js";
import { importClosure, wantsSignature } from "./import-closure.js";
import type { HeadStart } from "./head-start.js";
import type { CallScript } from "./job.js";
import type { RemoteShell } from "./remote-shell.js";
import { sendRooted } from "./send-rooted.js";
import type { SendSettings } from "./send-settings.js";

type Site = {
  readonly connection: Connection;
  readonly settings: SendSettings;
  readonly log: HostLog;
  readonly shell: RemoteShell;
  /** The scripts run as root; `root`: because the ssh user is. */
  readonly privileged: boolean;
  readonly root: boolean;
  readonly call: (signal: AbortSignal) => CallScript;
  /** What is already on its way. */
  readonly headStart: HeadStart | undefined;
  /** Makes the run's directory on the machine, and has the paths kept from garbage collection. `onRooted` is called when it keeps them. */
  readonly prepare: (paths: readonly StorePath[], signal: AbortSignal, onRooted?: () => void) => Promise<void>;
};

// Seconds in which a machine says why its daemon refused Nix.
const daemonSeconds = 10;

/** Sends store paths of the runner to one machine, and keeps them there until the end of the run. Throws a `DeployError` of the phase copy. */
export class Sending {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Sends a flake with all its inputs. */
  async flake(sent: SentFlake, signal: AbortSignal): Promise<CopyProgress> {
    const { settings, shell, call, log } = this.#site;
    const { run, checkSignatures, archiveArgs, compress, pack } = settings;
    const send = async (own: AbortSignal): Promise<CopyProgress> => {
      const packed = await copyPacked(sentPaths(sent), { pack, run, compress, privileged: false, shell, call: call(own), log, signal: own });
      // Sends what is still missing, and proves that nothing is.
      const copied = await sendFlake(sent, { ...this.#options(own), checkSignatures, extraArgs: archiveArgs });
      return packed.paths === 0 ? copied : addProgress(packed, copied);
    };
    const { headStart } = this.#site;
    const ahead = headStart?.sent === sent ? await headStart.end(log) : undefined;
    const kept = async (): Promise<CopyProgress> => await this.#kept(sentPaths(sent), signal, async (own) => await this.#explained(send, "the flake", own));
    const copied = ahead ?? (await this.#withFewSessions(kept));
    log.note(`copied ${sent.flake.source} (run ${run})`);
    return copied;
  }

  /** Sends store paths with what they refer to; as root, by the machine's own Nix, what it refuses for want of a signature. */
  async paths(paths: SentPaths, signal: AbortSignal): Promise<CopyProgress> {
    const { settings, privileged, root, shell, call, log } = this.#site;
    const { run, checkSignatures, substitute } = settings;
    const roots = [...paths.closures, ...paths.derivations];
    const copy = async (own: AbortSignal): Promise<CopyProgress> => {
      try {
        // Root could import them anyway.
        return await copyPaths(paths, { ...this.#options(own), checkSignatures: checkSignatures && !root, substitute });
      } catch (error) {
        if (!privileged || root || !wantsSignature(error)) throw error;
        return await importClosure(roots, { shell, call: call(own), log, signal: own });
      }
    };
    const send = async (own: AbortSignal): Promise<CopyProgress> => {
      const packed = await this.#packed(paths.closures, own);
      // Sends what is still missing, and proves that nothing is.
      const copied = await copy(own);
      return packed.paths === 0 ? copied : addProgress(packed, copied);
    };
    const { prepare } = this.#site;
    // A download is a job of the run, so the run's directory comes first.
    await prepare(roots, signal);
    const copied = await this.#withFewSessions(async () => await this.#explained(send, "the system", signal));
    await this.#keepForUser(roots, signal);
    log.note(`copied ${roots.join(", ")} (run ${run})`);
    return copied;
  }

  /** Sends closures compressed. What has no signature in them can only be imported by root, who needs none for it. */
  async #packed(roots: readonly StorePath[], signal: AbortSignal): Promise<CopyProgress> {
    const { settings, privileged, shell, call, log, connection } = this.#site;
    const { run, compress, pack, substitute } = settings;
    if (compress === "false") return nothingSent;
    if (!privileged) {
      if (compress === "true") log.note(`compress: true has no effect, since ${connection.target.user} cannot become root; copying without compression`);
      return nothingSent;
    }
    const site = { run, privileged, log, call: call(signal) };
    const download = substitute ? async (missing: readonly StorePath[]) => await downloadSome(missing, site) : undefined;
    return await copyPacked(await closureOf(roots, signal), { ...site, pack, compress, shell, download, signal });
  }

  /** What every call of Nix that sends something is given. */
  #options(signal: AbortSignal): Pick<SendOptions, "store" | "environment" | "signal" | "starts" | "onLine" | "onBegin"> {
    const { connection, settings, log } = this.#site;
    const { store, environment } = connection;
    return { store, environment, signal, starts: settings.starts, onLine: (line) => log.output(line), onBegin: (progress) => log.copying(progress) };
  }

  async #kept(paths: readonly StorePath[], signal: AbortSignal, send: (signal: AbortSignal) => Promise<CopyProgress>): Promise<CopyProgress> {
    const { prepare, shell } = this.#site;
    const root = async (onRooted?: () => void): Promise<void> => await prepare(paths, signal, onRooted);
    const copied = shell.isStanding ? await sendRooted({ root, send }, signal) : await root().then(async () => await send(signal));
    await this.#keepForUser(paths, signal);
    return copied;
  }

  /** A user who is not root can only keep what is there already. */
  async #keepForUser(paths: readonly StorePath[], signal: AbortSignal): Promise<void> {
    const { prepare, privileged } = this.#site;
    if (!privileged) await prepare(paths, signal);
  }

  /** Sends, and again with no other session on the connection where sshd allowed none for Nix. */
  async #withFewSessions(send: () => Promise<CopyProgress>): Promise<CopyProgress> {
    const { shell, log } = this.#site;
    try {
      return await send();
    } catch (error) {
      if (!shell.isStanding || !isRefusedSession(error)) throw error;
      log.note("sshd on the machine allows too few sessions on one connection (MaxSessions); copying again with no other session open");
      await shell.standDown();
      return await send();
    }
  }

  async #explained(send: (signal: AbortSignal) => Promise<CopyProgress>, what: string, signal: AbortSignal): Promise<CopyProgress> {
    const { connection, shell } = this.#site;
    try {
      return await send(signal);
    } catch (error) {
      if (!(error instanceof CommandError) || error.failure.kind === "aborted" || error.failure.kind === "timeout") throw error;
      if (shell.isStanding && isRefusedSession(error)) throw error;
      const open = await connection.isOpen();
      const state = open && speaksOfDaemon(error.stderr) ? await this.#daemonState(signal) : undefined;
      // A lost connection looks the same as a daemon that hangs up, unless the machine says that it does.
      const refused = state !== undefined && state.daemon !== "ok" && state.daemon !== "";
      const lost = !refused && (!open || speaksOfLostConnection(error.stderr));
      throw new DeployError(explainSendFailure(error, { what, lost, user: connection.target.user, state }));
    }
  }

  /** Queries why the daemon refused Nix, as the ssh user; `undefined` where the machine cannot be queried. */
  async #daemonState(signal: AbortSignal): Promise<DaemonState | undefined> {
    const outcome = await this.#site.shell.run({ script: "daemon", args: [], privileged: false, timeout: daemonSeconds, signal }).catch(() => undefined);
    if (outcome?.kind !== "ended" || outcome.exitCode !== 0) return undefined;
    const facts = parseFacts(outcome.stdout);
    return { daemon: facts.get("daemon") ?? "", allowedUsers: facts.get("allowed-users") ?? "" };
  }
}

function isRefusedSession(error: unknown): boolean {
  return error instanceof CommandError && error.failure.kind === "exit" && speaksOfRefusedSession(error.stderr);
}
