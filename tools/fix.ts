/** `npm run fix`: everything that a machine can repair: generated files, lint with a safe fix, format. */
import { spawnSync } from "node:child_process";
import { ROOT } from "./source-files.ts";

const STEPS: readonly (readonly [name: string, ...args: readonly string[]])[] = [
  ["generated files", "tools/gen.ts"],
  ["lint", "node_modules/.bin/oxlint", "--fix"],
  ["format", "node_modules/.bin/oxfmt"],
];

for (const [name, ...args] of STEPS) {
  console.log(`fix ${name}`);
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  // Lint reports what is left for a person: the other steps still help.
  if (status !== 0) process.exitCode = 1;
}
