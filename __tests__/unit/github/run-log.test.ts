import { describe, expect, jest, test } from "@jest/globals";

import { deployFleet } from "../../../src/deploy/fleet.js";
import { WorkflowRunLog } from "../../../src/github/run-log.js";
import { WorkflowLog } from "../../../src/github/workflow-log.js";
import { annotationsOf, workflowCommands } from "../../fleet/rig/workflow-commands.js";
import { makeError, makeResult, makeTarget } from "../domain/make.js";
import { FakeMachine, makeRunSettings } from "../deploy/fake-machine.js";
import { captured, capturedAsync } from "./captured.js";

function logged(work: (log: WorkflowRunLog) => void): string {
  return captured(() => {
    const log = new WorkflowLog();
    work(new WorkflowRunLog(log));
    log.resume();
  });
}

/** The lines of a host's group. */
function groupOf(output: string): string[] {
  const lines = output.split("\n");
  return lines.slice(lines.findIndex((line) => line.startsWith("::group::")) + 2, lines.lastIndexOf("::endgroup::") - 1);
}

describe("the log of a run", () => {
  const [web, db] = [makeTarget(), makeTarget({ name: "db1", host: "db1" })];

  test("streams every line with its host in front, and has each host's own in a group at its end", () => {
    const output = logged((log) => {
      const [one, two] = [log.host(web), log.host(db)];
      one.phase("build");
      two.output("from db1");
      one.output("::error::from web1");
      one.note("done");
      log.done(makeResult());
      two.output("later");
    });
    const lines = output.split("\n");
    for (const line of ["[web1] == build", "[db1] from db1", "[web1] ::error::from web1", "[1/1] web1: deployed after 1.5 s", "[db1] later"])
      expect(lines).toContain(line);
    expect(groupOf(output)).toEqual(["== build", "::error::from web1", "done"]);
    expect(workflowCommands(output).map(({ name, message }) => [name, message])).toEqual([
      ["group", "✓ web1: deployed"],
      ["endgroup", ""],
    ]);
  });

  test("shows a failure with its error, line by line", () => {
    const output = logged((log) => {
      log.host(web).output("x");
      log.done(makeResult({ status: "failed", error: makeError("it broke", { lines: ["##[error]last line"] }) }));
    });
    expect(output).toContain("[web1] it broke\n[web1]   ##[error]last line\n[1/1] web1: failed after 1.5 s\n");
    expect(workflowCommands(output).map(({ message }) => message)).toEqual(["✗ web1: failed", ""]);
  });

  test("links to the topic of a failure, a warning and a note", () => {
    const output = logged((log) => {
      const host = log.host(web);
      host.warn("little memory", "memory");
      host.note("cannot be compared", "difference-unknown");
      log.done(makeResult({ status: "failed", error: makeError("it is locked", { topic: "locked" }) }));
    });
    expect(workflowCommands(output)[0]).toMatchObject({ name: "warning", message: "little memory\nSee docs/troubleshooting.md#memory" });
    expect(output).toContain("[web1] cannot be compared\n[web1] See docs/troubleshooting.md#difference-unknown\n");
    expect(output).toContain("[web1] it is locked\n[web1] See docs/troubleshooting.md#locked\n");
  });

  test("makes an annotation of a warning, which is in the group as well", () => {
    const output = logged((log) => {
      log.host(web).warn("the key was accepted unseen");
      log.done(makeResult());
    });
    expect(annotationsOf(workflowCommands(output))).toEqual([{ level: "warning", title: "web1", message: "the key was accepted unseen" }]);
    expect(groupOf(output)).toEqual(["warning: the key was accepted unseen"]);
  });

  test("continues with the same host's lines if its log is requested again", () => {
    const output = logged((log) => {
      log.host(web).output("first");
      log.host(web).output("second");
      log.done(makeResult());
    });
    expect(groupOf(output)).toEqual(["first", "second"]);
  });

  test("leaves out the middle of a very long log in the group, and says how much", () => {
    const output = logged((log) => {
      const host = log.host(web);
      for (let line = 1; line <= 60_000; line += 1) host.output(`line ${line}`);
      log.done(makeResult());
    });
    const group = groupOf(output);
    expect(group.length).toBeLessThan(46_000);
    expect([group[0], group[4999], group.at(-1)]).toEqual(["line 1", "line 5000", "line 60000"]);
    const gap = /^… (\d+) lines omitted/.exec(group[5000] ?? "");
    expect(group[5001]).toBe(`line ${5001 + Number(gap?.[1])}`);
    expect(output).toContain("[web1] line 30000\n");
  });
});

test("the lines of one host beyond 100,000 are counted and not shown", () => {
  const output = logged((log) => {
    const host = log.host(makeTarget());
    for (let line = 1; line <= 100_003; line += 1) host.output(`line ${line}`);
    host.note("still shown");
    log.done(makeResult());
  });
  expect(output.match(/^\[web1\] (?:line 10000\d|….*|still shown)$/gm)).toEqual([
    "[web1] line 100000",
    "[web1] … more lines of this host omitted …",
    "[web1] still shown",
  ]);
  expect(groupOf(output).slice(-2)).toEqual(["still shown", "… 3 more lines of this host omitted …"]);
});

