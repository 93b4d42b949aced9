/**
 * `npm run check`: what can be judged without running the product. Each check prints one line, and
 * its findings when it fails.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { listFiles, ROOT } from "./source-files.ts";

export type CheckResult = {
  readonly name: string;
  readonly ok: boolean;
  readonly output: string;
  readonly durationMs: number;
};

type Check = { readonly name: string; readonly command: readonly string[] };

/** More would compete with each other for the processors of a small machine. */
const CONCURRENT_MAX = 2;

const bin = (name: string): string => join("node_modules/.bin", name);
const node = (...args: readonly string[]): readonly string[] => [process.execPath, ...args];

/** Slowest first, so that the last one does not run alone for long. */
const CHECKS: readonly Check[] = [
  { name: "generated files", command: node("tools/gen.ts", "--check") },
  { name: "lint", command: node(bin("oxlint"), "--max-warnings=0") },
  { name: "types of node code", command: node(bin("tsc"), "-p", "tsconfig.node.json") },
  { name: "types of browser code", command: node(bin("tsc"), "-p", "tsconfig.browser.json") },
  {
    name: "types of browser tests",
    command: node(bin("tsc"), "-p", "tsconfig.browser-tests.json"),
  },
  { name: "types of neutral code", command: node(bin("tsc"), "-p", "tsconfig.neutral.json") },
  { name: "format", command: node(bin("oxfmt"), "--check") },
  { name: "architecture", command: node("tools/check-architecture.ts") },
];

/** Runs all checks; `onEnd` hears of each as it ends. */
export async function runChecks(
  onEnd: (result: CheckResult) => void = () => {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const queue = CHECKS.values();
  const work = async (): Promise<void> => {
    for (const check of queue) {
      const result = await runCheck(check);
      results.push(result);
      onEnd(result);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_MAX }, work));
  return results;
}

function runCheck({ name, command }: Check): Promise<CheckResult> {
  const [file = "", ...args] = command;
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ name, ok: code === 0, output, durationMs: performance.now() - startedMs });
    });
  });
}

if (import.meta.main) {
  console.log(
    `${listFiles(ROOT, ["{libs,systems,apps,tools,test,bench}/**/*.{ts,tsx}"]).length} files`,
  );
  const results = await runChecks(({ name, ok, output, durationMs }) => {
    console.log(`${ok ? "ok    " : "FAILED"}  ${name} (${(durationMs / 1_000).toFixed(1)} s)`);
    if (!ok) console.log(output);
  });
  process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
}
