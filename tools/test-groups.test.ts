import assert from "node:assert/strict";
import { test } from "node:test";
import { testGroups } from "./test-groups.ts";

const DATABASE = 'import "@atelier/testkit/test-database";';

function groupsOf(texts: Readonly<Record<string, string>>): readonly (readonly string[])[] {
  return testGroups(new Map(Object.entries(texts))).map(({ files }) => files);
}

test("pure files share one process, whole servers have theirs, and browsers begin before them", () => {
  const groups = groupsOf({
    "libs/base/a.test.ts": "",
    "test/journeys/s.test.ts": 'import "@atelier/testkit/real-server";',
    "test/journeys/b.test.ts":
      'import "./browser-world.ts"; import "@atelier/testkit/real-server";',
    "libs/host/c.test.ts": "",
  });
  assert.deepEqual(groups, [
    ["libs/base/a.test.ts", "libs/host/c.test.ts"],
    ["test/journeys/b.test.ts"],
    ["test/journeys/s.test.ts"],
  ]);
});

test("files of one member share processes, but not those whose hooks or marks hold for all of it", () => {
  const groups = groupsOf({
    "libs/host/a.test.ts": DATABASE,
    "systems/gateway/b.test.ts": DATABASE,
    "systems/gateway/c.test.ts": `${DATABASE} before(() => {});`,
    "systems/gateway/d.test.ts": `${DATABASE} process.env["X"] = "1";`,
    "systems/gateway/e.test.ts": `${DATABASE} spawn(process.execPath); t.after(() => {});`,
  });
  assert.deepEqual(groups, [
    ["systems/gateway/c.test.ts"],
    ["systems/gateway/d.test.ts"],
    ["libs/host/a.test.ts"],
    ["systems/gateway/b.test.ts", "systems/gateway/e.test.ts"],
  ]);
});

test("many files of one member are several processes of about one size, and none is lost", () => {
  const names = Array.from({ length: 19 }, (_, index) => `systems/gateway/${index}.test.ts`);
  const groups = groupsOf(Object.fromEntries(names.map((name) => [name, DATABASE])));
  assert.deepEqual(groups.flat(), names);
  assert.deepEqual(
    groups.map(({ length }) => length),
    [6, 6, 7],
  );
});

test("what runs beside pure files is known, because it may want a database", () => {
  const groups = testGroups(
    new Map([
      ["libs/base/a.test.ts", ""],
      ["libs/base/b.test.ts", DATABASE],
    ]),
  );
  assert.deepEqual(
    groups.map(({ isPure }) => isPure),
    [true, false],
  );
});
