import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { beforeEach, describe, expect, test } from "@jest/globals";

import { CommandError, DeployError } from "../../../src/domain/errors.js";
import { RemoteShell, type ScriptCall, type Elevation } from "../../../src/nixos/remote-shell.js";
import { runToItsEnd, type Reconnection } from "../../../src/nixos/reconnect.js";
import { rejection } from "../failure-of.js";
import { useFakeSsh } from "./fake-ssh.js";

const { connection, directory, does: ssh } = useFakeSsh();
const facts: ScriptCall = { script: "facts", args: [], privileged: false };

beforeEach(() => {
  ssh('exec sh -c "$command"');
});

setFlagsFromString("--expose-gc");
const gc: unknown = runInNewContext("gc");

function collectGarbage(): void {
  if (typeof gc === "function") Reflect.apply(gc, undefined, []);
}

describe("a script on the machine", () => {
  const shell = new RemoteShell(connection, { kind: "none" });

  test("gives its output and its exit code", async () => {
    const outcome = await shell.run(facts);
    expect(outcome).toMatchObject({ kind: "ended", exitCode: 0 });
    expect(outcome.kind === "ended" ? outcome.stdout : "").toMatch(/^user=/);
    expect(await shell.run({ script: "follow", args: ["no-such-run", "build", "0"], privileged: false })).toMatchObject({
      kind: "ended",
      exitCode: 3,
      stdout: "",
    });
  });

  test("is not mixed up with what the login shell prints", async () => {
    ssh('echo "Welcome to web1"; echo "end of life" >&2; exec sh -c "$command"');
    const outcome = await shell.run(facts);
    expect(outcome.kind === "ended" ? outcome.stdout : "").toMatch(/^user=/);
  });

  test("gives its output as it comes, without the login shell's", async () => {
    ssh('printf Welcome; printf "\\n"; exec sh -c "$command"');
    const chunks: Buffer[] = [];
    const outcome = await shell.run({ ...facts, onStdout: (chunk) => chunks.push(chunk) });
    expect(outcome).toMatchObject({ kind: "ended", stdout: "" });
    expect(Buffer.concat(chunks).toString()).toMatch(/^user=/);
  });

  test("whose exit code is 255 is not a lost connection", async () => {
    ssh('sh -c "$command"; exit 255');
    expect(await shell.run(facts)).toMatchObject({ kind: "ended", exitCode: 0 });
  });

  test("that does not come to its end is one where ssh says 255", async () => {
    ssh('echo "client_loop: send disconnect: Broken pipe" >&2; exit 255');
    const outcome = await shell.run(facts);
    expect(outcome).toMatchObject({ kind: "lost", stderr: "client_loop: send disconnect: Broken pipe\n" });
  });

  test.each([
    [1, 1],
    [127, 127],
    [0, 1],
  ])("that was not allowed to begin ended with %d is reported with %d", async (code, told) => {
    ssh(`echo "sudo: a password is required" >&2; exit ${code}`);
    expect(await shell.run(facts)).toMatchObject({ kind: "ended", exitCode: told, stderr: "sudo: a password is required\n" });
  });

  test("runs under sudo only if requested and the user needs it", async () => {
    ssh('echo "$command" >&2; exit 1');
    const commandOf = async (elevation: Elevation, privileged: boolean): Promise<string> =>
      (await new RemoteShell(connection, elevation).run({ ...facts, privileged })).stderr;
    expect(await commandOf({ kind: "passwordless", program: "sudo" }, true)).toBe("sudo -n -- /bin/sh -s\n");
    expect(await commandOf({ kind: "passwordless", program: "sudo" }, false)).toBe("/bin/sh -s\n");
    expect(await commandOf({ kind: "none" }, true)).toBe("/bin/sh -s\n");
  });

  test("has a short answer: a machine that prints for ever is ended", async () => {
    ssh(`nonce=$(sed -n "s/^echo 'begin \\([0-9a-f]*\\)'$/\\1/p"); echo "begin $nonce"; exec cat /dev/zero`);
    expect((await rejection(CommandError, shell.run(facts))).failure).toEqual({ kind: "output", bytes: 4 * 1024 * 1024 });
  });

  test("before which the login shell prints without end or line end takes little memory, and its last words are kept", async () => {
    ssh("head -c 150000000 /dev/zero; echo 'not this command'; exit 1");
    let most = 0;
    const before = process.memoryUsage();
    const watch = setInterval(() => {
      // The first ends the sweep of the one before, whose buffers would still be counted.
      collectGarbage();
      collectGarbage();
      const { heapUsed, external } = process.memoryUsage();
      most = Math.max(most, heapUsed + external - before.heapUsed - before.external);
    }, 500);
    const outcome = await shell.run(facts).finally(() => clearInterval(watch));
    expect(outcome.kind === "ended" ? outcome.instead : "").toMatch(/^[^]{1,65536}not this command\n$/);
    expect(most).toBeLessThan(64 * 1024 * 1024);
  });

  test("is separated from the noise before it wherever its first line is cut in two", async () => {
    const script = `nonce=$(sed -n "s/^echo 'begin \\([0-9a-f]*\\)'$/\\1/p"); printf 'noise '; for part in b egin ' ' "$nonce"; do printf %s "$part"; sleep 0.05; done; printf '\\nanswer\\n'; echo "end $nonce 0" >&2`;
    ssh(script);
    expect(await shell.run(facts)).toMatchObject({ kind: "ended", exitCode: 0, stdout: "answer\n" });
  });

  test("throws for a time-out and for an abort", async () => {
    ssh("exec sleep 30");
    expect((await rejection(CommandError, shell.run({ ...facts, timeout: 0.2 }))).failure.kind).toBe("timeout");
    expect((await rejection(CommandError, shell.run({ ...facts, signal: AbortSignal.abort() }))).failure.kind).toBe("aborted");
  });
});

