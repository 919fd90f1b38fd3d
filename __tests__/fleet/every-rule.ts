import type { Behaviour } from "./rig/flake.js";

type Sections = Readonly<Record<string, string>>;

/** A service that runs; `version` makes another text of it. */
function service(version: string, { unit = "", body = "" }: { readonly unit?: string; readonly body?: string } = {}): string {
  return `[Unit]\n${unit}\n[Service]\nExecStart=/bin/sleep infinity\nEnvironment=VERSION=${version}\n${body}\n`;
}

const oneshot = (body = "", unit = ""): string => `[Unit]\n${unit}\n[Service]\nType=oneshot\nExecStart=/bin/true\n${body}\n`;
// Leaves its name where a test counts reloads.
const reload = (version: string): string => `ExecReload=/bin/sh -c 'echo %n >> /run/reloads; : ${version}'`;
const socket = (path: string, body = ""): string => `[Socket]\nListenStream=/run/${path}.sock\n${body}\n`;
const mount = (where: string, options: string, what = "tmpfs"): string => `[Mount]\nWhat=${what}\nWhere=/mnt/${where}\nType=tmpfs\nOptions=${options}\n`;
// With its socket in one transaction: a socket whose service runs already refuses to start.
const notSocketActivated = { unit: "Requires=free.socket\nAfter=free.socket", body: "X-NotSocketActivated=true" };
const gone = undefined;

/** For each unit: its text in the first system, and in the second. */
const units: Readonly<Record<string, readonly [string | undefined, string | undefined]>> = {
  "changed.service": [service("1"), service("2")],
  "same.service": [service("1"), service("1")],
  "described.service": [service("1", { unit: "Description=one" }), service("1", { unit: "Description=two\nStopWhenUnneeded=no" })],
  "removed.service": [service("1"), gone],
  "stays.service": [service("1", { unit: "X-StopOnRemoval=false" }), gone],
  "masked.service": [service("1"), "masked"],
  "dropin-comes.service": [service("1"), service("1")],
  "dropin-comes.service.d/more.conf": [gone, "[Service]\nEnvironment=MORE=1\n"],
  "dropin-goes.service": [service("1"), service("1")],
  "dropin-goes.service.d/more.conf": ["[Service]\nEnvironment=MORE=1\n", gone],
  "dropin-clears.service": [service("1", { body: "Environment=" }), service("2", { body: "Environment=" })],
  "template@.service": [service("1"), service("2")],
  "own@.service": [service("1"), service("2")],
  "own@a.service": [service("1"), service("1")],
  "instance@.service": [service("1"), service("1")],
  "instance@a.service.d/more.conf": ["[Service]\nEnvironment=MORE=1\n", "[Service]\nEnvironment=MORE=2\n"],
  "instance@b.service.d/more.conf": ["[Service]\nEnvironment=MORE=1\n", gone],
  "instance@c.service.d/more.conf": ["[Service]\nEnvironment=MORE=1\n", "[Service]\nEnvironment=MORE=1\n"],
  "activated.service": [service("1"), service("2")],
  "activated.socket": [socket("activated"), socket("activated")],
  "named.service": [service("1", { body: "Sockets=other.socket" }), service("2", { body: "Sockets=other.socket" })],
  "other.socket": [socket("other", "Service=named.service"), socket("other", "Service=named.service")],
  "free.service": [service("1", notSocketActivated), service("2", notSocketActivated)],
  "free.socket": [socket("free"), socket("free")],
  "alone.service": [service("1"), service("1")],
  "alone.socket": [socket("alone", "Backlog=10"), socket("alone", "Backlog=11")],
  "trigger.service": [service("1", { unit: "X-Reload-Triggers=1", body: reload("") }), service("1", { unit: "X-Reload-Triggers=2", body: reload("") })],
  "exec-reload.service": [service("1", { body: reload("1") }), service("1", { body: reload("2") })],
  "reloads.service": [service("1", { body: `X-ReloadIfChanged=true\n${reload("")}` }), service("2", { body: `X-ReloadIfChanged=true\n${reload("")}` })],
  "skipped.service": [service("1", { body: "X-RestartIfChanged=false" }), service("2", { body: "X-RestartIfChanged=false" })],
  "refuses.service": [service("1", { unit: "RefuseManualStop=yes" }), service("2", { unit: "RefuseManualStop=yes" })],
  "by-hand.service": [service("1", { unit: "X-OnlyManualStart=true" }), service("2", { unit: "X-OnlyManualStart=true" })],
  "not-stopped.service": [service("1", { body: "X-StopIfChanged=false" }), service("2", { body: "X-StopIfChanged=false" })],
  "requires.service": [
    service("1", { unit: "Requires=changed.service\nAfter=changed.service" }),
    service("1", { unit: "Requires=changed.service\nAfter=changed.service" }),
  ],
  "reactivated.service": [
    oneshot("RemainAfterExit=yes", "PartOf=sysinit-reactivation.target"),
    oneshot("RemainAfterExit=yes", "PartOf=sysinit-reactivation.target"),
  ],
  "watch.path": ["[Path]\nPathExists=/run/one\n", "[Path]\nPathExists=/run/two\n"],
  "watch.service": [oneshot(), oneshot()],
  "some.slice": ["[Slice]\nTasksMax=100\n", "[Slice]\nTasksMax=200\n"],
  "sliced.service": [service("1", { body: "Slice=some.slice" }), service("1", { body: "Slice=some.slice" })],
  "mnt-x.mount": [mount("x", "size=1m"), mount("x", "size=2m")],
  "mnt-y.mount": [mount("y", "size=1m"), mount("y", "size=1m", "other")],
  "tick.timer": ["[Timer]\nOnCalendar=2099-01-01\n", "[Timer]\nOnCalendar=2099-01-02\n"],
  "tick.service": [oneshot(), oneshot()],
  "group.target": ["[Unit]\nDescription=one\n", "[Unit]\nDescription=one\nWants=below.service\n"],
  "below.service": [service("1"), service("1")],
  "new.service": [gone, service("1", { unit: "Wants=needed.service" })],
  "needed.service": [gone, service("1")],
  "new.timer": [gone, "[Timer]\nOnCalendar=2099-01-01\n"],
  "new-on-demand.service": [gone, service("1")],
  "once.service": [oneshot(), oneshot()],
  "once-new.service": [gone, oneshot()],
  "once-changed.service": [oneshot("Environment=VERSION=1"), oneshot("Environment=VERSION=2")],
  "remains.service": [oneshot("RemainAfterExit=yes"), oneshot("RemainAfterExit=yes")],
  "unmet.service": [oneshot("", "ConditionPathExists=/nonexistent"), oneshot("", "ConditionPathExists=/nonexistent")],
  "stopped-by-hand.service": [service("1"), service("1")],
};

