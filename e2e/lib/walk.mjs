// Walks journeys of several files in one process, so that they share the browsers:
//   node --test-reporter=spec lib/walk.mjs FILE...
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

for (const file of process.argv.slice(2)) await import(pathToFileURL(resolve(file)));
