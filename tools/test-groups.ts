/**
 * Which test files share a process, and in which order processes start. Starting one and loading a
 * system into it costs more than most files do, so files share where they cannot disturb each other.
 */

export type TestGroup = {
  readonly files: readonly string[];
  /** They touch only their own memory. */
  readonly isPure: boolean;
};

/** A test that mentions none of these touches only its own memory. */
const OUTSIDE =
  /test-database|postgres|real-server|-world\.ts|node:(child_process|cluster|dgram|fs|http|https|http2|net|tls|worker_threads)|scripted-|-testkit\.ts|process\.|\bbefore\(|\bafter\(|\bmock\./;

/** Whole servers, and longest of all a browser on one. */
const LONG = [/browser-world/, /real-server|-world\.ts|\.\.\/simulation\//];

/** What holds for all files of a process, or is measured of it. */
const PROCESS_WIDE =
  /(?<![.\w])(before|after|beforeEach|afterEach)\(|\bmock\.|\bprocess\.(?!execPath\b|pid\b|platform\b)|node:(cluster|worker_threads|v8|vm)/;

/** So that each processor gets something, and a failure of the process itself names few. */
const SHARED_MAX = 8;

/** Of paths from the root, and what stands in them. What takes long comes first: none is left alone at the end. */
export function testGroups(texts: ReadonlyMap<string, string>): readonly TestGroup[] {
  const pure: string[] = [];
  const long: string[][] = LONG.map(() => []);
  const shared = new Map<string, string[]>();
  const alone: string[] = [];
  for (const [file, text] of texts) {
    const rank = LONG.findIndex((mark) => mark.test(text));
    if (!OUTSIDE.test(text)) pure.push(file);
    else if (rank >= 0) long[rank]?.push(file);
    else if (PROCESS_WIDE.test(text)) alone.push(file);
    else {
      const member = file.split("/").slice(0, 2).join("/");
      shared.set(member, [...(shared.get(member) ?? []), file]);
    }
  }
  const together = [...shared.values()].flatMap((files) => inParts(files));
  return [
    ...(pure.length > 0 ? [{ files: pure, isPure: true }] : []),
    ...[...eachAlone([...long.flat(), ...alone]), ...together].map((files) => ({
      files,
      isPure: false,
    })),
  ];
}

function eachAlone(files: readonly string[]): string[][] {
  return files.map((file) => [file]);
}

/** Parts of about one size. */
function inParts(files: readonly string[]): string[][] {
  const count = Math.ceil(files.length / SHARED_MAX);
  const beginOf = (part: number): number => Math.floor((part * files.length) / count);
  return Array.from({ length: count }, (_, part) => files.slice(beginOf(part), beginOf(part + 1)));
}
