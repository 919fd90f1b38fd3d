import { run } from "../../../../src/entry/deploy.js";
import { start } from "../../../../src/entry/start.js";

// Starts the action from the modules that tsc emits: a bundle has none in which `listen.ts` could replace one.

await start(run);
