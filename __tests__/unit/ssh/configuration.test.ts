import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import type { Target } from "../../../src/domain/target.js";
import { alias, identityFiles, renderConfiguration, targetFiles, type SshSettings } from "../../../src/ssh/configuration.js";
import { makeTarget } from "../domain/make.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();
const settings: SshSettings = { strict: true, connectTimeout: 30, extra: "", authentication: { kind: "key", certificate: false } };

/** What the real ssh makes of the configuration for a host; a keyword that stands there more than once has several values. */
function ssh(host: string, overrides: { target?: Partial<Target>; settings?: Partial<SshSettings> } = {}): Map<string, string[]> {
  const file = join(directory, "ssh_config");
  writeFileSync(file, renderConfiguration(makeTarget(overrides.target), 3, directory, { ...settings, ...overrides.settings }));
  const found = new Map<string, string[]>();
  for (const line of execFileSync("ssh", ["-G", "-F", file, "--", host], { encoding: "utf8" }).trim().split("\n")) {
    const blank = line.indexOf(" ");
    const keyword = line.slice(0, blank);
    found.set(keyword, [...(found.get(keyword) ?? []), line.slice(blank + 1)]);
  }
  return found;
}

const files = identityFiles(directory);
const own = targetFiles(directory, 3);

const protectedSettings: Readonly<Record<string, string>> = {
  identityfile: files.key,
  identitiesonly: "yes",
  identityagent: "none",
  addkeystoagent: "false",
  nohostauthenticationforlocalhost: "no",
  pubkeyauthentication: "true",
  connectionattempts: "1",
  userknownhostsfile: files.knownHosts,
  globalknownhostsfile: "/dev/null",
  stricthostkeychecking: "true",
  updatehostkeys: "false",
  checkhostip: "no",
  verifyhostkeydns: "false",
  hashknownhosts: "no",
  knownhostscommand: `/bin/sh ${files.recorder} ${own.offeredKeys} %H %t %K`,
  batchmode: "yes",
  preferredauthentications: "publickey",
  passwordauthentication: "no",
  kbdinteractiveauthentication: "no",
  forwardagent: "no",
  forwardx11: "no",
  permitlocalcommand: "no",
  requesttty: "false",
  escapechar: "none",
  controlmaster: "false",
  loglevel: "ERROR",
  connecttimeout: "30",
  serveraliveinterval: "5",
  serveralivecountmax: "3",
  tcpkeepalive: "yes",
};

