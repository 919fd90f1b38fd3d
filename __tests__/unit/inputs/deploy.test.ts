import { describe, expect, test } from "@jest/globals";

import { ownHostname } from "../../../src/domain/configuration.js";
import { readActionMetadata } from "../../../scripts/action-metadata.js";
import { InputError } from "../../../src/domain/errors.js";
import { inputNames, parseInputs, type InputName, type Inputs } from "../../../src/inputs/deploy.js";
import { misplacedKey } from "../../../src/inputs/misplaced-secrets.js";
import { thrown } from "../failure-of.js";
import { makeKey } from "../ssh/keys.js";

const key = makeKey();
const encrypted = makeKey({ passphrase: "secret" });
const knownHosts = `web1 ${key.public.trim()}`;
const action = readActionMetadata();
const defaults = new Map(action.inputs.map((input) => [input.name, input.default]));

/** The inputs as the runner gives them: the defaults of `action.yml`, what every run needs, and what the test changes. */
function makeInputs(overrides: Partial<Record<InputName, string>> = {}): (name: InputName) => string {
  const needed: Partial<Record<InputName, string>> = { "ssh-key": key.secret, "ssh-known-hosts": knownHosts, targets: "web1" };
  return (name) => overrides[name] ?? needed[name] ?? defaults.get(name) ?? "";
}

function problemsOf(overrides: Partial<Record<InputName, string>>): string[] {
  return thrown(InputError, () => parseInputs(makeInputs(overrides))).problems.map(({ input, problem }) => `${input}: ${problem}`);
}

test("every input of action.yml is read, and no other", () => {
  expect([...defaults.keys()].toSorted()).toEqual([...inputNames].toSorted());
});

test("the defaults of action.yml are the ones that are promised", () => {
  expect(parseInputs(makeInputs())).toEqual({
    authentication: "key",
    key: key.secret,
    passphrase: undefined,
    certificate: undefined,
    knownHosts,
    strict: true,
    sshConfig: "",
    flake: ".",
    targets: [{ name: "web1", user: undefined, host: "web1", port: undefined, configuration: ownHostname }],
    selection: [],
    names: ["web1"],
    defaults: { user: "root", port: 22 },
    operation: "switch",
    elevate: "auto",
    maxParallel: 16,
    archiveArgs: [],
    rebuildArgs: [],
    buildArgs: [],
    places: { buildOn: "auto", evaluateOn: "auto" },
    systems: undefined,
    connectTimeout: 30,
    timeout: 0,
    retries: 2,
    checkSignatures: true,
    substitute: true,
    compress: "auto",
    elevatePassword: undefined,
    safety: {
      rollback: true,
      healthCheck: undefined,
      unitFailures: "fail",
      limits: { activation: 600, confirm: 30, settle: 5, healthCheck: 60, lock: 300 },
    },
    staging: { batches: [{ kind: "percentage", percentage: 100 }], maxFailures: { kind: "count", count: 0 }, onUnreachable: "fail" },
    variant: { specialisation: undefined, installBootLoader: false },
    diff: true,
    summary: true,
    allowUnsafeEvent: false,
  });
});

