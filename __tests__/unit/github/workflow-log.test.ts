import { describe, expect, test } from "@jest/globals";

import { WorkflowLog } from "../../../src/github/workflow-log.js";
import { printable } from "../../../src/report/printable.js";
import { workflowCommands } from "../../fleet/rig/workflow-commands.js";
import { captured } from "./captured.js";

/** The commands that the runner obeys in what the log writes; the last one, a probe, shows that it obeys again. */
function obeyed(work: (log: WorkflowLog) => void): { output: string; commands: ReturnType<typeof workflowCommands> } {
  const output = captured(() => {
    const log = new WorkflowLog();
    work(log);
    log.annotate("notice", "probe", "the runner listens");
  });
  return { output, commands: workflowCommands(output) };
}

const probe = { name: "notice", properties: { title: "probe" }, message: "the runner listens" };

const hostile = [
  "::error::x",
  "  ::error title=x::y",
  "::set-output name=a::b",
  "::add-mask::e",
  "::stop-commands::mine",
  "##[error]x",
  "text ##[error]x",
  "##[group]x",
  "::endgroup::",
  "a\r::error::x",
  "a\n::error::x",
  "a\r\n##[error]x",
  "\u001b[31m::error::x\u001b[0m",
  "::\u001b[0merror::x",
  "\u2028::error::x",
  "\u0085::error::x",
  "\u000b::error::x",
];

describe("a line", () => {
  test.each(hostile)("is not obeyed: %j", (text) => {
    const { output, commands } = obeyed((log) => log.line(text));
    expect(commands).toEqual([probe]);
    // Exactly four lines: stop, the text in one line, resume, the probe.
    expect(output.split(/\r\n|\r|\n/)).toHaveLength(5);
  });

  test("is written as it is, but for control characters", () => {
    expect(captured(() => new WorkflowLog().line("a\tb é ✓ \u001b[1mbold\u001b[0m\u0007"))).toMatch(/^::stop-commands::[0-9a-f-]{36}\na\tb é ✓ bold ?\n$/);
  });

  test("cannot give the runner's ear back, since its token is another one in each stretch", () => {
    const tokens = new Set(
      [
        ...captured(() => {
          const log = new WorkflowLog();
          for (let time = 0; time < 5; time += 1) {
            log.line("x");
            log.resume();
          }
        }).matchAll(/::stop-commands::(\S+)/g),
      ].map((match) => match[1]),
    );
    expect(tokens.size).toBe(5);
  });

  test("after a line stops the runner only once", () => {
    const output = captured(() => {
      const log = new WorkflowLog();
      log.line("a");
      log.line("b");
      log.resume();
      log.resume();
    });
    expect(output).toMatch(/^::stop-commands::(\S+)\na\nb\n::\1::\n$/);
  });
});

describe("a group", () => {
  test("holds hostile lines, and is closed", () => {
    const { commands } = obeyed((log) => log.group("web1: failed", hostile));
    expect(commands).toEqual([{ name: "group", properties: {}, message: "web1: failed" }, { name: "endgroup", properties: {}, message: "" }, probe]);
  });

  test("has a title in one line", () => {
    const { commands } = obeyed((log) => log.group("a\n::error::x\r::error::y", []));
    expect(commands.map(({ name }) => name)).toEqual(["group", "endgroup", "notice"]);
  });

  test("may be empty, and may follow lines", () => {
    const { commands } = obeyed((log) => {
      log.line("::error::x");
      log.group("g", []);
      log.line("::error::y");
    });
    expect(commands.map(({ name }) => name)).toEqual(["group", "endgroup", "notice"]);
  });
});

describe("an annotation", () => {
  test.each(["error", "warning", "notice"] as const)("is obeyed as %s, in all its lines", (level) => {
    const { commands } = obeyed((log) => {
      log.line("::error::x");
      log.annotate(level, "web1: build, failed", "first\nsecond: 100%\n  ::error::x");
    });
    expect(commands[0]).toEqual({ name: level, properties: { title: "web1: build, failed" }, message: "first\nsecond: 100%\n  ::error::x" });
    expect(commands).toHaveLength(2);
  });

  test("holds no other command, whatever a machine has printed", () => {
    for (const text of hostile) {
      const { commands } = obeyed((log) => log.annotate("error", text, text));
      expect(commands.map(({ name }) => name)).toEqual(["error", "notice"]);
    }
  });
});

describe("printable", () => {
  test.each([
    ["a\r\nb", "a  b"],
    ["\u001b[1;31mred\u001b[0m", "red"],
    ["\u001b]0;title\u0007text", "text"],
    ["\0\u0007\u007f\u009f", "    "],
    ["tab\tstays", "tab\tstays"],
    ["é ✓ 日本", "é ✓ 日本"],
  ])("makes of %j %j", (text, expected) => {
    expect(printable(text)).toBe(expected);
  });
});

describe("a runner that shows no annotations", () => {
  const written = (environment: Readonly<Record<string, string>>): string =>
    captured(() => new WorkflowLog(environment).annotate("error", "web1: build failed", "first\n::warning::x"));

  test.each(["GITEA_ACTIONS", "FORGEJO_ACTIONS", "ACT"])("has the message in the log as well, where it is not obeyed: %s", (marker) => {
    const output = written({ [marker]: "true" });
    expect(output.split("\n")).toEqual(expect.arrayContaining(["error: web1: build failed", "first", "::warning::x"]));
    expect(workflowCommands(output).filter(({ name }) => name === "warning")).toEqual([]);
    expect(workflowCommands(output).filter(({ name }) => name === "error")).toHaveLength(1);
  });

  test("is not GitHub's", () => {
    expect(written({ GITHUB_ACTIONS: "true" })).not.toContain("error: web1");
  });
});
