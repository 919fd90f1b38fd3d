import { expect, test } from "@jest/globals";

import { rebuildOptions } from "../../../src/nixos/rebuild-options.js";
import { evaluationOptions, realiseCommand } from "../../../src/nixos/realise-command.js";
import { makeStorePath } from "../domain/make.js";

const derivation = makeStorePath("nixos-system-web1.drv");
const plain = ["nix-store", "--realise", derivation, "--add-root", "result"];

test.each([
  [[], ["--no-build-output"]],
  [
    ["--option", "cores", "2", "-j", "4"],
    ["--no-build-output", "--option", "cores", "2", "--max-jobs", "4"],
  ],
  [
    ["--show-trace", "--refresh", "--fallback"],
    ["--no-build-output", "--fallback"],
  ],
  [["--offline"], ["--no-build-output", "--option", "substitute", "false"]],
  [["--print-build-logs", "-v"], ["--verbose"]],
])("rebuild-args %j", (args, expected) => {
  expect(realiseCommand(derivation, args)).toEqual([...plain, ...expected]);
});

test("every option that rebuild-args may hold is passed on, or is about evaluation or logs", () => {
  const dropped = rebuildOptions.options.flatMap(({ name, words, verdict }) =>
    verdict.kind === "accepted" && realiseCommand(derivation, [name, ...words]).length === plain.length + 1 ? [name] : [],
  );
  expect(dropped).toEqual(["--refresh", "--show-trace"]);
  expect(evaluationOptions(rebuildOptions.options.flatMap(({ name, words, verdict }) => (verdict.kind === "accepted" ? [name, ...words] : [])))).toEqual(
    dropped,
  );
});
