import { describe, expect, test } from "@jest/globals";

import { keywords } from "../../../src/domain/ssh-keywords.js";
import { parseSshLines, parseSshOptions } from "../../../src/domain/ssh-options.js";

const nothing = { user: undefined, port: undefined, lines: [], ignored: [] };

describe("options of ssh", () => {
  test.each<[string[], object]>([
    [[], {}],
    [["-p", "2222"], { port: 2222 }],
    [["-p2222"], { port: 2222 }],
    // One word for the shell that Nix never starts; ssh takes it.
    [["-p 2222"], { port: 2222 }],
    // As with ssh (ssh.c): the first one counts.
    [["-p", "1", "-oPort=2"], { port: 1 }],
    [["-l", "deploy", "-o", "User=other"], { user: "deploy" }],
    [["-J", "jump@bastion.example.org:2222,[2001:db8::7]"], { lines: ["ProxyJump jump@bastion.example.org:2222,[2001:db8::7]"] }],
    [["-Jbastion"], { lines: ["ProxyJump bastion"] }],
    [
      ["-o", "Compression=yes", "-o", "Ciphers aes128-ctr", "-ohostname = 192.0.2.7"],
      { lines: ["Compression yes", "Ciphers aes128-ctr", "HostName 192.0.2.7"] },
    ],
  ])("%j are translated", (words, found) => {
    expect(parseSshOptions(words)).toEqual({ ...nothing, ...found });
  });

  test.each<[string[], string]>([
    [["-A"], "ForwardAgent has no effect; no agent is forwarded"],
    [["-i", "~/.ssh/deploy"], "IdentityFile has no effect; the inputs ssh-auth, ssh-key and ssh-certificate say how ssh authenticates"],
    [
      ["-o", "StrictHostKeyChecking=no", "-oStrictHostKeyChecking=no"],
      "StrictHostKeyChecking has no effect; the inputs ssh-known-hosts and ssh-strict say which host keys are trusted",
    ],
    [["-oBatchMode=no"], "BatchMode has no effect; the action sets it"],
  ])("%j have no effect, which is said", (words, sentence) => {
    expect(parseSshOptions(words)).toEqual({ ...nothing, ignored: [sentence] });
  });

  test.each<[string[], string]>([
    [["-v"], "-v is not supported, only -p PORT, -l USER, -J HOST, -i FILE, -A and -o KEYWORD=VALUE"],
    [["-Ap22"], "-Ap22 is not supported, only -p PORT, -l USER, -J HOST, -i FILE, -A and -o KEYWORD=VALUE"],
    [["web1"], "web1 is not supported, only -p PORT, -l USER, -J HOST, -i FILE, -A and -o KEYWORD=VALUE"],
    [["-p"], "-p has no value"],
    [["-p", "ssh"], "its port is not a number from 1 to 65535"],
    [["-l", "a b"], "its user is not a valid user name (letters, digits and _ . @ + -, not starting with -)"],
    [["-o", "HostName=-oProxyCommand=id"], "its host starts with -, which ssh would read as an option"],
    [["-o", "Compression"], "Compression has no value"],
    [["-o", "Compression=yes\nProxyCommand=id"], "the value of Compression contains control characters"],
    [["-J", "bastion;id"], "the value of ProxyJump is not [user@]host[:port], or several of these with commas between them"],
    [["-J", "-oProxyCommand=id"], "the value of ProxyJump is not [user@]host[:port], or several of these with commas between them"],
    [["-o", "NoSuchKeyword=1"], "NoSuchKeyword is not allowed: not supported by this version of the action"],
    [
      ["-o", "LocalForward=1 a:1", "-o", "setenv=A=1"],
      "LocalForward is not allowed: the action forwards nothing; SetEnv is not allowed: the action needs a plain ssh session",
    ],
    ...["Host", "Match", "Include"].map((name): [string[], string] => [["-o", `${name}=web1`], `${name} is not an option`]),
  ])("%j are refused", (words, problem) => {
    expect(() => parseSshOptions(words)).toThrow(new Error(problem));
  });

  test("that would run a command on the runner beside the key are refused, in whatever case", () => {
    for (const word of ["-oProxyCommand=id", "-oproxycommand=id", "-o proxyCommand id"]) {
      expect(() => parseSshOptions([word])).toThrow("it would run a command of the flake on the runner, beside the ssh key");
    }
    // All others that name a program, a library or a file of commands.
    for (const keyword of ["LocalCommand", "SecurityKeyProvider", "XAuthLocation", "Include"]) {
      expect(() => parseSshOptions(["-o", `${keyword}=/tmp/x`])).toThrow(keyword);
    }
    for (const keyword of ["KnownHostsCommand", "PKCS11Provider", "RemoteCommand"]) expect(parseSshOptions(["-o", `${keyword}=/tmp/x`]).lines).toEqual([]);
  });

  test.each(Object.keys(keywords))("-o %s never passes a keyword that the input ssh-config cannot set", (keyword) => {
    const owner = keywords[keyword]?.owner;
    let lines: readonly string[] = [];
    try {
      ({ lines } = parseSshOptions(["-o", `${keyword}=1`]));
    } catch {
      lines = [];
    }
    expect(lines.length === 0 || owner === "theirs").toBe(true);
  });
});

describe("lines of ssh_config for one target", () => {
  test("are as those of options", () => {
    expect(parseSshLines(["proxyjump bastion", "Compression=yes"])).toEqual(["ProxyJump bastion", "Compression yes"]);
  });

  test.each([
    ["ForwardAgent yes", "ForwardAgent has no effect; no agent is forwarded"],
    ["Port 22", "User and Port have fields of their own: user and port"],
    ["ProxyCommand id", "ProxyCommand is not allowed"],
  ])("%s is refused", (line, problem) => {
    expect(() => parseSshLines([line])).toThrow(problem);
  });
});
