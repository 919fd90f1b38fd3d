import { describe, expect, test } from "@jest/globals";

import { ownHostname } from "../../../src/domain/configuration.js";
import { checkHost, checkPort, checkTarget, checkUser, completeTargets, renderTarget, parseTarget, type Target } from "../../../src/domain/target.js";
import { makeRequest, nixos, type WrittenRequest } from "./make.js";

const defaults = { user: "root", port: 22 };

describe("parseTarget", () => {
  test.each<[string, WrittenRequest]>([
    ["web1", { host: "web1" }],
    ["root@web1.example.org#web1", { user: "root", host: "web1.example.org", configuration: "web1" }],
    ["web1:2222", { host: "web1", port: 2222 }],
    ["192.0.2.7:22#db", { host: "192.0.2.7", port: 22, configuration: "db" }],
    ["deploy@[2001:db8::7]:2222#db1", { user: "deploy", host: "2001:db8::7", port: 2222, configuration: "db1" }],
    ["[::1]", { host: "::1" }],
    ["[fe80::1%eth0]:22", { host: "fe80::1%eth0", port: 22 }],
    ["[::ffff:192.0.2.7]", { host: "::ffff:192.0.2.7" }],
    ["web1#nodes.web1.example.org", { host: "web1", configuration: "nodes.web1.example.org" }],
    ["user@realm@web1", { user: "user@realm", host: "web1" }],
    ["first.last+x-y_z@web1", { user: "first.last+x-y_z", host: "web1" }],
    ["web_1", { host: "web_1" }],
    ["a".repeat(253), { host: "a".repeat(253) }],
    ["web1:65535", { host: "web1", port: 65_535 }],
  ])("reads %s", (text, expected) => {
    expect(parseTarget(text)).toEqual({ user: undefined, port: undefined, ...makeRequest(expected) });
  });

  test.each([
    ["", "its host is empty"],
    ["root@", "its host is empty"],
    [":22", "its host is empty"],
    ["#web1", "its host is empty"],
    ["-oProxyCommand=id", "its host starts with -, which ssh would read as an option"],
    ["root@-web1", "its host starts with -, which ssh would read as an option"],
    ["web 1", "its host contains white space or control characters"],
    ["web\t1", "its host contains white space or control characters"],
    ["web\u00a01", "its host contains white space or control characters"],
    ["web\u20281", "its host contains white space or control characters"],
    ["web\n1", "its host contains white space or control characters"],
    ["web\r1", "its host contains white space or control characters"],
    ["web\0", "its host contains white space or control characters"],
    ["web\u001b[31m", "its brackets must enclose the whole host"],
    ["web\u001b", "its host contains white space or control characters"],
    ["web\u202e1", "its host contains white space or control characters"],
    ["web;id", "its host contains characters other than letters, digits and _ . -"],
    ["$(id)", "its host contains characters other than letters, digits and _ . -"],
    ["`id`", "its host contains characters other than letters, digits and _ . -"],
    ["web'", "its host contains characters other than letters, digits and _ . -"],
    ["web%h", "its host contains characters other than letters, digits and _ . -"],
    ["web*", "its host contains characters other than letters, digits and _ . -"],
    ["web,db", "contains a comma; write one target per line"],
    ["wéb", "its host contains characters other than letters, digits and _ . -"],
    ["a".repeat(254), "its host contains characters other than letters, digits and _ . -"],
    ["[2001:db8::g]", "its host is not an IPv6 address"],
    ["[::1%$(id)]", "its host is not an IPv6 address"],
    ["[web1]", "only an IPv6 address may be in brackets"],
    ["[192.0.2.7]:22", "only an IPv6 address may be in brackets"],
    ["[]", "only an IPv6 address may be in brackets"],
    ["[::1]x", "its brackets must enclose the whole host"],
    ["[::1", "its brackets must enclose the whole host"],
    ["::1]", "its brackets must enclose the whole host"],
    ["2001:db8::7", "an IPv6 address must be in brackets, for example [2001:db8::7]:2222"],
    ["2001:db8::7:22", "an IPv6 address must be in brackets, for example [2001:db8::7]:2222"],
    ["web1:", "its port is not a number from 1 to 65535"],
    ["web1:0", "its port is not a number from 1 to 65535"],
    ["web1:65536", "its port is not a number from 1 to 65535"],
    ["web1:ssh", "its port is not a number from 1 to 65535"],
    ["web1:+22", "its port is not a number from 1 to 65535"],
    ["web1:2e1", "its port is not a number from 1 to 65535"],
    ["[::1]:", "its port is not a number from 1 to 65535"],
    ["@web1", "its user is not a valid user name (letters, digits and _ . @ + -, not starting with -)"],
    ["-l@web1", "its user is not a valid user name (letters, digits and _ . @ + -, not starting with -)"],
    ["a b@web1", "its user is not a valid user name (letters, digits and _ . @ + -, not starting with -)"],
    ["$(id)@web1", "its user is not a valid user name (letters, digits and _ . @ + -, not starting with -)"],
    ["a\n@web1", "its user is not a valid user name (letters, digits and _ . @ + -, not starting with -)"],
    ["ssh://root@web1", "is a URL; write it without ssh://"],
    ["ssh-ng://root@web1:22#web1", "is a URL; write it without ssh-ng://"],
    ["root@web1,root@web2", "contains a comma; write one target per line"],
    ["web1#web1, web2#web2", "contains a comma; write one target per line"],
    ["web1#", "its configuration is not a valid attribute name (letters, digits and _ . + ' -, without quotes)"],
    ['web1#"web1"', "its configuration is not a valid attribute name (letters, digits and _ . + ' -, without quotes)"],
    ["web1#-x", "its configuration is not a valid attribute name (letters, digits and _ . + ' -, without quotes)"],
    ["web1#a b", "its configuration is not a valid attribute name (letters, digits and _ . + ' -, without quotes)"],
    ["web1#a#b", "its configuration is not a valid attribute name (letters, digits and _ . + ' -, without quotes)"],
    ["web1#a\n", "its configuration is not a valid attribute name (letters, digits and _ . + ' -, without quotes)"],
    ["web1#${x}", "its configuration is not a valid attribute name (letters, digits and _ . + ' -, without quotes)"],
  ])("refuses %j: %s", (text, message) => {
    expect(() => parseTarget(text)).toThrow(new Error(message));
  });
});

