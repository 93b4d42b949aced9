/** Plants one violation of each rule in a small repository and expects exactly it to be reported. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import * as architecture from "./architecture.ts";
import { type Architecture, checkArchitecture } from "./check-architecture.ts";
import { ROOT } from "./source-files.ts";

const RULES: Architecture = {
  LIBS: {
    base: { world: "neutral", uses: [] },
    database: { world: "node", uses: ["base"] },
    testkit: { world: "node", uses: ["base"] },
  },
  SYSTEMS: { gateway: ["base"], plane: ["base", "database"] },
  APPS: { server: ["base", "gateway", "plane"], pages: ["base", "database"] },
  BROWSER_APPS: ["pages"],
  ROOMS: { gateway: { keys: [], relay: ["keys"] }, plane: { users: [], audit: ["users"] } },
  ROLES: architecture.ROLES,
  TABLES: {
    users: { owner: "users", readers: ["audit"] },
    audit_events: { owner: "audit", readers: [] },
  },
  HOT_PATH: {
    places: ["systems/gateway/src/**/*.ts"],
    exceptions: { "systems/gateway/src/keys/key-note.ts": { "whole JSON": "a short one" } },
  },
};

const MANIFEST = JSON.stringify({ dependencies: { zod: "4" } });

/** A repository without a problem. */
const SOUND: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ devDependencies: { "fast-check": "4" } }),
  "libs/base/package.json": "{}",
  "libs/base/src/clock.ts": "export type Clock = unknown;",
  "libs/database/package.json": "{}",
  "libs/database/src/pool.ts": 'import { x } from "node:net";\nimport "@atelier/base/clock";',
  "libs/database/migrations/0001.sql": "create table users (); create table audit_events ();",
  "systems/gateway/package.json": MANIFEST,
  "systems/gateway/src/start.ts": 'import { a } from "./relay/relay-io.ts";',
  "systems/gateway/src/relay/relay-io.ts": 'import { k } from "../keys/key-pool.ts";',
  "systems/gateway/src/keys/key-pool.ts":
    'import { isIP } from "node:net";\nimport { z } from "zod";',
  "systems/gateway/src/keys/key-pool.test.ts":
    'import { FakeClock } from "@atelier/testkit/fake-clock";\nimport fc from "fast-check";',
  "systems/gateway/src/keys/key-note.ts": "const note = JSON.parse(text);",
  "systems/plane/package.json": MANIFEST,
  "systems/plane/src/users/user-store.ts": 'sql.insertInto("users");',
  "systems/plane/src/audit/audit-store.ts":
    'sql.selectFrom("audit_events as e").innerJoin("users as u", "u.id", "e.user_id");',
  "apps/server/package.json": "{}",
  "apps/pages/package.json": "{}",
  "apps/pages/src/main.tsx": 'import "@atelier/base/clock";\nimport "./main.css";',
  "apps/server/src/main.ts": 'import { startGateway } from "@atelier/gateway/start";',
};

