/** Names that attract everything and explain nothing, and words that mean several things here. */
import { basename } from "node:path";
import { test } from "node:test";
import { isTestFile, read, ROOT } from "../source-files.ts";
import { expectNone, listCode } from "./reporting.ts";

const BANNED_NAMES = /^(?:utils?|helpers?|types?|common|misc|shared|index|constants|interfaces)\./;
/** Schemas that several endpoints share have no better name. */
const NAMED_ON_PURPOSE = "libs/contract/src/http/common.ts";

/** GLOSSARY.md says which of their meanings is called what. */
const BARE_WORDS = /^(?:agent|provider|token|session|job)s?$/i;
const EXPORT = /^export (?:async )?(?:const|let|function\*?|class|type|interface) (\w+)/gm;

test("no file has a name that says nothing", () => {
  const banned = listCode().filter(
    (file) => BANNED_NAMES.test(basename(file)) && file !== NAMED_ON_PURPOSE,
  );
  expectNone(banned, "Name these files after what they hold; general code goes to libs/base.");
});

test("file names are kebab-case", () => {
  const odd = listCode().filter(
    (file) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)*\.tsx?$/.test(basename(file)),
  );
  expectNone(odd, "Write these names in lower case with hyphens.");
});

test("no exported name is a bare word of the glossary", () => {
  const bare = listCode()
    .filter((file) => !isTestFile(file))
    .flatMap((file) =>
      [...read(ROOT, file).matchAll(EXPORT)]
        .filter(([, name = ""]) => BARE_WORDS.test(name))
        .map(([, name]) => `${file} exports ${name}`),
    );
  expectNone(bare, "Say which one: see GLOSSARY.md.");
});
