/**
 * Compares every import and every table name in the code with tools/architecture.ts.
 *
 * What it guards: the shelves, the libs of each member, the rooms and roles inside systems, neutral
 * libs without Node, packages that are imported by name and declared by whoever imports them, the
 * test code that only tests use, one owner for each table, and what the hot path does without.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import * as architecture from "./architecture.ts";
import { type Import, importsOf, isTestFile, listFiles, read, ROOT } from "./source-files.ts";
import { checkHotPath } from "./check-hot-path.ts";
import { checkTables } from "./check-tables.ts";

export type Architecture = Pick<
  typeof architecture,
  "LIBS" | "SYSTEMS" | "APPS" | "BROWSER_APPS" | "ROOMS" | "ROLES" | "TABLES" | "HOT_PATH"
>;

/** A file of a member: `systems/gateway/src/relay/relay-io.ts`. */
type Place = {
  readonly file: string;
  readonly shelf: string;
  readonly member: string;
  /** Folder under `src/`; empty for the files beside the rooms. */
  readonly room: string;
  readonly base: string;
  readonly isTest: boolean;
};

/** Modules that touch the world outside the process: not for files whose role is to be pure. */
const OUTSIDE_MODULES =
  /^node:(?:fs|net|http|https|http2|tls|dns|dgram|child_process|cluster|worker_threads)(?:\/|$)/;
/** What these modules hold besides: it computes and touches nothing. */
const PURE_NAMES = new Set(["BlockList", "isIP", "isIPv4", "isIPv6", "STATUS_CODES"]);

export function checkArchitecture(
  root: string,
  rules: Architecture,
): { readonly problems: string[]; readonly importsSeen: number } {
  const problems: string[] = [...brokenTables(rules)];
  let importsSeen = 0;
  for (const file of listFiles(root, ["{libs,systems,apps}/*/src/**/*.{ts,tsx}"])) {
    const place = placeOf(file);
    problems.push(...brokenPlace(place, rules));
    for (const each of importsOf(read(root, file))) {
      importsSeen += 1;
      const broken = brokenImport(root, place, each, rules);
      if (broken !== null) problems.push(`${file}:${each.line} imports ${each.target}: ${broken}`);
    }
  }
  const hotPath = checkHotPath(root, rules.HOT_PATH);
  problems.push(...hotPath.problems);
  if (hotPath.filesSeen === 0)
    problems.push("no hot path found: the checker is not reading the code");
  const tables = checkTables(root, rules.TABLES);
  problems.push(...tables.problems);
  // A checker that finds nothing to check is broken, not satisfied.
  if (importsSeen === 0) problems.push("no imports found: the checker is not reading the code");
  if (tables.statementsSeen === 0)
    problems.push("no SQL found: the checker is not reading the code");
  return { problems, importsSeen };
}

function placeOf(file: string): Place {
  const [shelf = "", member = "", , ...inside] = file.replace(/\.tsx?$/, "").split("/");
  const room = inside.length > 1 ? (inside[0] ?? "") : "";
  return { file, shelf, member, room, base: inside.at(-1) ?? "", isTest: isTestFile(file) };
}

/** The table of rooms must itself be sound: known rooms and no cycle. */
function* brokenTables({ ROOMS }: Architecture): Generator<string> {
  for (const [system, rooms] of Object.entries(ROOMS)) {
    const done = new Set<string>();
    for (let grew = true; grew;) {
      const ready = Object.keys(rooms).filter(
        (room) => !done.has(room) && rooms[room]?.every((used) => done.has(used)),
      );
      for (const room of ready) done.add(room);
      grew = ready.length > 0;
    }
    const rest = Object.keys(rooms).filter((room) => !done.has(room));
    if (rest.length > 0) {
      yield `ROOMS of ${system}: ${rest.join(", ")} use each other in a circle, or an unknown room`;
    }
  }
}

function* brokenPlace(
  place: Place,
  { LIBS, SYSTEMS, APPS, ROOMS }: Architecture,
): Generator<string> {
  const { file, shelf, member, room } = place;
  const known = { libs: LIBS, systems: SYSTEMS, apps: APPS }[shelf] ?? {};
  if (!(member in known)) yield `${file}: ${shelf}/${member} is not in tools/architecture.ts`;
  if (shelf === "systems" && room !== "" && !(room in (ROOMS[member] ?? {}))) {
    yield `${file}: the room ${room} is not in ROOMS of tools/architecture.ts`;
  }
}

