import type { Writable } from "node:stream";

import type { CommandError } from "../domain/errors.js";
import type { Connection } from "../ssh/connection.js";
import type { AnswerReader } from "./answer.js";

// For a shell on the machine to end by itself.
const graceMilliseconds = 2000;

/** What sessions need of a connection; without an era it is always the same connection. */
export type SessionConnection = Pick<Connection, "run"> & { readonly era?: number };

/** One question in a session: the program, and what reads its answer. */
export type Question = {
  readonly text: string;
  readonly answer: AnswerReader;
  /** Nothing follows on standard input. */
  readonly isLast: boolean;
  /** The output goes to the log. */
  readonly isShown: boolean;
  /** Something was received. */
  readonly onReceived: () => void;
};

/** A session on the machine in which a shell reads one program after the other. */
export class Session {
  readonly command: string;
  readonly era: number | undefined;
  /** How the program has ended that is the session on this side. */
  readonly ended: Promise<{ readonly problem: unknown }>;
  readonly #own = new AbortController();
  #stdin: Writable | undefined;
  #isHeld = (): boolean => false;
  #isOpen = true;
  #hasAnswered = false;
  #question: Question | undefined;
  #onComplete: (() => void) | undefined;

  /** `opening` is what the shell reads first. */
  constructor(connection: SessionConnection, command: string, opening: string) {
    this.command = command;
    this.era = connection.era;
    this.ended = connection
      .run({
        command,
        stdin: opening,
        feed: (stdin) => (this.#stdin = stdin),
        onStart: (_, isHeld) => (this.#isHeld = isHeld),
        onStdout: (chunk) => this.#receive((answer) => answer.stdout(chunk)),
        onStderr: (chunk) => this.#receive((answer) => answer.stderr(chunk)),
        shown: () => this.#question?.isShown === true,
        signal: this.#own.signal,
      })
      .then(
        () => ({ problem: undefined }),
        (problem: CommandError) => ({ problem }),
      )
      .finally(() => (this.#isOpen = false));
  }

  /** Returns whether another question can be asked; the end of a session is known here a little later than it happens. */
  get isOpen(): boolean {
    return this.#isOpen && !this.#own.signal.aborted;
  }

  /** Returns whether a question was answered. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Returns whether output waits because the log is not read fast enough. */
  get isHeld(): boolean {
    return this.#isHeld();
  }

  get stdin(): Writable | undefined {
    return this.#stdin;
  }

  /** Sends a program and waits for the whole answer. Returns how the session has ended if it has, at the latest then. */
  async ask(question: Question): Promise<{ readonly problem: unknown } | undefined> {
    this.#question = question;
    const complete = new Promise<undefined>((resolve) => {
      this.#onComplete = () => resolve(undefined);
    });
    if (question.isLast) this.#stdin?.end(question.text);
    else this.#stdin?.write(question.text);
    const end = await Promise.race([complete, this.ended]);
    if (end === undefined) this.#hasAnswered = true;
    else question.answer.close();
    this.#question = undefined;
    return end;
  }

  /** Ends the program on this side, and with it the shell on the machine. */
  kill(): void {
    this.#own.abort();
  }

  /** Lets the shell on the machine end. */
  end(): void {
    this.#stdin?.end();
  }

  #receive(take: (answer: AnswerReader) => void): void {
    if (this.#question === undefined) return;
    const { answer, onReceived } = this.#question;
    onReceived();
    take(answer);
    if (answer.isComplete()) this.#onComplete?.();
  }
}

/**
 * The sessions over one connection. Those that are kept serve one question after the other: a question then takes one round trip
 * instead of three, and no new program on either side. A question that comes while all are busy gets another session. A session of an
 * earlier master is never used again, so that what goes over a fresh connection does.
 */
export class Sessions {
  readonly #connection: SessionConnection;
  #keeps: boolean;
  readonly #open = new Set<Session>();
  #idle: Session[] = [];

  constructor(connection: SessionConnection, keeps: boolean) {
    this.#connection = connection;
    this.#keeps = keeps;
  }

  /** Returns whether sessions are kept for the next question. */
  get keeps(): boolean {
    return this.#keeps;
  }

  get connection(): SessionConnection {
    return this.#connection;
  }

  /** Returns whether a session over the present connection waits for a question. */
  get hasIdle(): boolean {
    return this.#idle.some((session) => session.isOpen && session.era === this.#connection.era);
  }

  /** Opens a session, or takes one that is idle. */
  take(command: string, opening: string): Session {
    const { era } = this.#connection;
    for (const former of this.#idle) if (former.era !== era) former.kill();
    this.#idle = this.#idle.filter((session) => session.isOpen && session.era === era);
    const found = this.#idle.find((session) => session.command === command);
    if (found !== undefined) {
      this.#idle = this.#idle.filter((session) => session !== found);
      return found;
    }
    const opened = new Session(this.#connection, command, opening);
    this.#open.add(opened);
    void opened.ended.then(() => this.#open.delete(opened));
    return opened;
  }

  /** Takes back a session whose question was answered. */
  giveBack(session: Session): void {
    if (this.keeps && session.isOpen && session.era === this.#connection.era) this.#idle.push(session);
    else session.end();
  }

  /** Keeps no session from now on, and waits for the end of those that wait for a question. */
  async keepNone(): Promise<void> {
    this.#keeps = false;
    const idle = this.#idle;
    this.#idle = [];
    await Promise.all(idle.map(endSoon));
  }

  /** Ends the sessions that wait for a question. */
  rest(): void {
    for (const session of this.#idle) session.end();
    this.#idle = [];
  }

  /** Ends all sessions. */
  close(): void {
    this.#idle = [];
    for (const session of this.#open) session.kill();
  }
}

async function endSoon(session: Session): Promise<void> {
  session.end();
  const late = setTimeout(() => session.kill(), graceMilliseconds);
  await session.ended;
  clearTimeout(late);
}
