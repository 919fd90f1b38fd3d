import { spawnSync } from "node:child_process";

import { entries, field } from "../../src/domain/json.js";

/** Makes the software bill of materials of what `dist/` is built from, as CycloneDX JSON. `directory` has a clean `node_modules`. */
export function makeSbom(directory: string): string {
  const { status, stdout, stderr } = spawnSync("npm", ["sbom", "--sbom-format=cyclonedx", "--omit=dev"], { cwd: directory, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm sbom exited with ${status}: ${stderr}`);
  return stdout;
}

/** Checks that a bill of materials names the project's version, and each of its dependencies with the version of `package.json`. */
export function sbomProblems(sbom: string, manifest: unknown): string[] {
  const bill: unknown = JSON.parse(sbom);
  const problems = field(bill, "bomFormat") === "CycloneDX" ? [] : ["the SBOM is not in CycloneDX format"];
  const version = field(bill, "metadata", "component", "version");
  if (version !== field(manifest, "version"))
    problems.push(`the SBOM is for version ${String(version)}, package.json has ${String(field(manifest, "version"))}`);
  const components = field(bill, "components");
  const listed = (Array.isArray(components) ? components : []).map(
    (component: unknown) => `${String(field(component, "name"))}@${String(field(component, "version"))}`,
  );
  for (const [name, wanted] of entries(field(manifest, "dependencies"))) {
    // npm lists a package of this repository by the name of its directory, with a version of its own.
    const [, directory] = /^file:(?:.*\/)?([^/]+)$/.exec(String(wanted)) ?? [];
    const found = directory === undefined ? listed.includes(`${name}@${String(wanted)}`) : listed.some((component) => component.startsWith(`${directory}@`));
    if (!found) problems.push(`the SBOM does not list ${name} ${String(wanted)}`);
  }
  return problems;
}
