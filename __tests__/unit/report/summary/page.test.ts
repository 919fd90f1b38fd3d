import { describe, expect, test } from "@jest/globals";

import type { Flake } from "../../../../src/domain/flake.js";
import { statuses, type HostResult } from "../../../../src/domain/result.js";
import { storePath } from "../../../../src/domain/store-path.js";
import { comment, jobSummary } from "../../../../src/github/limits.js";
import { renderSummary } from "../../../../src/report/summary/page.js";
import { makeDifference, makeError, makeFlake, makeResult } from "../../domain/make.js";

const oldSystem = storePath("/nix/store/417vs22s6k28zjz32bmjamsxadqbq9qn-nixos-system-web1-25.11");
const newSystem = storePath("/nix/store/0iylbyg0mcg327nvb4krmsmqgpvvm7pv-nixos-system-web1-26.05");
const tableHead = "| | host | status | phase | generation | packages | size | seconds |\n|---|---|---|---|---|---|--:|--:|\n";

function host(overrides: Partial<HostResult> = {}): HostResult {
  return makeResult({
    target: "root@web1",
    phase: "activate",
    systemPath: newSystem,
    previousSystemPath: oldSystem,
    generation: 43,
    previousGeneration: 42,
    seconds: 12.34,
    ...overrides,
  });
}

const unreachable = host({
  name: "db1",
  target: "deploy@[2001:db8::7]:2222",
  configuration: undefined,
  status: "failed",
  phase: "connect",
  systemPath: undefined,
  previousSystemPath: undefined,
  generation: undefined,
  previousGeneration: undefined,
  changed: false,
  exitCode: 255,
  seconds: 30,
  error: makeError("cannot be reached", { hint: "Is it on?", lines: ["ssh: connect to host 2001:db8::7 port 2222: Connection timed out"] }),
});

function flake(overrides: Partial<Flake> = {}): Flake {
  return makeFlake({
    source: storePath("/nix/store/g5xxchq5hrfkawphf4g2dvyb34an721r-source"),
    revision: "87a5c7599313a98c08476438fe6967f5d64e4d5d",
    lastModified: 1_795_610_886,
    ...overrides,
  });
}

/** The cells of the only row. */
function cellsOf(result: HostResult): string[] {
  const [, row = ""] = renderSummary([result], undefined).split(tableHead);
  return (row.split("\n")[0] ?? "").split(" | ").map((cell) => cell.replaceAll(/^\| | \|$/g, ""));
}

function rowsOf(summary: string): string[] {
  return summary.split("\n").filter((line) => /^\| (?:✅|❌|➖|↩️|📋|💤|⚠️) \|/u.test(line));
}

describe("a summary", () => {
  test("reports counts, flake, hosts in their order, and errors", () => {
    expect(renderSummary([host(), unreachable], flake())).toBe(
      `### ❌ 1 of 2 hosts failed\n\n` +
        "**1 failed** · **1 deployed**  \n" +
        "Failed: `db1` (connect)  \n" +
        "Flake at revision `87a5c7599313a98c08476438fe6967f5d64e4d5d`, source `/nix/store/g5xxchq5hrfkawphf4g2dvyb34an721r-source`\n\n" +
        "<details><summary>❌ <code>db1</code>: connect failed</summary>\n\n" +
        "<pre>cannot be reached.\nIs it on?\n  ssh: connect to host 2001:db8::7 port 2222: Connection timed out</pre>\n\n" +
        "</details>\n\n" +
        tableHead +
        "| ✅ | `web1` | deployed | activate | 42 → 43 |  |  | 12.3 |\n" +
        "| ❌ | `db1` `deploy@[2001:db8::7]:2222` | failed | connect |  |  |  | 30.0 |\n\n",
    );
  });

  test.each([
    ["✅ 1 host deployed", [host()], false],
    ["✅ 2 hosts deployed", [host(), host({ status: "unchanged" })], false],
    ["✅ 2 hosts unchanged", [host({ status: "unchanged" }), host({ status: "unchanged" })], false],
    ["✅ 1 host planned", [host({ status: "planned" })], false],
    ["⚠️ 2 hosts deployed, with failed units", [host(), host({ status: "degraded" })], false],
    ["⚠️ 2 of 3 hosts deployed, 1 skipped", [host(), host(), host({ status: "skipped" })], false],
    ["⚠️ 1 of 3 hosts unchanged, 2 skipped", [host({ status: "unchanged" }), host({ status: "skipped" }), host({ status: "skipped" })], false],
    ["⚠️ 1 of 2 hosts planned, 1 skipped", [host({ status: "planned" }), host({ status: "skipped" })], false],
    ["⚠️ 1 of 2 hosts deployed, with failed units, 1 skipped", [host({ status: "degraded" }), host({ status: "skipped" })], false],
    ["❌ 1 of 1 host failed", [unreachable], false],
    ["❌ 1 of 2 hosts failed", [unreachable, host({ status: "skipped" })], false],
    ["❌ 1 of 1 host failed, and the run ended early", [unreachable], true],
    ["❌ The run ended early; none of 1 host failed", [host()], true],
    ["❌ The run ended before any host was deployed", [], true],
  ])("is headed %s", (headline, results, endedEarly) => {
    expect(renderSummary(results, undefined, { endedEarly }).split("\n")[0]).toBe(`### ${headline}`);
  });

  test("is headed by the reason where the run ended early", () => {
    const headed = (results: HostResult[], reason: string): string | undefined =>
      renderSummary(results, undefined, { endedEarly: true, reason }).split("\n")[0];
    expect(headed([host({ status: "skipped" }), host({ status: "skipped" })], "flake: flake.nix was not found at ./nixos")).toBe(
      "### ❌ No host was deployed (2 hosts skipped): `flake: flake.nix was not found at ./nixos`",
    );
    expect(headed([], "a @user <b>")).toBe("### ❌ The run ended before any host was deployed: `a @user <b>`");
    expect(headed([unreachable], "the run was cancelled")).toBe("### ❌ 1 of 1 host failed, and the run ended early: `the run was cancelled`");
  });

  test("has no table without hosts", () => {
    expect(renderSummary([], flake(), { endedEarly: true })).not.toContain("|");
  });

  test("reports a directory, a missing revision and changes that are not committed", () => {
    expect(renderSummary([host()], flake({ revision: undefined, dirty: true, subdirectory: "nixos" }))).toContain(
      "Flake without a revision, directory `nixos`, with uncommitted changes, source `/nix",
    );
  });

  test("marks every status", () => {
    const marks = statuses.map((status) => cellsOf(host({ status }))[0]);
    expect(marks).toEqual(["💤", "📋", "✅", "➖", "⚠️", "↩️", "❌", "❌", "❌"]);
  });
});