describe("the configuration, as ssh reads it", () => {
  test("says where the machine is and how it is spoken to", () => {
    const found = ssh("web1.example.org", { target: { port: 2222, user: "deploy" } });
    const expected = { ...protectedSettings, hostname: "web1.example.org", port: "2222", user: "deploy", controlpath: own.socket, controlpersist: "900" };
    for (const [keyword, value] of Object.entries(expected)) expect({ [keyword]: found.get(keyword)?.[0] }).toEqual({ [keyword]: value });
  });

  test("cannot be changed by the workflow's own lines, or in a jump host's", () => {
    const extra = [
      "Host *",
      "  HostName evil.example.org",
      "  Port 666",
      "  User evil",
      "  StrictHostKeyChecking no",
      "  UserKnownHostsFile /dev/null",
      "  GlobalKnownHostsFile /etc/evil",
      "  KnownHostsCommand /bin/evil",
      "  PKCS11Provider /evil.so",
      "  AddKeysToAgent yes",
      "  NoHostAuthenticationForLocalhost yes",
      "  PubkeyAuthentication no",
      "  RemoteCommand evil",
      "  ConnectionAttempts 9",
      "  IdentitiesOnly no",
      "  IdentityAgent /evil.sock",
      "  BatchMode no",
      "  PreferredAuthentications password",
      "  PasswordAuthentication yes",
      "  KbdInteractiveAuthentication yes",
      "  ForwardAgent yes",
      "  ForwardX11 yes",
      "  PermitLocalCommand yes",
      "  RequestTTY force",
      "  EscapeChar ~",
      "  ControlMaster auto",
      "  ControlPath /evil",
      "  ControlPersist no",
      "  LogLevel DEBUG3",
      "  ConnectTimeout 1",
      "  ServerAliveInterval 0",
      "  ServerAliveCountMax 99",
      "  TCPKeepAlive no",
      "  UpdateHostKeys yes",
      "  CheckHostIP yes",
      "  VerifyHostKeyDNS yes",
      "  HashKnownHosts yes",
    ].join("\n");
    const found = ssh("web1.example.org", { settings: { extra } });
    const expected = { ...protectedSettings, hostname: "web1.example.org", port: "22", user: "root", controlpath: own.socket, controlpersist: "900" };
    for (const [keyword, value] of Object.entries(expected)) expect({ [keyword]: found.get(keyword)?.[0] }).toEqual({ [keyword]: value });
    expect(found.get("userknownhostsfile")).toEqual([files.knownHosts]);
    for (const keyword of ["remotecommand", "pkcs11provider"]) expect([keyword, found.get(keyword) ?? ["none"]]).toEqual([keyword, ["none"]]);
    const jump = ssh("jump.example.org", { settings: { extra } });
    for (const [keyword, value] of Object.entries(protectedSettings)) expect({ [keyword]: jump.get(keyword)?.[0] }).toEqual({ [keyword]: value });
  });

  test("leaves a HostName to the workflow's own lines, which say more for the same host", () => {
    const extra = "Match host web1.example.org\n  ProxyJump jump.example.org\nHost web1.example.org\n  HostName 192.0.2.7\n  Port 666\n  User evil";
    const found = ssh("web1.example.org", { target: { address: "192.0.2.7", port: 2222, user: "deploy" }, settings: { extra } });
    expect(["hostname", "port", "user", "proxyjump", "controlpath"].map((keyword) => found.get(keyword)?.[0])).toEqual([
      "192.0.2.7",
      "2222",
      "deploy",
      "jump.example.org",
      own.socket,
    ]);
  });

  test("gives a HostName to the name that Nix gets instead of the host", () => {
    const overrides = { target: { host: "web_1", address: "fe80::1%eth0", port: 2222 }, settings: { extra: "Host web_1\n  HostName fe80::1%%eth0" } };
    for (const name of ["web_1", "target-3"]) {
      const found = ssh(name, overrides);
      expect(["hostname", "port", "controlpath"].map((keyword) => found.get(keyword)?.[0])).toEqual(["fe80::1%eth0", "2222", own.socket]);
    }
  });

  test("takes what the workflow's own lines add", () => {
    const extra = "Host web1.example.org\n  ProxyJump jump.example.org:2200\n  HostKeyAlgorithms ssh-ed25519\nHost jump.example.org\n  User jumper";
    const found = ssh("web1.example.org", { settings: { extra } });
    expect(found.get("proxyjump")).toEqual(["jump.example.org:2200"]);
    expect(found.get("hostkeyalgorithms")).toEqual(["ssh-ed25519"]);
    expect(found.get("hostname")).toEqual(["web1.example.org"]);
  });

  test("has nothing of the target for a jump host, but the key and the known hosts", () => {
    const found = ssh("jump.example.org", { target: { port: 2222, user: "deploy" }, settings: { extra: "Host jump.example.org\n  User jumper\n  Port 2200" } });
    expect(found.get("hostname")).toEqual(["jump.example.org"]);
    expect(found.get("port")).toEqual(["2200"]);
    expect(found.get("user")).toEqual(["jumper"]);
    expect(found.get("controlpath")).toBeUndefined();
    for (const [keyword, value] of Object.entries(protectedSettings)) expect({ [keyword]: found.get(keyword)?.[0] }).toEqual({ [keyword]: value });
  });

  test("lets lines without a Host speak for all hosts", () => {
    expect(ssh("web1.example.org", { settings: { extra: "Compression yes" } }).get("compression")).toEqual(["yes"]);
  });

  test("compresses what goes to a target, unless the user's lines decide", () => {
    const compression = true;
    expect(ssh("web1.example.org", { settings: { compression } }).get("compression")).toEqual(["yes"]);
    expect(ssh("web1.example.org", { settings: { compression, extra: "Compression no" } }).get("compression")).toEqual(["no"]);
    expect(ssh("jump.example.org", { settings: { compression } }).get("compression")).toEqual(["no"]);
    expect(ssh("web1.example.org", {}).get("compression")).toEqual(["no"]);
  });

  test.each(["2001:db8::7", "::1", "fe80::1%eth0"])("reaches %s by itself and by its alias", (host) => {
    for (const name of [host, "target-3"]) {
      const found = ssh(name, { target: { host, port: 2222 } });
      expect(found.get("hostname")).toEqual([host]);
      expect(found.get("port")).toEqual(["2222"]);
      expect(found.get("controlpath")).toEqual([own.socket]);
    }
  });

  test("accepts an unknown key, but not a changed one, where it is not strict", () => {
    expect(ssh("web1.example.org", { settings: { strict: false } }).get("stricthostkeychecking")).toEqual(["accept-new"]);
  });

  test.each([
    [{ kind: "key", certificate: false } as const, [files.key], ["none"], "yes", "true"],
    [{ kind: "key", certificate: true } as const, [files.key], [files.certificate], "yes", "true"],
    [{ kind: "agent", socket: "/tmp/ssh-x/agent.1" } as const, ["none"], ["none"], "no", "true"],
    [{ kind: "none" } as const, ["none"], ["none"], "yes", "false"],
  ])("authenticates by %j, for the target and for jump hosts", (authentication, keys, certificates, only, publicKey) => {
    for (const host of ["web1.example.org", "jump.example.org"]) {
      const found = ssh(host, { settings: { authentication } });
      const agent = authentication.kind === "agent" ? authentication.socket : "none";
      expect(found.get("identityfile")).toEqual(keys);
      expect(found.get("certificatefile") ?? ["none"]).toEqual(certificates);
      expect(["identitiesonly", "pubkeyauthentication", "identityagent"].map((keyword) => found.get(keyword)?.[0])).toEqual([only, publicKey, agent]);
    }
  });

  test("says how long to wait", () => {
    expect(ssh("web1.example.org", { settings: { connectTimeout: 7 } }).get("connecttimeout")).toEqual(["7"]);
  });

  test("is refused by ssh for a line that it does not know", () => {
    const file = join(directory, "bad");
    writeFileSync(file, renderConfiguration(makeTarget(), 3, directory, { ...settings, extra: "NoSuchOption yes" }));
    const { status, stderr } = spawnSync("ssh", ["-G", "-F", file, "web1"], { encoding: "utf8" });
    expect(status).toBe(255);
    expect(stderr).toMatch(/Bad configuration option: nosuchoption/);
  });
});

describe("alias", () => {
  test.each([
    ["web1.example.org", "web1.example.org"],
    ["192.0.2.7", "192.0.2.7"],
    ["localhost", "target-3"],
    ["LOCALHOST", "target-3"],
    ["2001:db8::7", "target-3"],
    ["web_1", "target-3"],
    [".web1", "target-3"],
  ])("of %s is %s", (host, expected) => {
    expect(alias(makeTarget({ host }), 3)).toBe(expected);
  });
});

test("options of a target's own count before ssh-config, and not for its jump host", () => {
  const overrides = { target: { host: "web1", sshOptions: ["Compression yes", "ProxyJump bastion"] }, settings: { extra: "Host *\n  Compression no" } };
  const target = ssh("web1", overrides);
  expect([target.get("compression"), target.get("proxyjump")]).toEqual([["yes"], ["bastion"]]);
  const bastion = ssh("bastion", overrides);
  expect([bastion.get("compression"), bastion.get("proxyjump")]).toEqual([["no"], undefined]);
});
