import { describe, expect, test } from "@jest/globals";

import { targetLine, targetsText, type MatrixMachine } from "../../../src/domain/matrix.js";
import { parseTargetList } from "../../../src/domain/target-list.js";
import { completeTargets, nameTargets, type TargetRequest } from "../../../src/domain/target.js";
import { makeRequest, type WrittenRequest } from "./make.js";

function machine(name: string, request: Partial<WrittenRequest> = {}): MatrixMachine {
  return { name, request: makeRequest({ host: name, configuration: name, ...request }), system: "x86_64-linux", tags: [] };
}

describe("targets", () => {
  test.each<[string, WrittenRequest]>([
    ["web1", { host: "web1" }],
    ["root@web1:2222#web", { host: "web1", user: "root", port: 2222, configuration: "web" }],
    ["[2001:db8::7]:22#db", { host: "2001:db8::7", port: 22, configuration: "db" }],
    ["a@b@[::1]#colmenaHive.nodes.x", { host: "::1", user: "a@b", configuration: "colmenaHive.nodes.x" }],
  ])("are lines: %s", (line, request) => {
    expect(targetLine(makeRequest(request))).toBe(line);
  });

  test.each<[string, readonly MatrixMachine[]]>([
    ["of a plain list", [machine("web1"), machine("db1", { host: "2001:db8::7", user: "deploy", port: 2222 })]],
    ["that begins with an IPv6 address", [machine("db1", { host: "2001:db8::7" }), machine("web1")]],
    ["of a hive", [machine("web1", { configuration: "colmenaHive.nodes.web1" })]],
    ["without a configuration", [machine("web1", { configuration: undefined })]],
    ["with names of their own", [machine("The first", { host: "web1", configuration: "web1" }), machine("web2")]],
    ["with one configuration for two", [machine("a", { configuration: "web" }), machine("b", { configuration: "web" })]],
    ["with options of ssh", [machine("web1", { sshOptions: ["ProxyJump bastion", "HostName 192.0.2.7"] }), machine("web2")]],
    ["that replace only what is known", [machine("web1", { replaceUnknown: false }), machine("web2")]],
    ["built in a place of their own", [machine("web1", { buildOn: "runner" }), machine("web2", { flakeBuildOn: "runner" })]],
  ])("%s are read by the main action as the same machines", (_, list) => {
    const { requests, problems } = parseTargetList(targetsText(list));
    expect(problems).toEqual([]);
    const defaults = { user: "root", port: 22 };
    expect(completeTargets(requests, defaults)).toEqual(
      list.map(({ name, request }) => ({
        ...defaults,
        address: request.sshOptions === undefined ? request.host : "192.0.2.7",
        via: request.sshOptions === undefined ? undefined : "bastion",
        ...defined(request),
        name,
      })),
    );
    expect(nameTargets(requests, 22).map(({ buildOn, flakeBuildOn }) => [buildOn, flakeBuildOn])).toEqual(
      list.map(({ request: { buildOn, flakeBuildOn } }) => [buildOn, flakeBuildOn]),
    );
  });

  /** What is left in a `Target`. */
  function defined(request: TargetRequest): object {
    return Object.fromEntries(Object.entries(request).filter(([name, value]) => value !== undefined && !/buildOn/i.test(name)));
  }
});
