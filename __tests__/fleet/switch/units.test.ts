import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";

import type { Behaviour } from "../rig/flake.js";
import { Fleet } from "../rig/fleet.js";
import type { Machine } from "../rig/machine.js";
import { Bench, kinds } from "./bench.js";

jest.setTimeout(600_000);

const service = (version: number, lines = ""): string => `[Service]\nExecStart=/bin/sleep infinity\nEnvironment=V=${version}\n${lines}`;
const listening = (version: number, lines = ""): string => `[Unit]\nRequires=listens.socket\n${service(version, lines)}`;
const mount = (options: string, device = "tmpfs"): string => `[Mount]\nWhat=${device}\nWhere=/mnt\nType=tmpfs\nOptions=${options}\n`;

const units = {
  "changed.service": service(1),
  "gone.service": service(1),
  "stays.service": `[Unit]\nX-StopOnRemoval=false\n${service(1)}`,
  "dropin.service": service(1),
  "dropin.service.d/more.conf": "[Service]\nEnvironment=W=1\n",
  "each@.service": service(1),
  "listens.service": listening(1),
  "listens.socket": "[Socket]\nListenStream=/run/listens\n",
  "group.slice": "[Slice]\nCPUWeight=10\n",
  "mnt.mount": mount("size=1m"),
};
const base = { units, onDemand: ["listens.service"], instances: ["each@one.service"] } satisfies Behaviour;
const withUnits = (more: Readonly<Record<string, string>>): Behaviour => ({ ...base, units: { ...units, ...more } });
const without = (name: keyof typeof units): Behaviour => ({ ...base, units: Object.fromEntries(Object.entries(units).filter(([key]) => key !== name)) });

// What a switch says of units, in its order. `before` is a script to run before it.
type Row = readonly [name: string, to: Behaviour, lines: readonly string[], before?: string];
const rows: readonly Row[] = [
  ["nothing-changed", { ...base, text: "other" }, []],
  ["description", withUnits({ "changed.service": `[Unit]\nDescription=other\n${service(1)}` }), []],
  ["reload-trigger", withUnits({ "mnt.mount": mount("size=2m") }), ["reloading the following units: mnt.mount"]],
  ["other-device", withUnits({ "mnt.mount": mount("size=1m", "other") }), ["restarting the following units: mnt.mount"]],
  ["masked", withUnits({ "gone.service": "masked" }), ["stopping the following units: gone.service"]],
  ["not-stopped", without("stays.service"), []],
  ["restart", withUnits({ "changed.service": service(2, "X-StopIfChanged=false\n") }), ["restarting the following units: changed.service"]],
  [
    "reload-if-changed",
    withUnits({ "changed.service": service(2, "X-ReloadIfChanged=true\nExecReload=/bin/true\n") }),
    ["reloading the following units: changed.service"],
  ],
  [
    "refuses-stop",
    withUnits({ "changed.service": `[Unit]\nRefuseManualStop=true\n${service(2)}` }),
    ["NOT restarting the following changed units: changed.service"],
  ],
  [
    "drop-in",
    withUnits({ "dropin.service.d/more.conf": "[Service]\nEnvironment=W=2\n" }),
    ["stopping the following units: dropin.service", "starting the following units: dropin.service"],
  ],
  [
    "template",
    withUnits({ "each@.service": service(2) }),
    ["stopping the following units: each@one.service", "starting the following units: each@one.service"],
  ],
  [
    "instance",
    withUnits({ "each@one.service.d/own.conf": "[Service]\nEnvironment=W=2\n" }),
    ["stopping the following units: each@one.service", "starting the following units: each@one.service"],
  ],
  ["slice", withUnits({ "group.slice": "[Slice]\nCPUWeight=20\n" }), [], "systemctl start group.slice"],
  ["socket", withUnits({ "listens.socket": "[Socket]\nListenStream=/run/listens\nBacklog=7\n" }), []],
  [
    "socket-activated",
    withUnits({ "listens.service": listening(2) }),
    ["stopping the following units: listens.service, listens.socket", "starting the following units: listens.socket"],
    "systemctl start listens",
  ],
  [
    "not-socket-activated",
    withUnits({ "listens.service": listening(2, "X-NotSocketActivated=true\n") }),
    ["stopping the following units: listens.service, listens.socket", "starting the following units: listens.service, listens.socket"],
    "systemctl start listens",
  ],
];

