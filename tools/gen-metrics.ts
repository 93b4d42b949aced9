/**
 * Reads our metrics from the source text: they are made where their owner starts, and a reference
 * page must not need a running server. A call it cannot read is an error, not a gap in the page.
 */
import { isTestFile, listFiles, read, ROOT, withoutComments } from "./source-files.ts";

export type FoundMetric = {
  readonly name: string;
  readonly kind: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly file: string;
};

const CALL = /\bmetrics\s*\.(counter|gauge|histogram)\(/g;
const ARGUMENTS = /^\s*"([a-z0-9_]+)",\s*((?:"[^"]*"(?:\s*\+\s*)?)+),\s*(?:\[([^\]]*)\]|([A-Z_]+))/;

export function listMetrics(root: string = ROOT): FoundMetric[] {
  const found = listFiles(root, ["{libs,systems,apps}/*/src/**/*.ts"])
    .filter((file) => !isTestFile(file) && !file.startsWith("libs/testkit/"))
    .flatMap((file) => metricsIn(read(root, file), file));
  if (found.length === 0)
    throw new Error("no metrics found: gen-metrics.ts is not reading the code");
  return found.toSorted((a, b) => a.name.localeCompare(b.name, "en"));
}

export function metricsIn(source: string, file: string): FoundMetric[] {
  const text = withoutComments(source);
  return [...text.matchAll(CALL)].map((call) => {
    const match = ARGUMENTS.exec(text.slice(call.index + call[0].length));
    if (match === null) {
      throw new Error(
        `${file}: write a metric as metrics.${call[1]}("name", "help", ["label"], …)`,
      );
    }
    const [, name = "", help = "", list, constant] = match;
    const labels = list ?? constantList(text, constant ?? "", file);
    return {
      name,
      kind: call[1] ?? "",
      help: wordsOf(help).join(""),
      labels: wordsOf(labels),
      file,
    };
  });
}

/** `const LABELS = ["a", "b"] as const` of the same file. */
function constantList(text: string, constant: string, file: string): string {
  const list = new RegExp(`\\b${constant}\\b[^=]*=\\s*\\[([^\\]]*)\\]`).exec(text)?.[1];
  if (list === undefined) throw new Error(`${file}: ${constant} is not a list of this file`);
  return list;
}

function wordsOf(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? "");
}
