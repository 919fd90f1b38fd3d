import { describe, expect, test } from "@jest/globals";

import { AnswerReader } from "../../../src/nixos/answer.js";

const nonce = "0123456789abcdef";

/** Reads an answer that comes in these pieces. */
function read(stdout: readonly string[], stderr = `end ${nonce} 0\n`) {
  const output: string[] = [];
  const answer = new AnswerReader(nonce, (bytes) => output.push(bytes.toString()));
  for (const piece of stdout) answer.stdout(Buffer.from(piece));
  answer.stderr(Buffer.from(stderr));
  return { answer, output: output.join("") };
}

describe("the answer of a script", () => {
  test.each([
    ["with a last line end", "one\ntwo\n"],
    ["without one", "one\ntwo"],
    ["that is empty", ""],
    ["with what looks like the end", `x\nend ${nonce.slice(1)} 0\nend \n`],
    ["that ends with what looks like its end", `x\nend ${nonce}`],
  ])("%s is what is between its marks, however it is cut", (_, text) => {
    const whole = `Welcome\nbegin ${nonce}\n${text}end ${nonce} 0\n`;
    for (const size of [1, 2, 7, 1000]) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_unused, index) => whole.slice(index * size, (index + 1) * size));
      const { answer, output } = read(pieces);
      expect({ output, complete: answer.isComplete(), code: answer.exitCode() }).toEqual({ output: text, complete: true, code: 0 });
    }
  });

  test("is not complete before both streams have ended", () => {
    expect(read([`begin ${nonce}\nxend ${nonce} 0\n`], "").answer.isComplete()).toBe(false);
    expect(read([`begin ${nonce}\nx`]).answer.isComplete()).toBe(false);
    expect(read([`begin ${nonce}\nxend ${nonce} 0`]).answer.isComplete()).toBe(false);
  });

  test("is passed on as it comes, except what may be its end", () => {
    expect(read([`begin ${nonce}\nprogress 10 %`]).output).toBe("progress 10 %");
    expect(read([`begin ${nonce}\nactivating\n`]).output).toBe("activating\n");
    expect(read([`begin ${nonce}\nx\nend `]).output).toBe("x\n");
  });

  test("is complete if the shell ends without its last mark", () => {
    const output: string[] = [];
    const answer = new AnswerReader(nonce, (bytes) => output.push(bytes.toString()));
    answer.stdout(Buffer.from(`begin ${nonce}\nx\nend`));
    answer.close();
    expect(output.join("")).toBe("x\nend");
  });

  test("has its exit code and its messages from standard error", () => {
    const { answer } = read([], `careful\nend ${nonce} 17\n`);
    expect([answer.exitCode(), answer.errorText()]).toEqual([17, "careful\n"]);
    expect(answer.instead()).toBe("");
  });

  test("has an end, too, where its last message does not end the line", () => {
    const { answer } = read([`begin ${nonce}\nend ${nonce} 17\n`], `careful: end of filesend ${nonce} 17\n`);
    expect([answer.isComplete(), answer.exitCode(), answer.errorText()]).toEqual([true, 17, "careful: end of files"]);
  });

  test("of another command is kept apart from that of the script", () => {
    expect(read(["only backups here\n"], "").answer.instead()).toBe("only backups here\n");
    expect(read([`begin ${nonce}\n`], "").answer.instead()).toBeUndefined();
  });
});