let fleet: Fleet;
let machine: Machine;
let bench: Bench;

beforeAll(async () => {
  fleet = await Fleet.start(["h1"]);
  machine = fleet.machine("h1");
  bench = await Bench.prepare(fleet, machine, base, [
    ...rows.map(([name, to]) => [name, to] as const),
    ["special", { ...base, specialisations: { blue: { text: "blue", units: { ...units, "blue.service": service(1) } } } }],
  ]);
});
afterAll(async () => await fleet?.stop());

/** Lines about units of the system. */
function ofUnits(lines: readonly string[]): string[] {
  return lines.filter((line) => / the following (changed |new )?units/.test(line));
}

describe.each(kinds)("with the %s switch-to-configuration", (kind) => {
  test.each(rows.map(([name, , expected, before = ""]) => ({ name, expected, before })))("$name", async ({ name, expected, before }) => {
    const { lines, end } = await bench.switchTo(name, "test", kind, before);
    expect(ofUnits(lines)).toEqual(expected);
    expect(end).toMatch(/^exit 0; current=new .* failed= /);
  });

  const toplevel = (name: string): string => `/root/systems/${kind}-${name}`;

  test("the units that were stopped for a socket wait for its next connection, or run", async () => {
    const active = async (): Promise<string> => (await machine.exec("systemctl is-active listens.service listens.socket")).stdout;
    await bench.switchTo("socket-activated", "test", kind, "systemctl start listens");
    expect(await active()).toBe("inactive\nactive\n");
    await bench.switchTo("not-socket-activated", "test", kind, "systemctl start listens");
    expect(await active()).toBe("active\nactive\n");
  });

  test("a file system that is missing in the new fstab is unmounted", async () => {
    const { lines } = await bench.switchTo(
      "nothing-changed",
      "test",
      kind,
      `mkdir -p /srv/old; echo "tmpfs /srv/old tmpfs size=1m 0 0" >/etc/fstab; systemctl daemon-reload; systemctl start srv-old.mount`,
    );
    expect(ofUnits(lines)).toEqual(["stopping the following units: srv-old.mount"]);
    expect((await machine.exec("mountpoint /srv/old; : >/etc/fstab")).stdout).toContain("is not a mountpoint");
  });

  test("a specialisation is a system of its own", async () => {
    const blue = `${toplevel("special")}/specialisation/blue`;
    expect((await machine.exec(`${blue}/bin/switch-to-configuration test`)).stderr).toContain("the following new units were started: blue.service\n");
    expect(await machine.currentSystem()).toBe(await machine.output(`readlink -f ${blue}`));
  });

  test("a second switch at the same time is refused before anything is changed", async () => {
    const before = await machine.currentSystem();
    const second = `flock /run/nixos/switch-to-configuration.lock ${toplevel("masked")}/bin/switch-to-configuration`;
    expect(await machine.exec(`${second} switch`)).toMatchObject({ code: 11, stderr: "Could not acquire lock\n" });
    expect(await machine.currentSystem()).toBe(before);
  });

  test("what is not NixOS is refused", async () => {
    const run = `rm /etc/NIXOS; ${toplevel("masked")}/bin/switch-to-configuration test; code=$?; touch /etc/NIXOS; exit $code`;
    expect(await machine.exec(run)).toMatchObject({ code: 2, stderr: "This is not a NixOS installation!\n" });
  });

  test("the manager of a user that has ended is a failure of that user", async () => {
    const { lines, end } = await bench.switchTo("nothing-changed", "test", kind, "systemctl stop user@$(id -u alice)");
    await machine.output("systemctl start user@$(id -u alice)");
    expect(lines).toEqual(expect.arrayContaining(["Error: Failed to open dbus connection", "warning: user activation for alice failed"]));
    expect(end).toMatch(/^exit 4; current=new /);
  });
});
