import { DeployError } from "../domain/errors.js";
import type { Activation, ActivationEnd, ArmedMachine, Confirmed, HostLog, LastStep, Reached, RollbackEnd, SystemState } from "../deploy/ports.js";
import { lastLines } from "../domain/lines.js";
import type { Connection, FormerConnection } from "../ssh/connection.js";
import type { GuardedActivation } from "./activation.js";
import { checkHealth } from "./health.js";
import type { CallScript } from "./job.js";
import { watchLogin } from "./login-watch.js";

// Units whose journals are fetched, in one call; 20 lines of them are shown.
const mostJournals = 20;

type Site = {
  readonly connection: Pick<Connection, "setAside" | "reopen" | "hasAnswered">;
  readonly log: HostLog;
  readonly privileged: boolean;
  readonly call: (signal: AbortSignal) => CallScript;
  /** Calls a script over another connection, once. */
  readonly callOver: (connection: FormerConnection, signal: AbortSignal) => CallScript;
};

// A login that takes longer is slow, unless confirm-timeout is very short.
const loginMilliseconds = 1000;

// The part of confirm-timeout by whose end the decision must be expected, for the watchdog's time not to be extended.
const soon = 0.5;

/** A machine that is locked, and that rolls back by itself unless it is confirmed. */
export class ArmedNixosMachine implements ArmedMachine {
  readonly #guarded: GuardedActivation;
  readonly #activation: Activation;
  readonly #site: Site;

  constructor(guarded: GuardedActivation, activation: Activation, site: Site) {
    this.#guarded = guarded;
    this.#activation = activation;
    this.#site = site;
  }

  get before(): SystemState {
    return this.#guarded.before;
  }

  get scarceBoot(): ArmedMachine["scarceBoot"] {
    return this.#guarded.scarceBoot;
  }

  async activate(signal: AbortSignal): Promise<ActivationEnd> {
    const { guarded, limits } = this.#activation;
    if (guarded) return await this.#guarded.run(this.#site.call(signal));
    // Without a watchdog on the machine, only the runner measures the time.
    const late = AbortSignal.timeout(limits.activation * 1000);
    try {
      return await this.#guarded.run(this.#site.call(AbortSignal.any([signal, late])));
    } catch (error) {
      if (signal.aborted || !late.aborted) throw error;
      throw new DeployError({
        phase: "activate",
        reason: `the activation took longer than activation-timeout (${limits.activation} s)`,
        topic: "activation-timeout",
        cause: error,
      });
    }
  }

  async reach(signal: AbortSignal, checkSeconds = Infinity): Promise<Reached> {
    return await this.#overFreshConnection(signal, checkSeconds, async (isSoon) => (isSoon ? await this.#guarded.present() : await this.#guarded.hold()));
  }

  async confirm(failedUnits: readonly string[], asked: () => void, signal: AbortSignal): Promise<Confirmed> {
    return await this.#overFreshConnection<Confirmed>(signal, 0, async (isSoon) => {
      if (isSoon) {
        asked();
        return await this.#guarded.confirm(failedUnits);
      }
      const state = await this.#guarded.hold();
      return typeof state === "string" ? state : { kind: "undecided", state };
    });
  }

  /** Asks the machine over a fresh connection. `isSoon`: what follows ends well within confirm-timeout. */
  async #overFreshConnection<T>(signal: AbortSignal, checkSeconds: number, ask: (isSoon: boolean) => Promise<T>): Promise<T | "slow-login"> {
    // A connection that was there before the switch proves nothing: an old one outlives a firewall that refuses new ones.
    const { connection, callOver, log } = this.#site;
    const { confirm } = this.#activation.limits;
    const begin = performance.now();
    const former = connection.setAside();
    const login = watchLogin({
      hasAnswered: () => connection.hasAnswered(),
      tell: async (own) => await this.#guarded.reached(callOver(former, AbortSignal.any([own, signal]))),
      log,
      // Without a watchdog nothing on the machine waits.
      milliseconds: this.#activation.guarded ? Math.min(loginMilliseconds, confirm * 250) : Infinity,
    });
    let closing: Promise<void> | undefined;
    try {
      await connection.reopen(signal).then(
        () => (closing = login.end().then(async () => await former.close())),
        (error: unknown) => {
          // What does not answer yet is tried again by the call that follows.
          if (!(error instanceof DeployError) || !error.unreachable) throw error;
        },
      );
      const needed = performance.now() - begin + checkSeconds * 1000;
      const answer = await ask(needed <= confirm * 1000 * soon);
      const answered = login.answeredAfter();
      const slow = answered !== undefined && answered < confirm && (performance.now() - begin) / 1000 >= confirm;
      return answer === "late" && slow ? "slow-login" : answer;
    } finally {
      await (closing ?? login.end().then(async () => await former.close()));
    }
  }

  async settle(): Promise<Reached> {
    return await this.#guarded.settle();
  }

  async checkHealth(command: string, seconds: number, signal: AbortSignal): Promise<string | undefined> {
    return await checkHealth(command, seconds, this.#site.call(signal), this.#site.log, signal);
  }

  async keep(): Promise<LastStep | "late" | "restarted"> {
    return await this.#guarded.keep();
  }

  async rollBack(): Promise<RollbackEnd | "restarted"> {
    return await this.#guarded.rollBack();
  }

  async drop(): Promise<Reached> {
    return await this.#guarded.drop();
  }

  async afterRestart(): Promise<SystemState> {
    return await this.#guarded.afterRestart();
  }

  async journal(units: readonly string[], signal: AbortSignal): Promise<string[]> {
    const { call, privileged } = this.#site;
    try {
      const end = await call(signal)(() => ({ script: "journal", args: ["10", ...units.slice(0, mostJournals)], privileged }), "confirm");
      return lastLines(end.stdout);
    } catch {
      return [];
    }
  }
}
