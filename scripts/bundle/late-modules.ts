import { isBuiltin } from "node:module";

// Loads a module of Node when something of it is read for the first time.
const late = `const late = (name) => {
  let loaded;
  return new Proxy({}, { get: (_, key) => (loaded ??= process.getBuiltinModule(name))[key] });
};
`;

const imported = /^import \{ createRequire as (\w+) \} from "module";\n/;

/**
 * Makes a bundle load each module of Node when it is used, instead of all at the beginning: half of them are used only later or on
 * failures, and they take as long as a third of the start of Node. Throws for a bundle in another form than that of ncc 0.45.0:
 *
 *     import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
 *     const external_os_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("os");
 */
export function loadLate(bundled: string): string {
  const name = imported.exec(bundled)?.[1];
  if (name === undefined) throw new Error("the bundle does not begin with the import of createRequire");
  const replaced = bundled
    .replace(imported, () => late)
    .replaceAll(new RegExp(`= ${name}\\(import\\.meta\\.url\\)\\("([^"]+)"\\);$`, "gm"), (_, module: string) => {
      if (!isBuiltin(module)) throw new Error(`${module} is not a module of Node`);
      return `= late("${module}");`;
    });
  if (replaced.includes(name)) throw new Error(`the bundle uses ${name} in another way`);
  return replaced;
}
