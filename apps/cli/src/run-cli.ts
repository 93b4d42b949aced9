/**
 * One run of the CLI: from words to an exit code. What it touches of the host comes in as ports,
 * so tests run it in their own process.
 */
import picocolors from "picocolors";
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import type { Result } from "@atelier/base/result";
import type { DialOptions } from "@atelier/tunnel/dial-services";
import type { Link } from "@atelier/tunnel/link";
import type { OpenSocketFailure } from "@atelier/tunnel/open-socket";
import type { Send } from "@atelier/contract/client";
import { VERSION } from "@atelier/host/version";
import { CommanderError } from "commander";
import { EXIT_CODES, usageFailure, type CliFailure } from "./cli-failure.ts";
import type { ByteStreams } from "./byte-streams.ts";
import type { EventAddress, EventSocket } from "./open-events.ts";
import type { Cli, GlobalOptions } from "./cli.ts";
import type { Answer } from "./command.ts";
import type { Environment } from "./config.ts";
import type { SendTarget } from "./http-send.ts";
import { failureJson, formatJson } from "./output/json.ts";
import { failureText, type Look } from "./output/people.ts";
import { terminalSafe } from "./output/terminal-safe.ts";
import { buildProgram, usageMessageOf } from "./program.ts";
import type { Prompts } from "./prompts.ts";
import type { OwnProgram } from "./server-process.ts";
import type { Terminal } from "./terminal.ts";

export type CliPorts = {
  readonly environment: Environment;
  readonly terminal: Terminal;
  /** Used only when the terminal is interactive. */
  readonly prompts: Prompts;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  sendTo(target: SendTarget): Send;
  startOwnProgram(program: OwnProgram, words: readonly string[]): Promise<number>;
  readonly streams: ByteStreams;
  dialServices(options: DialOptions, signal: AbortSignal): Promise<Result<Link, OpenSocketFailure>>;
  openEvents(
    address: EventAddress,
    signal: AbortSignal,
  ): Promise<Result<EventSocket, OpenSocketFailure>>;
};

export async function runCli(words: readonly string[], ports: CliPorts): Promise<number> {
  const { terminal } = ports;
  let exitCode: number = EXIT_CODES.done;
  const program = buildProgram(VERSION, terminal, async (definition, globals, input) => {
    const cli = cliOf(globals, ports);
    exitCode = show(cli, terminal, await definition.run(cli, input));
  });
  try {
    // Somebody who types the bare name wants to know what there is; that is not a mistake.
    await program.parseAsync(words.length === 0 ? ["--help"] : words, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT_CODES.done;
    // A group without a command has shown its help already.
    if (error.code !== "commander.help") {
      const failure = usageFailure(usageMessageOf(error), "See `atelier help`.");
      const look = lookOf({ allowsColors: !words.includes("--no-color") }, ports);
      writeFailure(terminal, look, { failure, isJson: asksForJson(words) });
    }
    return EXIT_CODES.usage;
  }
}

function show(cli: Cli, terminal: Terminal, outcome: Result<Answer, CliFailure>): number {
  if (!outcome.ok) {
    writeFailure(terminal, cli.look, { failure: outcome.failure, isJson: cli.flags.isJson });
    return outcome.failure.exitCode;
  }
  const answer = outcome.value;
  if (answer.kind === "exited") return answer.exitCode;
  const exitCode = answer.isFailed ? EXIT_CODES.failed : EXIT_CODES.done;
  if (cli.flags.isJson) {
    terminal.writeOut(`${formatJson(answer.json)}\n`);
    return exitCode;
  }
  const text = answer.text();
  if (text !== "") terminal.writeOut(`${text}\n`);
  if (answer.note !== null) cli.note(answer.note);
  return exitCode;
}

function writeFailure(
  terminal: Terminal,
  look: Look,
  { failure, isJson }: { readonly failure: CliFailure; readonly isJson: boolean },
): void {
  const text = isJson ? formatJson(failureJson(failure)) : failureText(look, failure);
  terminal.writeErr(`${text}\n`);
}

function cliOf(flags: GlobalOptions, ports: CliPorts): Cli {
  const { environment, terminal, clock, random, signal } = ports;
  const look = lookOf(flags, ports);
  return {
    flags,
    environment,
    configDir: flags.configDir ?? environment.configDir,
    look,
    prompts: terminal.isInteractive && !flags.isJson ? ports.prompts : null,
    clock,
    random,
    signal,
    printOut: (text) => terminal.writeOut(text),
    printErr: (text) => terminal.writeErr(text),
    note: (text) => {
      if (!flags.isJson) terminal.writeErr(`${look.colors.dim(terminalSafe(text))}\n`);
    },
    readInput: terminal.readInput,
    sendTo: (url, token) =>
      ports.sendTo({
        url,
        token,
        timeoutMs: flags.timeoutMs,
        userAgent: `atelier-cli/${VERSION}`,
        report: (line) => {
          if (flags.isVerbose) terminal.writeErr(`${terminalSafe(line)}\n`);
        },
      }),
    startOwnProgram: (program, words) => ports.startOwnProgram(program, words),
    streams: ports.streams,
    dialAgent: ({ url, token, agentId }) => {
      const path = `/api/v2/workspaceagents/${encodeURIComponent(agentId)}/link`;
      const address = new URL(url.replace(/^http/, "ws") + path);
      const { timeoutMs } = flags;
      const userAgent = `atelier-cli/${VERSION}`;
      return ports.dialServices({ url: address, token, userAgent, timeoutMs }, signal);
    },
    openEvents: ({ url, token, path, signal: closing }) => {
      const address = new URL(url.replace(/^http/, "ws") + path);
      const { timeoutMs } = flags;
      const userAgent = `atelier-cli/${VERSION}`;
      return ports.openEvents({ url: address, token, userAgent, timeoutMs }, closing);
    },
  };
}

function lookOf(flags: { readonly allowsColors: boolean }, ports: CliPorts): Look {
  const { environment, terminal, clock } = ports;
  const hasColors = terminal.columns !== null && environment.allowsColors && flags.allowsColors;
  return {
    columns: terminal.columns,
    colors: picocolors.createColors(hasColors),
    now: clock.now(),
  };
}

/** A command line that cannot be parsed cannot say what it wants either, so the words decide. */
function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end === -1 ? words : words.slice(0, end)).includes("--json");
}
