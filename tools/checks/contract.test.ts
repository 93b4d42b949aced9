/** The contract's promises about itself: failures that happen, options that are explained. */
import { test } from "node:test";
import { FAILURES } from "@atelier/contract/failures";
import { ALL_OPTIONS } from "@atelier/app-server/config";
import { environmentNamesOf } from "@atelier/host/option";
import { ENDPOINTS } from "@atelier/contract/http/endpoints";
import { isTestFile, listFiles, read, ROOT } from "../source-files.ts";
import { expectNone, expectSome, listDocuments } from "./reporting.ts";

test("every failure code is produced by a test", () => {
  const tests = listFiles(ROOT, ["{systems,apps,test}/**/*.ts"]).filter(isTestFile);
  const text = expectSome(tests, "tests")
    .map((file) => read(ROOT, file))
    .join("\n");
  const untested = Object.keys(FAILURES).filter((code) => !text.includes(code));
  expectNone(untested, "Write a test that makes these failures happen, or delete the codes.");
});

test("every failure code is declared by an endpoint or common to all", () => {
  const source = ["libs/contract/src/endpoint.ts", ...listFiles(ROOT, ["systems/*/src/http/*.ts"])];
  const text = source.map((file) => read(ROOT, file)).join("\n");
  const declared = new Set<string>(ENDPOINTS.flatMap((endpoint) => [...endpoint.failures]));
  const unused = Object.keys(FAILURES).filter(
    (code) => !declared.has(code) && !text.includes(code),
  );
  expectNone(unused, "Declare these failures where they can happen, or delete the codes.");
});

test("every endpoint has its own path, also among the aliases", () => {
  const paths = ENDPOINTS.flatMap(({ method, path, aliases = [] }) =>
    [path, ...aliases].map((each) => `${method} ${each.replaceAll(/:\w+/g, ":")}`),
  );
  const twice = expectSome(paths, "endpoints").filter((path, i) => paths.indexOf(path) !== i);
  expectNone(twice, "Two endpoints answer here: give one of them another path.");
});

test("every option is explained in a sentence", () => {
  const bare = expectSome(ALL_OPTIONS, "options")
    .filter(({ description }) => !/^\p{Lu}.{14,}[.]$/su.test(description))
    .map(({ name, description }) => `${name}: ${description}`);
  expectNone(bare, "Describe these options in whole sentences.");
});

test("documents name only options and variables that exist", () => {
  const { ENVIRONMENT } = knownNames();
  const unknown = listDocuments().flatMap((file) =>
    [...read(ROOT, file).matchAll(/\b(?:ATELIER|CODER)_(?:[A-Z0-9_]|<N>)+/g)]
      .filter(([name]) => !nameForms(name).some((form) => ENVIRONMENT.has(form)))
      .map(([name]) => `${file}: ${name}`),
  );
  expectNone(unknown, "No program reads these variables.");
});

/** As it stands, without the end that names a file, and with the placeholder for a family's number. */
function nameForms(name: string): readonly string[] {
  return [name, name.replace(/_FILE$/, "")].flatMap((form) => [
    form,
    form.replace(/_\d+_/, "_<N>_"),
  ]);
}

function knownNames(): { readonly ENVIRONMENT: ReadonlySet<string> } {
  const server = ALL_OPTIONS.flatMap(environmentNamesOf);
  const others = listFiles(ROOT, [
    "apps/*/src/config.ts",
    "tools/*.ts",
    "libs/testkit/src/*.ts",
  ]).flatMap((file) => read(ROOT, file).match(/\b(?:ATELIER|CODER)_[A-Z0-9_]+/g) ?? []);
  return { ENVIRONMENT: new Set([...server, ...others]) };
}
