import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { beforeEach, describe, expect, test } from "@jest/globals";

import type { UnitFacts } from "../../../../src/domain/unit-facts.js";
import { program } from "../../../../src/nixos/script-program.js";
import { parseUnitFacts } from "../../../../src/nixos/unit-facts.js";
import { temporaryDirectory } from "../../temporary.js";

const directory = temporaryDirectory();
const [current, after, bin] = [join(directory, "current"), join(directory, "after"), join(directory, "bin")];
const newUnits = join(after, "etc/systemd/system");
let shown: Map<string, string>;
let listed: string[] = [];

/** Writes a unit file of the machine (`old`) or of the new system; `null` masks it. */
function write(where: "old" | "new", name: string, text: string | null): void {
  const file = join(where === "old" ? current : newUnits, name);
  mkdirSync(dirname(file), { recursive: true });
  if (text === null) symlinkSync("/dev/null", file);
  else writeFileSync(file, text);
}

function both(name: string, before: string, now = before): void {
  write("old", name, before);
  write("new", name, now);
}

/** Has systemd know a unit. */
function show(name: string, { ActiveState = "active", ...fields }: Readonly<Record<string, string>> = {}): void {
  const record = { Id: name, ConditionTimestampMonotonic: "1", ConditionResult: "yes", ...fields };
  const lines = Object.entries(record).map(([key, value]) => `${key}=${value}\n`);
  shown.set(name, `${lines.join("")}\n`);
  listed.push(`${name} loaded ${ActiveState} dead A unit\n`);
}

// Answers as systemd does, and records what it was asked for.
const systemctl = `#!/bin/sh
cd ${directory}
case "$*" in
  *UnitPath*) echo "${directory}/early /etc/systemd/system ${directory}/lib"; exit ;;
  list-units*) cat listed; exit ;;
esac
while [ "$1" != -- ]; do shift; done
shift
for name; do
  echo "$name" >>asked
  cat "shown/$name"
done
`;

/** Runs the script as a machine does, and reads what it prints. */
function ask(shell: string, lines = "1000"): UnitFacts | undefined {
  writeFileSync(join(directory, "listed"), listed.join(""));
  writeFileSync(join(directory, "asked"), "");
  rmSync(join(directory, "shown"), { recursive: true });
  mkdirSync(join(directory, "shown"));
  for (const [name, text] of shown) writeFileSync(join(directory, "shown", name), text);
  writeFileSync(join(bin, "systemctl"), systemctl);
  chmodSync(join(bin, "systemctl"), 0o755);
  const { stdout, stderr } = spawnSync(shell, ["-s"], {
    input: program("units", [current, after, "5", lines], "n"),
    encoding: "utf8",
    env: { PATH: `${bin}:${process.env["PATH"]}` },
  });
  expect(stderr).toBe("end n 0\n");
  return parseUnitFacts(stdout.slice("begin n\n".length, -"\nend n 0\n".length));
}

/** The units whose details systemd was asked for when the script ran last. */
function asked(): string[] {
  return readFileSync(join(directory, "asked"), "utf8").split("\n").filter(Boolean).toSorted();
}

beforeEach(() => {
  for (const path of [current, after, bin, ...["early", "lib", "shown"].map((name) => join(directory, name))]) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
  }
  mkdirSync(newUnits, { recursive: true });
  shown = new Map();
  listed = [];
  show("init.scope.service");
});

