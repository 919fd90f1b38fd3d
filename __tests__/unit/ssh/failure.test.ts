import { describe, expect, test } from "@jest/globals";

import { connectError, speaksOfLostConnection, speaksOfRefusedSession, type ConnectFailure } from "../../../src/ssh/failure.js";
import { makeTarget } from "../domain/make.js";
import { makeKey } from "./keys.js";

const pair = makeKey();
const [type = "", blob = ""] = pair.public.split(" ");
const offeredKey = { host: "[web1.example.org]:2222", type, key: blob };
const target = makeTarget({ port: 2222, user: "deploy" });

function errorOf(stderr: string, overrides: Partial<ConnectFailure> = {}): ReturnType<typeof connectError> {
  return connectError({ target, stderr, timedOut: false, offered: [], cause: undefined, ...overrides });
}

const unknownKey = ["No ED25519 host key is known for [web1.example.org]:2222 and you have requested strict checking.", "Host key verification failed."].join(
  "\r\n",
);
const changedKey = [
  "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
  "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
  "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
  "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!",
  "Host key for [web1.example.org]:2222 has changed and you have requested strict checking.",
  "Host key verification failed.",
].join("\n");

describe("an unknown host key", () => {
  test("is reported with host, port, the key offered and the line to add", () => {
    const error = errorOf(unknownKey, { offered: [offeredKey] });
    expect(error).toMatchObject({ phase: "connect", exitCode: 255, unreachable: false });
    expect(error.reason).toBe(`the host key of web1.example.org port 2222 is unknown (offered: ssh-ed25519 ${pair.fingerprint})`);
    expect(error.hint).toContain(`add this line to ssh-known-hosts: [web1.example.org]:2222 ssh-ed25519 ${blob}`);
    expect(error.hint).toContain("Compare the fingerprint with the one on the machine");
  });

  test("is the one of the last server on the way", () => {
    const jump = { ...offeredKey, host: "jump", key: "AAAAother" };
    expect(errorOf(unknownKey, { offered: [jump, offeredKey] }).reason).toContain(pair.fingerprint);
  });

  test("is reported also where the key is unknown", () => {
    expect(errorOf(unknownKey)).toMatchObject({
      reason: "the host key of web1.example.org port 2222 is unknown",
      hint: "Add the machine's host key to ssh-known-hosts",
    });
  });
});

describe("a changed host key", () => {
  test("is reported with the key offered, and warns before the line", () => {
    const error = errorOf(changedKey, { offered: [offeredKey] });
    expect(error.unreachable).toBe(false);
    expect(error.reason).toBe(`the host key of web1.example.org port 2222 does not match ssh-known-hosts (offered: ssh-ed25519 ${pair.fingerprint})`);
    expect(error.hint).toMatch(
      /^Either another machine is answering at this address, or the machine was reinstalled\. Only if you know .+: \[web1\.example\.org\]:2222 ssh-ed25519 AAAA/,
    );
  });

  test("is reported also where the key is unknown", () => {
    expect(errorOf(changedKey).hint).toBe("Find out why before you change ssh-known-hosts: another machine may be answering at this address");
  });

  test("is also one that was revoked", () => {
    const revoked = "@       WARNING: REVOKED HOST KEY DETECTED!               @\nHost key verification failed.";
    expect(errorOf(revoked).reason).toBe("the host key of web1.example.org port 2222 does not match ssh-known-hosts");
  });
});

describe("an IPv6 address on a GitHub-hosted runner", () => {
  const ipv6 = { target: makeTarget({ host: "2001:db8::7" }), githubHosted: true };
  const literal = "ssh: connect to host 2001:db8::7 port 22: Network is unreachable";
  const name = "ssh: connect to host web1.example.org port 2222: Network is unreachable";

  test("is reported that these runners have no IPv6", () => {
    const error = errorOf(literal, ipv6);
    expect(error).toMatchObject({
      reason: "2001:db8::7 port 22 cannot be reached from a GitHub-hosted runner: it is an IPv6 address, and these runners have no IPv6",
      unreachable: false,
    });
    expect(error.hint).toMatch(/^Use an IPv4 address/);
  });

  test("may be the only one of a name", () => {
    expect(errorOf(name, { githubHosted: true, addresses: ["2001:db8::7"] }).reason).toContain("its name resolves only to an IPv6 address");
    expect(errorOf(name, { githubHosted: true, addresses: ["2001:db8::7", "192.0.2.7"] }).reason).toBe("web1.example.org port 2222 does not answer");
    expect(errorOf(name, { githubHosted: true }).reason).toBe("web1.example.org port 2222 does not answer");
  });

  test("is no reason on other runners, for a jump host, or where the machine refuses", () => {
    expect(errorOf(literal, { ...ipv6, githubHosted: false }).reason).toBe("2001:db8::7 port 22 does not answer");
    expect(errorOf("ssh: connect to host jump port 22: Connection timed out", ipv6).reason).toBe("jump port 22 does not answer");
    expect(errorOf("ssh: connect to host 2001:db8::7 port 22: Connection refused", ipv6).reason).toBe("2001:db8::7 port 22 refused the connection");
    expect(errorOf("", { ...ipv6, timedOut: true }).reason).toBe("2001:db8::7 port 22 does not answer");
  });
});