describe("what is accepted", () => {
  const parsed = (overrides: Partial<Record<InputName, string>>): Inputs => parseInputs(makeInputs(overrides));

  test("white space around a value", () => {
    expect(
      parsed({ operation: " boot\n", elevate: " doas ", "ssh-port": " 2222 ", "ssh-user": " deploy ", flake: " ./nixos\n", "max-parallel": "\t3" }),
    ).toMatchObject({
      operation: "boot",
      elevate: "doas",
      flake: "./nixos",
      maxParallel: 3,
      defaults: { user: "deploy", port: 2222 },
    });
  });

  test("two targets that only ssh-config can distinguish", () => {
    const targets = '[{"host":"web1","name":"a"},{"host":"web1","port":22,"name":"b"}]';
    expect(problemsOf({ targets })).toEqual(["targets: web1 port 22 is listed twice; one run can deploy only one configuration per machine"]);
    expect(parsed({ targets, "ssh-config": "Port 2222" }).targets.map(({ name, port }) => [name, port])).toEqual([
      ["a", undefined],
      ["b", 22],
    ]);
  });

  test.each(["", " \n"])("no targets at all: %j", (targets) => {
    expect(parsed({ targets, select: "web*,@canary" })).toMatchObject({ targets: [], selection: [{ text: "web*" }, { text: "@canary" }] });
  });

  test("a selection of the targets, by name and by configuration", () => {
    const targets = `[{"host":"a","name":"first"},{"host":"b","configuration":"web.b"},"c#colmenaHive.nodes.web-c","d"]`;
    expect(parsed({ targets, select: "first, web*" }).targets.map(({ name }) => name)).toEqual(["first", "web.b", "web-c"]);
  });

  test.each(["switch", "boot", "test", "dry-activate", "build"])("the operation %s", (operation) => {
    expect(parsed({ operation }).operation).toBe(operation);
  });

  test("a specialisation, but not where only the next boot is prepared", () => {
    expect(parsed({ specialisation: " tor ", "install-bootloader": "true" }).variant).toEqual({ specialisation: "tor", installBootLoader: true });
    expect(() => parsed({ specialisation: "tor", operation: "boot" })).toThrow(
      "specialisation: cannot be set with operation: boot, which does not change the running system; choose the specialisation in the boot menu",
    );
  });

  test("an encrypted key with its passphrase, which may begin and end with blanks", () => {
    expect(parsed({ "ssh-key": encrypted.secret, "ssh-key-passphrase": " secret \r\n" }).passphrase).toBe(" secret ");
  });

  test("a passphrase that no key needs", () => {
    expect(parsed({ "ssh-key-passphrase": "secret" }).passphrase).toBeUndefined();
  });

  test("no known hosts where ssh-strict is false", () => {
    expect(parsed({ "ssh-strict": "false", "ssh-known-hosts": "" })).toMatchObject({ strict: false, knownHosts: "" });
  });

  test("known hosts and ssh lines with CRLF", () => {
    const { knownHosts: hosts, sshConfig } = parsed({
      "ssh-known-hosts": `${knownHosts}\r\n${knownHosts}\r\n`,
      "ssh-config": "Host *\r\n\tCompression yes\r\n",
    });
    expect(hosts).toBe(`${knownHosts}\n${knownHosts}`);
    expect(sshConfig).toBe("Host *\n\tCompression yes");
  });

  test("one argument per line, which no shell splits", () => {
    expect(parsed({ "archive-args": "\n  --option\r\nuser-agent-suffix\n a  b \n\n", "rebuild-args": "--builders\n$(id)" })).toMatchObject({
      archiveArgs: ["--option", "user-agent-suffix", "a  b"],
      rebuildArgs: ["--builders", "$(id)"],
    });
  });

  test.each([".", "./nixos", "github:org/repo", "github:org/repo?dir=nixos", "git+https://example.org/a b", "path:/srv/flake"])("the flake %s", (flake) => {
    expect(parsed({ flake }).flake).toBe(flake);
  });

  test.each<[InputName, string, Readonly<Record<string, unknown>>]>([
    ["max-parallel", "1", { maxParallel: 1 }],
    ["max-parallel", "1000", { maxParallel: 1000 }],
    ["timeout", "0", { timeout: 0 }],
    ["timeout", "86400", { timeout: 86_400 }],
    ["connect-timeout", "3600", { connectTimeout: 3600 }],
    ["retries", "0", { retries: 0 }],
    ["retries", "20", { retries: 20 }],
    ["check-sigs", "false", { checkSignatures: false }],
    ["diff", "false", { diff: false }],
    ["summary", "false", { summary: false }],
    ["rollback", "false", { safety: { rollback: false } }],
    ["health-check", " curl -f localhost\n", { safety: { healthCheck: "curl -f localhost" } }],
    ["unit-failures", "warn", { safety: { unitFailures: "warn" } }],
    ["lock-timeout", "0", { safety: { limits: { lock: 0 } } }],
    ["batches", "1, 25%", { staging: { batches: [{ count: 1 }, { percentage: 25 }] } }],
    ["max-failures", "10%", { staging: { maxFailures: { percentage: 10 } } }],
    ["on-unreachable", "skip", { staging: { onUnreachable: "skip" } }],
    ["operation", "rollback", { operation: "rollback" }],
    ["elevate-password", "open sesame\n", { elevatePassword: "open sesame" }],
  ])("%s: %s", (name, text, expected) => {
    expect(parsed({ [name]: text })).toMatchObject(expected);
  });
});

