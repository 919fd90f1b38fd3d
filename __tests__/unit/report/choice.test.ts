import { describe, expect, test } from "@jest/globals";

import type { Choice, InventoryMachine } from "../../../src/domain/inventory.js";
import { choiceLines, choiceWarnings } from "../../../src/report/choice.js";
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
    expect(choiceWarnings(choice({ machines: [web, machine("db")] })).map(({ message }) => message)).toEqual([
      "web: deployment.keys smtp\nweb: the profiles hello",
    ]);
    const many = Array.from({ length: 40 }, (_, index) => machine(`h${index}`, ["deployment.keys a"]));
    expect(
      choiceWarnings(choice({ machines: many }))[0]
        ?.message.split("\n")
        .slice(-2),
    ).toEqual(["h29: deployment.keys a", "and 10 more"]);
  });
});
