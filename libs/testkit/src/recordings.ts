/**
 * The recordings of model traffic in test/recordings: what a client sent, what the provider answered,
 * and what there is to see in both. test/recordings/README.md describes the files.
 */
import { readdir, readFile } from "node:fs/promises";
import { assert } from "@atelier/base/assert";
import type { ObservedResponse } from "@atelier/model-wire/observe-response";
import type { ModelRequest } from "@atelier/model-wire/read-request";
import type { WireFormat } from "@atelier/model-wire/wire-format";

export type Recording = {
  /** Folder and file, such as `messages/thinking-and-tools`. */
  readonly name: string;
  readonly format: WireFormat;
  readonly request: Uint8Array;
  readonly response: {
    readonly status: number;
    readonly headers: readonly (readonly [name: string, value: string])[];
    readonly body: Uint8Array;
    readonly isStream: boolean;
  };
  readonly expected: { readonly request: ModelRequest; readonly response: ObservedResponse };
};

/** All recordings, by name. Read again on each call: a test may not see another's changes. */
export async function listRecordings(): Promise<Recording[]> {
  const recordings: Recording[] = [];
  for (const format of FORMATS) {
    const folder = new URL(`${format}/`, RECORDINGS);
    for (const file of (await readdir(folder)).toSorted()) {
      const text = await readFile(new URL(file, folder), "utf8");
      recordings.push(parseRecording(format, file.replace(/\.txt$/, ""), text));
    }
  }
  return recordings;
}

function parseRecording(format: WireFormat, file: string, text: string): Recording {
  const name = `${format}/${file}`;
  const sections = splitSections(text);
  assert(sections.has(""), `recording ${name} begins with a header`);
  const request = sections.get("request");
  const response = sections.get("response");
  const expected = sections.get("expected");
  assert(request !== undefined, `recording ${name} has a request`);
  assert(response !== undefined, `recording ${name} has a response`);
  assert(expected !== undefined, `recording ${name} says what is expected`);
  // The file's author writes what differs from the defaults; the types are those of the observers.
  const written = JSON.parse(expected.text) as WrittenExpectation;
  const { tokens = null, ...observed } = written.response ?? {};
  return {
    name,
    format,
    request: UTF8.encode(request.text),
    response: parseResponse(response),
    expected: {
      request: { ...DEFAULT_REQUEST, ...written.request },
      response: {
        ...DEFAULT_RESPONSE,
        ...observed,
        tokens: tokens === null ? null : { ...DEFAULT_TOKENS, ...tokens },
      },
    },
  };
}

/** txtar-like: lines `-- name option… --` begin sections. */
export function splitSections(text: string): ReadonlyMap<string, Section> {
  const sections = new Map<string, Section>();
  const parts = text.split(/^-- ([a-z/-]+(?: [a-z-]+)*) --\n/m);
  sections.set("", { text: parts[0] ?? "", options: [] });
  for (let i = 1; i < parts.length; i += 2) {
    const [name = "", ...options] = (parts[i] ?? "").split(" ");
    sections.set(name, { text: parts[i + 1] ?? "", options });
  }
  return sections;
}

export type Section = { readonly text: string; readonly options: readonly string[] };

const RECORDINGS = new URL("../../../test/recordings/", import.meta.url);
const FORMATS = ["chat_completions", "responses", "messages"] as const;
const UTF8 = new TextEncoder();

type WrittenExpectation = {
  readonly request?: Partial<ModelRequest>;
  readonly response?: Partial<Omit<ObservedResponse, "tokens">> & {
    readonly tokens?: Partial<NonNullable<ObservedResponse["tokens"]>>;
  };
};

const DEFAULT_REQUEST: ModelRequest = {
  model: null,
  stream: false,
  prompt: null,
  correlatingToolCallId: null,
  metadataUserId: null,
  background: false,
};
const DEFAULT_TOKENS = { input: 0, output: 0, cacheReadInput: 0, cacheWriteInput: 0, extra: {} };
const DEFAULT_RESPONSE: Omit<ObservedResponse, "tokens"> = {
  responseId: "",
  model: null,
  toolCalls: [],
  thoughts: [],
  error: null,
  outcome: "completed",
};

/** A head as HTTP writes it, then an empty line, then the body. */
function parseResponse({ text, options }: Section): Recording["response"] {
  const headEnd = text.indexOf("\n\n");
  assert(headEnd !== -1, "a response has a head");
  const [statusLine = "", ...lines] = text.slice(0, headEnd).split("\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const isStream = headers.some(
    ([name, value]) => name === "content-type" && value.startsWith("text/event-stream"),
  );
  let body = text.slice(headEnd + 2);
  if (options.includes("unclosed")) body = body.replace(/\n+$/, "");
  if (options.includes("crlf")) body = body.replaceAll("\n", "\r\n");
  if (options.includes("cr")) body = body.replaceAll("\n", "\r");
  if (options.includes("byte-order-mark")) body = `\uFEFF${body}`;
  return { status: Number(statusLine.split(" ")[1]), headers, body: UTF8.encode(body), isStream };
}