describe("what is refused", () => {
  const reference = "expected a flake reference without #, for example `.`, `./nixos` or `github:org/repo`";
  const flakeSettings = "is not allowed: it lets a flake change the settings of Nix; put the settings that you trust into nix.conf instead";
  const noMachine =
    "lists no hosts; expected one target per line ([user@]host[:port][#configuration], with an IPv6 address in brackets), or a JSON array of such strings or of objects with host, user, port, configuration, name, build-on, ssh-options and replace-unknown-profiles";
  const selection =
    "expected comma-separated globs over names and @tags, for example web1,edge-*,@canary,!web2 (! leaves out, * matches anything, ? one character, [abc] and [!a-z] one character of a set)";
  const user = "its user is not a valid user name (letters, digits and _ . @ + -, not starting with -)";

  test.each<[InputName, string, string]>([
    ["ssh-key", "", "is empty. A secret that does not exist, or that this event cannot read (a pull request from a fork), is passed as an empty string"],
    ["ssh-key", key.public, "is a public key (a .pub file); set it to the private key"],
    ["ssh-key", encrypted.secret, "is encrypted; set ssh-key-passphrase"],
    [
      "ssh-known-hosts",
      " \n",
      "is empty, but ssh-strict is true; expected the known_hosts lines of the machines (run `ssh-keyscan HOST` on a trusted network, and compare the keys with the machine)",
    ],
    ["ssh-known-hosts", "web1", "line 1 is not a known_hosts line (host, key type and key, as printed by `ssh-keyscan host`)"],
    ["ssh-strict", "no", '"no" is not valid; expected one of true, false'],
    ["ssh-strict", "", "an empty string is not valid; expected one of true, false"],
    ["ssh-strict", "True", '"True" is not valid; expected one of true, false'],
    ["check-sigs", "yes", '"yes" is not valid; expected one of true, false'],
    ["ssh-user", "-x", user],
    ["ssh-user", "", user],
    ["ssh-port", "0", '"0" is not valid; expected a whole number from 1 to 65535'],
    ["ssh-port", "ssh", '"ssh" is not valid; expected a whole number from 1 to 65535'],
    ["ssh-config", "Host *\n  User \u001b[0m", "contains control characters; expected lines of ssh_config(5)"],
    ["flake", "", `is empty; ${reference}`],
    ["flake", "--impure", `"--impure" starts with -, which nix would read as an option; ${reference}`],
    ["flake", "a\nb", String.raw`"a\nb" contains line breaks; ${reference}`],
    ["flake", ".#web1", `".#web1" contains a #; put the configuration into targets (host#configuration); ${reference}`],
    ["targets", "# none", noMachine],
    ["targets", "[]", noMachine],
    ["targets", "web1\nweb1", "web1 port 22 is listed twice; one run can deploy only one configuration per machine"],
    [
      "targets",
      "-x",
      'line 1 ("-x"): its host starts with -, which ssh would read as an option; expected [user@]host[:port][#configuration], with an IPv6 address in brackets',
    ],
    ["select", "web1,", `contains an empty pattern; ${selection}`],
    ["select", "web[", `contains an invalid set in web[: brackets may enclose only letters, digits and _ . @ -; ${selection}`],
    ["select", "web[z-a]", `contains the reversed range z-a; ${selection}`],
    ["select", "db*,web1", "db* matches no host; available: web1"],
    [
      "select",
      "@web",
      "@web matches no host; available: web1. Explicit targets have no tags; to select by tag, leave targets empty so that hosts and tags come from the flake",
    ],
    ["operation", "swich", '"swich" is not valid; expected one of switch, boot, test, dry-activate, build, rollback'],
    ["operation", "", "an empty string is not valid; expected one of switch, boot, test, dry-activate, build, rollback"],
    ["elevate", "true", '"true" is not valid; expected one of auto, none, sudo, doas, run0'],
    ["max-parallel", "0", '"0" is not valid; expected a whole number from 1 to 1000'],
    ["max-parallel", "1.5", '"1.5" is not valid; expected a whole number from 1 to 1000'],
    ["connect-timeout", "", "an empty string is not valid; expected a whole number from 1 to 3600"],
    ["connect-timeout", "0", '"0" is not valid; expected a whole number from 1 to 3600'],
    ["timeout", "-1", '"-1" is not valid; expected a whole number from 0 to 86400'],
    ["timeout", "86401", '"86401" is not valid; expected a whole number from 0 to 86400'],
    ["timeout", "9999999999", '"9999999999" is not valid; expected a whole number from 0 to 86400'],
    ["retries", "21", '"21" is not valid; expected a whole number from 0 to 20'],
    ["archive-args", "--to\nssh://x", "--to is not allowed: the action sends to each target"],
    ["archive-args", "--json", "--json is not allowed: the action sets it"],
    ["archive-args", "--accept-flake-config", `--accept-flake-config ${flakeSettings}`],
    ["archive-args", "--option\naccept-flake-config\ntrue", `--option accept-flake-config ${flakeSettings}`],
    ["archive-args", "a\0b", "contains a NUL character"],
    ["rebuild-args", "--flake=.", "--flake is not allowed: use the inputs flake and targets (host#configuration)"],
    ["rebuild-args", "--target-host\nx", "--target-host is not allowed: the input targets sets the machine"],
    ["rebuild-args", "--rollback", "--rollback is not allowed: use operation: rollback"],
    ["rebuild-args", "--accept-flake-config", `--accept-flake-config ${flakeSettings}`],
    ["settle-time", "3601", '"3601" is not valid; expected a whole number from 0 to 3600'],
    ["specialisation", "../tor", '"../tor" is not valid; expected the name of a specialisation of the configuration'],
  ])("%s: %j: %s", (name, text, problem) => {
    expect(problemsOf({ [name]: text })).toEqual([`${name}: ${problem}`]);
  });

  test("a value is shown cut, and with its control characters escaped", () => {
    const [problem = ""] = problemsOf({ operation: `\u001b[31m${"x".repeat(1000)}` });
    expect(problem).toContain(String.raw`"\u001b[31mxxx`);
    expect(problem.length).toBeLessThan(300);
  });

  test("all at once", () => {
    const everything = Object.fromEntries(inputNames.map((name) => [name, ""]));
    const problems = problemsOf({
      ...everything,
      targets: "# none",
      select: ",",
      "archive-args": "--to",
      "rebuild-args": "--flake",
      "build-args": "--impure",
      systems: "[]",
      "ssh-config": "\0",
      "health-check": "\0",
      specialisation: "a/b",
      "elevate-password": "two\nlines",
    });
    const named = new Set(problems.map((problem) => problem.replace(/:.*/s, "")));
    expect([...named].toSorted()).toEqual(inputNames.filter((name) => name !== "ssh-key-passphrase" && name !== "ssh-certificate").toSorted());
  });

  test.each<[InputName, string, string]>([
    ["health-check", "true \u0007", "contains control characters; expected a command for /bin/sh"],
    ["elevate-password", "two\nlines", "contains a line break or a NUL character; expected one line"],
    ["elevate-password", "ä".repeat(512), "is longer than 1023 bytes, the most that sudo accepts"],
    ["unit-failures", "ignore", '"ignore" is not valid; expected one of fail, warn'],
    ["diff", "on", '"on" is not valid; expected one of true, false'],
    ["summary", "", "an empty string is not valid; expected one of true, false"],
    ["rollback", "maybe", '"maybe" is not valid; expected one of true, false'],
    ["confirm-timeout", "0", '"0" is not valid; expected a whole number from 1 to 3600'],
    ["activation-timeout", "-1", '"-1" is not valid; expected a whole number from 1 to 86400'],
    ["health-check-timeout", "x", '"x" is not valid; expected a whole number from 1 to 86400'],
    [
      "batches",
      "1, 0",
      '"0" is not a valid batch size; expected comma-separated sizes, each a whole number (3) or a percentage (25%) above 0, for example `1, 25%, 100%`',
    ],
    ["max-failures", "all", '"all" is not valid; expected a whole number (3) or a percentage (25%)'],
    ["on-unreachable", "ignore", '"ignore" is not valid; expected one of fail, skip'],
    ["lock-timeout", "1.5", '"1.5" is not valid; expected a whole number from 0 to 86400'],
  ])("%s: %j", (name, text, problem) => {
    expect(problemsOf({ [name]: text })).toEqual([`${name}: ${problem}`]);
  });

  const body = key.secret.split("\n").slice(1, -2);
  const forms: readonly (readonly [string, string])[] = [
    ["the key", key.secret],
    ["the key in one line", key.secret.replaceAll("\n", " ")],
    ["base64 of the key", Buffer.from(key.secret).toString("base64")],
    ["base64 of another key", Buffer.from(encrypted.secret).toString("base64")],
    ["the first line of a key's body", encrypted.secret.split("\n")[1] ?? ""],
    ["a line from the middle of this key", body[1] ?? ""],
  ];
  test.each(forms)("%s in any other input is refused and not shown", (_, text) => {
    for (const name of inputNames.filter((each) => each !== "ssh-key")) {
      const problems = problemsOf({ [name]: text });
      expect(problems).toContain(`${name}: ${misplacedKey}`);
      expect(problems.filter((problem) => problem.startsWith(`${name}: `))).toHaveLength(1);
      for (const line of text.split(/\s+/).filter((each) => each.length > 20)) expect(problems.join("\n")).not.toContain(line.slice(0, 20));
    }
  });

  test("what merely looks like base64 is no key", () => {
    expect(problemsOf({ operation: "a".repeat(70) })).toEqual([expect.stringContaining("aaaa")]);
  });

  test.each(["agent", "none"])("a key beside ssh-auth: %s, which would not be used", (auth) => {
    const given = { "ssh-auth": auth, "ssh-key": "", "ssh-certificate": "" };
    expect(parseInputs(makeInputs(given))).toMatchObject({ authentication: auth, key: undefined, passphrase: undefined, certificate: undefined });
    const unused = `is set, but ssh-auth: ${auth} does not use it; remove it, or set ssh-auth to key`;
    expect(problemsOf({ ...given, "ssh-key": key.secret, "ssh-certificate": "x" })).toEqual([`ssh-key: ${unused}`, `ssh-certificate: ${unused}`]);
  });

  test("a certificate that is none", () => {
    const accepted = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1 deploy";
    expect(parseInputs(makeInputs({ "ssh-certificate": `${accepted}\n` })).certificate).toBe(accepted);
    for (const text of [key.public, "x", `${accepted}\n${accepted}`]) {
      expect(problemsOf({ "ssh-certificate": text })).toEqual([expect.stringMatching(/^ssh-certificate: is not an OpenSSH certificate; expected/)]);
    }
  });

  const everyMachine = "is empty, and so is select: to roll back every host, set select to `*`";
  test("a rollback of every machine by leaving everything out", () => {
    expect(problemsOf({ operation: "rollback", targets: "" })).toEqual([`targets: ${everyMachine}`]);
    expect(parseInputs(makeInputs({ operation: "rollback", targets: "", select: "*" })).targets).toEqual([]);
    expect(parseInputs(makeInputs({ operation: "rollback" })).targets).toHaveLength(1);
    expect(parseInputs(makeInputs({ operation: "switch", targets: "" })).targets).toEqual([]);
  });

  test.each(["doas", "run0"])("a password for %s, which could not be given to it", (elevate) => {
    expect(problemsOf({ elevate, "elevate-password": "x" })).toEqual([
      `elevate-password: cannot be used with elevate: ${elevate}, which asks for passwords only on a terminal; set elevate to auto or sudo`,
    ]);
  });

  test("a message never holds the key or the passphrase", () => {
    const damaged = encrypted.secret.replace("END OPENSSH", "END");
    const text = problemsOf({ "ssh-key": damaged, "ssh-key-passphrase": "hunter2", operation: "x" }).join("\n");
    for (const line of encrypted.secret.split("\n").slice(1, -2)) expect(text).not.toContain(line);
    expect(text).not.toContain("hunter2");
  });
});

