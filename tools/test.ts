/**
 * `npm test`: every check and every test, or `npm test -- <paths>`: the tests of those paths.
 *
 * Files that start whole servers, or change what holds for their process, get one of their own; others
 * share (`test-groups.ts`). One Postgres serves the run.
 * Ends with one line, `N passed, N failed, N skipped`, and never hangs: a process that is silent for
 * too long, or that stays when its tests are over, is killed and counts as a failure.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { startPostgresServer, TEST_POSTGRES_VARIABLE } from "@atelier/testkit/postgres-server";
import { runChecks } from "./check.ts";
import { testGroups, type TestGroup } from "./test-groups.ts";
import type { TestReport } from "./test-reporter.ts";

/** What happened. Failures are sentences: which test, check or file, and in short why. */
type Outcome = { passed: number; skipped: number; readonly failures: string[] };

const ROOT = join(import.meta.dirname, "..");
const EVERYTHING = "{libs,systems,apps,tools,test,bench}/**/*.test.ts";
/** One more than processors, because tests also wait. Each may have a server and a browser in memory. */
const PROCESSES_MAX = Math.min(4, availableParallelism() + 1);
/** Several times what the longest needs: a machine that is slow or busy is no reason to fail. */
const TEST_MS_MAX = 240_000;
/** Longer than one test may take, also of those that ask for more time: nothing at all happens. */
const SILENCE_MS_MAX = 430_000;
/** From the end of a process' tests to its own end. Between two files, it is the time to load one. */
const EXIT_MS_MAX = 60_000;
/** One for all processes of a run and the servers they start: else each compiles the same files anew. */
const CODE_CACHE = join(ROOT, "dist/code-cache");

const running = new Set<ChildProcess>();

async function main(patterns: readonly string[]): Promise<number> {
  process.env["NODE_COMPILE_CACHE"] ??= CODE_CACHE;
  const outcome: Outcome = { passed: 0, skipped: 0, failures: [] };
  try {
    if (patterns.length === 0) await runAllChecks(outcome);
    await runTests(patterns, outcome);
  } catch (error) {
    outcome.failures.push("the run itself");
    console.log(error);
  }
  const { passed, skipped, failures } = outcome;
  for (const failure of failures) console.log(`FAILED  ${failure}`);
  console.log(`${passed} passed, ${failures.length} failed, ${skipped} skipped`);
  return failures.length > 0 || passed === 0 ? 1 : 0;
}

async function runAllChecks(outcome: Outcome): Promise<void> {
  await runChecks(({ name, ok, output }) => {
    if (ok) outcome.passed += 1;
    else outcome.failures.push(`check: ${name}`);
    console.log(`${ok ? "ok    " : "FAILED"}  check: ${name}`);
    if (!ok) console.log(output);
  });
}

async function runTests(patterns: readonly string[], outcome: Outcome): Promise<void> {
  const files = findTests(patterns.length === 0 ? [EVERYTHING] : patterns, outcome);
  const texts = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));
  const groups = testGroups(texts);

  await using resources = new AsyncDisposableStack();
  if (groups.some(({ isPure }) => !isPure)) {
    const { host, port, user, database } = resources.use(await startPostgresServer());
    process.env[TEST_POSTGRES_VARIABLE] = JSON.stringify({ host, port, user, database });
  }
  const queue = groups.values();
  const work = async (): Promise<void> => {
    for (const group of queue) await runGroup(group, outcome);
  };
  await Promise.all(Array.from({ length: PROCESSES_MAX }, work));
}

/** Paths from the root, sorted. A pattern may be a file, a directory or a glob. */
function findTests(patterns: readonly string[], outcome: Outcome): string[] {
  const files = new Set<string>();
  for (const pattern of patterns) {
    const isDirectory = existsSync(pattern) && statSync(pattern).isDirectory();
    const isOwn = pattern === EVERYTHING;
    const found = globSync(isDirectory ? join(pattern, "**/*.test.ts") : pattern, {
      ...(isOwn ? { cwd: ROOT } : {}),
      exclude: (path) => /(^|\/)(node_modules|dist)$/.test(path),
    });
    if (found.length === 0) outcome.failures.push(`${pattern}: no tests match`);
    for (const file of found) files.add(isOwn ? file : relative(ROOT, resolve(file)));
  }
  return [...files].toSorted();
}

/** Runs the files in one process. */
async function runGroup({ files, isPure }: TestGroup, outcome: Outcome): Promise<void> {
  const title = isPure && files.length > 1 ? `${files.length} pure files` : files.join(", ");
  const startedMs = performance.now();
  const child = spawn(process.execPath, [...TEST_FLAGS, ...files], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const own: Outcome = { passed: 0, skipped: 0, failures: [] };
  const trouble = await follow(child, own);
  running.delete(child);

  if (trouble !== null) own.failures.push(`${title}: ${trouble}`);
  else if (child.exitCode !== 0 && own.failures.length === 0) {
    own.failures.push(`${title}: the process ended with ${child.exitCode ?? child.signalCode}`);
  } else if (own.passed + own.failures.length + own.skipped === 0) {
    own.failures.push(`${title}: has no tests`);
  }
  const isOk = own.failures.length === 0;
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  console.log(`${isOk ? "ok    " : "FAILED"}  ${title} (${own.passed} passed, ${seconds} s)`);
  const told = isOk ? (output.match(TOLD_LINES) ?? []).join("") : output.replace(PASSED_LINES, "");
  if (told !== "") console.log(told);
  outcome.passed += own.passed;
  outcome.skipped += own.skipped;
  outcome.failures.push(...own.failures);
}

/** What tests themselves told by `diagnostic`, such as figures they measured. */
const TOLD_LINES = /^ *ℹ (?!(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ).*\n/gm;

/** What the readable report says about tests that passed, and its own sums. */
const PASSED_LINES = /^ *(✔ |ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ).*\n/gm;

const TEST_FLAGS = [
  "--test",
  "--test-isolation=none",
  `--test-timeout=${TEST_MS_MAX}`,
  "--test-reporter=spec",
  "--test-reporter-destination=stdout",
  `--test-reporter=${join(import.meta.dirname, "test-reporter.ts")}`,
  "--test-reporter-destination=stderr",
];

/** Waits for the end of a test process. Answers what was wrong with that end, or null. */
async function follow(child: ChildProcess, outcome: Outcome): Promise<string | null> {
  let killed: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  const killIn = (delayMs: number, reason: string): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      killed = reason;
      child.kill("SIGKILL");
    }, delayMs);
  };
  const silence = `nothing happened for ${SILENCE_MS_MAX / 1_000} s`;
  let unfinished = 0;
  let hasEnded = false;
  killIn(SILENCE_MS_MAX, silence);
  child.on("message", (message) => {
    const { kind, name, reason } = message as TestReport; // Only test-reporter.ts sends.
    if (kind === "begun") unfinished += 1;
    else if (kind === "over") unfinished -= 1;
    else if (kind === "ended") hasEnded = true;
    else if (kind === "failed") outcome.failures.push(name);
    else outcome[kind] += 1;
    if (kind === "skipped") console.log(`skipped ${name}: ${reason || "no reason given"}`);
    if (unfinished > 0) killIn(SILENCE_MS_MAX, silence);
    else killIn(EXIT_MS_MAX, "its tests are over, but it left something open and does not exit");
  });
  await once(child, "close");
  clearTimeout(timer);
  return killed ?? (hasEnded ? null : "the process ended before its tests were over");
}

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.on(signal, () => process.exit(code));
}
process.exitCode = await main(process.argv.slice(2));