describe("the progress of a run", () => {
  const names = Array.from({ length: 9 }, (_, index) => `web${index + 1}`);

  test("is a line whenever a host has ended a phase, with how many have", () => {
    const output = logged((log) => {
      log.begin(2);
      const [one, two] = [log.host(makeTarget()), log.host(makeTarget({ name: "db1" }))];
      one.phase("connect");
      two.phase("connect");
      two.ended();
      one.ended();
      two.phase("copy");
      two.ended("3 paths");
      log.done(makeResult({ name: "db1" }));
      log.end();
    });
    expect(output.replaceAll(/in [\d.]+ s/g, "in … s").match(/^\[\d.*/gm)).toEqual([
      "[1/2] db1: connected in … s",
      "[2/2] web1: connected in … s",
      "[1/2] db1: copied in … s (3 paths)",
      "[1/2] db1: deployed after 1.5 s",
    ]);
  });

  test("with many hosts is all that is not in a group", () => {
    const output = logged((log) => {
      log.begin(names.length);
      for (const name of names) {
        const host = log.host(makeTarget({ name }));
        host.phase("build");
        host.output(`a line of ${name}`);
        host.ended();
        log.done(makeResult({ name }));
      }
      log.end();
    });
    const outside = output.replaceAll(/^::group::[^]*?^::endgroup::$/gm, "");
    expect(outside).not.toContain("a line of");
    expect(outside.match(/^\[\d\/9\] web\d: built in/gm)).toHaveLength(9);
    for (const name of names) expect(output).toContain(`a line of ${name}`);
  });

  test("of a quiet build on 50 machines is less than 500 lines outside the groups, whatever the machines print", async () => {
    const many = Array.from({ length: 50 }, (_, index) => `web${index + 1}`);
    const output = await capturedAsync(async () => {
      const log = new WorkflowLog();
      const runLog = new WorkflowRunLog(log);
      const machines = many.map((name) => {
        const machine = new FakeMachine({ name, host: name });
        machine.trouble = {
          build: () => {
            for (let line = 0; line < 100; line += 1) runLog.host(machine.target).output(`building ${line}`);
          },
        };
        return machine;
      });
      await deployFleet(machines, makeRunSettings({ operation: "build" }), runLog);
      log.resume();
    });
    expect(output.match(/^building 99$/gm)).toHaveLength(50);
    expect(output.replaceAll(/^::group::[^]*?^::endgroup::$/gm, "").split("\n").length).toBeLessThan(500);
  });

  test("names a batch", () => {
    expect(logged((log) => log.batch(2, 3, names))).toContain("batch 2 of 3: web1, web2, web3, web4, web5 and 4 more\n");
  });

  test("is reported after a silence", () => {
    jest.useFakeTimers();
    try {
      const output = logged((log) => {
        log.begin(3);
        const [one, two, three] = [log.host(makeTarget()), log.host(makeTarget({ name: "db1" })), log.host(makeTarget({ name: "db2" }))];
        three.phase("connect");
        three.ended();
        one.phase("build");
        jest.advanceTimersByTime(3000);
        two.phase("copy");
        two.copying(() => ({ paths: 1, expectedPaths: 3, bytes: 4_404_019 }));
        jest.advanceTimersByTime(14_000);
        log.host(makeTarget()).note("before the silence is long");
        jest.advanceTimersByTime(29_000);
        log.end();
        jest.advanceTimersByTime(60_000);
      });
      expect(output.match(/^running for.*/gm)).toEqual(["running for 32 s: copying db1 (29 s, path 1 of 3, 4.2 MiB sent); building web1 (32 s)"]);
    } finally {
      jest.useRealTimers();
    }
  });

  test("is reported once a minute if one host prints and another is silent", () => {
    jest.useFakeTimers();
    try {
      const output = logged((log) => {
        log.begin(2);
        const [one, two] = [log.host(makeTarget()), log.host(makeTarget({ name: "db1" }))];
        one.phase("build");
        two.phase("build");
        for (let second = 0; second < 130; second += 1) {
          one.output("compiling");
          jest.advanceTimersByTime(1000);
        }
        log.end();
      });
      expect(output.match(/^running for.*/gm)).toEqual([
        "running for 1 min 0 s: building web1 (1 min 0 s), db1 (1 min 0 s)",
        "running for 2 min 0 s: building web1 (2 min 0 s), db1 (2 min 0 s)",
      ]);
    } finally {
      jest.useRealTimers();
    }
  });

  test("is not reported if no host is running", () => {
    jest.useFakeTimers();
    try {
      const output = logged((log) => {
        log.begin(1);
        const host = log.host(makeTarget());
        host.phase("build");
        host.ended();
        jest.advanceTimersByTime(300_000);
        log.end();
      });
      expect(output).not.toContain("at work");
    } finally {
      jest.useRealTimers();
    }
  });
});

test("a result that is corrected is counted once", () => {
  const output = logged((log) => {
    log.begin(2);
    log.done(makeResult({ status: "unchanged" }));
    log.done(makeResult({ name: "web2", status: "failed" }));
    log.done(makeResult({ status: "failed" }));
    log.end();
  });
  expect(output).toContain("[1/2] web1: unchanged");
  expect(output).toContain("[2/2] web2: failed");
  expect(output).toContain("[2/2] web1: failed");
  expect(output).not.toContain("[3/2]");
});

describe("runningHosts", () => {
  test("names the machines at work and their phase", () => {
    const log = new WorkflowRunLog(new WorkflowLog());
    captured(() => {
      expect(log.runningHosts()).toBe("No host was in progress.");
      log.host(makeTarget()).phase("build");
      log.host(makeTarget({ name: "db1" })).phase("activate");
      log.host(makeTarget({ name: "done" })).phase("build");
      log.done(makeResult({ name: "done" }));
    });
    expect(log.runningHosts()).toBe("Hosts in progress, with their phase:\nweb1: build\ndb1: activate (the activation is still running on the machine)");
  });
});
