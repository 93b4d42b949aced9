/**
 * Finds what the code of HOT_PATH in tools/architecture.ts does without: WHATWG fetch with its classes
 * and streams, and JSON.parse, which on a whole body costs more than everything else of a request.
 */
import type { HOT_PATH, HotPathRule } from "./architecture.ts";
import { isTestFile, listFiles, read, withoutComments } from "./source-files.ts";

type Rule = {
  readonly name: HotPathRule;
  readonly pattern: RegExp;
  /** Ends the sentence "the hot path does without …". */
  readonly instead: string;
};

const RULES: readonly Rule[] = [
  {
    name: "web streams",
    pattern:
      /(?<![.\w])fetch\(|\bnew (?:Response|Request|Headers|ReadableStream|WritableStream|TransformStream)\b|\bnode:stream\/web\b|\.(?:toWeb|fromWeb|pipeThrough|getReader)\(/g,
    instead: "send through an upstream client, and relay buffers as they come",
  },
  {
    name: "whole JSON",
    pattern: /\bJSON\.parse\(|\bparseLooseJson\(|\.json\(\)/g,
    instead: "find members with the JSON scanner of libs/model-wire",
  },
];

export function checkHotPath(
  root: string,
  { places, exceptions }: typeof HOT_PATH,
): { readonly problems: string[]; readonly filesSeen: number } {
  const problems: string[] = [];
  const files = listFiles(root, places).filter(isHot);
  for (const file of files) {
    const code = withoutComments(read(root, file));
    for (const rule of RULES) problems.push(...brokenRule(file, code, rule, exceptions[file]));
  }
  for (const file of Object.keys(exceptions)) {
    if (!files.includes(file)) problems.push(`HOT_PATH excepts ${file}, which is not on it`);
  }
  return { problems, filesSeen: files.length };
}

function isHot(file: string): boolean {
  return !isTestFile(file) && !file.includes("/generated/");
}

function* brokenRule(
  file: string,
  code: string,
  { name, pattern, instead }: Rule,
  excepted: (typeof HOT_PATH)["exceptions"][string] | undefined,
): Generator<string> {
  const uses = [...code.matchAll(pattern)];
  if (excepted?.[name] !== undefined) {
    if (uses.length === 0) yield `HOT_PATH excepts ${file} from "${name}", which it does not need`;
    return;
  }
  for (const { 0: use, index } of uses) {
    const line = code.slice(0, index).split("\n").length;
    yield (
      `${file}:${line} uses ${use.replace("(", "")}: the hot path does without ${name}: ${instead}. ` +
        "If it is harmless here, give the reason in HOT_PATH of tools/architecture.ts"
    );
  }
}
