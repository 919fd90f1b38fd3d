import { describe, expect, test } from "@jest/globals";

import { detailsPart, errorPart, renderSection } from "../../../../src/report/summary/section.js";
import { renderRow } from "../../../../src/report/summary/table.js";
import { renderTimeline } from "../../../../src/report/summary/timeline.js";
import type { HostResult } from "../../../../src/domain/result.js";
import type { PhaseSpan } from "../../../../src/domain/timeline.js";
import { makeDifference, makeError, makeResult, makeStorePath } from "../../domain/make.js";

const difference = makeDifference({
  packages: [
    { name: "curl", before: [], after: ["8.15.0"], bytes: 2048 },
    { name: "hello", before: ["2.12.1"], after: [], bytes: -512 },
    { name: "nginx", before: ["1.28.0"], after: ["1.28.1"], bytes: 0 },
  ],
  rebuilt: 14,
  files: 2,
  bytes: 1536,
});
const plan = {
  source: "activation",
  stop: ["gone.service"],
  start: [],
  restart: ["nginx.service", "web.service"],
  reload: [],
  keep: [],
  again: [],
  reexecutes: false,
  inhibitors: [],
} as const;
const limits = { packages: 100, units: 100 };

describe("a row", () => {
  test.each<[string, Partial<HostResult>, string]>([
    ["another generation and packages", { difference }, "| 6 → 7 | +1 −1 ~1 | +1.5\u00A0KiB | 1.5 |"],
    ["the same generation", { generation: 6 }, "| 6 |  |  | 1.5 |"],
    ["the first generation", { previousGeneration: undefined, generation: 1 }, "| – → 1 |  |  | 1.5 |"],
    ["a generation that went", { generation: undefined }, "| 6 |  |  | 1.5 |"],
    ["no generation", { previousGeneration: undefined, generation: undefined }, "|  |  |  | 1.5 |"],
    ["a system that was only built anew", { difference: makeDifference({ rebuilt: 3 }) }, "| 6 → 7 | – | ±0\u00A0B | 1.5 |"],
  ])("tells %s", (_, overrides, end) => {
    expect(renderRow(makeResult(overrides))).toContain(`| activate ${end}\n`);
  });
});

describe("the name in a row", () => {
  test.each([
    ["web1", "root@web1", "`web1`"],
    ["web1", "root@web1.example.org", "`web1`"],
    ["web1", "root@web10.example.org", "`web1` `root@web10.example.org`"],
    ["web1", "deploy@[2001:db8::7]:2222", "`web1` `deploy@[2001:db8::7]:2222`"],
    ["web1", "web1:2222", "`web1` `web1:2222`"],
  ])("%s of %s is %s", (name, target, cell) => {
    expect(renderRow(makeResult({ name, target, configuration: name }))).toContain(`| ✅ | ${cell} | deployed |`);
  });
});

describe("the error of a section", () => {
  const result = makeResult({ status: "failed", error: makeError("it is locked", { topic: "locked" }) });

  test("links to its topic", () => {
    expect(errorPart(result, 1000, (topic) => `https://docs.example.org/${topic}`)).toBe(
      "<pre>it is locked</pre>\n\n[Troubleshooting](https://docs.example.org/locked)\n\n",
    );
  });

  test("names the page where there is no address", () => {
    expect(errorPart(result, 1000)).toBe("<pre>it is locked</pre>\n\nSee `docs/troubleshooting.md#locked`\n\n");
  });
});

describe("a section", () => {
  const section = (overrides: Partial<HostResult>): string => {
    const result = makeResult(overrides);
    return renderSection(result, "", detailsPart(result, limits));
  };

  test("reports packages and units", () => {
    expect(section({ difference, plan })).toBe(
      "<details><summary>✅ <code>web1</code>: deployed, 1 added, 1 removed, 1 changed, +1.5 KiB</summary>\n\n" +
        `\`root@web1.example.org\`: \`${makeStorePath("old")}\` → \`${makeStorePath("new")}\`\n\n` +
        "Packages: 1 added, 1 removed, 1 changed, 14 rebuilt; size +1.5 KiB; 2 generated files\n\n" +
        "```diff\n! nginx 1.28.0 → 1.28.1\n+ curl 8.15.0 (+2.0 KiB)\n- hello 2.12.1 (−512 B)\n```\n\n" +
        "Units (reported by the activation):\n\n- stopped: `gone.service`\n- restarted: `nginx.service`, `web.service`\n\n" +
        "</details>\n\n",
    );
  });

  test("is omitted if there is nothing to report", () => {
    expect(section({})).toBe("");
  });

  test("reports that no unit is touched", () => {
    expect(
      section({ plan: { source: "rehearsal", stop: [], start: [], restart: [], reload: [], keep: [], again: [], reexecutes: false, inhibitors: [] } }),
    ).toContain("Units (reported by `dry-activate`): none\n");
  });

  test("reports what runs again, that systemd is re-executed, and what inhibits the switch", () => {
    const more = { again: ["once.service"], reexecutes: true, inhibitors: ["systemd: 260 -> 261"] };
    const planned: HostResult["plan"] = { source: "unit-files", stop: [], start: [], restart: [], reload: [], keep: ["a.service"], ...more };
    expect(section({ plan: planned })).toContain(
      "Units (from a comparison of the unit files):\n\n- would run again: `once.service`\n- would not restart despite changes: `a.service`\n" +
        "- systemd would be re-executed\n- switch inhibitor: `systemd: 260 -> 261`: `switch` and `test` would be refused\n\n",
    );
    expect(section({ plan: { ...planned, source: "activation" } })).toContain("- systemd was re-executed\n");
    expect(section({ plan: { ...planned, again: [], keep: [], reexecutes: false } })).toContain(
      "Units (from a comparison of the unit files): none\n\n- switch inhibitor: `systemd: 260 -> 261`: `switch` and `test` would be refused\n\n",
    );
  });

  test("names no more than it may, and counts the rest", () => {
    const text = detailsPart(makeResult({ difference, plan }), { packages: 1, units: 1 });
    expect(text).toContain("```diff\n! nginx 1.28.0 → 1.28.1\n# and 2 more packages\n```");
    expect(text).toContain("- restarted: `nginx.service` and 1 more\n");
  });

  test("obeys nothing of what a package or a unit is called", () => {
    const name = "x\n```\n<img src=x> @octocat | \u001B[31m\u202E``` [a](https://b.test)";
    const text = section({
      difference: makeDifference({ packages: [{ name, before: ["1\n```"], after: ["</details>"], bytes: 0 }] }),
      plan: { ...plan, stop: ["`</details>` <img src=x>\n\n# title"] },
    });
    expect(text).toContain("```diff\n! x ``` <img src=x> @octocat | ``` [a](https://b.test) 1 ``` → </details>\n```\n");
    expect(text).toContain("- stopped: `` `</details>` <img src=x> # title ``\n");
  });
});

