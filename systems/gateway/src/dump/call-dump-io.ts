/**
 * The dumps of one call: for each attempt a file with the request, one with the answer as it streams,
 * and one with the error where the connection failed (spec gateway 10.6). They hold prompts and answers
 * word for word, and no credential but in its masked form, also where the provider repeats it.
 */
import type { InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import { STATUS_CODES } from "node:http";
import type { AttemptObserver, CallObserver } from "../observers/call-observer.ts";
import type { UpstreamCall, UpstreamFailure } from "../upstream/upstream-client.ts";
import type { DumpFile } from "./dump-files-io.ts";
import { attemptSuffix } from "./dump-path.ts";
import { answerHeaderLines, credentialsIn } from "./dump-redaction.ts";
import { dumpRequest, headBytes } from "./request-dump-io.ts";
import { SecretFilter, withoutSecrets } from "./secret-filter.ts";

export type CallDumpOptions = {
  createFile(path: string): DumpFile;
  /** The path of the call's files without their suffixes. */
  readonly path: string | ((start: InterceptionStart) => string);
  /** For bugs of ours: nothing of a dump may reach the exchange. */
  onCrash(error: unknown): void;
};

export class CallDump implements CallObserver {
  readonly #options: CallDumpOptions;
  #path: string | null;
  #attempts = 0;

  constructor(options: CallDumpOptions) {
    this.#options = options;
    this.#path = typeof options.path === "string" ? options.path : null;
  }

  understood(start: InterceptionStart): void {
    const { path } = this.#options;
    if (typeof path === "function") this.#path = path(start);
  }

  attempt(call: UpstreamCall): AttemptObserver {
    this.#attempts += 1;
    const path = `${this.#path ?? "unknown"}${attemptSuffix(this.#attempts)}`;
    return new AttemptDump(call, { ...this.#options, path });
  }

  recorded(): void {}
  ended(): void {}
  closed(): void {}
}

type AttemptDumpOptions = Pick<CallDumpOptions, "createFile" | "onCrash"> & {
  readonly path: string;
};

class AttemptDump implements AttemptObserver {
  readonly call: UpstreamCall;
  readonly #options: AttemptDumpOptions;
  readonly #secrets: readonly string[];
  readonly #filter: SecretFilter;
  #answer: DumpFile | null = null;
  /** A body that cannot be searched for credentials is not written. */
  #isBodyShown = true;

  constructor(call: UpstreamCall, options: AttemptDumpOptions) {
    this.call = call;
    this.#options = options;
    this.#secrets = credentialsIn(call.headers, call.path);
    this.#filter = new SecretFilter(this.#secrets);
    const file = options.createFile(`${options.path}.req.txt`);
    dumpRequest(file, call, this.#secrets).catch((error: unknown) => {
      file.end();
      options.onCrash(error);
    });
  }

  head(status: number, rawHeaders: readonly string[]): void {
    const answer = this.#options.createFile(`${this.#options.path}.resp.txt`);
    const firstLine = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
    const lines = answerHeaderLines(rawHeaders);
    answer.write(headBytes(firstLine, lines, this.#secrets));
    this.#answer = answer;
    const encoding = lines.find(([name]) => name.toLowerCase() === "content-encoding")?.[1];
    this.#isBodyShown = encoding === undefined || /^\s*(?:identity)?\s*$/i.test(encoding);
    if (!this.#isBodyShown) answer.write(Buffer.from("[compressed body not written]\n"));
  }

  data(chunk: Uint8Array): void {
    if (this.#isBodyShown) this.#answer?.write(this.#filter.push(chunk));
  }

  end(): void {
    this.#answer?.write(this.#filter.end());
    this.#answer?.end();
    this.#answer = null;
  }

  failed({ cause, detail }: UpstreamFailure): void {
    const file = this.#options.createFile(`${this.#options.path}.req_error.txt`);
    file.write(Buffer.from(`${withoutSecrets(`${cause}: ${detail}`, this.#secrets)}\n`));
    file.end();
    this.end();
  }

  cancelled(): void {
    this.end();
  }
}
