import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, describe, expect, test } from "@jest/globals";

import type { ConnectedMachine } from "../../../src/deploy/ports.js";
import { DeployError } from "../../../src/domain/errors.js";
import { Pack } from "../../../src/nix/pack.js";
import { enter } from "../../../src/nixos/probe.js";
import { NixosMachine } from "../../../src/nixos/machine.js";
import { StartGate } from "../../../src/process/start-gate.js";
import { makeSentFlake, source } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { withNix } from "../nix/fake-nix.js";
import { notesOf, useFakeSsh } from "./fake-ssh.js";

const ssh = useFakeSsh();
const { signal } = new AbortController();
const access = { elevate: "auto", elevatePassword: undefined, needsRoot: true } as const;
const needs = { ...access, needsRebuild: true };

function makeMachine(notes: string[] = [], user = "root"): NixosMachine {
  const settings = {
    run: "run1",
    name: "a run",
    access,
    needsRebuild: true,
    comparesBuilt: false,
    checkSignatures: true,
    substitute: true,
    compress: "false" as const,
    pack: new Pack(join(ssh.directory, "pack")),
    starts: new StartGate(8, 5000),
    archiveArgs: [],
    rebuildArgs: [],
    reconnectTimeout: () => 1,
    isUntracked: async () => await Promise.resolve(false),
    configurationNames: async () => await Promise.resolve(undefined),
  };
  const machine = new NixosMachine(user === "root" ? ssh.connection : ssh.connectionAs(user), settings, notesOf(notes));
  made.push(machine);
  return machine;
}

const made: NixosMachine[] = [];
// The fake machine reads on until its session is ended.
afterEach(async () => {
  for (const machine of made.splice(0)) await machine.release("undecided");
});

/** A connected machine that answers so from then on. */
async function connected(answer: Parameters<typeof ssh.answers>[0], machine = makeMachine()): Promise<ConnectedMachine> {
  const file = join(ssh.directory, "facts");
  writeFileSync(file, "user=root\nuid=0\nhostname=web1\nsudo=unneeded\nnix=nix (Nix) 2.34.8\nnixos-rebuild=/bin/x\nsystemd=258\nnixos=yes\n");
  writeFileSync(join(ssh.directory, "known_hosts"), "");
  ssh.answers({ file });
  const entered = await machine.connect(signal);
  ssh.answers(answer);
  return entered;
}

