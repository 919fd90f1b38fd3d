import type { ClosureDifference } from "../../../src/domain/closure-difference.js";
import { ownHostname, parseConfiguration, type Configuration } from "../../../src/domain/configuration.js";
import { makeFailure, renderFailure, type Failure } from "../../../src/domain/failure.js";
import type { Flake, SentFlake } from "../../../src/domain/flake.js";
import type { HostResult } from "../../../src/domain/result.js";
import { storePath, type StorePath } from "../../../src/domain/store-path.js";
import type { Target, TargetRequest } from "../../../src/domain/target.js";

/** A store path with this name; the same name gives the same path. */
export function makeStorePath(name: string): StorePath {
  return storePath(`/nix/store/0123456789abcdfghijklmnpqrsvwxyz-${name}`);
}

export const source = makeStorePath("source");

export const narHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

export function makeFlake(overrides: Partial<Flake> = {}): Flake {
  return {
    source,
    subdirectory: "",
    revision: undefined,
    revisionCount: undefined,
    lastModified: undefined,
    narHash,
    dirty: false,
    inputs: [],
    ...overrides,
  };
}

export const outer = makeStorePath("outer");

export function makeSentFlake(overrides: Partial<Flake> = {}): SentFlake {
  return { flake: makeFlake(overrides), outer, hive: false };
}

export function makeTarget(overrides: Partial<Target> = {}): Target {
  return {
    name: "web1",
    user: "root",
    host: "web1.example.org",
    port: 22,
    address: overrides.host ?? "web1.example.org",
    via: undefined,
    configuration: nixos("web1"),
    ...overrides,
  };
}

/** What a target says, with its configuration as it is written. */
export type WrittenRequest = Omit<TargetRequest, "configuration"> & { readonly configuration?: string | undefined };

export function makeRequest({ configuration, ...others }: WrittenRequest): TargetRequest {
  return { ...others, configuration: configuration === undefined ? ownHostname : parseConfiguration(configuration) };
}

/** An attribute of `nixosConfigurations`. */
export function nixos(name: string): Configuration {
  return { kind: "nixos", name };
}

/** A node of colmena's hive. */
export function hiveNode(name: string): Configuration {
  return { kind: "hive", name };
}

export function makeResult(overrides: Partial<HostResult> = {}): HostResult {
  return {
    name: "web1",
    target: "root@web1.example.org",
    configuration: "web1",
    status: "deployed",
    phase: "activate",
    systemPath: makeStorePath("new"),
    previousSystemPath: makeStorePath("old"),
    generation: 7,
    previousGeneration: 6,
    changed: true,
    exitCode: 0,
    failedUnits: [],
    seconds: 1.5,
    timeline: [],
    difference: undefined,
    plan: undefined,
    error: undefined,
    ...overrides,
  };
}

/** A failure of the phase connect, unless another is given. */
export function makeError(reason: string, parts: Partial<Failure> = {}): Failure {
  return makeFailure({ phase: "connect", reason, ...parts });
}

/** A result with its error as people read it. */
export type ReadableResult = Omit<HostResult, "error"> & { readonly error: string | undefined };

export function readable(result: HostResult): ReadableResult {
  return { ...result, error: result.error === undefined ? undefined : renderFailure(result.error) };
}

export function makeDifference(overrides: Partial<ClosureDifference> = {}): ClosureDifference {
  return { packages: [], rebuilt: 0, files: 0, bytes: 0, truncated: false, ...overrides };
}
