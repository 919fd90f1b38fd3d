import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";

import type { HostLog } from "../../src/deploy/ports.js";
import { ownHostname } from "../../src/domain/configuration.js";
import { storePath, type StorePath } from "../../src/domain/store-path.js";
import { Pack } from "../../src/nix/pack.js";
import { NixosMachine } from "../../src/nixos/machine.js";
import { connectionsTo, endMasters } from "../../src/ssh/connection.js";
import { makeIdentityDirectory, removeIdentityDirectory, writeIdentity } from "../../src/ssh/identity.js";
import { machineContract } from "../unit/deploy/machine-contract.js";
import { access, expectGreen, toplevelOf } from "./deployment.js";
import { writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";

jest.setTimeout(120_000);

// This process is the runner of the machines here: it has ssh, and needs no Nix for what a machine does by itself.
let fleet: Fleet;
let identity: string;
let systems: { readonly old: StorePath; readonly built: StorePath };

const silent: HostLog = {
  phase: () => undefined,
  ended: () => undefined,
  copying: () => undefined,
  output: () => undefined,
  note: () => undefined,
  warn: () => undefined,
};

async function deploy(operation: "switch" | "build", text: string): Promise<StorePath> {
  const workspace = await writeFlake(`${fleet.directory}/flake`, { one: { text } });
  const run = await fleet.runner.run({ inputs: { ...access(fleet), targets: "root@one", operation }, workspace });
  await expectGreen(run, fleet.machines);
  return storePath(toplevelOf(run, "one"));
}

beforeAll(async () => {
  fleet = await Fleet.start([{ name: "one", systemProfile: true }]);
  const old = await deploy("switch", "old");
  systems = { old, built: await deploy("build", "built") };
  const temporary = path.join(fleet.directory, "identity");
  mkdirSync(temporary);
  identity = makeIdentityDirectory(temporary);
  await writeIdentity(identity, { key: fleet.key.secret, passphrase: undefined, knownHosts: fleet.knownHosts() });
});

afterAll(async () => {
  if (identity !== undefined) {
    await endMasters(identity);
    removeIdentityDirectory(identity);
  }
  await fleet?.stop();
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
      checkSignatures: true,
      substitute: true,
      compress: "false",
      pack: new Pack(path.join(fleet.directory, "pack")),
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
