import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { root } from "../../scripts/paths.js";
import { operations } from "../../src/domain/operation.js";

// What sets operations apart stands in one table, src/domain/operation.ts. Elsewhere nobody compares their names.

const names = operations.join("|");
const comparison = new RegExp(
  `operation\\)?\\s*[!=]==?\\s*"|"(?:${names})"\\s*[!=]==?\\s*\\w*operation|\\[\\s*"(?:${names})"[^\\]]*\\]\\.includes\\(|switch \\(\\w*\\.?operation\\)`,
  "i",
);

test.each([
  'if (operation === "switch") {}',
  'if (this.#settings.operation !== "boot") {}',
  'return ["switch", "test"].includes(operation);',
  "switch (settings.operation) {",
  'if ("build" === operation) {}',
])("a comparison is found: %s", (line) => {
  expect(line).toMatch(comparison);
});

test("nobody outside the table compares the name of an operation", () => {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts") && file !== "domain/operation.ts");
  const found = files.flatMap((file) =>
    readFileSync(join(root, "src", file), "utf8")
      .split("\n")
      .flatMap((line, index) => (comparison.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
  expect(files.length).toBeGreaterThan(50);
  expect(found).toEqual([]);
});
