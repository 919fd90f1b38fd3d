import type { HostLog } from "../deploy/ports.js";

/** What is watched while a new connection is made. */
export type Login = {
  /** Returns whether sshd has answered. */
  readonly hasAnswered: () => boolean;
  /** Reports that to the machine, over the former connection. */
  readonly tell: (signal: AbortSignal) => Promise<void>;
  readonly log: HostLog;
  /** Milliseconds that a login may take before that is reported. */
  readonly milliseconds: number;
};

/** A login that is watched. */
export type LoginWatch = {
  /** Seconds until sshd answered; `undefined` while it has not. */
  readonly answeredAfter: () => number | undefined;
  /** Ends the watch, and a report that is under way. Never throws. */
  readonly end: () => Promise<void>;
};

const pauseMilliseconds = 50;

/**
 * Watches a new connection come up. A login that is slow (PAM, a name server, an account database) must not look like a lost network
 * to the machine, whose watchdog sees only what root does there: so the machine is told over the former connection, which is root's
 * own, and nobody else on the machine or in the network can say it.
 */
export function watchLogin({ hasAnswered, tell, log, milliseconds }: Login): LoginWatch {
  const begin = performance.now();
  const own = new AbortController();
  let answered: number | undefined;
  let telling: Promise<void> | undefined;
  const look = (): void => {
    const now = performance.now();
    if (answered === undefined && hasAnswered()) answered = now;
    if (answered === undefined || now - answered < milliseconds) return;
    clearInterval(timer);
    log.note("the machine answers over ssh, but the login is slow: waiting for it");
    telling = tell(own.signal).catch(() => {
      // The former connection is lost as well: then only a login in time helps, and a late one is reported as such.
    });
  };
  const timer = setInterval(look, pauseMilliseconds);
  return {
    answeredAfter: () => (answered === undefined ? undefined : (answered - begin) / 1000),
    end: async () => {
      clearInterval(timer);
      own.abort();
      await telling;
    },
  };
}
