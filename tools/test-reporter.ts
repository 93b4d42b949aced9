/** Tells tools/test.ts what happens in a test process: one message for each test that is over. */
import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";

export type TestReport = {
  /** `begun` and `over` come once for each test and suite, `ended` when nothing more can come. */
  readonly kind: "begun" | "over" | "passed" | "failed" | "skipped" | "ended";
  /** With the file it is in. */
  readonly name: string;
  /** Of a skipped test: why. */
  readonly reason: string;
};

/** Prints nothing: the readable report is another reporter's. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  // Without the runner nobody waits for this process, and the run's Postgres is gone.
  process.on("disconnect", () => process.exit(1));
  process.channel?.unref();
  for await (const event of events) {
    const message = toReport(event);
    if (message !== null) process.send?.(message);
  }
  process.send?.(reportOf("ended"));
  // Nothing is open when this is heard, or it is not heard. What follows in the host, closing what it
  // has of its own, spins for ever now and then (seen in uv_run below Environment::CleanupHandles).
  process.once("exit", () => process.exit());
  yield "";
}

function toReport(event: TestEvent): TestReport | null {
  if (event.type === "test:enqueue") return reportOf("begun");
  if (event.type === "test:complete") return reportOf("over");
  if (event.type !== "test:pass" && event.type !== "test:fail") return null;
  const { skip, todo, details, file = "" } = event.data;
  const path = relative(process.cwd(), file);
  const isFile = event.data.name === path;
  const name = isFile ? path : `${path}: ${event.data.name}`;
  const mark = skip ?? todo;
  if (mark !== undefined && mark !== false) {
    return { kind: "skipped", name, reason: typeof mark === "string" ? mark : "" };
  }
  if (event.type === "test:fail") {
    // Its tests have been reported, and are what failed.
    const { failureType } = event.data.details.error as { failureType?: string };
    return failureType === "subtestsFailed" ? null : reportOf("failed", name);
  }
  // A file without tests counts as a test that passed, and a suite is only its tests.
  return isFile || details.type === "suite" ? null : reportOf("passed", name);
}

function reportOf(kind: TestReport["kind"], name = ""): TestReport {
  return { kind, name, reason: "" };
}