function brokenImport(
  root: string,
  place: Place,
  imported: Import,
  rules: Architecture,
): string | null {
  const { target } = imported;
  if (imported.isReExport) return "re-exports hide where a thing lives: import it there";
  if (target.startsWith(".")) {
    const reached = join(dirname(place.file), target);
    if (!reached.startsWith(`${place.shelf}/${place.member}/`)) return "import packages by name";
    if (!/\.(?:tsx?|json|css)$/.test(target)) return "write the file's extension";
    return place.shelf === "systems" && !place.isTest
      ? brokenRoom(place, placeOf(reached), rules)
      : null;
  }
  if (target.startsWith("node:")) return brokenNode(place, imported, rules);
  if (target.startsWith("@atelier/")) return brokenShelf(place, target, rules);
  return brokenPackage(root, place, target);
}

function brokenNode(place: Place, imported: Import, rules: Architecture): string | null {
  const { LIBS, ROLES } = rules;
  if (place.isTest) return null;
  if (isInBrowser(place, rules)) return `${place.member} runs in browsers`;
  if (place.shelf === "libs" && LIBS[place.member]?.world === "neutral") {
    return `${place.member} also runs outside Node`;
  }
  const isPlain =
    place.shelf === "systems" && place.room !== "" && roleOf(place.base, ROLES) === "";
  const { names, isTypeOnly } = imported;
  const isHarmless =
    isTypeOnly || (names.length > 0 && names.every((name) => PURE_NAMES.has(name)));
  return isPlain && OUTSIDE_MODULES.test(imported.target) && !isHarmless
    ? "a plain file is pure; the role for input and output is -io"
    : null;
}

function isInBrowser({ shelf, member }: Place, { BROWSER_APPS }: Architecture): boolean {
  return shelf === "apps" && BROWSER_APPS.includes(member);
}

/** apps → systems → libs: an import goes down a shelf, or along LIBS. */
function brokenShelf(place: Place, target: string, rules: Architecture): string | null {
  const { shelf, member, isTest } = place;
  const [, used = "", ...path] = target.split("/");
  const own = shelf === "apps" ? `app-${member}` : member;
  if (used === own) return "import files of the own member by path";
  if (used === "testkit") {
    return isTest ? null : "testkit is for tests: take the thing as a parameter instead";
  }
  const allowed = { libs: rules.LIBS[member]?.uses, systems: rules.SYSTEMS[member] }[shelf];
  const uses = allowed ?? rules.APPS[member] ?? [];
  if (!uses.includes(used)) {
    return `${shelf}/${member} may not use ${used}: see tools/architecture.ts`;
  }
  if (!isTest && isInBrowser(place, rules) && rules.LIBS[used]?.world !== "neutral") {
    return `${member} runs in browsers, and ${used} does not`;
  }
  const isInside = used in rules.SYSTEMS && (path.length !== 1 || isTestFile(`${target}.ts`));
  return isInside
    ? `of ${used}, apps import only what stands beside its rooms, such as start`
    : null;
}

/** A package is declared by the member that imports it: another's declaration can go away. */
function brokenPackage(root: string, place: Place, target: string): string | null {
  const name = target.split("/", target.startsWith("@") ? 2 : 1).join("/");
  const manifest = readManifest(root, `${place.shelf}/${place.member}/package.json`);
  const declared = { ...manifest.dependencies, ...manifest.optionalDependencies };
  if (name in declared) return null;
  if (place.isTest) {
    const tools = {
      ...manifest.devDependencies,
      ...readManifest(root, "package.json").devDependencies,
    };
    if (name in tools) return null;
  }
  return `add ${name} to ${place.shelf}/${place.member}/package.json`;
}

type Manifest = {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
};

function readManifest(root: string, file: string): Manifest {
  // npm has validated it: the repository could not be installed otherwise.
  return existsSync(join(root, file)) ? (JSON.parse(read(root, file)) as Manifest) : {};
}

function brokenRoom(from: Place, to: Place, { ROOMS, ROLES }: Architecture): string | null {
  if (from.room === "") return null; // Files beside the rooms wire them together: start.ts.
  if (to.room === "") return "a room does not import the file that wires it";
  if (from.room !== to.room && !ROOMS[from.member]?.[from.room]?.includes(to.room)) {
    return `room ${from.room} may not use room ${to.room}: see ROOMS in tools/architecture.ts`;
  }
  const [role, used] = [roleOf(from.base, ROLES), roleOf(to.base, ROLES)];
  return ROLES[role]?.includes(used)
    ? null
    : `a ${role || "plain"} file may not use a ${used || "plain"} file`;
}

function roleOf(base: string, roles: Architecture["ROLES"]): string {
  return Object.keys(roles).find((suffix) => suffix !== "" && base.endsWith(suffix)) ?? "";
}

if (import.meta.main) {
  const { problems, importsSeen } = checkArchitecture(ROOT, architecture);
  for (const problem of problems) console.error(problem);
  console.log(`${importsSeen} imports checked, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
