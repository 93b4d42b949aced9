/**
 * Colours of code in the page. They lie over the text by the browser's own highlights: no element is
 * added or changed, so nothing moves, and what is copied or read out is the text itself. What a part of
 * code is, a worker says. Browsers without such highlights show the text in one colour.
 */
import type { CodeAnswer, CodeKind, CodeSpan } from "../code/code-kinds.ts";

let worker: Worker | null = null;
let asked = 0;
const waiting = new Map<number, (spans: readonly CodeSpan[]) => void>();

function startedWorker(): Worker {
  if (worker !== null) return worker;
  worker = new Worker(new URL("../code/code-worker.ts", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<CodeAnswer>) => {
    waiting.get(data.id)?.(data.spans);
    waiting.delete(data.id);
  });
  return worker;
}

/** What scrolls back into sight has its colours at once. */
const KNOWN_MAX = 100;
const known = new Map<string, readonly CodeSpan[]>();

/** Null: it has to be asked for. */
export function knownSpans(text: string, language: string): readonly CodeSpan[] | null {
  return known.get(keyOf(text, language)) ?? null;
}

function keyOf(text: string, language: string): string {
  return `${language} ${text}`;
}

function remember(key: string, spans: readonly CodeSpan[]): void {
  known.set(key, spans);
  const [oldest] = known.keys();
  if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest);
}

/** `told` is called at most once, later; not at all after the returned function was. */
export function askForSpans(
  text: string,
  language: string,
  told: (spans: readonly CodeSpan[]) => void,
): () => void {
  const id = (asked += 1);
  waiting.set(id, (spans) => {
    remember(keyOf(text, language), spans);
    told(spans);
  });
  startedWorker().postMessage({ id, text, language });
  return () => waiting.delete(id);
}

export function canColour(): boolean {
  return "highlights" in CSS && typeof Highlight === "function";
}

export type PaintedPart = {
  readonly node: Text;
  readonly from: number;
  readonly to: number;
  readonly kind: CodeKind;
};

const highlights = new Map<CodeKind, Highlight>();

function highlightOf(kind: CodeKind): Highlight {
  const found = highlights.get(kind);
  if (found !== undefined) return found;
  const made = new Highlight();
  highlights.set(kind, made);
  CSS.highlights.set(`code-${kind}`, made);
  return made;
}

/** Gives what takes the colours away again. */
export function paint(parts: readonly PaintedPart[]): () => void {
  const painted = parts.map(({ node, from, to, kind }) => {
    // It does not follow changes of the page, so it costs nothing when there are some.
    const range = new StaticRange({
      ...{ startContainer: node, startOffset: from, endContainer: node, endOffset: to },
    });
    highlightOf(kind).add(range);
    return { kind, range };
  });
  return () => {
    for (const { kind, range } of painted) highlights.get(kind)?.delete(range);
  };
}
