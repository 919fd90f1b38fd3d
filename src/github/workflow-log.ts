import { randomUUID } from "node:crypto";

import * as core from "@actions/core";

import type { Annotation } from "../report/annotations.js";
import { printable } from "../report/printable.js";
import { troubleshootingLinks, type LinkTo } from "../report/troubleshooting.js";
import { hidesAnnotations } from "./runner-kind.js";

export type Level = "error" | "warning" | "notice";

/**
 * The step's log. GitHub's runner executes workflow commands in any line, including output of machines and Nix: every line is
 * written while commands are stopped, under a random token.
 */
export class WorkflowLog {
  /** Where to read about a topic. */
  readonly linkTo: LinkTo;
  #token: string | undefined;
  readonly #hidesAnnotations: boolean;

  constructor(environment: Readonly<Record<string, string | undefined>> = process.env) {
    this.linkTo = troubleshootingLinks(environment);
    this.#hidesAnnotations = hidesAnnotations(environment);
  }

  /** Writes one line, in which workflow commands are not executed. */
  line(text: string): void {
    if (this.#token === undefined) {
      this.#token = randomUUID();
      write(`::stop-commands::${this.#token}`);
    }
    write(printable(text));
  }

  /** Writes lines that are folded under a title. */
  group(title: string, lines: Iterable<string>): void {
    this.resume();
    core.startGroup(printable(title));
    for (const line of lines) this.line(line);
    this.resume();
    core.endGroup();
  }

  /** Writes an annotation, which the workflow's page shows; as plain lines too if the runner shows none. */
  annotate(level: Level, title: string, message: string): void {
    if (this.#hidesAnnotations) for (const line of `${level}: ${title}\n${message}`.split("\n")) this.line(line);
    this.resume();
    core[level](message.split("\n").map(printable).join("\n"), { title: printable(title) });
  }

  /** Writes several annotations of one level. */
  annotateAll(level: Level, annotations: Iterable<Annotation>): void {
    for (const { title, message } of annotations) this.annotate(level, title, message);
  }

  /** Waits until the runner has taken every line: what is still buffered is lost when the process exits. */
  async written(): Promise<void> {
    await new Promise<void>((resolve) => {
      process.stdout.write("", () => resolve());
    });
  }

  /** Resumes workflow commands. */
  resume(): void {
    if (this.#token === undefined) return;
    write(`::${this.#token}::`);
    this.#token = undefined;
  }
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
