/**
 * What a command works with: who it speaks to and as whom, the person at the terminal, time.
 *
 * Which server and which token: a flag, else the environment, else the stored sign-in. A stored
 * token only goes to the server it was stored for.
 */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import { fail, ok, type Result } from "@atelier/base/result";
import type { Secret } from "@atelier/base/secret";
import { apiClient, type CallAnswer, type CallInput, type Send } from "@atelier/contract/client";
import type { Link } from "@atelier/tunnel/link";
import type { OpenSocketFailure } from "@atelier/tunnel/open-socket";
import type { Endpoint } from "@atelier/contract/endpoint";
import {
  failureOfProblem,
  notSignedInFailure,
  usageFailure,
  type CliFailure,
} from "./cli-failure.ts";
import type { Environment } from "./config.ts";
import type { StoredSignIn } from "./credentials.ts";
import type { ByteStreams } from "./byte-streams.ts";
import type { EventSocket } from "./open-events.ts";
import { loadCredentials } from "./credentials-file.ts";
import type { Look } from "./output/people.ts";
import type { Prompts } from "./prompts.ts";
import type { OwnProgram } from "./server-process.ts";
import { parseServerUrl } from "./server-url.ts";
import type { ReadInput } from "./terminal.ts";

/** The options that every command takes. */
export type GlobalOptions = {
  readonly url: string | null;
  readonly token: Secret | null;
  readonly configDir: string | null;
  readonly isJson: boolean;
  readonly isVerbose: boolean;
  readonly allowsColors: boolean;
  readonly timeoutMs: number;
};

export type Cli = {
  readonly flags: GlobalOptions;
  readonly environment: Environment;
  readonly configDir: string;
  readonly look: Look;
  /** Null: there is nobody to ask, so a command does without or fails. */
  readonly prompts: Prompts | null;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when the person presses Ctrl-C. */
  readonly signal: AbortSignal;
  /** For what is printed as it comes, harmless for terminals already: on stdout, and on stderr. */
  printOut(text: string): void;
  printErr(text: string): void;
  /** A remark for people, on stderr. Programs do not get it. */
  note(text: string): void;
  /** All of stdin. */
  readonly readInput: ReadInput;
  sendTo(url: string, token: Secret | null): Send;
  startOwnProgram(program: OwnProgram, words: readonly string[]): Promise<number>;
  /** For commands that pass bytes on as they are. */
  readonly streams: ByteStreams;
  /** A link to a workspace agent through the server. */
  dialAgent(agent: AgentAddress): Promise<Result<Link, OpenSocketFailure>>;
  /** A WebSocket on which the server tells. */
  openEvents(events: EventsOf): Promise<Result<EventSocket, OpenSocketFailure>>;
};

export type EventsOf = {
  /** Of the server, without a slash at the end. */
  readonly url: string;
  readonly token: Secret | null;
  /** With its query, from `/`. */
  readonly path: string;
  /** Closes it. */
  readonly signal: AbortSignal;
};

export type AgentAddress = {
  /** Of the server, without a slash at the end. */
  readonly url: string;
  readonly token: Secret | null;
  readonly agentId: string;
};

export type Api = {
  readonly url: string;
  readonly token: Secret | null;
  call<E extends Endpoint>(
    endpoint: E,
    input: CallInput<E>,
  ): Promise<Result<CallAnswer<E>, CliFailure>>;
};

export function apiOf(cli: Cli, url: string, token: Secret | null): Api {
  const client = apiClient(cli.sendTo(url, token));
  return {
    url,
    token,
    call: async (endpoint, input) => {
      const answer = await client.call(endpoint, input, { signal: cli.signal });
      return answer.ok ? answer : fail(failureOfProblem(answer.failure));
    },
  };
}

/** The server that a command is about; null when none was ever named. */
export async function serverUrl(cli: Cli): Promise<Result<string | null, CliFailure>> {
  const named = cli.flags.url ?? cli.environment.url;
  if (named !== null) return parseServerUrl(named);
  const credentials = await loadCredentials(cli.configDir);
  return credentials.ok ? ok(credentials.value.defaultUrl) : credentials;
}

export async function storedSignIn(
  cli: Cli,
  url: string,
): Promise<Result<StoredSignIn | null, CliFailure>> {
  const credentials = await loadCredentials(cli.configDir);
  return credentials.ok ? ok(credentials.value.servers.get(url) ?? null) : credentials;
}

/** The API as the person who is signed in. Makes no request. */
export async function signedIn(cli: Cli): Promise<Result<Api, CliFailure>> {
  const url = await serverUrl(cli);
  if (!url.ok) return url;
  if (url.value === null) return fail(notSignedInFailure("No server is known yet."));
  const given = cli.flags.token ?? cli.environment.token;
  if (given !== null) {
    const token = checkedToken(given);
    return token.ok ? ok(apiOf(cli, url.value, token.value)) : token;
  }
  const stored = await storedSignIn(cli, url.value);
  if (!stored.ok) return stored;
  if (stored.value === null) return fail(notSignedInFailure(`Not signed in to ${url.value}.`));
  return ok(apiOf(cli, url.value, stored.value.token));
}

/** A token travels in a header, which takes neither spaces nor line breaks. */
export function checkedToken(token: Secret): Result<Secret, CliFailure> {
  return /^[\x21-\x7e]+$/.test(token.reveal())
    ? ok(token)
    : fail(usageFailure("The token must be printable ASCII without spaces."));
}