function problemsWith(planted: Readonly<Record<string, string>>): string[] {
  using folder = mkdtempDisposableSync(join(tmpdir(), "architecture-"));
  for (const [file, text] of Object.entries({ ...SOUND, ...planted })) {
    const path = join(folder.path, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return checkArchitecture(folder.path, RULES).problems;
}

test("a sound repository has no problem", () => {
  assert.deepEqual(problemsWith({}), []);
});

const VIOLATIONS: readonly (readonly [name: string, file: string, text: string, want: RegExp])[] = [
  [
    "Node in a neutral lib",
    "libs/base/src/a.ts",
    'import { readFileSync } from "node:fs";',
    /base also runs outside Node/,
  ],
  [
    "a lib that imports a lib it may not",
    "libs/base/src/a.ts",
    'import { x } from "@atelier/database/pool";',
    /libs\/base may not use database/,
  ],
  [
    "a system that imports a system",
    "systems/gateway/src/a.ts",
    'import { x } from "@atelier/plane/start";',
    /systems\/gateway may not use plane/,
  ],
  [
    "the gateway reaching the database",
    "systems/gateway/src/relay/a.ts",
    'import type { Sql } from "@atelier/database/pool";',
    /systems\/gateway may not use database/,
  ],
  [
    "an app that imports a system's inside",
    "apps/server/src/a.ts",
    'import { x } from "@atelier/gateway/relay/relay-io";',
    /of gateway, apps import only what stands beside its rooms/,
  ],
  [
    "Node in an app that runs in browsers",
    "apps/pages/src/a.tsx",
    'import { readFileSync } from "node:fs";',
    /pages runs in browsers/,
  ],
  [
    "a lib for Node in an app that runs in browsers",
    "apps/pages/src/a.tsx",
    'import { x } from "@atelier/database/pool";',
    /pages runs in browsers, and database does not/,
  ],
  [
    "a path that climbs out of its member",
    "systems/gateway/src/relay/a-io.ts",
    'import { x } from "../../../../libs/base/src/clock.ts";',
    /import packages by name/,
  ],
  [
    "an import without extension",
    "systems/gateway/src/relay/a.ts",
    'import { x } from "../keys/key-pool";',
    /write the file's extension/,
  ],
  ["a re-export", "libs/base/src/a.ts", 'export { Clock } from "./clock.ts";', /re-exports hide/],
  [
    "a dynamic import of what may not be imported",
    "systems/gateway/src/relay/a-io.ts",
    'const x = await import("@atelier/database/pool");',
    /may not use database/,
  ],
  [
    "a room that uses a room it may not",
    "systems/gateway/src/keys/a.ts",
    'import { x } from "../relay/relay.ts";',
    /room keys may not use room relay/,
  ],
  [
    "a room that is not listed",
    "systems/gateway/src/limits/a.ts",
    "export {};",
    /the room limits is not in ROOMS/,
  ],
  [
    "a plain file that uses a store",
    "systems/plane/src/users/user.ts",
    'import { x } from "./user-store.ts";',
    /a plain file may not use a -store file/,
  ],
  [
    "a route that uses a store",
    "systems/plane/src/users/user-routes.ts",
    'import { x } from "./user-store.ts";',
    /a -routes file may not use a -store file/,
  ],
  [
    "a plain file that opens files",
    "systems/plane/src/users/user.ts",
    'import * as fs from "node:fs";',
    /a plain file is pure/,
  ],
  [
    "a member that is not listed",
    "libs/tunnel/src/a.ts",
    "export {};",
    /libs\/tunnel is not in tools\/architecture.ts/,
  ],
  [
    "a package that the member does not declare",
    "libs/base/src/a.ts",
    'import { z } from "zod/mini";',
    /add zod to libs\/base\/package.json/,
  ],
  [
    "test code in the product",
    "systems/gateway/src/relay/a-io.ts",
    'import { FakeClock } from "@atelier/testkit/fake-clock";',
    /testkit is for tests/,
  ],
  [
    "a store that writes another room's table",
    "systems/plane/src/audit/other-store.ts",
    'sql.updateTable("users").set({});',
    /:1 names users: only stores of users write it/,
  ],
  [
    "a store that writes another room's table in SQL text",
    "systems/plane/src/audit/other-store.ts",
    "sql`delete\n from users where true`;",
    /only stores of users write it/,
  ],
  [
    "a store that reads a table it is no reader of",
    "systems/plane/src/users/other-store.ts",
    'sql.selectFrom("users").leftJoin("audit_events as e", "a", "b");',
    /names audit_events: only stores of audit read it/,
  ],
  [
    "a table named as the second of a list",
    "systems/plane/src/users/other-store.ts",
    "sql`select 1 from users u, audit_events where true`;",
    /names audit_events: only stores of audit read it/,
  ],
  [
    "a table named outside of stores",
    "systems/plane/src/users/user-actions.ts",
    "const text = `select id from users`;",
    /only a -store.ts names tables/,
  ],
  [
    "a table without an owner",
    "libs/database/migrations/0002.sql",
    "create table teams ();",
    /table teams has no owner/,
  ],
  [
    "fetch on the hot path",
    "systems/gateway/src/relay/a-io.ts",
    "const answer = await fetch(url);",
    /a-io.ts:1 uses fetch: the hot path does without web streams/,
  ],
  [
    "a web stream on the hot path",
    "systems/gateway/src/relay/a-io.ts",
    "\nconst { readable } = new TransformStream();",
    /a-io.ts:2 uses new TransformStream: .* relay buffers as they come/,
  ],
  [
    "a body that is parsed whole on the hot path",
    "systems/gateway/src/relay/a-io.ts",
    "const body = JSON.parse(text);",
    /uses JSON.parse: the hot path does without whole JSON/,
  ],
  [
    "a body that is parsed whole by another name",
    "systems/gateway/src/relay/a-io.ts",
    "const body = parseLooseJson(bytes);",
    /uses parseLooseJson: .*HOT_PATH of tools\/architecture.ts/,
  ],
  [
    "a rule of the hot path that a file is excepted from without need",
    "systems/gateway/src/keys/key-note.ts",
    "export {};",
    /HOT_PATH excepts .*key-note.ts from "whole JSON", which it does not need/,
  ],
  [
    "an owner of a table that is gone",
    "libs/database/migrations/0002.sql",
    "drop table audit_events;",
    /TABLES names audit_events, which no migration creates/,
  ],
];
for (const [name, file, text, want] of VIOLATIONS) {
  test(`reports ${name}`, () => {
    const problems = problemsWith({ [file]: text });
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0] ?? "", want);
  });
}

test("comments and tests may mention what code may not use", () => {
  assert.deepEqual(
    problemsWith({
      "systems/plane/src/users/user-actions.ts":
        "// Reads from users, see ../users/user-store.ts\n",
      "systems/plane/src/users/user-actions.test.ts": "const text = `delete from users`;",
      "systems/gateway/src/keys/key-pool.ts": "// No JSON.parse(body) here.\nthis.fetch(url);",
      "systems/gateway/src/relay/a.test.ts": "const answer = await fetch(url);",
    }),
    [],
  );
});

test("rooms that use each other in a circle are reported", () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), "architecture-"));
  const ROOMS = { gateway: { keys: ["relay"], relay: ["keys"] } };
  const { problems } = checkArchitecture(folder.path, { ...RULES, ROOMS });
  assert.match(problems[0] ?? "", /keys, relay use each other in a circle/);
});

test("a tree without code fails instead of passing", () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), "architecture-"));
  const { problems } = checkArchitecture(folder.path, RULES);
  assert.match(problems.join("\n"), /no imports found/);
  assert.match(problems.join("\n"), /no SQL found/);
  assert.match(problems.join("\n"), /no hot path found/);
});

test("this repository follows its architecture", () => {
  assert.deepEqual(checkArchitecture(ROOT, architecture).problems, []);
});
