import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { describe, expect, test } from "@jest/globals";

import { ownHostname } from "../../../src/domain/configuration.js";
import { InputError } from "../../../src/domain/errors.js";
import { keywords, refusalOf } from "../../../src/domain/ssh-keywords.js";
import { locateTarget } from "../../../src/ssh/location.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();

const locate = async (extra: string) =>
  await locateTarget(
    { name: "web1", host: "web1", user: undefined, port: undefined, configuration: ownHostname },
    0,
    directory,
    { strict: true, connectTimeout: 30, extra, authentication: { kind: "key", certificate: false } },
    { user: "root", port: 22 },
  );

/** A value other than the default, for each keyword that has effect by itself. */
const values: Readonly<Record<string, string>> = {
  AddKeysToAgent: "yes",
  AddressFamily: "inet6",
  BatchMode: "no",
  BindAddress: "192.0.2.1",
  BindInterface: "lo",
  CASignatureAlgorithms: "ssh-ed25519",
  CanonicalDomains: "example.org",
  CanonicalizeFallbackLocal: "no",
  CanonicalizeHostname: "none",
  CanonicalizeMaxDots: "3",
  CanonicalizePermittedCNAMEs: "a.example.org:b.example.org",
  CertificateFile: "/tmp/other",
  CheckHostIP: "yes",
  Ciphers: "aes256-ctr",
  ClearAllForwardings: "yes",
  Compression: "yes",
  ConnectTimeout: "1",
  ConnectionAttempts: "9",
  ControlMaster: "auto",
  ControlPath: "/evil",
  ControlPersist: "no",
  DynamicForward: "1080",
  EnableEscapeCommandline: "yes",
  EnableSSHKeysign: "yes",
  EscapeChar: "%",
  ExitOnForwardFailure: "yes",
  FingerprintHash: "md5",
  ForkAfterAuthentication: "yes",
  ForwardAgent: "yes",
  ForwardX11: "yes",
  ForwardX11Timeout: "7",
  ForwardX11Trusted: "no",
  GSSAPIAuthentication: "yes",
  GSSAPIClientIdentity: "x",
  GSSAPIDelegateCredentials: "yes",
  GSSAPIKexAlgorithms: "gss-group14-sha256-",
  GSSAPIKeyExchange: "yes",
  GSSAPIRenewalForcesRekey: "yes",
  GSSAPIServerIdentity: "x",
  GSSAPITrustDns: "yes",
  GatewayPorts: "yes",
  GlobalKnownHostsFile: "/etc/evil",
  HashKnownHosts: "yes",
  HostKeyAlgorithms: "ssh-ed25519",
  HostKeyAlias: "other",
  HostbasedAcceptedAlgorithms: "ssh-ed25519",
  HostbasedAuthentication: "yes",
  HostName: "192.0.2.7",
  IPQoS: "throughput",
  IdentitiesOnly: "no",
  IdentityAgent: "/evil.sock",
  IdentityFile: "/tmp/other",
  KbdInteractiveAuthentication: "yes",
  KbdInteractiveDevices: "pam",
  KexAlgorithms: "curve25519-sha256",
  KnownHostsCommand: "/bin/evil",
  LocalCommand: "evil",
  LocalForward: "8080 localhost:80",
  LogLevel: "DEBUG3",
  LogVerbose: "kex.c:*:1000",
  MACs: "hmac-sha2-256",
  NoHostAuthenticationForLocalhost: "yes",
  NumberOfPasswordPrompts: "9",
  PKCS11Provider: "/evil.so",
  PasswordAuthentication: "yes",
  PermitLocalCommand: "yes",
  PermitRemoteOpen: "none",
  Port: "2222",
  PreferredAuthentications: "password",
  ProxyCommand: "nc %h %p",
  ProxyJump: "jump.example.org",
  ProxyUseFdpass: "yes",
  PubkeyAcceptedAlgorithms: "ssh-ed25519",
  PubkeyAuthentication: "no",
  RekeyLimit: "1G",
  RemoteCommand: "evil",
  RemoteForward: "8080 localhost:80",
  RequestTTY: "force",
  RequiredRSASize: "4096",
  RevokedHostKeys: "/etc/revoked",
  SecurityKeyProvider: "/evil.so",
  SendEnv: "SECRET",
  ServerAliveCountMax: "99",
  ServerAliveInterval: "99",
  SessionType: "none",
  SetEnv: "X=y",
  StdinNull: "yes",
  StreamLocalBindMask: "0111",
  StreamLocalBindUnlink: "yes",
  StrictHostKeyChecking: "no",
  SyslogFacility: "LOCAL0",
  TCPKeepAlive: "no",
  Tunnel: "yes",
  TunnelDevice: "5:6",
  UpdateHostKeys: "yes",
  User: "deploy",
  UserKnownHostsFile: "/dev/null",
  VerifyHostKeyDNS: "yes",
  VisualHostKey: "yes",
  XAuthLocation: "/evil",
};

// Only what a newer ssh than this one knows has no value here, and what selects lines.
const newer = ["ChannelTimeout", "ObscureKeystrokeTiming", "RefuseConnection", "Tag", "VersionAddendum", "WarnWeakCrypto"];
const structure = ["Host", "Match", "Include", "IgnoreUnknown"];

describe("the table of keywords", () => {
  const known = new Set(Object.keys(keywords).map((name) => name.toLowerCase()));

  test("has every keyword that ssh -G prints", () => {
    const printed = execFileSync("ssh", ["-G", "-F", "none", "web1"], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[0]?.toLowerCase() ?? "");
    expect(printed.length).toBeGreaterThan(50);
    expect(printed.filter((keyword) => !known.has(keyword))).toEqual([]);
  });

  test("has every keyword of ssh_config(5), as OpenSSH 9.2 has it", () => {
    expect(Object.keys(keywords).toSorted()).toEqual([...Object.keys(values), ...newer, ...structure].toSorted());
  });

  test("is what the documentation shows", () => {
    const text = readFileSync(new URL("../../../../docs/ssh-config.md", import.meta.url), "utf8");
    expect(Object.keys(keywords).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

// GSSAPI is not in every build of ssh, and each ssh knows only what was there before it.
const supported = Object.entries(values).filter(
  ([name, value]) => spawnSync("ssh", ["-G", "-F", "none", "-o", `${name}=${value}`, "web1"], { encoding: "utf8" }).status === 0,
);

test("this ssh knows nearly all of them", () => {
  expect(supported.length).toBeGreaterThan(85);
});

// ssh adds these up: standing first does not help.
const addedUp = ["IdentityFile", "CertificateFile"];

describe.each(supported)("%s %s", (name, value) => {
  const rule = keywords[name];
  const line = `Host web1\n  ${name} ${value}`;

  test(`is ${rule?.owner}`, async () => {
    if (rule?.owner === "theirs" || (rule?.owner === "ours" && !addedUp.includes(name))) {
      await locate(line);
      return;
    }
    const [problem] = await locate(line).then(
      () => [{ input: "", problem: `${name} was accepted` }],
      async () => (await rejection(InputError, locate(line))).problems,
    );
    expect(problem).toMatchObject({ input: "ssh-config", problem: expect.stringContaining(`sets ${refusalOf(name.toLowerCase())} for web1`) });
  });

  test("may be said of a jump host", async () => {
    expect(await locate(`Host jump\n  ${name} ${value}`)).toMatchObject({ address: "web1", user: "root", port: 22 });
  });
});
