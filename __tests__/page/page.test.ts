import { describe, expect, test } from "@jest/globals";

import { inspect, type PageReport, renderPage } from "../../scripts/rendered-page.js";
import type { HostResult } from "../../src/domain/result.js";
import { comment } from "../../src/github/limits.js";
import { renderSummary } from "../../src/report/summary/page.js";
import { makeDifference, makeError, makeResult } from "../unit/domain/make.js";
import { fiftyHosts, flake } from "./fifty-hosts.js";

function reportOf(markdown: string, timeZone?: string): PageReport {
  const page = renderPage(markdown);
  try {
    return inspect(page, timeZone);
  } finally {
    page.remove();
  }
}

describe("the summary of a mixed run of fifty hosts, as GitHub shows it", () => {
  const hosts = fiftyHosts();
  const report = reportOf(renderSummary(hosts, flake));

  test("is drawn without an error", () => {
    expect(report.problems).toEqual([]);
    expect(report.chartTexts.join("\n")).not.toMatch(/syntax error/i);
  });

  test("has a row of eight cells for each host", () => {
    expect(report.rows).toBe(50);
    expect(new Set(report.cells)).toEqual(new Set([8]));
  });

  test("has a timeline with a row for each host and a bar for each phase", () => {
    expect(report.charts).toBe(1);
    expect(report.chartRows).toEqual(hosts.map(({ name }) => name));
    expect(report.bars).toBe(hosts.flatMap(({ timeline }) => timeline).length);
  });

  test("has a folded section for each host with details", () => {
    const told = hosts.filter(({ error, difference, plan }) => error !== undefined || difference !== undefined || plan !== undefined);
    expect(told).toHaveLength(40);
    for (const { name } of told) expect(report.folded.filter((title) => title.includes(` ${name}: `))).toHaveLength(1);
    expect(report.unfolded).toEqual(["Timeline"]);
  });

  test("fits into a comment, too", () => {
    const short = reportOf(renderSummary(hosts, flake, { place: comment }));
    expect(short.problems).toEqual([]);
    expect(short.rows).toBe(50);
    expect(short.folded.length).toBe(report.folded.length);
  });
});

describe("the timeline", () => {
  const spans = [{ phase: "build", begin: 0, end: 90 }] as const;
  const timesOn = (timeZone: string): string[] =>
    reportOf(renderSummary([makeResult({ timeline: spans })], undefined), timeZone).chartTexts.filter((text) => /^\d/.test(text));

  test("counts from the beginning of the run wherever it is looked at", () => {
    const utc = timesOn("UTC");
    expect(utc).toContain("01:00");
    // Half an hour, and three quarters, beside the full hour.
    for (const zone of ["Asia/Kolkata", "Asia/Kathmandu", "America/New_York"]) expect(timesOn(zone)).toEqual(utc);
  });

  test.each([3, 40, 5000, 80_000])("of %d seconds has ticks that are distinguished", (end) => {
    const report = reportOf(renderSummary([makeResult({ timeline: [{ phase: "build", begin: 0, end }] })], undefined));
    expect(report.problems).toEqual([]);
    const times = report.chartTexts.filter((text) => /^\d/.test(text));
    expect(times.length).toBeGreaterThanOrEqual(3);
    expect(new Set(times).size).toBe(times.length);
  });

  test("is drawn of more hosts than it shows, and whatever they are called", () => {
    const names = ["__proto__", "constructor", "end", "title", "section x", "click a", "%%{init: {}}%%", "a;b", 'say "x"', "x:y", "#1", "---", "`", "😀"];
    const hosts = [...names, ...Array.from({ length: 200 }, (_, index) => `web${index}`)].map((name, index) =>
      makeResult({ name, status: index < names.length ? "failed" : "deployed", timeline: spans }),
    );
    const report = reportOf(renderSummary(hosts, undefined));
    expect(report.problems).toEqual([]);
    expect(report.charts).toBe(1);
    expect(report.bars).toBe(60);
  });
});

describe("what a machine prints", () => {
  const pieces = [
    '<img src=x onerror="document.title=1">',
    "<script>document.title = 2</script>",
    "</pre></code></details></summary></table><h1>hacked</h1>",
    "[click](https://evil.test) ![pixel](https://evil.test/p.png) https://evil.test www.evil.test a@evil.test",
    "@octocat org/repo#1 :tada:",
    "| a | b |\n|---|---|\n| c | d |",
    "```\n# out of the fence\n```",
    "~~~\n</details>\n\n- [ ] task\n\n> quote\n\n1. list\n\n***\n\n<https://evil.test>",
    "`` ` ``` <b>bold</b> **strong** $x^2$",
    "\u001B[31mred\u001B[0m \u202Ereversed \u2066 \r\n\u0000",
    '```mermaid\ngantt\nclick a href "https://evil.test"\n```',
    "<!-- comment --> &lt;b&gt; <?php ?> <![CDATA[ x ]]> <style>*{display:none}</style>",
  ];
  const hostile = (piece: string): Partial<HostResult> => ({
    name: piece,
    target: `root@${piece}`,
    configuration: piece,
    error: makeError(piece, { hint: piece, outcome: piece, lines: [piece] }),
    failedUnits: [piece],
    difference: makeDifference({ packages: [{ name: piece, before: [piece], after: [piece], bytes: 1 }] }),
    plan: {
      source: "activation",
      stop: [piece],
      start: [piece],
      restart: [piece],
      reload: [piece],
      keep: [piece],
      again: [],
      reexecutes: false,
      inhibitors: [],
    },
    timeline: [{ phase: "build", begin: 0, end: 5 }],
  });
  const hosts = (["failed", "deployed", "rolled-back"] as const).flatMap((status) => pieces.map((piece) => makeResult({ ...hostile(piece), status })));

  // What the summary itself is made of, and what Mermaid draws.
  const own = ["br", "code", "details", "h3", "li", "p", "pre", "span", "strong", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul"];
  const drawn = ["div", "svg", "g", "line", "path", "rect", "style", "text", "tspan", "defs", "marker"];

  test.each([
    ["on the page", undefined],
    ["in a comment", comment],
  ])("becomes no element and no link %s", (_, place) => {
    const report = reportOf(renderSummary(hosts, flake, place === undefined ? {} : { place }));
    expect(report.problems).toEqual([]);
    expect(Object.keys(report.elements).filter((name) => !own.includes(name) && !drawn.includes(name))).toEqual([]);
    expect(report.elements["style"]).toBe(1);
    expect(report.rows).toBe(hosts.length);
    expect(report.charts).toBe(1);
    // Every text of it stands where GitHub makes nothing of it.
    expect(report.text).not.toMatch(/evil|octocat|hacked|click|reversed|bold|quote|tada|fence|comment -|CDATA/);
  });

  test("would become all that if it were not escaped", () => {
    const report = reportOf(pieces.join("\n\n"));
    expect(Object.keys(report.elements)).toEqual(expect.arrayContaining(["img", "a", "h1"]));
    expect(report.text).toMatch(/octocat/);
  });
});
