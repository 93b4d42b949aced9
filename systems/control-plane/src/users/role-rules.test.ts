import assert from "node:assert/strict";
import { test } from "node:test";
import type { Role } from "@atelier/contract/permissions";
import type { Actor } from "../access/actor.ts";
import { assignableRoles, mayChangeRoles, mayGovern } from "./role-rules.ts";

function actor(roles: readonly Role[], scopes: readonly string[] = ["all"]): Actor {
  const userId = "00000000-0000-4000-8000-000000000001";
  const email = "a@example.com";
  return { userId, username: "a", email, roles, scopes, apiKeyId: "k", keyKind: "session" };
}

for (const { holder, from, to, allowed } of [
  { holder: ["owner"], from: [], to: ["owner", "user-admin", "auditor"], allowed: true },
  { holder: ["owner"], from: ["owner"], to: [], allowed: true },
  { holder: ["user-admin"], from: [], to: ["auditor"], allowed: true },
  { holder: ["user-admin"], from: ["auditor"], to: [], allowed: true },
  { holder: ["user-admin"], from: [], to: ["user-admin"], allowed: false },
  { holder: ["user-admin"], from: ["user-admin"], to: [], allowed: false },
  { holder: ["user-admin"], from: [], to: ["owner"], allowed: false },
  { holder: ["user-admin"], from: ["owner"], to: ["auditor"], allowed: false },
  { holder: ["user-admin"], from: ["owner"], to: ["owner", "auditor"], allowed: true },
  { holder: ["auditor"], from: [], to: ["auditor"], allowed: false },
  { holder: [], from: [], to: ["auditor"], allowed: false },
  { holder: [], from: [], to: [], allowed: true },
] as const satisfies readonly {
  holder: readonly Role[];
  from: readonly Role[];
  to: readonly Role[];
  allowed: boolean;
}[]) {
  const name = `[${holder.join()}] ${allowed ? "may" : "may not"} turn [${from.join()}] into [${to.join()}]`;
  test(name, () => assert.equal(mayChangeRoles(actor(holder), { from, to }), allowed));
}

test("a credential without the scope assigns nothing", () => {
  assert.deepEqual(assignableRoles(actor(["owner"], ["user:create"])), []);
  assert.deepEqual(assignableRoles(actor(["owner"], ["user:*"])), [
    "owner",
    "user-admin",
    "auditor",
  ]);
});

test("a user admin governs members and auditors, an owner everybody", () => {
  const roles: readonly (readonly Role[])[] = [
    [],
    ["auditor"],
    ["user-admin"],
    ["owner"],
    ["auditor", "owner"],
  ];
  assert.deepEqual(
    roles.map((each) => mayGovern(actor(["user-admin"]), each)),
    [true, true, false, false, false],
  );
  assert.deepEqual(
    roles.map((each) => mayGovern(actor(["owner"]), each)),
    [true, true, true, true, true],
  );
});
