/** What a client says is understood from its bytes, also where a statement is named once and meant often. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@atelier/base/logger";
import { openDatabase } from "@atelier/database/database";
import { testDatabase } from "@atelier/testkit/test-database";
import { FaultyWire } from "./faulty-wire.ts";
import { PostgresTalk, type Said } from "./postgres-talk.ts";

test("a statement that its connection keeps prepared is known by its name", async () => {
  await using database = await testDatabase();
  const said: Said[] = [];
  const { host, port, user, database: name } = database.connection;
  await using wire = await FaultyWire.start(`${host}/.s.PGSQL.${port}`, () => {
    const talk = new PostgresTalk();
    return {
      sent: (bytes) => {
        said.push(...talk.read(bytes));
        return null;
      },
      answered: () => null,
    };
  });
  await using behind = openDatabase({
    connection: { host: "127.0.0.1", port: wire.port, user, database: name },
    ...{ applicationName: "talk test", connectionsMax: 2, log: silentLogger },
  });
  // Two connections at once, each of which prepares for itself what comes often, or has a name.
  const texts = ["select $1::text as one", "select $1::text as two"];
  for (let times = 0; times < 20; times += 1) {
    await Promise.all(
      texts.map((text, index) =>
        behind.pool.query({ name: "asked", text: texts[0] ?? "", values: [`${index}/${times}`] }),
      ),
    );
    await behind.transaction(async (db) => {
      await db
        .updateTable("site_settings")
        .set({ value: "" })
        .where("key", "=", `k${times}`)
        .execute();
    });
  }
  const asked = said.filter(({ values }) => /[01]\/\d+/.test(values));
  assert.equal(asked.length, 40);
  assert.ok(asked.every(({ text }) => text === texts[0]));
  const updates = said.filter(({ values }) => /k\d+/.test(values));
  assert.equal(updates.length, 20);
  assert.ok(updates.every(({ text }) => text.startsWith('update "site_settings"')));
  assert.ok(updates.at(-1)?.values.includes("frequent_"), "the last ones come by their name alone");
});

test("bytes that come in pieces say the same", () => {
  const message = (letter: string, body: string): Buffer => {
    const head = Buffer.alloc(5);
    head.write(letter, "latin1");
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, Buffer.from(body, "latin1")]);
  };
  const start = message("x", "\0\x03\0\0user\0me\0\0").subarray(1);
  const bytes = Buffer.concat([
    start,
    message("P", "one\0select 1\0\0\0"),
    message("B", "\0one\0a"),
    message("Q", "begin\0"),
    // Another text under its name, as after a `Close`.
    message("P", "one\0select 2\0\0\0"),
    message("B", "\0one\0b"),
    message("B", "\0one\0c"),
    message("Q", "commit\0"),
  ]);
  for (const size of [1, 7, bytes.byteLength]) {
    const talk = new PostgresTalk();
    const said: Said[] = [];
    for (let at = 0; at < bytes.byteLength; at += size) {
      said.push(...talk.read(bytes.subarray(at, at + size)));
    }
    const texts = said.map(({ text }) => text);
    assert.deepEqual(texts, ["select 1", "begin", "select 2", "select 2", "commit"]);
    assert.ok(said.at(-1)?.within.values.includes("b"));
    assert.ok(!said.at(-1)?.within.values.includes("a"));
  }
});
