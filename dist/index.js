import { deploy, start } from "./action.js";

await start(deploy);
