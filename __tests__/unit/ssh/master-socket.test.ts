import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { askMaster } from "../../../src/ssh/master-socket.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();
let sockets = 0;

const numbers = (...all: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * all.length);
  for (const [index, value] of all.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
};
const hello = numbers(8, 1, 4);
// With the number of the master's process.
const alive = numbers(12, 0x80000005, 0, 4711);
const ok = numbers(8, 0x80000001, 0);
const refusal = Buffer.concat([numbers(28, 0x80000003, 0, 16), Buffer.from("Permission denied").subarray(0, 16)]);

/** Listens as a master that sends its hello at once, and each piece after a request. Returns what `askMaster` returns, and the bytes that came. */
async function asked(word: "check" | "exit", pieces: readonly Buffer[], { closes = false, milliseconds = 5000 } = {}) {
  sockets += 1;
  const path = join(directory, String(sockets));
  let received = Buffer.alloc(0);
  const server = createServer((client) => {
    client.on("error", () => undefined);
    client.write(hello);
    client.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 24) return;
      for (const piece of pieces) client.write(piece);
      if (closes) client.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    return { agrees: await askMaster(path, word, milliseconds), received };
  } finally {
    server.close();
  }
}

describe("an ssh master", () => {
  test("is queried with the messages of PROTOCOL.mux", async () => {
    expect(await asked("check", [alive])).toEqual({ agrees: true, received: Buffer.concat([hello, numbers(8, 0x10000004, 0)]) });
  });

  test("is ended with the messages of PROTOCOL.mux", async () => {
    expect(await asked("exit", [ok])).toEqual({ agrees: true, received: Buffer.concat([hello, numbers(8, 0x10000005, 0)]) });
  });

  test("may answer in pieces", async () => {
    expect(await asked("check", [alive.subarray(0, 2), alive.subarray(2, 9), alive.subarray(9)])).toMatchObject({ agrees: true });
  });

  test.each([
    ["refuses", "exit", [refusal]],
    ["answers another request", "exit", [numbers(8, 0x80000001, 7)]],
    ["answers something else", "check", [ok]],
    ["sends a message that is too long", "check", [numbers(0x7fffffff)]],
    ["sends a message that is too short", "check", [numbers(0)]],
  ] as const)("that %s does not agree", async (_, word, pieces) => {
    expect(await asked(word, pieces)).toMatchObject({ agrees: false });
  });

  test("that hangs up, or says nothing, does not agree", async () => {
    expect(await asked("check", [], { closes: true })).toMatchObject({ agrees: false });
    expect(await asked("check", [], { milliseconds: 50 })).toMatchObject({ agrees: false });
  });

  test("that is not there does not agree", async () => {
    expect(await askMaster(join(directory, "none"), "check", 5000)).toBe(false);
    writeFileSync(join(directory, "file"), "");
    expect(await askMaster(join(directory, "file"), "exit", 5000)).toBe(false);
  });
});
