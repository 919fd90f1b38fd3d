const wide = 110;
const colour = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;

/** What the demo prints: sections, lines, and checks that it counts. */
export class Page {
  failures = 0;
  #sections = 0;

  section(title: string): void {
    this.#sections += 1;
    const heading = `── ${this.#sections}. ${title} `;
    this.line();
    this.line(paint("1", heading + "─".repeat(Math.max(0, wide - heading.length))));
  }

  line(text = ""): void {
    process.stdout.write(`${text}\n`);
  }

  /** Lines behind a margin. */
  block(text: string): void {
    for (const line of text.trimEnd().split("\n")) this.line(`  │ ${line}`.trimEnd());
  }

  /** Two columns beside what they are about. */
  table(head: readonly [string, string, string], rows: readonly (readonly [string, string, string])[]): void {
    const width = (column: 0 | 1): number => Math.max(...[head, ...rows].map((row) => row[column].length)) + 2;
    const [first, second] = [width(0), width(1)];
    for (const row of [head, ...rows]) {
      const text = `  ${row[0].padEnd(first)}${row[1].padEnd(second)}${row[2]}`.trimEnd();
      this.line(row === head ? paint("1", text) : text);
    }
  }

  /** Something that must be so; what was found instead is told when it is not. */
  check(what: string, holds: boolean, found = ""): void {
    if (holds) {
      this.line(`  ${paint("32", "✓")} ${what}`);
      return;
    }
    this.failures += 1;
    this.line(`  ${paint("31", "✗ NOT SO:")} ${what}`);
    if (found !== "") this.block(found);
  }
}

function paint(code: string, text: string): string {
  return colour ? `\u001B[${code}m${text}\u001B[0m` : text;
}