describe("evaluating and building on the runner", () => {
  test.each([{ "build-on": "runner" }, { "evaluate-on": "runner" }])("wants the configurations of all targets: %j", (inputs) => {
    expect(problemsOf({ ...inputs, targets: "web1\nweb2#web2" })).toEqual([
      "targets: gives no configuration for web1, which the runner evaluates before it connects to any host; expected host#configuration",
    ]);
    expect(parseInputs(makeInputs({ ...inputs, targets: "web1#web1" })).targets).toHaveLength(1);
    // It takes a system that the machine has.
    expect(parseInputs(makeInputs({ ...inputs, operation: "rollback" })).targets).toHaveLength(1);
  });

  test("wants a configuration only of the machine whose entry says so", () => {
    const entry = { host: "web2", "build-on": "runner" };
    expect(problemsOf({ targets: JSON.stringify(["web1", entry]) })).toEqual([expect.stringMatching(/^targets: gives no configuration for web2, /)]);
    expect(parseInputs(makeInputs({ targets: JSON.stringify(["web1", { ...entry, configuration: "web2" }]) })).targets).toMatchObject([
      { name: "web1", buildOn: undefined },
      { name: "web2", buildOn: "runner" },
    ]);
  });

  test("refuses to evaluate on the machine what the runner builds", () => {
    expect(problemsOf({ "build-on": "runner", "evaluate-on": "target", targets: "web1#web1" })).toEqual([
      "evaluate-on: is target, but build-on: runner builds what was evaluated on the runner; expected auto or runner",
    ]);
  });

  const named = { targets: "web1#web1" };
  const here = JSON.stringify([{ host: "web1", configuration: "web1", "build-on": "runner" }]);
  const noBuildHere = "build-args: is set, but no system is built on the runner; use rebuild-args, or set build-on: runner";
  const noBuildThere = "rebuild-args: is set, but no system is built on a host; use build-args, or set build-on: target";
  const noInputs = "but the inputs of the flake are sent to no host";
  const evaluation = "rebuild-args: contains --show-trace, --refresh, which concerns the evaluation; with evaluate-on: runner, hosts do not evaluate";

  test.each<[Readonly<Record<string, string>>, string]>([
    [{ ...named, "build-args": "--fallback" }, noBuildHere],
    [{ targets: "", "build-on": "target", "build-args": "--fallback" }, noBuildHere],
    [{ ...named, "build-on": "runner", "rebuild-args": "-L" }, noBuildThere],
    [{ targets: here, "rebuild-args": "-L" }, noBuildThere],
    [
      { ...named, "build-on": "runner", "archive-args": "--offline" },
      `archive-args: is set, ${noInputs}; remove it, or set build-on: target without evaluate-on: runner`,
    ],
    [{ ...named, "evaluate-on": "runner", compress: "true" }, "compress: is true, but derivations are sent without compression; expected auto or false"],
    [{ ...named, "evaluate-on": "runner", "rebuild-args": "--show-trace\n--refresh\n-L" }, evaluation],
    [{ targets: "", "evaluate-on": "runner", "rebuild-args": "--show-trace\n--refresh" }, evaluation],
  ])("refuses arguments that no machine would get: %j", (inputs, problem) => {
    expect(problemsOf(inputs)).toEqual([problem]);
  });

  test.each<Readonly<Record<string, string>>>([
    // The flake may say either for its machines.
    { targets: "", "build-args": "--fallback", "rebuild-args": "--show-trace" },
    // Other jobs of the same matrix may have machines that build.
    { targets: JSON.stringify([{ host: "web1", configuration: "web1", "flake-build-on": "runner" }]), "rebuild-args": "--show-trace" },
    { ...named, "build-on": "runner", "build-args": "--fallback", compress: "true" },
    { ...named, "archive-args": "--offline", compress: "true" },
    { ...named, "evaluate-on": "runner", "rebuild-args": "--fallback\n-L" },
    { ...named, operation: "rollback", "build-args": "--fallback", "rebuild-args": "-L" },
  ])("accepts arguments that a machine may get: %j", (inputs) => {
    expect(() => parseInputs(makeInputs(inputs))).not.toThrow();
  });
});

test("a selection that leaves none of the explicit targets is refused: an empty list would stand for all machines of the flake", () => {
  expect(problemsOf({ targets: "web1\nweb2", select: "web1,!web*" })).toEqual(["select: web1,!web* leaves no machine"]);
  expect(parseInputs(makeInputs({ targets: "web1\nweb2", select: "!web2" })).targets).toMatchObject([{ name: "web1" }]);
});
