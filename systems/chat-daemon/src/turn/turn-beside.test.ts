/** What a turn goes by beside its chat, and how its servers learn that it has changed. */
import { chatWorld } from "../state/chat-world-testkit.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { TURN_BESIDE } from "../start-turns.ts";

type Node = { readonly "Relation Name"?: string; readonly Plans?: readonly Node[] };
type Explained = { readonly "QUERY PLAN": readonly { readonly Plan: Node }[] };

const tablesOf = (node: Node): readonly string[] => [
  ...(node["Relation Name"] === undefined ? [] : [node["Relation Name"]]),
  ...(node.Plans ?? []).flatMap(tablesOf),
];

test("whatever it is read of tells when it changes, and only then", async () => {
  await using world = await chatWorld();
  const { pool } = world.database;
  const { rows } = await pool.query<Explained>(
    `explain (format json) select ${TURN_BESIDE.text} from chats`,
  );
  const plan = rows[0]?.["QUERY PLAN"][0]?.Plan ?? assert.fail("it has a plan");
  const tables = [...new Set(tablesOf(plan))].filter((table) => table !== "chats").toSorted();
  assert.deepEqual(tables, [
    ...["chat_model_configs", "chat_model_overrides", "chat_settings", "chat_user_settings"],
    "mcp_servers",
  ]);
  const version = async () => {
    const read = await pool.query<{ readonly version: string }>(
      `select ${TURN_BESIDE.version} as version`,
    );
    return read.rows[0]?.version ?? assert.fail("there is one");
  };
  const seen = [await version()];
  assert.equal(await version(), seen[0]);
  for (const table of tables) {
    const { rows: columns } = await pool.query<{ readonly name: string }>(
      "select attname as name from pg_attribute where attrelid = $1::regclass and attnum = 1",
      [table],
    );
    const name = columns[0]?.name ?? assert.fail("it has a column");
    for (const change of [
      `insert into ${table} select * from ${table} where false`,
      `update ${table} set ${name} = ${name} where false`,
      `delete from ${table} where false`,
    ]) {
      await pool.query(change);
      seen.push(await version());
    }
  }
  assert.equal(new Set(seen).size, seen.length, "each change has a version of its own");
  await pool.query("update users set email = email");
  assert.equal(await version(), seen.at(-1));
});
