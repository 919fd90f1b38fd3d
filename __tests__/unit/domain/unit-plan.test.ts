import { describe, expect, test } from "@jest/globals";

import { planOf, touchesNoUnit, type UnitFileChange, type UnitPlan, UnitPlanReader, withNewUnits } from "../../../src/domain/unit-plan.js";

function read(text: string, source: "activation" | "rehearsal" = "rehearsal"): UnitPlan | undefined {
  const reader = new UnitPlanReader();
  for (const line of text.split("\n")) reader.read(line);
  return reader.plan(source);
}

const nothing = { stop: [], start: [], restart: [], reload: [], keep: [] };

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
      restart: ["nginx.service", "systemd", "systemd-journald.service"],
      reload: ["dbus.service", "-.mount"],
      start: ["nginx-config-reload.service"],
      keep: ["display-manager.service"],
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
      restart: ["nginx.service", "systemd", "systemd-journald.service"],
      reload: ["dbus.service"],
      start: ["new.service", "new.timer"],
      keep: ["display-manager.service"],
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

describe("unit files that are not the same", () => {
  const change = (overrides: Partial<UnitFileChange>): UnitFileChange => ({
    name: "a.service",
    change: "changed",
    live: true,
    policy: "restart",
    ...overrides,
  });

  test("are a plan by the rules of switch-to-configuration", () => {
    expect(
      planOf([
        change({ name: "gone.service", change: "gone" }),
        change({ name: "gone-idle.service", change: "gone", live: false }),
        change({ name: "new.service", change: "new" }),
        change({ name: "new-unwanted.service", change: "new", live: false }),
        change({ name: "web.service" }),
        change({ name: "idle.service", live: false }),
        change({ name: "reload.service", policy: "reload" }),
        change({ name: "keep.service", policy: "keep" }),
      ]),
    ).toEqual({
      source: "unit-files",
      stop: ["gone.service"],
      start: ["new.service"],
      restart: ["web.service"],
      reload: ["reload.service"],
      keep: ["keep.service"],
    });
  });

  test("add what is new to a rehearsal, once", () => {
    const rehearsal: UnitPlan = { source: "rehearsal", ...nothing, start: ["a.service"], restart: ["b.service"] };
    const compared: UnitPlan = { source: "unit-files", ...nothing, start: ["a.service", "b.service", "new.service"], stop: ["other.service"] };
    expect(withNewUnits(rehearsal, compared)).toEqual({ ...rehearsal, start: ["a.service", "new.service"] });
    expect(withNewUnits(rehearsal, undefined)).toEqual(rehearsal);
  });
});
