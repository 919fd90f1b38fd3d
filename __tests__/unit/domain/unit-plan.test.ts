import { describe, expect, test } from "@jest/globals";

import { touchesNoUnit, type UnitPlan, UnitPlanReader, withCompared } from "../../../src/domain/unit-plan.js";

function read(text: string, source: "activation" | "rehearsal" = "rehearsal"): UnitPlan | undefined {
  const reader = new UnitPlanReader();
  for (const line of text.split("\n")) reader.read(line);
  return reader.plan(source);
}

const nothing = { stop: [], start: [], restart: [], reload: [], again: [], keep: [], reexecutes: false, inhibitors: [] };

// The words of switch-to-configuration are those of nixpkgs: pkgs/by-name/sw/switch-to-configuration-ng/src/main.rs, and
// nixos/modules/system/activation/switch-to-configuration.pl of NixOS 24.05, which has the same.
describe("what dry-activate prints", () => {
  test("is a plan", () => {
    const text = `building the system configuration...
would stop swap device: /dev/vdb
would stop the following units: gone.service, nginx.service
would NOT stop the following changed units: display-manager.service
would activate the configuration...
would restart systemd
would reload the following units: dbus.service, -.mount
would restart the following units: systemd-journald.service
would start the following units: nginx.service, nginx-config-reload.service`;
    expect(read(text)).toEqual({
      source: "rehearsal",
      stop: ["swap device: /dev/vdb", "gone.service"],
      restart: ["nginx.service", "systemd-journald.service"],
      reload: ["dbus.service", "-.mount"],
      start: ["nginx-config-reload.service"],
      again: [],
      keep: ["display-manager.service"],
      reexecutes: true,
      inhibitors: [],
    });
  });

  test("is an empty plan where no unit is touched", () => {
    const plan = read("building the system configuration...\nwould activate the configuration...");
    expect(plan).toEqual({ source: "rehearsal", ...nothing });
    expect(plan === undefined ? false : touchesNoUnit(plan)).toBe(true);
  });

  test("is no plan where it did not come that far", () => {
    expect(read("building the system configuration...\nerror: no luck")).toBeUndefined();
  });
});

describe("what switch prints", () => {
  test("is what it did", () => {
    const text = `updating GRUB 2 menu...
stopping the following units: gone.service, nginx.service
NOT restarting the following changed units: display-manager.service
activating the configuration...
setting up /etc...
restarting systemd...
reloading user units for alice...
restarting sysinit-reactivation.target
reloading the following units: dbus.service
restarting the following units: systemd-journald.service
restarting the following user units: nixos-activation.service
starting the following units: nginx.service
the following new units were started: new.service, new.timer
warning: the following units failed: bad.service`;
    expect(read(text, "activation")).toEqual({
      source: "activation",
      stop: ["gone.service"],
      restart: ["nginx.service", "systemd-journald.service"],
      reload: ["dbus.service"],
      start: ["new.service", "new.timer"],
      again: [],
      keep: ["display-manager.service"],
      reexecutes: true,
      inhibitors: [],
    });
  });
});

describe("a machine that prints too much", () => {
  test("has a bounded plan", () => {
    const names = Array.from({ length: 5000 }, (_, index) => `u${index}.service`).join(", ");
    expect(read(`would stop the following units: ${names}`)?.stop).toHaveLength(1000);
    expect(read(`would stop the following units: ${"x".repeat(256)}, a.service`)?.stop).toEqual(["a.service"]);
  });
});

describe("a rehearsal", () => {
  const rehearsal: UnitPlan = { source: "rehearsal", ...nothing, start: ["a.service"], restart: ["b.service"], keep: ["kept.service"] };

  test("has what dry-activate leaves out from the comparison, once", () => {
    const compared: UnitPlan = {
      source: "unit-files",
      ...nothing,
      start: ["a.service", "b.service", "new.service"],
      stop: ["required.service"],
      restart: ["kept.service", "part.service"],
      again: ["once.service"],
      reload: ["not-told.service"],
      reexecutes: true,
      inhibitors: ["systemd: 260 -> 261"],
    };
    expect(withCompared(rehearsal, compared)).toEqual({
      ...rehearsal,
      stop: ["required.service"],
      start: ["a.service", "new.service"],
      restart: ["b.service", "part.service"],
      again: ["once.service"],
      inhibitors: ["systemd: 260 -> 261"],
    });
  });

  test("is itself where there is no comparison", () => {
    expect(withCompared(rehearsal, undefined)).toEqual(rehearsal);
  });
});