describe("what a machine prints", () => {
  const errorOf = (error: string): string =>
    /<pre>([^]*)<\/pre>/.exec(renderSummary([host({ status: "failed", error: makeError(error) })], undefined))?.[1] ?? "";

  test("cannot leave its block", () => {
    expect(errorOf('</pre></details><img src=x onerror="x">&amp;\n\n# title\n```\n| a | b |\n@octocat [x](https://x.test)')).toBe(
      "&lt;/pre&gt;&lt;/details&gt;&lt;img src=x onerror=&quot;x&quot;&gt;&amp;amp;\n\n# title\n```\n| a | b |\n@octocat [x](https://x.test)",
    );
  });

  test("has no control characters, and none that turn the direction of the text", () => {
    expect(errorOf("\u001B[31mred\u001B[0m\ra\u0000b\u202Ec\u2066d")).toBe("red a bcd");
  });

  test.each([
    ["a pipe", "a|b", "`a¦b`"],
    ["a pipe behind backslashes", String.raw`a\|b\\|c`, String.raw`${"`"}a\¦b\\¦c${"`"}`],
    ["a backtick", "a`b", "`` a`b ``"],
    ["more backticks", "``a```", "```` ``a``` ````"],
    ["line breaks", "a\n\n# b\r\nc", "`a # b c`"],
    ["HTML", "<img src=x>", "`<img src=x>`"],
    ["a link and a mention", "[x](https://x.test) @octocat", "`[x](https://x.test) @octocat`"],
    ["nothing to see", " \u202E\t", "`?`"],
  ])("is a name in a code span: %s", (_, name, cell) => {
    expect(cellsOf(host({ name, target: name, configuration: undefined }))[1]).toBe(cell);
  });

  test("is a name that is escaped in the title of its section", () => {
    expect(renderSummary([host({ name: "</summary>\n\n<b>", status: "failed" })], undefined)).toContain(
      "<code>&lt;/summary&gt; &lt;b&gt;</code>: activate failed</summary>",
    );
  });
});

