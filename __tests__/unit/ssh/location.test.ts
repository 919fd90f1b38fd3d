import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { nixos } from "../domain/make.js";
import { ownHostname } from "../../../src/domain/configuration.js";
import { InputError } from "../../../src/domain/errors.js";
import { placeOf, requireDistinctPlaces, type NamedTarget, type Target } from "../../../src/domain/target.js";
import { locatedTarget, locateTarget, locateTargets } from "../../../src/ssh/location.js";
import { rejection, thrown } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();
const defaults = { user: "root", port: 22 };

/** What the real ssh makes of a target and the workflow's lines. */
async function locate(extra: string, target: Partial<NamedTarget> = {}): Promise<Target> {
  const named = { name: "the web", host: "web1", user: undefined, port: undefined, configuration: nixos("web1"), ...target };
  return await locateTarget(named, 0, directory, { strict: true, connectTimeout: 30, extra, authentication: { kind: "key", certificate: false } }, defaults);
}

async function problemOf(extra: string, target: Partial<NamedTarget> = {}): Promise<string> {
  const [problem] = (await rejection(InputError, locate(extra, target))).problems;
  expect(problem?.input).toBe("ssh-config");
  return problem?.problem ?? "";
}

describe("where a target is", () => {
  const everything = "Host web1\n  HostName 192.0.2.7\n  User deploy\n  Port 2222";

  test("is what ssh-config says where the target says nothing", async () => {
    expect(await locate(everything)).toEqual({
      name: "the web",
      host: "web1",
      address: "192.0.2.7",
      user: "deploy",
      port: 2222,
      via: undefined,
      configuration: nixos("web1"),
    });
  });

  test("is what the target says above ssh-config, and the defaults below it", async () => {
    expect(await locate(everything, { user: "admin" })).toMatchObject({ user: "admin", port: 2222, address: "192.0.2.7" });
    expect(await locate(everything, { port: 23 })).toMatchObject({ user: "deploy", port: 23 });
    expect(await locate("Host web1\n  Port 2222")).toMatchObject({ user: "root", port: 2222, address: "web1" });
    expect(await locate("Host web1\n  User deploy")).toMatchObject({ user: "deploy", port: 22 });
    expect(await locate(everything, { host: "web2" })).toMatchObject({ user: "root", port: 22, address: "web2" });
  });

  test("without ssh-config is known without ssh", async () => {
    expect(await locate("", { host: "no such name", user: "admin" })).toMatchObject({ host: "no such name", address: "no such name", user: "admin", port: 22 });
  });

  test("is found by patterns, Match, Include, and a line for all hosts before them", async () => {
    const included = join(directory, "included");
    writeFileSync(included, "Host *.internal\n  User included\n");
    const extra = `Compression yes\nInclude ${included}\nMatch host *.internal exec true\n  Port 2200\nHost *.internal\n  HostName %h.example.org\n  ProxyJump jump`;
    expect(await locate(extra, { host: "db.internal" })).toMatchObject({ user: "included", port: 2200, address: "db.internal.example.org", via: "jump" });
  });

  test("is not changed by the case of its letters", async () => {
    expect(await locate("Compression yes", { host: "WEB1" })).toMatchObject({ host: "WEB1", address: "WEB1" });
  });

  test.each(["2001:db8::7", "fe80::1%eth0"])("may be %s", async (host) => {
    expect(await locate("Compression yes", { host })).toMatchObject({ host, address: host });
    expect(await locate(`Host web1\n  HostName ${host.replace("%", "%%")}`)).toMatchObject({ host: "web1", address: host });
  });
});