describe("the checks of single parts", () => {
  test("a line end at the very end counts as one", () => {
    expect(() => checkUser("root\n")).toThrow("is not a valid user name");
    expect(() => checkHost("web1\n")).toThrow("white space or control characters");
    expect(() => checkHost("::1\n")).toThrow("white space or control characters");
  });

  test.each([1.5, -1, Number.NaN, Number.POSITIVE_INFINITY, 0, 65_536])("no port is %d", (port) => {
    expect(() => checkPort(port)).toThrow("its port is not a number from 1 to 65535");
  });

  test.each(["", " web", "a\tb", "a\u001b[0m", "x".repeat(101)])("no name is %j", (name) => {
    expect(() => checkTarget(makeRequest({ host: "web1", name }))).toThrow("its name is empty, longer than 100 characters, or contains control characters");
  });

  test("a name may hold blanks and any letters", () => {
    const request = makeRequest({ host: "web1", name: "Wéb Server 1" });
    expect(checkTarget(request)).toBe(request);
  });
});

test("a host that is a URL is refused in an object, too", () => {
  expect(() => checkTarget(makeRequest({ host: "ssh://web1" }))).toThrow("is a URL; write it without ssh://");
});

describe("renderTarget", () => {
  const target = { name: "x", user: "root", host: "web1", port: 22, address: "web1", via: undefined, configuration: ownHostname };
  test.each([
    [target, "root@web1"],
    [{ ...target, port: 2222 }, "root@web1:2222"],
    [{ ...target, host: "2001:db8::7" }, "root@[2001:db8::7]"],
    [{ ...target, host: "2001:db8::7", port: 2222 }, "root@[2001:db8::7]:2222"],
  ])("shows %j as %s", (shown, expected) => {
    expect(renderTarget(shown)).toBe(expected);
  });
});

describe("completeTargets", () => {
  const complete = (requests: readonly WrittenRequest[], own = defaults): Target[] => completeTargets(requests.map(makeRequest), own);
  const namesOf = (requests: readonly WrittenRequest[]): string[] => complete(requests).map(({ name }) => name);

  test("fills in user and port and keeps those that are written", () => {
    expect(complete([{ host: "a" }, { host: "b", user: "deploy", port: 2222, configuration: "db", name: "the db" }], { user: "admin", port: 23 })).toEqual([
      { name: "a", user: "admin", host: "a", port: 23, address: "a", via: undefined, configuration: ownHostname },
      { name: "the db", user: "deploy", host: "b", port: 2222, address: "b", via: undefined, configuration: nixos("db") },
    ]);
  });

  test("names a machine by its name, else its configuration, else its host", () => {
    expect(namesOf([{ host: "a", configuration: "x", name: "n" }, { host: "b", configuration: "y" }, { host: "c" }])).toEqual(["n", "y", "c"]);
  });

  test("names machines of one configuration by their places", () => {
    expect(namesOf([{ host: "a", configuration: "x" }, { host: "b", port: 23, configuration: "x" }, { host: "c" }])).toEqual(["a", "b:23", "c"]);
  });

  test("names two ports of one host apart", () => {
    expect(namesOf([{ host: "a" }, { host: "a", port: 23 }])).toEqual(["a", "a:23"]);
  });

  test.each<[string, readonly WrittenRequest[], string]>([
    ["twice", [{ host: "web1" }, { host: "web1" }], "web1 port 22"],
    [
      "twice with different users",
      [
        { host: "web1", user: "a" },
        { host: "web1", user: "b" },
      ],
      "web1 port 22",
    ],
    [
      "twice with different configurations",
      [
        { host: "web1", configuration: "a" },
        { host: "web1", configuration: "b" },
      ],
      "web1 port 22",
    ],
    ["twice in other letters", [{ host: "WEB1" }, { host: "web1" }], "web1 port 22"],
    ["twice where one says the default port", [{ host: "web1", port: 22 }, { host: "web1" }], "web1 port 22"],
    ["twice by IPv6", [{ host: "2001:DB8::7" }, { host: "2001:db8::7" }], "2001:db8::7 port 22"],
  ])("refuses a machine that is listed %s", (_, requests, place) => {
    expect(() => complete(requests)).toThrow(new Error(`${place} is listed twice; one run can deploy only one configuration per machine`));
  });

  test("refuses two machines that would have the same name", () => {
    expect(() =>
      complete([
        { host: "a", name: "b" },
        { host: "c", name: "a" },
        { host: "d", name: "b" },
      ]),
    ).toThrow(new Error("two targets are named a; give each a unique name"));
  });
});
