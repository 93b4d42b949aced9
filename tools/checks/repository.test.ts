/** The repository as a whole: sizes, pins, a lock file that installs, commands that exist. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isTestFile, listFiles, read, ROOT, withoutComments } from "../source-files.ts";
import { expectNone, expectSome, listCode, listTracked } from "./reporting.ts";

const BLOB_BYTES_MAX = 500_000;

type Manifest = {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

function readManifest(file: string): Manifest {
  return JSON.parse(read(ROOT, file)) as Manifest; // npm has validated it.
}

test("no file is larger than 500 kB", () => {
  const large = listTracked().filter((file) => {
    const bytes = statSync(join(ROOT, file), { throwIfNoEntry: false })?.size ?? 0;
    return bytes > BLOB_BYTES_MAX;
  });
  expectNone(large, "Git keeps large files for ever: generate them, or shrink them.");
});

test("every dependency is pinned to one version", () => {
  const loose = expectSome(
    listFiles(ROOT, ["package.json", "*/*/package.json"]),
    "manifests",
  ).flatMap((file) => {
    const { dependencies, devDependencies, optionalDependencies } = readManifest(file);
    return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${file}: ${name} ${version}`);
  });
  expectNone(loose, "Write an exact version.");
});

test("every dependency of a member is imported by it", () => {
  const unused = listFiles(ROOT, ["{libs,systems,apps}/*/package.json"]).flatMap((file) => {
    const { dependencies = {} } = readManifest(file);
    const sources = listFiles(ROOT, [file.replace("package.json", "src/**/*.{ts,tsx}")]);
    const text = sources.map((source) => read(ROOT, source)).join("\n");
    return Object.keys(dependencies)
      .filter((name) => !text.includes(`"${name}`))
      .map((name) => `${file}: ${name}`);
  });
  expectNone(unused, "Nothing imports these: remove them.");
});

test("the lock file is complete, so that npm ci installs it", () => {
  const { packages } = JSON.parse(read(ROOT, "package-lock.json")) as {
    readonly packages: Readonly<Record<string, Manifest>>;
  };
  const missing = Object.entries(packages).flatMap(([path, manifest]) =>
    Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
      .filter((name) => !foldersAbove(path).some((folder) => `${folder}${name}` in packages))
      .map((name) => `${path === "" ? "package.json" : path} needs ${name}`),
  );
  expectNone(
    missing,
    "npm ci refuses this lock file, mostly because a version lacks the packages of some platform: " +
      "pin a version that has them all, then run npm install.",
  );
});

/** Where Node looks for a dependency of `path`: its own node_modules, then each folder above. */
function foldersAbove(path: string): string[] {
  const parts = path.split("/");
  return parts
    .map((_, i) => `${parts.slice(0, i + 1).join("/")}/node_modules/`)
    .concat("node_modules/");
}

test("every npm script starts a file that exists, by the bootstrap, in the shell's place", () => {
  const { scripts = {} } = readManifest("package.json");
  const broken = expectSome(Object.entries(scripts), "scripts").filter(([, script]) => {
    const file = /^exec node tools\/bootstrap\.mjs (\S+\.ts)$/.exec(script)?.[1];
    return file === undefined || !existsSync(join(ROOT, file));
  });
  expectNone(
    broken.map(([name, script]) => `${name}: ${script}`),
    "Write `exec node tools/bootstrap.mjs <file that exists>`. Without exec, a signal to npm ends the " +
      "shell between them and leaves the program running.",
  );
});

test("no test is left focused or switched off", () => {
  const marked = listCode()
    .filter(isTestFile)
    .flatMap((file) =>
      (
        withoutComments(read(ROOT, file)).match(/\b(?:test|it|describe)\.(?:only|todo|skip)\(/g) ??
        []
      ).map((found) => `${file}: ${found}`),
    );
  expectNone(marked, "Run them all, or delete them. A condition is an option: { skip: reason }.");
});

test("only libs/base asks the host for the time", () => {
  const direct = listCode()
    .filter((file) => /^(?:libs|systems|apps)\//.test(file) && !isTestFile(file))
    .filter((file) => !file.startsWith("libs/testkit/") && file !== "libs/base/src/system-clock.ts")
    .filter((file) =>
      /new Date\(\)|\bglobalThis\.(?:Date|fetch|setTimeout)/.test(
        withoutComments(read(ROOT, file)),
      ),
    );
  expectNone(direct, "Take a Clock, or the client, as a parameter.");
});
