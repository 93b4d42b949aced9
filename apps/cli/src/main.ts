/** The process `atelier`: host, ports, exit code. What it does is in run-cli.ts. */
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { silentLogger } from "@atelier/base/logger";
import { dialServices } from "@atelier/tunnel/dial-services";
import { processByteStreams } from "./byte-streams.ts";
import { EXIT_CODES } from "./cli-failure.ts";
import { loadEnvironment } from "./config.ts";
import { httpSend } from "./http-send.ts";
import { openEvents } from "./open-events.ts";
import { terminalPrompts } from "./prompts.ts";
import { runCli } from "./run-cli.ts";
import { startOwnProgram } from "./server-process.ts";
import { processTerminal } from "./terminal.ts";

const environment = loadEnvironment();
const interrupted = new AbortController();
let isOwnProgram = false;

// The first Ctrl-C stops what waits; a second one ends a process that does not.
process.on("SIGINT", () => {
  if (isOwnProgram) return;
  if (interrupted.signal.aborted) process.exit(EXIT_CODES.cancelled);
  interrupted.abort();
});

process.exitCode = await runCli(process.argv.slice(2), {
  environment,
  terminal: processTerminal(),
  prompts: terminalPrompts(),
  clock: systemClock,
  random: systemRandom,
  signal: interrupted.signal,
  streams: processByteStreams(),
  dialServices: (options, signal) =>
    dialServices(options, { clock: systemClock, log: silentLogger }, signal),
  openEvents: (address, signal) => openEvents(address, systemClock, signal),
  sendTo: (target) => httpSend(target, systemClock),
  startOwnProgram: (program, words) => {
    isOwnProgram = true;
    return startOwnProgram(program, words, environment.serverVariables);
  },
});
