import type { Behaviour } from "../rig/flake.js";

const sleeps = "ExecStart=/bin/sleep infinity\n";

function service(lines: string, unit = ""): string {
  return `[Unit]\nDescription=a service\n${unit}[Service]\n${lines}`;
}

const web = (version: number): string => service(`${sleeps}Environment=V=${version}\nExecReload=/bin/true\n`);
const keep = (version: number): string => service(`${sleeps}Environment=V=${version}\nX-RestartIfChanged=false\n`);
const failing = service("ExecStart=/bin/false\n");

/** The system that runs before each scenario. */
export const base = {
  units: { "web.service": web(1), "old.service": service(sleeps), "keep.service": keep(1) },
  userUnits: { "agent.service": service(`${sleeps}Environment=V=1\n`) },
  inhibitors: { systemd: "262" },
} satisfies Behaviour;

const withUnits = (units: Readonly<Record<string, string>>): Behaviour => ({ ...base, units: { ...base.units, ...units } });
const withUserUnits = (units: Readonly<Record<string, string>>): Behaviour => ({ ...base, userUnits: { ...base.userUnits, ...units } });
const { "old.service": _, ...withoutOld } = base.units;

/** Exit codes of a scenario: `test`, `switch` and `boot` of switch-to-configuration, and `switch` of each nixos-rebuild. */
export type Codes = { readonly test: number; readonly switch: number; readonly boot: number; readonly ng: number; readonly bash: number };

export type Scenario = {
  /** Also the name of what the real programs printed. */
  readonly name: string;
  readonly behaviour: Behaviour;
  readonly codes: Codes;
};

function scenario(name: string, code: number, behaviour: Behaviour, codes: Partial<Codes> = {}): Scenario {
  return { name, behaviour, codes: { test: code, switch: code, boot: 0, ng: code, bash: code === 0 ? 0 : 1, ...codes } };
}

/** One system per outcome of a switch, and the exit codes of NixOS's own programs. */
export const scenarios: readonly Scenario[] = [
  scenario("new-service", 0, withUnits({ "new.service": service(sleeps) })),
  scenario("changed-service", 0, withUnits({ "web.service": web(2) })),
  scenario("removed-service", 0, { ...base, units: withoutOld }),
  scenario("skipped-service", 0, withUnits({ "keep.service": keep(2) })),
  scenario("unit-fails", 4, withUnits({ "bad.service": failing })),
  scenario("start-job-fails", 4, withUnits({ "bad.service": service("Type=oneshot\nExecStart=/bin/false\n") })),
  scenario("changed-unit-fails", 4, withUnits({ "web.service": failing })),
  scenario("restarts-for-ever", 4, withUnits({ "loop.service": service("ExecStart=/bin/false\nRestart=always\nRestartSec=20\n") })),
  // Recorded with 3 seconds; on a busy machine a switch takes longer.
  scenario("dies-after-3-seconds", 0, withUnits({ "dier.service": service("ExecStart=/bin/sh -c 'sleep 60; exit 9'\n") })),
  scenario("oneshot", 0, withUnits({ "once.service": service("Type=oneshot\nExecStart=/bin/sh -c 'echo ran >>/var/log/once'\n") })),
  scenario("reload-fails", 4, withUnits({ "web.service": service(`${sleeps}Environment=V=1\nExecReload=/bin/false\n`, "X-Reload-Triggers=2\n") })),
  scenario("snippet-fails", 2, { ...base, snippetName: "setupSecrets", activationScript: "echo 'no such key'; exit 3" }),
  scenario("snippet-and-unit-fail", 4, { ...withUnits({ "bad.service": failing }), snippetName: "setupSecrets", activationScript: "exit 3" }),
  scenario(
    "boot-loader-fails",
    1,
    { ...withUnits({ "new.service": service(sleeps) }), bootLoaderScript: "echo 'grub-install: error: no such disk' >&2; false" },
    { test: 0, boot: 1 },
  ),
  scenario("inhibitor-refuses", 1, { ...base, inhibitors: { systemd: "263" } }),
  scenario("inhibitor-passes", 0, withUnits({ "new.service": service(sleeps) })),
  scenario("check-refuses", 1, { ...base, preSwitchCheck: "echo 'the disk is too small'; false" }, { boot: 1 }),
  scenario("other-init", 100, { ...withUnits({ "new.service": service(sleeps) }), initInterfaceVersion: "3" }),
  scenario("systemd-reexecutes", 0, { ...base, managerConf: "DefaultTimeoutStopSec=80s\n" }),
  scenario("user-unit-changed", 0, withUserUnits({ "agent.service": service(`${sleeps}Environment=V=2\n`) })),
  scenario("user-unit-fails", 4, withUserUnits({ "agent.service": service("Type=oneshot\nExecStart=/bin/false\nRemainAfterExit=yes\n") })),
  scenario("new-user-unit-fails", 0, withUserUnits({ "bad.service": failing })),
  scenario("user-activation-fails", 0, {
    ...withUserUnits({ "nixos-activation.service": service("Type=oneshot\nExecStart=/bin/false\n") }),
    userOnDemand: ["nixos-activation.service"],
  }),
];
