import { describe, expect, test } from "@jest/globals";

import type { Choice, InventoryMachine } from "../../../src/domain/inventory.js";
import { activationWarnings, choiceLines, choiceWarnings } from "../../../src/report/choice.js";
import { makeRequest } from "../domain/make.js";

function machine(name: string, ignored: readonly string[] = []): InventoryMachine {
  return { kind: "machine", name, request: makeRequest({ host: name }), system: undefined, tags: undefined, buildOn: "auto", ignored };
}

function choice(overrides: Partial<Choice>): Choice {
  return { machines: [], unusable: [], others: [], ...overrides };
}

const broken = { kind: "unusable", name: "broken", error: "does not evaluate", tags: undefined } as const;

describe("what was chosen of a flake", () => {
  test("is listed with what fails and what is left out", () => {
    const others = [{ kind: "other", name: "laptop", reason: "its targetHost is null" } as const];
    expect(choiceLines(choice({ machines: [machine("db"), machine("web")], unusable: [broken], others }))).toEqual([
      "targets is empty: using 3 hosts from the flake: db, web",
      "broken cannot be deployed and counts as failed",
      "laptop is excluded: its targetHost is null",
    ]);
    expect(choiceLines(choice({ unusable: [broken] }))[0]).toBe("targets is empty: using 1 host from the flake");
  });

  test("warns of ignored settings, at most 30 of them", () => {
    expect(choiceWarnings(choice({ machines: [machine("web")] }))).toEqual([]);
    const web = machine("web", ["deployment.keys smtp", "the profiles hello"]);
    expect(choiceWarnings(choice({ machines: [web, machine("db", ["the profiles hello"])] })).map(({ message }) => message)).toEqual([
      "web: deployment.keys smtp\nweb, db: the profiles hello",
    ]);
    const many = Array.from({ length: 40 }, (_, index) => machine(`h${index}`, [`deployment.keys a${index}`]));
    expect(
      choiceWarnings(choice({ machines: many }))[0]
        ?.message.split("\n")
        .slice(-2),
    ).toEqual(["h29: deployment.keys a29", "and 10 more"]);
  });

  test("warns of profiles with a script of their own", () => {
    expect(activationWarnings([])).toEqual([]);
    expect(activationWarnings(["deploy.nodes.web1", "deploy.nodes.db1"])).toEqual([
      {
        title: "Settings in the flake without effect",
        message: "deploy.nodes.web1, deploy.nodes.db1: the script that activates profiles.system is not run; the system in it is switched to as NixOS does",
      },
    ]);
  });

  test("warns of a setting that an input decides only where the two differ", () => {
    const wishes = [{ setting: "confirmTimeout = 60", input: "confirm-timeout", agrees: ["60"], advice: "Set confirm-timeout: 60" } as const];
    const given = {
      rollback: "true",
      "confirm-timeout": "30",
      "activation-timeout": "600",
      "substitute-on-destination": "true",
      elevate: "auto",
      "elevate-password": "not set",
    };
    const wishing = choice({ machines: [{ ...machine("web"), wishes }] });
    expect(choiceWarnings(wishing, { ...given, "confirm-timeout": "60" })).toEqual([]);
    expect(choiceWarnings(wishing, given)).toMatchObject([
      { message: "web: confirmTimeout = 60 has no effect; the input confirm-timeout decides, and is 30. Set confirm-timeout: 60" },
    ]);
    // The companion action, whose jobs have the input.
    expect(choiceWarnings(wishing)).toMatchObject([
      { message: "web: confirmTimeout = 60 is not passed on; the input confirm-timeout decides. Set confirm-timeout: 60 in the job that deploys" },
    ]);
  });
});
