/** Entries in a real Postgres. */
import { runTextStatement } from "@atelier/database/text-statement";
import { testDatabase } from "@atelier/testkit/test-database";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEvent } from "./audit-event.ts";
import { auditEventPiece, insertAuditEvent } from "./audit-store.ts";

const EVENT: AuditEvent = {
  id: "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c",
  time: new Date("2026-01-01T00:00:01.234Z"),
  userId: "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3d",
  action: "write",
  resource: "chat",
  resourceId: "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3e",
  target: 'Ann\'s "chat"',
  diff: { title: { old: null, new: "ü" } },
  statusCode: 200,
  additionalFields: { of: [1, "two"] },
  requestId: "r-1",
  ip: "2001:db8::1",
  userAgent: "tester/1",
};
const NOBODY: AuditEvent = { ...EVENT, userId: null, resourceId: null, diff: {}, target: "" };

test("an entry is the same row by itself and as a piece of the statement that makes the change", async () => {
  await using db = await testDatabase();
  const rowOf = async (id: string): Promise<unknown> => {
    const { rows } = await db.pool.query("select * from audit_events where id = $1", [id]);
    return rows.map((row: object) => ({ ...row, id: "" }));
  };
  for (const event of [EVENT, NOBODY]) {
    const [alone, together] = [crypto.randomUUID(), crypto.randomUUID()];
    await insertAuditEvent(db.sql, { ...event, id: alone });
    const { name, text, values } = auditEventPiece({ ...event, id: together });
    const changing = (condition: string) => ({
      name: `${name}-${condition}`,
      text: `with changed as (select 1 where ${condition} and $1 = '1'), entry as (${text(2, "changed")})
        select count(*) from changed`,
    });
    assert.deepEqual(await runTextStatement(db.pool, changing("false"), ["1", ...values]), [["0"]]);
    assert.deepEqual(await rowOf(together), [], "nothing was changed");
    assert.deepEqual(await runTextStatement(db.pool, changing("true"), ["1", ...values]), [["1"]]);
    assert.deepEqual(await rowOf(together), await rowOf(alone));
  }
});
