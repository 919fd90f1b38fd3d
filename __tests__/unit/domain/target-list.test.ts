import { describe, expect, test } from "@jest/globals";

import { nixos } from "./make.js";
import { ownHostname } from "../../../src/domain/configuration.js";
import { parseTargetList } from "../../../src/domain/target-list.js";

const accepted = "expected [user@]host[:port][#configuration], with an IPv6 address in brackets";

describe("a list of lines", () => {
  test("passes over empty lines and comments, with every kind of line end", () => {
    const { requests, problems } = parseTargetList("\n# the web\r\n  root@web1#web1  \r\rweb2\n\n   # more\n[2001:db8::7]:2222\n");
    expect(problems).toEqual([]);
    expect(requests.map(({ host, port }) => [host, port])).toEqual([
      ["web1", undefined],
      ["web2", undefined],
      ["2001:db8::7", 2222],
    ]);
  });

  test("may begin with the bracket of an IPv6 address", () => {
    expect(parseTargetList("[::1]:2222\nweb1").requests.map(({ host }) => host)).toEqual(["::1", "web1"]);
    expect(parseTargetList("[fe80::1%eth0]#a").requests.map(({ host }) => host)).toEqual(["fe80::1%eth0"]);
  });

  test("is empty where there is none", () => {
    for (const text of ["", " \n\t\n", "# none"]) expect(parseTargetList(text)).toMatchObject({ requests: [], problems: [] });
  });

  test("names every bad line by its number", () => {
    const { requests, problems } = parseTargetList("# machines\nweb1\n-x\nweb2:99999");
    expect(requests).toHaveLength(1);
    expect(problems).toEqual([
      `line 3 ("-x"): its host starts with -, which ssh would read as an option; ${accepted}`,
      `line 4 ("web2:99999"): its port is not a number from 1 to 65535; ${accepted}`,
    ]);
  });

  test("counts lines as the workflow file does, blanks at the beginning included", () => {
    expect(parseTargetList("\n\n-x").problems[0]).toMatch(/^line 3 /);
  });

  test("shows control characters escaped, and a long line cut", () => {
    expect(parseTargetList("a\u001b;b").problems[0]).toContain(String.raw`"a\u001b;b"`);
    expect(parseTargetList("x ".repeat(500)).problems[0]?.length).toBeLessThan(400);
  });
});

describe("a JSON array", () => {
  test("holds texts and objects", () => {
    const { requests, problems } = parseTargetList(
      JSON.stringify([
        "root@web1#web1",
        { host: "[2001:db8::7]", port: 2222, user: "deploy", configuration: "db", name: "the db" },
        { host: "web2", port: "23", user: null },
      ]),
    );
    expect(problems).toEqual([]);
    expect(parseTargetList('[{"host":"web1","build-on":"runner"}]').requests).toMatchObject([{ host: "web1", buildOn: "runner" }]);
    expect(requests).toEqual([
      { user: "root", host: "web1", port: undefined, configuration: nixos("web1") },
      { host: "2001:db8::7", port: 2222, user: "deploy", configuration: nixos("db"), name: "the db" },
      { host: "web2", port: 23, user: undefined, configuration: ownHostname, name: undefined },
    ]);
  });

  test("may span many lines, and may be empty", () => {
    expect(parseTargetList('[\n  "web1",\n  "web2"\n]').requests).toHaveLength(2);
    expect(parseTargetList("[]")).toMatchObject({ requests: [], problems: [] });
  });

  test.each<[unknown, string]>([
    [1, "is neither a string nor an object"],
    [null, "is neither a string nor an object"],
    [["web1"], "is neither a string nor an object"],
    [
      { host: "web1", hots: "x" },
      'has an unknown field "hots"; allowed fields are host, user, port, configuration, name, build-on, ssh-options, replace-unknown-profiles, flake-build-on',
    ],
    [{ host: "web1", "build-on": "moon" }, "its build-on is not one of auto, target, runner"],
    [{ host: "web1", "replace-unknown-profiles": "no" }, "its replace-unknown-profiles is not true or false"],
    [{ host: "web1", "ssh-options": "ProxyJump x" }, "its ssh-options is not a list of strings"],
    [{ host: "web1", "ssh-options": ["LocalForward 1 a:1"] }, "its ssh-options: LocalForward is not allowed: the action forwards nothing"],
    [{ host: "web1", "flake-build-on": "moon" }, "its flake-build-on is not one of auto, target, runner"],
    [{}, "has no host"],
    [{ host: null }, "has no host"],
    [{ host: 7 }, "its host is not a string"],
    [{ host: "web1", user: 7 }, "its user is not a string"],
    [{ host: "web1", configuration: true }, "its configuration is not a string"],
    [{ host: "web1", name: [] }, "its name is not a string"],
    [{ host: "web1", port: true }, "its port is not a number from 1 to 65535"],
    [{ host: "web1", port: "" }, "its port is not a number from 1 to 65535"],
    [{ host: "web1", port: "0x16" }, "its port is not a number from 1 to 65535"],
    [{ host: "web1", port: 1.5 }, "its port is not a number from 1 to 65535"],
    [{ host: "-web1" }, "its host starts with -, which ssh would read as an option"],
    [{ host: "web1:22" }, "its host is not an IPv6 address"],
    [{ host: "[web1]" }, "its host contains characters other than letters, digits and _ . -"],
    [{ host: "web1", name: "" }, "its name is empty, longer than 100 characters, or contains control characters"],
  ])("refuses the entry %j: %s", (entry, message) => {
    const { requests, problems } = parseTargetList(JSON.stringify(["web0", entry]));
    expect(requests).toHaveLength(1);
    expect(problems).toEqual([`entry 2 (${JSON.stringify(entry)}): ${message}; ${accepted}`]);
  });

  test("that is broken is one problem", () => {
    const { requests, problems } = parseTargetList('["web1",');
    expect(requests).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^is not valid JSON \(.+\); expected one target per line \(.+\), or a JSON array of such strings or of objects/);
  });

  test("an object gives no way around the fields, not even __proto__", () => {
    expect(parseTargetList('[{"__proto__": {"host": "web1"}}]').problems[0]).toMatch(/unknown field "__proto__"|has no host/);
  });
});

test("a single JSON object is refused with the accepted forms", () => {
  const { problems } = parseTargetList('{"host": "web1"}');
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain("expected");
});
