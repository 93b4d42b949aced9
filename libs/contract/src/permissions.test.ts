/** Who may do what with whose chats: as it is meant, beside the table that everything is admitted by. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { rolesAllow, type Permission, type Role } from "./permissions.ts";

const WHO = {
  "a member, with their own": [[], true],
  "a member, with another's": [[], false],
  "an auditor, with another's": [["auditor"], false],
  "a user-admin, with another's": [["user-admin"], false],
  "an owner of the platform, with another's": [["owner"], false],
} as const satisfies Record<string, readonly [roles: readonly Role[], isOwn: boolean]>;

for (const [permission, ...want] of [
  // In the order of WHO. Administrators read chats, and nobody but a chat's person tells it anything.
  ["chat:create", true, false, false, false, true],
  ["chat:read", true, false, false, false, true],
  ["chat:update", true, false, false, false, false],
  ["workspace:connect", true, false, false, false, false],
  ["chat_model:read", false, false, false, false, true],
  ["chat_model:update", false, false, false, false, true],
  ["chat_setting:read", false, false, false, false, true],
  ["chat_setting:update", false, false, false, false, true],
] as const satisfies readonly (readonly [Permission, ...boolean[]])[]) {
  test(`${permission} is given to whom it is meant for`, () => {
    const given = Object.entries(WHO).map(([who, [roles, isOwn]]) => [
      who,
      rolesAllow(roles, permission, { isOwn }),
    ]);
    assert.deepEqual(
      given,
      Object.keys(WHO).map((who, index) => [who, want[index]]),
    );
  });
}
