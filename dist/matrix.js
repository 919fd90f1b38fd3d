import { matrix, start } from "./action.js";

await start(matrix);
