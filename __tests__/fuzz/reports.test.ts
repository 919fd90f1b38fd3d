import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";

import { makeFailure } from "../../src/domain/failure.js";
import { statuses, type HostResult } from "../../src/domain/result.js";
import { renderResults } from "../../src/github/outputs.js";
import { WorkflowRunLog } from "../../src/github/run-log.js";
import { WorkflowLog } from "../../src/github/workflow-log.js";
import { failureAnnotations, failureSummary, skippedAnnotations } from "../../src/report/annotations.js";
import { jobSummary } from "../../src/github/limits.js";
import { renderSummary } from "../../src/report/summary/page.js";
import { workflowCommands } from "../fleet/rig/workflow-commands.js";
import { makeResult, makeTarget } from "../unit/domain/make.js";
import { captured } from "../unit/github/captured.js";

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "::error::hostile",
        "\n::set-output name=status::hostile\n",
        "\r::add-mask::e",
        "##[error]hostile",
        "::stop-commands::hostile",
        "::endgroup::",
        "<img src=hostile>",
        "</details></pre>",
        "```",
        "`",
        "|",
        "\n\n# hostile\n",
        "[hostile](https://hostile.example)",
        "\u001b[31m",
        "\u2028",
        "%0A::error::hostile",
        "ghadelimiter_",
      ),
      fc.string({ unit: "binary", maxLength: 10 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

const results: fc.Arbitrary<HostResult> = fc
  .record({
    status: fc.constantFrom(...statuses),
    reason: hostile,
    hint: hostile,
    lines: fc.array(hostile, { maxLength: 5 }),
    units: fc.array(hostile, { maxLength: 3 }),
  })
  .map(({ status, reason, hint, lines, units }) => makeResult({ status, failedUnits: units, error: makeFailure({ phase: "activate", reason, hint, lines }) }));

/** What is left of Markdown without code: there, nothing is obeyed. */
function outsideCode(markdown: string): string {
  return markdown.replaceAll(/^(`{3,})\w*\n[^]*?\n\1$/gm, "").replaceAll(/(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/gs, "");
}

/** Commands in what a log writes, but those that the action itself writes. */
function strangeCommands(work: (log: WorkflowLog) => void): string[] {
  const output = captured(() => {
    const log = new WorkflowLog();
    work(log);
    log.annotate("notice", "probe", "the runner listens");
  });
  const commands = workflowCommands(output);
  // It obeys again at the end.
  if (commands.at(-1)?.message !== "the runner listens") return ["the runner does not listen"];
  return commands.flatMap(({ name, message }) =>
    ["group", "endgroup", "error", "warning", "notice"].includes(name) && !message.startsWith("hostile") ? [] : [name],
  );
}

describe("what machines print", () => {
  test("never becomes a command of the log, wherever it is written", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(
          strangeCommands((log) => {
            log.line(text);
            log.annotate("error", `web1: ${text}`, `said: ${text}`);
            log.group(`web1 ${text}`, [text, text]);
          }),
        ).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("never becomes one on its way through a run and its results", () => {
    fc.assert(
      fc.property(results, hostile, (result, text) => {
        const strange = strangeCommands((log) => {
          const run = new WorkflowRunLog(log);
          run.begin(1);
          const host = run.host(makeTarget());
          host.phase("build");
          host.output(text);
          host.note(text);
          host.warn(`said: ${text}`);
          run.done(result);
          run.end();
          for (const { title, message } of [...failureAnnotations([result], 9), ...skippedAnnotations([result])])
            log.annotate("error", title, `said: ${message}`);
          log.line(failureSummary([result]));
        });
        expect(strange).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("would be obeyed without the log (control)", () => {
    expect(workflowCommands("x\n::error::hostile").map(({ name }) => name)).toEqual(["error"]);
  });

  test("is JSON in the outputs, in one line and within its limit", () => {
    fc.assert(
      fc.property(fc.array(results, { maxLength: 20 }), (all) => {
        const text = renderResults(all);
        expect(JSON.parse(text)).toHaveLength(all.length);
        expect(text).not.toMatch(/[\r\n]/);
        expect(text.length).toBeLessThan(250_000);
      }),
      { numRuns: 200 },
    );
  });

  test("is no element and no link in the summary", () => {
    fc.assert(
      fc.property(fc.array(results, { minLength: 1, maxLength: 4 }), (all) => {
        const summary = renderSummary(all, undefined, { endedEarly: false, reason: undefined, place: jobSummary });
        // In an HTML block that begins with <pre>, Markdown is not read up to its end: nothing in the text may be one.
        for (const [, text] of summary.matchAll(/^<pre>([^]*?)<\/pre>$/gm)) expect(text).not.toContain("<");
        const rest = outsideCode(summary.replaceAll(/^<pre>[^]*?<\/pre>$/gm, ""));
        expect(rest).not.toContain("<img");
        expect(rest).not.toMatch(/^# hostile/m);
      }),
      { numRuns: 300 },
    );
    // Control: what is looked for would be found.
    expect(outsideCode("a `<img>` <img src=hostile>")).toBe("a  <img src=hostile>");
  });
});
