import { describe, expect, test } from "@jest/globals";

import { masterCommand, sessionCommand } from "../../../src/ssh/commands.js";
import { targetFiles } from "../../../src/ssh/configuration.js";
import { makeTarget } from "../domain/make.js";

const files = { ...targetFiles("/tmp/x", 0), configured: true };

describe("the commands", () => {
  const target = makeTarget({ host: "2001:db8::7" });
  test("name the configuration first and end the options before the host", () => {
    expect(masterCommand(files, target, 30).args).toEqual([
      "-F",
      "/tmp/x/0.conf",
      "-o",
      "ControlMaster=yes",
      "-o",
      "ConnectTimeout=30",
      "-f",
      "-N",
      "--",
      "2001:db8::7",
    ]);
    expect(sessionCommand(files, target, "/bin/sh -s")).toEqual({ file: "ssh", args: ["-F", "/tmp/x/0.conf", "--", "2001:db8::7", "/bin/sh -s"] });
  });

  test("name the socket of a master that has taken the place of another", () => {
    const other = { ...files, socket: files.otherSocket, configured: false };
    const place = ["-F", "/tmp/x/0.conf", "-o", "ControlPath=/tmp/x/0.t"];
    expect(masterCommand(other, target, 30).args.slice(0, 4)).toEqual(place);
    expect(sessionCommand(other, target, "/bin/sh -s").args).toEqual([...place, "--", "2001:db8::7", "/bin/sh -s"]);
  });
});