describe("a connection that is lost", () => {
  const shell = new RemoteShell(connection, { kind: "none" });
  const told: string[] = [];
  const reconnection: Reconnection = { phase: "build", seconds: 1, signal: undefined, onLost: (message) => told.push(message) };

  beforeEach(() => {
    told.length = 0;
  });

  test("comes back, and the script is called again", async () => {
    const mark = join(directory, "was-lost");
    ssh(`[ -e ${mark} ] || { touch ${mark}; exit 255; }\nexec sh -c "$command"`);
    let calls = 0;
    const call = (): ScriptCall => {
      calls += 1;
      return facts;
    };
    expect(await runToItsEnd(connection, shell, call, reconnection)).toMatchObject({ exitCode: 0 });
    expect(existsSync(mark)).toBe(true);
    expect(calls).toBe(2);
    expect(told).toEqual(["the connection was lost; reconnecting for up to 1 s", "reconnected"]);
  });

  test("again and again is given up, although it always comes back at once", async () => {
    const sessions = join(directory, "sessions");
    ssh(`echo x >>${sessions}; exit 255`);
    const error = await rejection(
      DeployError,
      runToItsEnd(connection, shell, () => facts, reconnection),
    );
    expect(error).toMatchObject({ phase: "build", reason: "the connection was lost again and again for 1 s", exitCode: 255, unreachable: true });
    expect(readFileSync(sessions, "utf8").length).toBeGreaterThan(2);
  });

  test.each<[string, string, ScriptCall, string, boolean]>([
    ["that hangs", "exec sleep 30", { ...facts, timeout: 0.3 }, "the machine is connected, but has not answered within 0.3 s", true],
    [
      "that answers for ever",
      `nonce=$(sed -n "s/^echo 'begin \\([0-9a-f]*\\)'$/\\1/p"); echo "begin $nonce"; exec cat /dev/zero`,
      facts,
      "the machine has printed more than 4.0 MiB where a short answer was expected",
      false,
    ],
  ])("is not what a machine has %s", async (_, machine, call, reason, unreachable) => {
    ssh(machine);
    expect(
      await rejection(
        DeployError,
        runToItsEnd(connection, shell, () => call, reconnection),
      ),
    ).toMatchObject({ phase: "build", reason, unreachable });
    expect(told).toEqual([]);
  });

  test("and does not return in time is reported with the last reason", async () => {
    ssh("exit 255", 'echo "ssh: connect to host web1.example.org port 22: Connection refused" >&2; exit 255');
    const error = await rejection(
      DeployError,
      runToItsEnd(connection, shell, () => facts, reconnection),
    );
    expect(error).toMatchObject({
      phase: "build",
      reason: "the connection was lost and could not be restored within 1 s",
      lines: ["web1.example.org port 22 refused the connection"],
      exitCode: 255,
      unreachable: true,
    });
  });

  test("and finds another host key is not tried again", async () => {
    const tries = join(directory, "tries");
    ssh("exit 255", `echo x >>${tries}; echo "Host key verification failed." >&2; exit 255`);
    const error = await rejection(
      DeployError,
      runToItsEnd(connection, shell, () => facts, { ...reconnection, seconds: 10 }),
    );
    expect(error).toMatchObject({ phase: "build", reason: "the host key of web1.example.org port 22 is unknown", unreachable: false });
    expect(readFileSync(tries, "utf8")).toBe("x\n");
  });
});
