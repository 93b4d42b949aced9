/** A reader learns from a file's first lines what it is for. */
import { test } from "node:test";
import { listFiles, read, ROOT } from "../source-files.ts";
import { expectNone, listCode } from "./reporting.ts";

/** A command's file may say just which command it is. */
const WORDS_MIN = 2;

test("every file begins with a comment that says what it is for", () => {
  const files = [
    // A test beside its subject has that one's header, and its own names are sentences.
    ...listCode().filter((file) => !file.endsWith(".test.ts")),
    ...listFiles(ROOT, ["libs/database/migrations/*.sql", "tools/*.mjs", "apps/*/bin/*.mjs"]),
  ];
  const bare = files.filter((file) => {
    const text = read(ROOT, file).replace(/^#!.*\n/, "");
    const comment = /^(?:\/\*\*([\s\S]*?)\*\/|((?:\/\/.*\n)+)|((?:--.*\n)+))/.exec(text)?.[0] ?? "";
    return (comment.match(/[A-Za-z]{2,}/g) ?? []).length < WORDS_MIN;
  });
  expectNone(bare, "Begin these files with a comment: what the file is for, what it guarantees.");
});
