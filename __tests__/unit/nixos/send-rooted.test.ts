import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "@jest/globals";

import { sendRooted } from "../../../src/nixos/send-rooted.js";

const { signal } = new AbortController();

/** A machine on which both take so long, in milliseconds; what happens is in `events`. */
function machine(rootMilliseconds: number, sendMilliseconds: number) {
  const events: string[] = [];
  const doing = async (name: string, milliseconds: number, own: AbortSignal): Promise<string> => {
    events.push(`${name} begins`);
    try {
      await sleep(milliseconds, undefined, { signal: own });
    } catch {
      events.push(`${name} is aborted`);
      throw new Error(`${name} was aborted`);
    }
    events.push(`${name} ends`);
    return name;
  };
  return {
    events,
    root: async (onRooted: () => void): Promise<void> => {
      await doing("root", rootMilliseconds, signal);
      onRooted();
    },
    send: async (own: AbortSignal): Promise<string> => await doing("send", sendMilliseconds, own),
  };
}

describe("store paths and their roots", () => {
  test("are sent and made at the same time", async () => {
    const both = machine(1, 50);
    expect(await sendRooted(both, signal)).toBe("send");
    expect(both.events).toEqual(["root begins", "send begins", "root ends", "send ends"]);
  });

  test("are sent again where the roots were made too late", async () => {
    const both = machine(50, 1);
    expect(await sendRooted(both, signal)).toBe("send");
    expect(both.events).toEqual(["root begins", "send begins", "send ends", "root ends", "send begins", "send ends"]);
  });

  test("are sent once where only what comes after the roots takes longer", async () => {
    const both = machine(1, 30);
    const root = async (onRooted: () => void): Promise<void> => {
      await both.root(onRooted);
      await sleep(60);
      both.events.push("lease begins");
    };
    expect(await sendRooted({ ...both, root }, signal)).toBe("send");
    expect(both.events).toEqual(["root begins", "send begins", "root ends", "send ends", "lease begins"]);
  });

  test("are not sent where no root can be made, and that is the error", async () => {
    const both = machine(1, 1000);
    const root = async (): Promise<void> => await Promise.reject(new Error("no space"));
    await expect(sendRooted({ ...both, root }, signal)).rejects.toThrow("no space");
    expect(both.events).toEqual(["send begins", "send is aborted"]);
  });

  test("are not cleaned up beside roots that are still being made", async () => {
    const both = machine(50, 1);
    const send = async (): Promise<string> => await Promise.reject(new Error("refused"));
    await expect(sendRooted({ ...both, send }, signal)).rejects.toThrow("refused");
    expect(both.events).toEqual(["root begins", "root ends"]);
  });
});
