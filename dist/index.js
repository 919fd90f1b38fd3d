import { preventCoreDumps } from "./core-dumps.js";

const protectedMemory = preventCoreDumps();
const { deploy, start } = await import("./action.js");

await start(async () => await deploy(protectedMemory));
