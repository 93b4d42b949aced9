/** Nothing dead: every file is reached from a program's start, every exported name is used. */
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { importsOf, isTestFile, listFiles, read, ROOT } from "../source-files.ts";
import { expectNone, expectSome, listCode } from "./reporting.ts";

/** Programs: what the npm scripts start, the simulations that one of them runs, and the dashboard's page. */
function listEntryPoints(): readonly string[] {
  const { scripts } = JSON.parse(read(ROOT, "package.json")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const started = Object.values(scripts).flatMap((script) => script.match(/\S+\.ts\b/g) ?? []);
  const pages = listFiles(ROOT, ["apps/*/src/main.tsx", "apps/*/src/**/*.d.ts"]);
  return [...started, ...pages, ...listFiles(ROOT, ["{libs,systems}/*/src/**/*.simulation.ts"])];
}

function resolveImport(file: string, target: string): string | null {
  if (target.startsWith(".")) return join(dirname(file), target);
  const [, name = "", path] = /^@atelier\/([^/]+)\/(.+)$/.exec(target) ?? [];
  if (path === undefined) return null;
  const member = name.startsWith("app-") ? `apps/${name.slice(4)}` : `{libs,systems}/${name}`;
  return listFiles(ROOT, [`${member}/src/${path}.{ts,tsx}`])[0] ?? null;
}

function reachedFrom(starts: readonly string[], files: ReadonlySet<string>): Set<string> {
  const reached = new Set<string>();
  const waiting = starts.filter((file) => files.has(file));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    const text = read(ROOT, file);
    for (const { target } of importsOf(text)) {
      const next = resolveImport(file, target);
      if (next !== null && files.has(next)) waiting.push(next);
    }
    // Processes are started by the name of their file.
    for (const [, name = ""] of text.matchAll(/["'`/]([\w-]+\.ts)["'`]/g)) {
      waiting.push(...[...files].filter((each) => basename(each) === name));
    }
  }
  return reached;
}

test("every file is reached from a program, or from a test where it serves tests", () => {
  const files = listCode();
  const product = reachedFrom(listEntryPoints(), new Set(files));
  expectSome([...product], "entry points");
  const tested = reachedFrom(files.filter(isTestFile), new Set(files));
  const servesTests = (file: string): boolean =>
    isTestFile(file) || /^(?:libs\/testkit|tools\/checks|test|bench)\//.test(file);
  const dead = files.filter(
    (file) => !(product.has(file) || (servesTests(file) && tested.has(file))),
  );
  expectNone(dead, "Nothing starts or imports these files: use them or delete them.");
});

test("every exported name is used somewhere", () => {
  const texts = new Map(listCode().map((file) => [file, read(ROOT, file)]));
  const uses = new Map<string, number>();
  for (const text of texts.values()) {
    for (const [word] of text.matchAll(/[A-Za-z_$][\w$]*/g)) {
      uses.set(word, (uses.get(word) ?? 0) + 1);
    }
  }
  const exported = /^export (?:async )?(?:const|function\*?|class|type|interface) (\w+)/gm;
  const unused = [...texts].flatMap(([file, text]) =>
    [...text.matchAll(exported)]
      .filter(([, name = ""]) => uses.get(name) === 1 && !CALLED_BY_NAME.has(name))
      .map(([, name]) => `${file} exports ${name}`),
  );
  expectNone(unused, "Nothing names these exports: use them or delete them.");
});

/** What tools/simulate.ts finds in the simulations. */
const CALLED_BY_NAME = new Set(["simulate", "title", "runsDefault"]);