describe("a summary that would be too long", () => {
  const fine = (count: number): HostResult[] => Array.from({ length: count }, (_, index) => host({ name: `web${index}`, target: `root@web${index}` }));
  const failed = (count: number, error: string): HostResult[] =>
    Array.from({ length: count }, (_, index) => host({ name: `db${index}`, target: `root@db${index}`, status: "failed", error: makeError(error) }));

  const large = makeDifference({
    packages: Array.from({ length: 5000 }, (_, index) => ({ name: `package-${"x".repeat(index % 300)}`, before: ["1.0"], after: ["2.0"], bytes: index })),
  });
  const units = Array.from({ length: 1000 }, (_, index) => `${"u".repeat(index % 250)}.service`);
  const plan = {
    source: "activation",
    stop: units,
    start: units,
    restart: units,
    reload: units,
    keep: units,
    again: [],
    reexecutes: false,
    inhibitors: [],
  } as const;

  test.each([
    ["one endless error", failed(1, "x".repeat(5_000_000))],
    ["an error that grows when it is escaped", failed(1, '"'.repeat(1_000_000))],
    ["errors of three bytes a character", failed(100, "€\n".repeat(50_000))],
    ["lone surrogates", failed(50, "\uD800".repeat(50_000))],
    ["many hosts", fine(20_000)],
    ["many failed hosts", failed(20_000, "no\n".repeat(500))],
    ["many of both", [...fine(5000), ...failed(5000, "no\n".repeat(5000))]],
    ["differences without end", fine(300).map((result) => ({ ...result, difference: large, plan }))],
    ["names that are long", failed(3000, "no").map((result) => ({ ...result, name: "&".repeat(10_000) }))],
  ])("stays below GitHub's limit with %s", (_, results) => {
    expect(Buffer.byteLength(renderSummary(results, flake(), { place: jobSummary }))).toBeLessThanOrEqual(1_000_000);
    // GitHub counts the characters of a comment, of which there are no more than bytes.
    expect(Buffer.byteLength(renderSummary(results, flake(), { place: comment }))).toBeLessThanOrEqual(64_000);
  });

  test("loses the middle of a long error first", () => {
    const summary = renderSummary(failed(1, `first\n${"middle\n".repeat(100_000)}last`), undefined);
    expect(summary).toContain("<pre>first\n");
    expect(summary).toContain("\n… shortened; see the log for the rest …\n");
    expect(summary).toContain("\nlast</pre>");
    expect(summary).not.toContain("left out");
  });

  test("then rows of hosts that are as they should be, and says so", () => {
    const summary = renderSummary([...fine(100), ...failed(2, "why")], undefined, { place: { bytes: 5000, name: "summary (1 MiB)" } });
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(5000);
    const rows = rowsOf(summary);
    expect(rows.slice(-2).map((row) => row.slice(0, 10))).toEqual(["| ❌ | `db0", "| ❌ | `db1"]);
    expect(rows.length).toBeLessThan(102);
    expect(summary).toContain(`Shortened to fit GitHub's limit for a summary (1 MiB); left out: ${102 - rows.length} hosts that did not fail. See the log`);
    expect(summary.match(/<pre>why<\/pre>/g)).toHaveLength(2);
  });

  test("then errors, then rows of failed hosts", () => {
    const some = renderSummary(failed(20, "why"), undefined, { place: { bytes: 4000, name: "summary (1 MiB)" } });
    expect(rowsOf(some)).toHaveLength(20);
    const errors = (some.match(/<pre>/g) ?? []).length;
    expect(errors).toBeGreaterThan(0);
    expect(some).toContain(`the errors of ${20 - errors} hosts. See the log`);
    const few = renderSummary(failed(100, "why"), undefined, { place: { bytes: 4000, name: "summary (1 MiB)" } });
    expect(few).toContain(`the errors of 100 hosts, ${100 - rowsOf(few).length} hosts that failed. See the log`);
  });

  test("drops the timeline first, then the changes on hosts that did not fail, then on those that failed", () => {
    const timeline = [{ phase: "build", begin: 0, end: 9 }] as const;
    const difference = makeDifference({ packages: [{ name: "nginx", before: ["1"], after: ["2"], bytes: 0 }] });
    const hosts = [...fine(10), ...failed(10, "why")].map((result) => ({ ...result, timeline, difference }));
    const whole = renderSummary(hosts, undefined);
    const without = (bytes: number): string => renderSummary(hosts, undefined, { place: { bytes, name: "text" } });
    expect(whole).toContain("```mermaid");
    expect(whole.match(/```diff/g)).toHaveLength(20);
    expect(whole).not.toContain("left out");

    const size = Buffer.byteLength(whole);
    const noTimeline = without(size - 100);
    expect(noTimeline).not.toContain("```mermaid");
    expect(noTimeline).toMatch(/Shortened to fit GitHub's limit for a text; left out: the timeline\. See the log for everything\.\n$/);
    expect(noTimeline.match(/```diff/g)).toHaveLength(20);

    const failedOnly = without(size - 2500);
    const left = (failedOnly.match(/```diff/g) ?? []).length;
    expect(left).toBeGreaterThanOrEqual(10);
    expect(left).toBeLessThan(20);
    expect(failedOnly).toContain(`the timeline, the changes on ${20 - left} hosts. See the log`);
    expect(failedOnly.match(/<pre>why/g)).toHaveLength(10);

    const few = without(size - 7000);
    expect(few).toMatch(/the changes on 10 hosts, the changes on \d+ hosts that failed/);
    expect(few.match(/<pre>why/g)).toHaveLength(10);
  });

  test("shortens the lists of packages before it drops them", () => {
    const hosts = fine(40).map((result) => ({ ...result, difference: large }));
    const summary = renderSummary(hosts, undefined, { place: comment });
    expect(summary.match(/```diff/g)?.length).toBe(40);
    expect(summary).toMatch(/\n# and 49\d\d more packages\n```/);
  });

  test("still counts all hosts in its heading", () => {
    expect(renderSummary(fine(20_000), undefined, { place: jobSummary })).toContain("\n**20000 deployed**\n");
  });
});