describe.each(["dash", "bash"])("the facts of units, under %s,", (shell) => {
  const managed = (name: string): UnitFacts["managed"][number] | undefined => ask(shell)?.managed.find((unit) => unit.name === name);
  const changesOf = (name: string): string[] | undefined => managed(name)?.changes.map(({ change, section, key }) => [change, section, key].join(" ").trim());

  test("leave out a unit that is the same", () => {
    both("a.service", "[Service]\nExecStart=a\n");
    show("a.service");
    expect(managed("a.service")).toBeUndefined();
  });

  test.each<[string, string, string, readonly string[] | undefined]>([
    ["another value", "[Service]\nExecStart=a\n", "[Service]\nExecStart=b\n", ["changed Service ExecStart"]],
    ["keys that come and go", "[Unit]\nA=1\n", "[Unit]\nB=1\n", ["removed Unit A", "added Unit B"]],
    ["sections that come and go", "[A]\nX=1\n", "[B]\nX=1\n", ["added B", "removed A", "removed A X", "added B X"].toSorted()],
    ["more values of a key", "[Service]\nEnvironment=A=1\n", "[Service]\nEnvironment=A=1\nEnvironment=B=2\n", ["changed Service Environment"]],
    ["an order of values", "[Unit]\nAfter=a\nAfter=b\n", "[Unit]\nAfter=b\nAfter=a\n", ["changed Unit After"]],
    ["no order of keys", "[Unit]\nA=1\nB=2\n", "[Unit]\nB=2\nA=1\n", undefined],
    ["no comments, blanks and empty lines", "[Unit]\nA = 1\n# c\n", "; d\n\n[Unit]\n  A=1  \n", undefined],
    ["no [Install]", "[Unit]\nA=1\n[Install]\nWantedBy=x\n", "[Unit]\nA=1\n", undefined],
    ["a value that an empty one clears", "[Service]\nExecStart=a\nExecStart=\nExecStart=b\n", "[Service]\nExecStart=b\n", undefined],
    ["a line that goes on", "[Service]\nExecStart=a \\\n  b\n", "[Service]\nExecStart=a \\\n  c\n", ["changed Service ExecStart"]],
    ["a value with = and %", "[Service]\nEnvironment=A=%n\n", "[Service]\nEnvironment=A=%i\n", ["changed Service Environment"]],
  ])("report %s", (_, before, now, changes) => {
    both("a.service", before, now);
    show("a.service");
    expect(changesOf("a.service")?.toSorted()).toEqual(changes?.toSorted());
  });

  test("report nothing about a unit from elsewhere, or one that does not run", () => {
    both("a.service", "[Unit]\nA=1\n", "[Unit]\nA=2\n");
    both("b.service", "[Unit]\nA=1\n", "[Unit]\nA=2\n");
    both("t@.service", "[Unit]\nA=1\n", "[Unit]\nA=2\n");
    for (const name of ["a.service", "t@.service"]) writeFileSync(join(directory, "early", name), "[Unit]\n");
    show("a.service");
    show("t@1.service");
    show("b.service", { ActiveState: "failed" });
    const facts = ask(shell);
    expect(facts?.managed).toEqual([]);
    expect(facts?.active.get("b.service")).toBe("failed");
  });

  test("report what is removed, masked, or new", () => {
    write("old", "gone.service", "[Unit]\nX-StopOnRemoval=false\n");
    write("old", "masked.service", "[Unit]\n");
    write("new", "masked.service", null);
    write("new", "new.service", "[Unit]\n");
    show("gone.service");
    show("masked.service");
    expect(managed("gone.service")).toEqual({ name: "gone.service", file: "gone", changes: [], settings: new Map([["Unit X-StopOnRemoval", "false"]]) });
    expect(managed("masked.service")?.file).toBe("gone");
    expect([...(ask(shell)?.added ?? [])]).toEqual(["new.service"]);
  });

  test("have drop-ins in their order, of a unit, a template and an instance", () => {
    both("a.service", "[Service]\nA=1\n");
    write("new", "a.service.d/x.conf", "[Service]\nB=1\n");
    both("b.service", "[Service]\nA=1\n");
    write("old", "b.service.d/1.conf", "[Service]\nA=2\n");
    write("old", "b.service.d/2.conf", "[Service]\nA=\n");
    write("new", "b.service.d/2.conf", "[Service]\nA=2\n");
    write("new", "b.service.d/1.conf", "[Service]\nA=\n");
    both("t@.service", "[Service]\nA=1\n");
    write("new", "t@.service.d/x.conf", "[Service]\nC=1\n");
    both("i@.service", "[Service]\nA=1\n");
    write("new", "i@1.service.d/x.conf", "[Service]\nD=1\n");
    for (const name of ["a.service", "b.service", "t@1.service", "i@1.service", "i@2.service"]) show(name);
    expect(changesOf("a.service")).toEqual(["added Service B"]);
    expect(changesOf("b.service")).toEqual(["changed Service A"]);
    expect(changesOf("t@1.service")).toEqual(["added Service C"]);
    expect(changesOf("i@1.service")).toEqual(["added Service D"]);
    expect(managed("i@2.service")).toBeUndefined();
  });

  test("compare an instance by its own file where it has one", () => {
    both("t@.service", "[Service]\nA=1\n", "[Service]\nA=2\n");
    both("t@own.service", "[Service]\nA=1\n");
    show("t@own.service");
    show("t@1.service");
    expect(managed("t@own.service")).toBeUndefined();
    expect(changesOf("t@1.service")).toEqual(["changed Service A"]);
  });

  test("report an instance that has lost its last drop-in, also to a mask", () => {
    both("t@.service", "[Service]\nA=1\n");
    for (const name of ["t@1.service", "t@2.service", "t@3.service"]) show(name);
    write("old", "t@1.service.d/x.conf", "[Service]\nB=1\n");
    write("old", "t@2.service.d/x.conf", "[Service]\nB=1\n");
    write("new", "t@2.service.d/x.conf", null);
    expect(managed("t@1.service")?.file).toBe("gone");
    expect(managed("t@2.service")?.file).toBe("gone");
    expect(managed("t@3.service")).toBeUndefined();
  });

  test("have the settings that decide, and no other values", () => {
    both(
      "a.service",
      "[Service]\nEnvironment=SECRET=one\n",
      "[Service]\nEnvironment=SECRET=two\nSockets=a.socket\nSockets=b.socket c.socket\nX-RestartIfChanged=true\nX-RestartIfChanged=false\n",
    );
    show("a.service");
    expect(managed("a.service")?.settings).toEqual(
      new Map([
        ["Service X-RestartIfChanged", "false"],
        ["Service Sockets", "a.socket b.socket c.socket"],
      ]),
    );
    expect(JSON.stringify(ask(shell)?.managed)).not.toContain("SECRET");
  });

  test("have every target that runs, changed or not", () => {
    both("multi-user.target", "[Unit]\nRefuseManualStart=yes\n");
    show("multi-user.target");
    expect(managed("multi-user.target")).toEqual({
      name: "multi-user.target",
      file: "present",
      changes: [],
      settings: new Map([["Unit RefuseManualStart", "yes"]]),
    });
  });

  test("have what starts what: by files, drop-ins and links, also of other directories, and through aliases", () => {
    write("new", "a.target", "[Unit]\nWants=b.service missing.service\nRequires=c.service\n");
    write("new", "a.target.d/x.conf", "[Unit]\nBindsTo=d.service\n");
    for (const name of ["b", "c", "d", "e", "real", "t@"]) write("new", `${name}.service`, name === "t@" ? "[Unit]\nWants=c.service\n" : "[Unit]\n");
    write("new", "masked.service", null);
    symlinkSync("real.service", join(newUnits, "other.service"));
    for (const name of ["e.service", "masked.service", "other.service", "t@1.service"]) write("new", `a.target.wants/${name}`, "");
    mkdirSync(join(directory, "lib/a.target.wants"), { recursive: true });
    writeFileSync(join(directory, "lib/lib.service"), "[Unit]\nWants=e.service\n");
    writeFileSync(join(directory, "lib/masked.service"), "[Unit]\n");
    writeFileSync(join(directory, "lib/masked-here.service"), "[Unit]\n");
    write("old", "masked-here.service", null);
    write("new", "a.target.wants/masked-here.service", "");
    symlinkSync("../lib.service", join(directory, "lib/a.target.wants/lib.service"));
    show("a.target");
    write("old", "a.target", "[Unit]\n");
    const facts = ask(shell);
    expect([...(facts?.pulls.get("a.target") ?? [])].toSorted()).toEqual(
      ["b.service", "c.service", "d.service", "e.service", "lib.service", "real.service", "t@1.service"].toSorted(),
    );
    expect(facts?.pulls.get("lib.service")).toEqual(["e.service"]);
    expect(facts?.pulls.get("t@.service")).toEqual(["c.service"]);
  });

  test("have what is part of the target that each switch starts", () => {
    write("new", "part.service", "[Unit]\nPartOf=a.target sysinit-reactivation.target\n");
    write("new", "by-drop-in.service", "[Unit]\n");
    write("new", "by-drop-in.service.d/x.conf", "[Unit]\nPartOf=sysinit-reactivation.target\n");
    write("new", "other.service", "[Unit]\nAfter=sysinit-reactivation.target\n");
    show("part.service", { RequiredBy: "user.service" });
    show("user.service");
    const facts = ask(shell);
    expect([...(facts?.parts ?? [])].map(([name, parts]) => [name, parts.toSorted()])).toEqual([
      ["sysinit-reactivation.target", ["by-drop-in.service", "part.service"]],
    ]);
    expect(facts?.stopsWith).toEqual(new Map([["part.service", ["user.service"]]]));
  });

  test("have what does not run but may be started, with the result of its conditions", () => {
    both("a.target", "[Unit]\nWants=ran.service never.service unmet.service unmet-changed.service\n");
    show("a.target");
    for (const name of ["ran", "never", "unmet"]) both(`${name}.service`, "[Unit]\n");
    both("unmet-changed.service", "[Unit]\nA=1\n", "[Unit]\nA=2\n");
    show("ran.service", { ActiveState: "inactive" });
    show("never.service", { ActiveState: "inactive", ConditionTimestampMonotonic: "0", ConditionResult: "no" });
    show("unmet.service", { ActiveState: "inactive", ConditionResult: "no" });
    show("unmet-changed.service", { ActiveState: "inactive", ConditionResult: "no" });
    show("not-wanted.service", { ActiveState: "inactive" });
    expect(Object.fromEntries(ask(shell)?.idle ?? [])).toEqual({
      "ran.service": "ran",
      "never.service": "never",
      "unmet.service": "unmet",
      "unmet-changed.service": "ran",
    });
  });

  test("have what stops with what may be stopped, and what that starts", () => {
    for (const name of ["changed", "again"]) both(`${name}.service`, "[Unit]\nA=1\n", `[Unit]\nA=1\nWants=${name}-wants.service\n`);
    for (const name of ["changed-wants", "again-wants"]) both(`${name}.service`, "[Unit]\n");
    show("changed.service", { RequiredBy: "a.service b.service", BoundBy: "c.service", ConsistsOf: "x.target" });
    show("a.service", { RequiredBy: "again.service" });
    for (const name of ["b.service", "again.service", "x.target", "other.service"]) show(name);
    show("c.service", { ActiveState: "inactive" });
    show("again-wants.service", { ActiveState: "inactive" });
    const facts = ask(shell);
    expect(facts?.stopsWith.get("changed.service")?.toSorted()).toEqual(["a.service", "b.service", "c.service", "x.target"]);
    expect(facts?.stopsWith.get("a.service")).toEqual(["again.service"]);
    expect(facts?.idle.get("again-wants.service")).toBe("ran");
    expect(asked()).toEqual(["a.service", "again-wants.service", "again.service", "b.service", "c.service", "changed.service"].toSorted());
  });

  test("have what stops with the sockets of a changed service", () => {
    both("a@.service", "[Service]\nA=1\n", "[Service]\nA=2\n");
    both("b.service", "[Service]\nA=1\n", "[Service]\nA=2\nSockets=c.socket\n");
    write("new", "a.socket", "[Socket]\n");
    for (const name of ["a@1.service", "b.service", "user.service"]) show(name);
    for (const name of ["a.socket", "c.socket"]) show(name, { RequiredBy: "user.service" });
    const facts = ask(shell);
    expect([...(facts?.sockets ?? [])]).toEqual(["a.socket"]);
    expect(facts?.stopsWith.get("a.socket")).toEqual(["user.service"]);
    expect(facts?.stopsWith.get("c.socket")).toEqual(["user.service"]);
  });

  test("have other names of units that are loaded, and what an other name stands for is started", () => {
    both("a.target", "[Unit]\nWants=dbus.service\n");
    show("a.target");
    write("new", "broker.service", "[Unit]\n");
    write("new", "dbus.service", "[Unit]\n");
    for (const [link, name] of [
      ["dbus", "broker"],
      ["not-loaded", "elsewhere"],
    ] as const)
      symlinkSync(`${name}.service`, join(directory, `lib/${link}.service`));
    writeFileSync(join(directory, "lib/elsewhere.service"), "[Unit]\n");
    show("broker.service", { ActiveState: "inactive" });
    const facts = ask(shell);
    expect(facts?.aliases).toEqual(new Map([["dbus.service", "broker.service"]]));
    expect(facts?.idle.get("broker.service")).toBe("ran");
  });

  test("ask for no details of units that are not touched", () => {
    both("a.service", "[Unit]\n");
    show("a.service", { RequiredBy: "b.service" });
    show("b.service");
    show("c.service", { ActiveState: "inactive" });
    ask(shell);
    expect(asked()).toEqual([]);
  });

  test("ask for many details in several parts", () => {
    const names = Array.from({ length: 250 }, (_, index) => `${"a-unit-with-a-long-name-".repeat(5)}${index}.service`);
    both("a.target", `[Unit]\nWants=${names.join(" ")}\n`);
    show("a.target");
    for (const name of names) {
      both(name, "[Unit]\n");
      show(name, { ActiveState: "inactive" });
    }
    expect(ask(shell, "10000")?.idle.size).toBe(250);
  });

  test("have inhibitors, fstab and systemd of the new system", () => {
    writeFileSync(join(after, "switch-inhibitors"), '{\n  "systemd": "261"\n}\n');
    writeFileSync(join(after, "etc/fstab"), "/dev/a / ext4 defaults 0 1\n# comment\n");
    mkdirSync(join(after, "systemd/lib/systemd"), { recursive: true });
    writeFileSync(join(after, "systemd/lib/systemd/systemd"), "");
    const facts = ask(shell);
    expect(JSON.parse(facts?.inhibitors.after ?? "")).toEqual({ systemd: "261" });
    expect(facts?.fstab.after).toEqual(["/dev/a / ext4 defaults 0 1", "# comment"]);
    expect(facts?.systemd.after).toBe(join(after, "systemd/lib/systemd/systemd"));
  });

  test("have names with what systemd escapes", () => {
    both(String.raw`dev-disk\x2dby.service`, "[Unit]\nA=1\n", "[Unit]\nA=2\n");
    show(String.raw`dev-disk\x2dby.service`);
    expect(changesOf(String.raw`dev-disk\x2dby.service`)).toEqual(["changed Unit A"]);
  });

  test("are none where a system has no unit files", () => {
    rmSync(join(after, "etc"), { recursive: true });
    expect(ask(shell)).toBeUndefined();
  });

  test("are refused where there are too many, or systemd does not answer", () => {
    for (let index = 0; index < 60; index += 1) show(`u${index}.service`);
    expect(() => ask(shell, "50")).toThrow("the facts about units are incomplete");
    shown.clear();
    both("u1.service", "[Unit]\nA=1\n", "[Unit]\nA=2\n");
    expect(() => ask(shell)).toThrow("the facts about units are incomplete");
    listed = [];
    expect(() => ask(shell)).toThrow("systemd did not list its units");
  });
});