describe("options of a target's own", () => {
  const sshOptions = ["HostName 192.0.2.8", "ProxyJump bastion"];

  test("count before ssh-config, and need none", async () => {
    expect(await locate("", { sshOptions })).toMatchObject({ host: "web1", address: "192.0.2.8", via: "bastion", sshOptions });
    expect(await locate("Host web1\n  HostName 192.0.2.7\n  ProxyJump other\n  User deploy", { sshOptions })).toMatchObject({
      address: "192.0.2.8",
      via: "bastion",
      user: "deploy",
    });
  });

  test("that ssh does not accept refuse the target, and no other", async () => {
    const target = (name: string, own: readonly string[]): NamedTarget => ({
      name,
      host: name,
      user: undefined,
      port: undefined,
      configuration: nixos(name),
      sshOptions: own,
    });
    const settings = { strict: true, connectTimeout: 30, extra: "", authentication: { kind: "none" } } as const;
    const answers = await locateTargets([target("web1", ["Ciphers nonsense"]), target("web2", sshOptions)], directory, settings, {
      defaults,
      limit: 2,
      signal: new AbortController().signal,
    });
    expect(answers).toEqual([
      { name: "web1", problem: expect.stringMatching(/^ssh does not accept its options \(Ciphers nonsense\): line \d+: Bad SSH2 cipher spec/) },
      expect.objectContaining({ name: "web2", address: "192.0.2.8" }),
    ]);
  });
});

describe("ssh-config is refused", () => {
  test.each([
    ["NoSuchOption yes", /^was rejected by ssh: line 1: Bad configuration option: nosuchoption/],
    ["Host web1\n  Port no", /^was rejected by ssh: line 2: Bad (port|number)/],
    ["Host web1\n  IdentityFile /tmp/other", /^sets IdentityFile \(set by the action\) for web1; remove this for the host/],
    ["Host web1\n  CertificateFile /tmp/other", /^sets CertificateFile \(set by the action\) for web1/],
    ["Host web1\n  SessionType none", /^sets SessionType \(.+\) for web1/],
    ["Host web1\n  StdinNull yes\n  SessionType none", /^sets SessionType \(.+\) and StdinNull \(.+\) for web1/],
  ])("for %j", async (extra, message) => {
    expect(await problemOf(extra)).toMatch(message);
  });

  test("not for what it says of other hosts", async () => {
    expect(await locate("Host jump\n  IdentityFile /tmp/other\n  SessionType none")).toMatchObject({ address: "web1" });
  });

  test.each(["$(id)", "`id`", "a;b", "a b", "-oProxyCommand=id", "a'b", "a|b"])("for the HostName %j, which ssh would hand to a shell", (hostname) => {
    const target = { name: "web1", host: "web1", user: undefined, port: undefined, configuration: ownHostname };
    const answer = `user root\nhostname ${hostname}\nport 22\n`;
    const error = thrown(InputError, () => locatedTarget(target, answer, answer));
    expect(error.problems[0]?.problem).toMatch(/^sets an invalid HostName for web1: its host /);
  });

  test("for a HostName and a User of its own that are not accepted", async () => {
    expect(await problemOf("Host web1\n  HostName a;reboot")).toMatch(/^sets an invalid HostName for web1: its host contains characters other than/);
    expect(await problemOf("Host web1\n  User -x")).toMatch(/^sets an invalid User for web1/);
  });
});

describe("targets are in one place", () => {
  const places = async (extra: string): Promise<string[]> => [await locate(extra, { host: "a" }), await locate(extra, { host: "b" })].map(placeOf);

  test("where ssh-config leads them to one address and port", async () => {
    const targets = [await locate("Host a b\n  HostName web1", { host: "a" }), await locate("Host a b\n  HostName WEB1", { host: "b" })];
    expect(() => requireDistinctPlaces(targets)).toThrow("web1 port 22 is listed twice");
  });

  test("but not behind two jump hosts, behind a proxy's command, or where only the port differs", async () => {
    expect(await places("Host a\n  ProxyJump x\nHost b\n  ProxyJump y\nHost a b\n  HostName 10.0.0.1")).toEqual([
      "10.0.0.1 port 22 via x",
      "10.0.0.1 port 22 via y",
    ]);
    const [one, other] = await places("Host a b\n  HostName 127.0.0.1\n  ProxyCommand session %n");
    expect(one).not.toBe(other);
    expect(await places("Host a b\n  HostName web1\nHost b\n  Port 23")).toEqual(["web1 port 22", "web1 port 23"]);
  });
});
