/** What the generators promise, on small inputs. That their output is current is a check of its own. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempDisposableSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ENDPOINTS } from "@atelier/contract/http/endpoints";
import { renderApiReference } from "./gen-api.ts";
import { CHECKSUMS_FILE, renderChecksums } from "./gen-checksums.ts";
import { metricsIn } from "./gen-metrics.ts";
import { replaceSection } from "./markdown.ts";

test("a migration that was listed can be joined by others, but neither change nor go", () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), "checksums-"));
  const migration = (name: string): string => join(folder.path, "libs/database/migrations", name);
  mkdirSync(migration(""), { recursive: true });
  writeFileSync(migration("0001_a.sql"), "create table a ();");
  writeFileSync(join(folder.path, CHECKSUMS_FILE), renderChecksums(folder.path));

  writeFileSync(migration("0002_b.sql"), "create table b ();");
  assert.deepEqual(Object.keys(JSON.parse(renderChecksums(folder.path))), [
    "0001_a.sql",
    "0002_b.sql",
  ]);
  writeFileSync(migration("0001_a.sql"), "create table a2 ();");
  assert.throws(() => renderChecksums(folder.path), /0001_a\.sql has changed/);
  rmSync(migration("0002_b.sql"));
  rmSync(migration("0001_a.sql"));
  assert.throws(() => renderChecksums(folder.path), /0001_a\.sql has gone/);
});

test("metrics are read from the calls that make them", () => {
  const source = `
    const LABELS = ["provider", "route"] as const;
    // metrics.counter("not_this_total", "A comment.", [])
    metrics.counter("a_total", "Counts " +
      "things.", LABELS);
    metrics.histogram("b_seconds", "Time.", ["status"], [1, 2]);`;
  assert.deepEqual(metricsIn(source, "x.ts"), [
    {
      name: "a_total",
      kind: "counter",
      help: "Counts things.",
      labels: ["provider", "route"],
      file: "x.ts",
    },
    { name: "b_seconds", kind: "histogram", help: "Time.", labels: ["status"], file: "x.ts" },
  ]);
});

test("a metric that cannot be read is an error, not a gap", () => {
  assert.throws(() => metricsIn("metrics.gauge(name, help, []);", "x.ts"), /x\.ts: write a metric/);
});

test("the API reference names every endpoint", () => {
  const reference = renderApiReference();
  for (const { method, path } of ENDPOINTS) assert.ok(reference.includes(`\`${method} ${path}\``));
});

test("a section is replaced between its markers and nowhere else", () => {
  const before = "a\n<!-- x: npm run gen -->\nold\n<!-- end of x -->\nb";
  const after = "a\n<!-- x: npm run gen -->\n\nnew\n\n<!-- end of x -->\nb";
  assert.equal(replaceSection(before, "x", "new"), after);
  assert.equal(replaceSection(after, "x", "new"), after);
  assert.throws(() => replaceSection("a", "x", "new"), /markers/);
});
