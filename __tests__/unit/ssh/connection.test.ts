import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { CommandError, DeployError } from "../../../src/domain/errors.js";
import { Connection, connectionsTo, endMasters } from "../../../src/ssh/connection.js";
import { writeIdentity } from "../../../src/ssh/identity.js";
import { makeTarget } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { makeKey } from "./keys.js";

const directory = temporaryDirectory();

describe("what Nix gets", () => {
  test.each([
    ["web1.example.org", "ssh-ng://web1.example.org"],
    ["2001:db8::7", "ssh-ng://target-4"],
    ["localhost", "ssh-ng://target-4"],
  ])("of %s is %s, with nothing of user and port", (host, store) => {
    const connection = new Connection(makeTarget({ host, port: 2222, user: "deploy" }), 4, "/tmp/x", 30);
    expect(connection.store).toBe(store);
    expect(connection.environment).toEqual({ NIX_SSHOPTS: "-F /tmp/x/4.conf" });
  });
});

test("each connection uses the configuration that was written for its target, readable for its owner alone", () => {
  const own = join(directory, "connections");
  mkdirSync(own);
  const targets = [makeTarget(), makeTarget({ host: "::1" })];
  const connections = connectionsTo(targets, own, { strict: true, connectTimeout: 30, extra: "", authentication: { kind: "none" } });
  for (const [index, connection] of connections.entries()) {
    const [, file = ""] = /^-F (.*)$/.exec(connection.environment["NIX_SSHOPTS"] ?? "") ?? [];
    expect(connection.target).toBe(targets[index]);
    expect(readFileSync(file, "utf8")).toContain(`  HostName ${connection.target.host}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  }
});

describe("a machine that does not answer", () => {
  // Nobody listens on port 1 (tcpmux) of the loopback interface.
  const target = makeTarget({ host: "127.0.0.1", port: 1 });

  test("is reported in words, and is retried", async () => {
    const { secret } = makeKey();
    const settings = { strict: true, connectTimeout: 5, extra: "", authentication: { kind: "key", certificate: false } as const };
    await writeIdentity(directory, { key: secret, passphrase: undefined, knownHosts: "" });
    const [connection = never()] = connectionsTo([target], directory, settings);
    const error = await rejection(DeployError, connection.open(undefined));
    expect(error).toMatchObject({ phase: "connect", reason: "127.0.0.1 port 1 refused the connection", unreachable: true, exitCode: 255 });
    expect(error.cause).toBeInstanceOf(CommandError);
    expect(await connection.isOpen()).toBe(false);
    await connection.close();
    expect(connection.offeredKeys()).toEqual([]);
  });

  test("is left alone when the run is cancelled", async () => {
    const error = await rejection(CommandError, new Connection(target, 0, directory, 5).open(AbortSignal.abort()));
    expect(error.failure).toEqual({ kind: "aborted" });
  });

  test("and a configuration that ssh does not accept is distinguished", async () => {
    const settings = { strict: true, connectTimeout: 5, extra: "NoSuchOption yes", authentication: { kind: "key", certificate: false } as const };
    await writeIdentity(directory, { key: makeKey().secret, passphrase: undefined, knownHosts: "" });
    const [connection = never()] = connectionsTo([target], directory, settings);
    const error = await rejection(DeployError, connection.open(undefined));
    expect(error).toMatchObject({ reason: "ssh rejected its configuration", unreachable: false });
    expect(error.lines.join("\n")).toContain("nosuchoption");
  });
});

function never(): never {
  throw new Error("no connection was made");
}

describe("endMasters", () => {
  test("takes a directory that is not there, a file, and a socket of a dead master", async () => {
    await endMasters(join(directory, "none"));
    writeFileSync(join(directory, "file"), "");
    await endMasters(join(directory, "file"));
    const left = join(directory, "left");
    mkdirSync(left);
    writeFileSync(join(left, "0.s"), "");
    await expect(endMasters(left)).resolves.toBeUndefined();
  });
});
