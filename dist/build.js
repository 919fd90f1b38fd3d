import { build, start } from "./action.js";

await start(build);