describe("the entry to a machine", () => {
  test("that loses the connection is worth another try", async () => {
    ssh.does('echo "client_loop: send disconnect: Broken pipe" >&2; exit 255');
    const error = await rejection(DeployError, enter(ssh.connection, needs, signal));
    expect(error).toMatchObject({ phase: "connect", reason: "the connection dropped immediately", exitCode: 255, unreachable: true });
    expect(error.lines).toEqual(["client_loop: send disconnect: Broken pipe"]);
  });

  test("whose shell does not run the script is reported", async () => {
    ssh.does('echo "This account is currently not available." >&2; exit 1');
    const error = await rejection(DeployError, enter(ssh.connection, needs, signal));
    expect(error).toMatchObject({ phase: "connect", reason: "the login shell of root on the machine refuses logins", unreachable: false });
  });

  test("that runs another command than it was sent is reported with the answer", async () => {
    ssh.does("echo only backups here; exit 0");
    const error = await rejection(DeployError, enter(ssh.connection, needs, signal));
    expect(error.reason).toBe(`the machine did not run the action's command as root, but answered "only backups here"`);
    expect(error.hint).toMatch(/^Check whether the key is restricted to one command \(command=… in authorized_keys of root/);
    expect(error.lines).toEqual(["only backups here"]);
  });

  test("that runs nothing and answers nothing is reported as such", async () => {
    // A key that is restricted to nix-daemon --stdio.
    ssh.does("echo 'error: serialised integer 750815947986068325 is too large' >&2; exit 0");
    const error = await rejection(DeployError, enter(ssh.connection, needs, signal));
    expect(error.reason).toBe("the machine did not run the action's command as root (exit code 1)");
    expect(error.lines).toEqual(["error: serialised integer 750815947986068325 is too large"]);
  });

  test("whose facts fail is reported with the script's own words", async () => {
    ssh.answers({ exitCode: 2, stderr: "id: cannot find name\\n" });
    const error = await rejection(DeployError, enter(ssh.connection, needs, signal));
    expect(error).toMatchObject({ reason: "the machine could not be queried (exit code 2)", lines: ["id: cannot find name"] });
  });
});

describe("a machine", () => {
  test("that cannot keep the files of the run is reported", async () => {
    const error = await rejection(
      DeployError,
      (await connected({ exitCode: 1, stderr: "mkdir: cannot create directory: No space left on device\\n" })).copyFlake(makeSentFlake(), signal),
    );
    expect(error).toMatchObject({ phase: "copy", reason: "the files of the run could not be created on the machine", exitCode: 1 });
    expect(error.lines).toEqual(["mkdir: cannot create directory: No space left on device"]);
  });

  test("whose build ends well without a system has not built", async () => {
    const error = await rejection(
      DeployError,
      (await connected({ stderr: "exit=0\\nresult=\\n" })).build({ reference: "path:/x", configuration: "web1" }, signal),
    );
    expect(error).toMatchObject({ phase: "build", reason: "nixos-rebuild build succeeded but produced no system" });
  });

  test("that has no such specialisation lists those it has", async () => {
    const file = join(ssh.directory, "answer");
    writeFileSync(file, "system=\navailable=tor vpn \n");
    const machine = await connected({ file });
    expect(await rejection(DeployError, machine.findSpecialisation(source, "cloud", signal))).toMatchObject({
      phase: "build",
      reason: "the system has no specialisation cloud; it defines tor, vpn",
    });
    writeFileSync(file, "system=\navailable=\n");
    expect(await rejection(DeployError, machine.findSpecialisation(source, "cloud", signal))).toMatchObject({
      reason: "the system has no specialisation cloud; it defines none",
    });
    writeFileSync(file, `system=${source}\navailable=cloud \n`);
    expect(await machine.findSpecialisation(source, "cloud", signal)).toBe(source);
  });
});

describe("a flake that is known before the machine is", () => {
  const sent = makeSentFlake();
  const facts = "user=root\nuid=0\nhostname=web1\nsudo=unneeded\nnix=nix (Nix) 2.34.8\nnixos-rebuild=/bin/x\nsystemd=258\nnixos=yes\n";
  const calls = join(ssh.directory, "nix-calls");
  const nix = `echo sent >>${calls}; while [ ! -e ${ssh.directory}/asked ]; do sleep 0.02; done; sleep 0.1; echo '{"path":"${sent.outer}","inputs":{}}'`;

  /** Connects to a machine that answers its first question so, and copies the flake. Returns how often it was sent. */
  async function copied(answer: string, notes: string[] = [], user = "root"): Promise<number> {
    const file = join(ssh.directory, "facts");
    writeFileSync(file, answer);
    writeFileSync(join(ssh.directory, "known_hosts"), "");
    writeFileSync(calls, "");
    rmSync(join(ssh.directory, "asked"), { force: true });
    // The machine has not ended when the flake is on its way.
    ssh.answers({ file, touches: join(ssh.directory, "asked"), ...(answer.startsWith("rooted=yes") ? { awaits: calls } : {}) });
    const machine = makeMachine(notes, user);
    await withNix(ssh.directory, nix, async () => {
      const connectedMachine = await machine.connect(signal, () => sent);
      await connectedMachine.copyFlake(sent, signal);
    });
    return readFileSync(calls, "utf8").split("\n").length - 1;
  }

  test("is sent once, while the machine is queried", async () => {
    const notes: string[] = [];
    expect(await copied(`rooted=yes\n${facts}prepared=0\n`, notes)).toBe(1);
    expect(notes).toEqual([`copied ${source} (run run1-web1)`]);
  });

  test("is sent when the machine is known where it cannot keep it before", async () => {
    expect(await copied(facts)).toBe(1);
  });

  test("is sent again to a machine on which the files of the run could not be made", async () => {
    expect(await copied(`rooted=yes\n${facts}prepared=1\n`)).toBe(2);
  });

  test("waits where the user is not root", async () => {
    expect(await copied(facts.replace("uid=0", "uid=1000").replace("sudo=unneeded", "sudo=ready"), [], "deploy")).toBe(1);
  });

  test("leaves nothing unsaid where the machine does not answer in the end", async () => {
    const notes: string[] = [];
    ssh.does("exit 255");
    writeFileSync(join(ssh.directory, "known_hosts"), "");
    const machine = makeMachine(notes);
    await withNix(ssh.directory, nix, async () => {
      const error = await rejection(
        DeployError,
        machine.connect(signal, () => sent),
      );
      expect(error).toMatchObject({ phase: "connect", unreachable: true });
      await machine.release("decided");
    });
    expect(notes).toEqual([expect.stringMatching(/^the files of the run run1-web1 were not removed from the machine/)]);
  });
});

describe("the end of a run", () => {
  const left = /^the files of the run run1-web1 were not removed from the machine\. If something is left there, the machine removes it by itself$/;

  test.each([
    ["is silent where the files were removed", 0, "decided", []],
    ["reports files that could not be removed", 1, "decided", [expect.stringMatching(left)]],
    ["reports files that the machine still needs", 0, "undecided", [expect.stringMatching(left)]],
  ] as const)("%s", async (_, exitCode, activation, expected) => {
    const notes: string[] = [];
    const machine = makeMachine(notes);
    // Downloading begins with the directory of the run, and fails here.
    await rejection(DeployError, (await connected({ exitCode: 0 }, machine)).download(source, signal));
    notes.length = 0;
    ssh.answers({ exitCode });
    // What the master of the connection listens on.
    writeFileSync(join(ssh.directory, "0.s"), "");
    await machine.release(activation);
    expect(notes).toEqual(expected);
  });

  test("is silent where nothing was put on the machine", async () => {
    const notes: string[] = [];
    const machine = makeMachine(notes);
    await connected({ exitCode: 1 }, machine);
    await machine.release("undecided");
    expect(notes).toEqual([]);
  });
});
