import { readFileSync } from "node:fs";
import { join } from "node:path";

import { data, Evaluator, Lexer, Parser } from "@actions/expressions";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";

import { field } from "../../src/domain/json.js";
import { root } from "../../scripts/paths.js";
import { attributeOf } from "../../src/domain/configuration.js";
import type { MatrixMachine } from "../../src/domain/matrix.js";
import { renderMatrix } from "../../src/github/matrix-outputs.js";
import { parseTargetList } from "../../src/domain/target-list.js";
import { completeTargets } from "../../src/domain/target.js";

// GitHub's own evaluator of expressions over what the examples say: whether the job runs, its matrix, and what each job deploys.

const machines: MatrixMachine[] = ["web1", "web2", "db1"].map((name) => ({
  name,
  request: { host: `${name}.example.org`, configuration: { kind: "nixos", name } },
  system: "x86_64-linux",
  tags: [],
}));

function deployJob(example: string): unknown {
  return field(parse(readFileSync(join(root, "examples/workflows", example), "utf8")), "jobs", "deploy");
}

/** The value of `${{ … }}` with these contexts, when nothing was cancelled. */
function evaluate(template: unknown, contexts: Readonly<Record<string, unknown>>): unknown {
  const expression = /^\$\{\{ (.*) \}\}$/.exec(String(template))?.[1];
  if (expression === undefined) throw new Error(`${String(template)} is no expression`);
  const cancelled = { name: "cancelled", minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(false) };
  const tree = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), [cancelled]).parse();
  const dictionary: unknown = JSON.parse(JSON.stringify(contexts), data.reviver);
  if (!(dictionary instanceof data.Dictionary)) throw new Error("the contexts are no dictionary");
  const value = new Evaluator(tree, dictionary, new Map([["cancelled", cancelled]])).evaluate();
  return JSON.parse(JSON.stringify(value, data.replacer));
}

function needs(outputs: object): { needs: { plan: { outputs: object } } } {
  return { needs: { plan: { outputs } } };
}

describe.each([
  ["matrix-computed.yml", undefined],
  ["sharded.yml", 8],
  ["sharded.yml", 2],
])("%s with shards: %j", (example, shards) => {
  const job = deployJob(example);
  const steps = field(job, "steps");
  const targets: unknown = (Array.isArray(steps) ? steps : []).map((step: unknown) => field(step, "with", "targets")).find((value) => value !== undefined);

  test("deploys each machine once, under its name", () => {
    const contexts = needs(renderMatrix(machines, shards));
    expect(evaluate(field(job, "if"), contexts)).toBe(true);
    const include = field(evaluate(field(job, "strategy", "matrix"), contexts), "include");
    if (!Array.isArray(include)) throw new Error("the matrix has no include");
    expect(include).toHaveLength(Math.min(shards ?? 3, 3));
    const deployed = include.flatMap((matrix: unknown) => {
      const { requests, problems } = parseTargetList(String(evaluate(targets, { matrix })));
      expect(problems).toEqual([]);
      return completeTargets(requests, { user: "root", port: 22 });
    });
    expect(deployed.map(({ name, host, configuration }) => [name, host, attributeOf(configuration)])).toEqual([
      ["web1", "web1.example.org", "web1"],
      ["web2", "web2.example.org", "web2"],
      ["db1", "db1.example.org", "db1"],
    ]);
    expect(include.map((matrix: unknown) => typeof evaluate("${{ matrix.name }}", { matrix }))).toEqual(include.map(() => "string"));
  });

  test("runs no job without a machine, and none after a plan that has failed", () => {
    expect(evaluate(field(job, "if"), needs(renderMatrix([], shards)))).toBe(false);
    expect(evaluate(field(job, "if"), needs({}))).toBe(false);
  });
});