const onDemand = ["activated", "named", "free", "alone", "watch", "tick", "by-hand", "below", "needed", "new-on-demand"].map((name) => `${name}.service`);

function system(which: 0 | 1, more: Behaviour): Behaviour {
  const texts: Sections = Object.fromEntries(Object.entries(units).flatMap(([name, both]) => (both[which] === undefined ? [] : [[name, both[which]]])));
  return { units: texts, onDemand: onDemand.filter((name) => name in texts), ...more };
}

/**
 * Two systems that have a unit for every rule by which a switch treats units, and what becomes of each. The lists are written from
 * what switch-to-configuration is documented to do, and are compared with what systemd shows.
 */
export const everyRule = {
  before: system(0, {
    text: "before",
    instances: ["template@a.service", "template@b.service", "instance@a.service", "instance@b.service", "instance@c.service"],
  }),
  after: system(1, {
    text: "after",
    instances: ["template@a.service", "template@b.service", "instance@a.service", "instance@c.service"],
    managerConf: "[Manager]\nDefaultTimeoutStopSec=80s\n",
  }),
  /** Starts what nothing starts, on a machine with the first system. */
  prepare:
    "systemctl start activated.service named.service free.service by-hand.service group.target && systemctl stop stopped-by-hand.service && rm -f /run/reloads",
  expected: {
    stop: ["activated.service", "instance@b.service", "masked.service", "named.service", "removed.service"],
    restart: [
      "activated.socket",
      "changed.service",
      "dropin-comes.service",
      "dropin-goes.service",
      "free.service",
      "free.socket",
      "instance@a.service",
      "mnt-y.mount",
      "not-stopped.service",
      "other.socket",
      "reactivated.service",
      "requires.service",
      "template@a.service",
      "template@b.service",
      "tick.timer",
    ],
    reload: ["exec-reload.service", "mnt-x.mount", "reloads.service", "trigger.service"],
    start: ["below.service", "needed.service", "new.service", "new.timer", "once-new.service"],
    again: ["once-changed.service", "once.service", "stopped-by-hand.service"],
  },
  kept: ["by-hand.service", "refuses.service", "skipped.service"],
} as const;
