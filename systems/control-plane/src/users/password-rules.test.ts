import assert from "node:assert/strict";
import { test } from "node:test";
import { passwordComplaint } from "./password-rules.ts";

const NAMES = ["gertrude-b", "gertrude.b@example.com"];

for (const password of [
  "correct horse battery staple",
  "SomeSecurePassword!",
  "tr0ub4dor&3",
  "ab1!ab1!x",
  "пароль-длинный",
  "x".repeat(200) + "abc",
]) {
  test(`${password.slice(0, 30)} is accepted`, () => {
    assert.equal(passwordComplaint(password, NAMES), null);
  });
}

for (const { password, complaint } of [
  { password: "", complaint: /at least 8/ },
  { password: "Ab1!Ab1", complaint: /at least 8/ },
  { password: "😀😀😀😀", complaint: /at least 8/ },
  { password: "ab1!".repeat(65), complaint: /at most 256/ },
  { password: "Password123!", complaint: /well known/ },
  { password: "ｐassword1", complaint: /well known/ },
  { password: "Gertrude-B", complaint: /own name/ },
  { password: "gertrude.b@example.com", complaint: /own name/ },
  { password: "GERTRUDE.B", complaint: /own name/ },
  { password: "aaaaaaaaaaaa", complaint: /different/ },
  { password: "ababababcab", complaint: /different/ },
  { password: "12345678", complaint: /in a row/ },
  { password: "8765432109", complaint: /in a row/ },
  { password: "ABCDEFGHI", complaint: /in a row/ },
  { password: "poiuytrewq", complaint: /in a row/ },
]) {
  test(`${password.slice(0, 30)} is refused: ${complaint.source}`, () => {
    assert.match(passwordComplaint(password, NAMES) ?? "accepted", complaint);
  });
}
