import type { StorePath } from "../domain/store-path.js";
import type { ScriptCall } from "./remote-shell.js";
import { residentCall, residentScript } from "./script-files.js";

// What a machine removes by itself goes within an hour of the runner's last sign of life, also where one of them was late.
const leaseSeconds = 45 * 60;
const renewMilliseconds = 10 * 60 * 1000;

/** Builds the call that tells a machine that the run is alive. */
export function leaseCall(run: string, privileged: boolean): ScriptCall {
  return { script: "lease", args: leaseArguments(run), privileged };
}

/** Builds the call that makes the files of a run on a machine and begins its lease. It roots these paths, also before they arrive. */
export function prepareCall(run: string, paths: readonly StorePath[], privileged: boolean): ScriptCall {
  return { script: "prepare", args: [...leaseArguments(run), ...paths], privileged };
}

function leaseArguments(run: string): string[] {
  return [run, String(leaseSeconds), residentScript("expire"), residentCall("finish", [run])];
}

/** Tells a machine again and again that the run is alive, for as long as it has files there. */
export class Lease {
  #timer: NodeJS.Timeout | undefined;

  /** Begins, in place of what was begun before. `renew` may fail: a machine that cannot be reached is told the next time. */
  begin(renew: () => Promise<unknown>): void {
    this.end();
    this.#timer = setInterval(() => {
      renew().catch(() => {
        // The machine waits for longer than one call.
      });
    }, renewMilliseconds);
    this.#timer.unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