describe("the timeline", () => {
  const spans = (...entries: readonly (readonly [PhaseSpan["phase"], number, number])[]): PhaseSpan[] =>
    entries.map(([phase, begin, end]) => ({ phase, begin, end }));
  const chartOf = (results: readonly HostResult[]): string[] => {
    const lines = renderTimeline(results).split("\n");
    return lines.slice(lines.indexOf("gantt") + 1, lines.indexOf("```"));
  };

  test("is not there without phases", () => {
    expect(renderTimeline([makeResult()])).toBe("");
  });

  test("has a row a host, and its phases with begin and length", () => {
    const timeline = spans(["connect", 0.5, 1.75], ["build", 1.75, 60], ["activate", 60, 61], ["confirm", 61, 62]);
    expect(chartOf([makeResult({ timeline })])).toEqual([
      "  dateFormat YYYY-MM-DD HH:mm:ss.SSS",
      "  axisFormat %M:%S",
      "  tickInterval 10second",
      "  section web1",
      "  \u2800 :done, 2000-01-01 00:00:00.500, 1250ms",
      "  build :active, 2000-01-01 00:00:01.750, 58250ms",
      "  \u2800 :2000-01-01 00:01:00.000, 1000ms",
      "  \u2800 :2000-01-01 00:01:01.000, 1000ms",
    ]);
  });

  test.each([
    [3, "%M:%S", "1second"],
    [13, "%M:%S", "2second"],
    [61, "%M:%S", "10second"],
    [700, "%M:%S", "1minute"],
    [4000, "%H:%M:%S", "10minute"],
    [40_000, "%H:%M:%S", "1hour"],
    [86_400, "%H:%M:%S", "2hour"],
    [864_000, "%H:%M:%S", "24hour"],
  ])("of %d seconds has fitting ticks", (seconds, format, ticks) => {
    expect(chartOf([makeResult({ timeline: spans(["build", 0, seconds]) })]).slice(1, 3)).toEqual([`  axisFormat ${format}`, `  tickInterval ${ticks}`]);
  });

  test("marks the phase in which a host failed, and the rollback", () => {
    const timeline = spans(["build", 0, 10], ["activate", 10, 20], ["confirm", 20, 30], ["rollback", 30, 40]);
    const chart = chartOf([makeResult({ status: "rolled-back", phase: "confirm", timeline })]);
    expect(chart.filter((line) => line.includes("crit"))).toEqual([
      "  confirm :crit, 2000-01-01 00:00:20.000, 10000ms",
      "  rollback :crit, 2000-01-01 00:00:30.000, 10000ms",
    ]);
    expect(renderTimeline([makeResult({ status: "rolled-back", timeline })])).toContain("Red: the failed phase");
  });

  test("obeys nothing of what a host is called", () => {
    const chart = chartOf([makeResult({ name: 'a;b:c#d%%e"f\ngantt\n  click x', timeline: spans(["build", 0, 1]) })]);
    expect(chart.filter((line) => line.includes("section"))).toEqual(["  section a_b_c_d__e_f_gantt___click_x"]);
    expect(chart).toHaveLength(5);
    // What every object of JavaScript has.
    const names = ["constructor", "__proto__"].map((name) => chartOf([makeResult({ name, timeline: spans(["build", 0, 1]) })])[3]);
    expect(names).toEqual(["  section constructor_", "  section __proto___"]);
  });

  test("of many hosts has those that failed and those that took longest", () => {
    const hosts = Array.from({ length: 500 }, (_, index) =>
      makeResult({ name: `web${index}`, status: index === 0 ? "failed" : "deployed", seconds: index, timeline: spans(["build", 0, index + 1]) }),
    );
    const text = renderTimeline(hosts);
    const names = [...text.matchAll(/section (\S+)/g)].map((match) => match[1]);
    expect(names).toHaveLength(60);
    expect(names[0]).toBe("web0");
    expect(names.at(-1)).toBe("web499");
    expect(text).toContain("Timeline (without 440 faster hosts)");
    // Mermaid draws nothing of more than 50,000 characters.
    expect(text.length).toBeLessThan(50_000);
  });
});