describe("what ssh says otherwise", () => {
  test("a refusal without ssh-key names the input that is used", () => {
    const error = errorOf("deploy@web1.example.org: Permission denied (publickey).", { withKey: false });
    expect(error).toMatchObject({ reason: "web1.example.org port 2222 does not accept the user deploy with this ssh-auth", unreachable: false });
    expect(error.hint).toMatch(/^With ssh-auth: agent, the agent must hold a key/);
  });

  test.each([
    ["deploy@web1.example.org: Permission denied (publickey).", "web1.example.org port 2222 does not accept the ssh key for the user deploy", false],
    [
      "/tmp/x/0.conf: line 40: Bad configuration option: nosuchoption\n/tmp/x/0.conf: terminating, 1 bad configuration options",
      "ssh rejected its configuration",
      false,
    ],
    ['/tmp/x/0.conf line 40: garbage at end of line; "x".', "ssh rejected its configuration", false],
    ["/tmp/x/0.conf line 40: missing argument.", "ssh rejected its configuration", false],
    ["ssh: Could not resolve hostname web1.example.org: Name or service not known", "the host name web1.example.org cannot be resolved", true],
    ["ssh: Could not resolve hostname web1.example.org: Temporary failure in name resolution", "the host name web1.example.org cannot be resolved", true],
    ["ssh: connect to host web1.example.org port 2222: Connection refused", "web1.example.org port 2222 refused the connection", true],
    ["ssh: connect to host web1.example.org port 2222: Connection timed out", "web1.example.org port 2222 does not answer", true],
    ["ssh: connect to host web1.example.org port 2222: No route to host", "web1.example.org port 2222 does not answer", true],
    ["ssh: connect to host web1.example.org port 2222: Network is unreachable", "web1.example.org port 2222 does not answer", true],
    ["Connection timed out during banner exchange\nConnection to 192.0.2.7 port 2222 timed out", "web1.example.org port 2222 does not answer", true],
    [
      "Unable to negotiate with 192.0.2.7 port 2222: no matching host key type found. Their offer: ssh-rsa",
      "ssh and web1.example.org port 2222 have no algorithm in common",
      false,
    ],
    ["kex_exchange_identification: Connection closed by remote host", "ssh could not connect to deploy@web1.example.org:2222", true],
    ["", "ssh could not connect to deploy@web1.example.org:2222", true],
  ])("%j: %s", (stderr, reason, unreachable) => {
    const error = errorOf(stderr);
    expect(error).toMatchObject({ reason, unreachable, phase: "connect", exitCode: 255 });
    expect(error.hint).not.toBe("");
  });

  test("a time-out of ours is a machine that does not answer", () => {
    expect(errorOf("", { timedOut: true }).reason).toBe("web1.example.org port 2222 does not answer");
  });

  test("the last 20 lines stand with the error, its cause with it", () => {
    const cause = new Error("why");
    const error = errorOf(Array.from({ length: 30 }, (_, index) => `line ${index}\n`).join("\n"), { cause });
    expect(error.lines).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 10}`));
    expect(error.cause).toBe(cause);
  });
});

test("speaksOfRefusedSession knows the message of ssh for a connection with too many sessions", () => {
  // OpenSSH 10, with MaxSessions 1, and what Nix 2.34 makes of it.
  const stderr = "mux_client_request_session: session request failed: Session open refused by peer\nerror: protocol mismatch, got 'started\n";
  expect(speaksOfRefusedSession(stderr)).toBe(true);
  expect(speaksOfRefusedSession("mux_client_request_session: read from master failed: Broken pipe\n")).toBe(false);
});

describe("speaksOfLostConnection", () => {
  test.each([
    "client_loop: send disconnect: Broken pipe",
    "Connection to web1.example.org closed by remote host.",
    "Connection reset by 192.0.2.7 port 22",
    "Timeout, server web1.example.org not responding.",
    "mux_client_request_session: read from master failed: Broken pipe",
    "Control socket connect(/tmp/x/0.s): No such file or directory",
    "kex_exchange_identification: read: Connection reset by peer",
  ])("hears it in %j", (stderr) => {
    expect(speaksOfLostConnection(stderr)).toBe(true);
  });

  test.each(["", "error: builder for '/nix/store/x.drv' failed with exit code 1", "error: writing to file: No space left on device"])(
    "does not in %j",
    (stderr) => {
      expect(speaksOfLostConnection(stderr)).toBe(false);
    },
  );
});
