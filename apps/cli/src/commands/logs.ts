/** `atelier logs`: what happened in a workspace: its machine's connections, its processes, their output. */
import { fail, ok, type Result } from "@atelier/base/result";
import {
  listWorkspaceConnections,
  type ConnectionLogEntry,
} from "@atelier/contract/http/connection-log";
import type { ProcessInfo, WorkspaceProcesses } from "@atelier/contract/rpc/workspace/processes";
import type { z } from "zod";
import { ReaderGone } from "../byte-streams.ts";
import { notFoundFailure, plainFailure, type CliFailure } from "../cli-failure.ts";
import { signedIn, type Api, type Cli } from "../cli.ts";
import {
  argument,
  countOption,
  defineCommand,
  shown,
  switchOption,
  textOption,
} from "../command.ts";
import { followProcesses, type KnownProcess, type ProcessLogEvent } from "../follow-processes.ts";
import { relativeTime } from "../output/relative-time.ts";
import { safe } from "../output/terminal-safe.ts";
import { findProcess, lastLines, processLine, shortId, shownLine } from "../process-log.ts";
import { answered, withWorkspace } from "../workspace-link.ts";
import { WORKSPACE_ARGUMENT, findWorkspace, type WorkspaceAnswer } from "../workspace-lookup.ts";

const TAIL_DEFAULT = 10;
const TAIL_MAX = 10_000;
/** Half of it is the output's end. */
const OUTPUT_BYTES_MAX = 1024 * 1024;
const PROCESSES_SHOWN = 20;
const PROCESSES_MAX = 1_000;
const CONNECTIONS_SHOWN = 5;

type Connection = z.output<typeof ConnectionLogEntry>;
type Output = { readonly lines: readonly string[]; readonly totalBytes: number };
type LoggedProcess = {
  readonly process: ProcessInfo;
  readonly stdout: Output;
  readonly stderr: Output;
};

export const logs = defineCommand({
  name: "logs",
  summary:
    "Show what happened in a workspace: connections of its machine, processes and their output",
  details: `Of each of the last ${PROCESSES_SHOWN} processes: whether it runs, how it ended, since when, and its last lines. With\n--follow it goes on until Ctrl-C, also over times when the machine is away; with --json it is one JSON text per\nline then.`,
  examples: [
    "atelier logs dev",
    "atelier logs dev --follow",
    "atelier logs dev --process 3f2a9c11 --tail 500",
  ],
  args: { workspace: argument(WORKSPACE_ARGUMENT) },
  options: {
    follow: switchOption("-f, --follow", "go on with what comes"),
    tail: countOption("--tail <lines>", `of each output (default: ${TAIL_DEFAULT})`, TAIL_MAX),
    process: textOption("--process <id>", "of this process only; the beginning of its id will do"),
  },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findWorkspace(api.value, args.workspace);
    if (!found.ok) return found;
    const workspace = found.value;
    const connections =
      options.process === undefined ? await loadConnections(api.value, workspace) : [];
    const wanted = { tail: options.tail ?? TAIL_DEFAULT, only: options.process ?? null };
    if (workspace.status !== "connected" && wanted.only === null && !options.follow) {
      const note = "The workspace is not connected: what its processes wrote is on its machine.";
      return ok(shownLog(cli, { workspace, connections, processes: [] }, note));
    }
    const ref = `${workspace.owner_name}/${workspace.name}`;
    const done = await withWorkspace(cli, ref, async ({ services, closed }) => {
      const loaded = await loadProcesses(services.processes, wanted);
      if (!loaded.ok) return loaded;
      const log: Log = { workspace, connections, processes: loaded.value };
      if (!options.follow) return ok(shownLog(cli, log, null));
      const followed = await follow(cli, { log, only: wanted.only, closed }, services.processes);
      return followed.ok ? ok({ kind: "exited" as const, exitCode: 0 }) : followed;
    });
    return done;
  },
});

type Log = {
  readonly workspace: WorkspaceAnswer;
  /** Latest first. */
  readonly connections: readonly Connection[];
  /** Oldest first: what is newest stands where people look. */
  readonly processes: readonly LoggedProcess[];
};

/** Nothing where the server does not tell: the workspace itself says when its machine was there last. */
async function loadConnections(
  api: Api,
  workspace: WorkspaceAnswer,
): Promise<readonly Connection[]> {
  const answer = await api.call(listWorkspaceConnections, {
    params: { workspace: workspace.id },
    query: { type: "workspace_agent", limit: CONNECTIONS_SHOWN },
  });
  return answer.ok ? answer.value.connection_logs : [];
}

async function loadProcesses(
  processes: WorkspaceProcesses,
  { tail, only }: { readonly tail: number; readonly only: string | null },
): Promise<Result<readonly LoggedProcess[], CliFailure>> {
  const listed = answered(await processes.list({ limit: PROCESSES_MAX }));
  if (!listed.ok) return listed;
  let chosen = listed.value.processes.slice(0, PROCESSES_SHOWN);
  if (only !== null) {
    const found = findProcess(listed.value.processes, only);
    if (found === null) return fail(notFoundFailure(safe`No one process has the id ${only}.`));
    chosen = [found];
  }
  const logged: LoggedProcess[] = [];
  for (const process of chosen) {
    const read = async (stream: "stdout" | "stderr"): Promise<Output> => {
      const { id } = process;
      const output = await processes.output({ id, stream, maxBytes: OUTPUT_BYTES_MAX });
      if (!output.ok) return { lines: [], totalBytes: 0 }; // It was forgotten meanwhile.
      const { head, tail: end, omittedBytes, totalBytes } = output.value;
      const text = omittedBytes > 0 ? end : head + end;
      return { lines: lastLines(text, tail), totalBytes };
    };
    logged.push({ process, stdout: await read("stdout"), stderr: await read("stderr") });
  }
  return ok(logged.toSorted((a, b) => a.process.startedAt.localeCompare(b.process.startedAt)));
}

function shownLog(cli: Cli, log: Log, note: string | null): ReturnType<typeof shown> {
  const { workspace, connections, processes } = log;
  const json = {
    workspace: { id: workspace.id, name: workspace.name, status: workspace.status },
    connections,
    processes,
  };
  return shown({ json, text: () => logText(cli, log).join("\n"), note });
}

function logText(cli: Cli, { workspace, connections, processes }: Log): readonly string[] {
  const { now } = cli.look;
  const [machine] = workspace.agents;
  const changedAt =
    workspace.status === "connected" ? machine?.last_connected_at : machine?.disconnected_at;
  const when = changedAt === null || changedAt === undefined ? "" : relativeTime(changedAt, now);
  const lines = [safe`machine  ${workspace.status}${when === "" ? "" : ` since ${when}`}`];
  for (const each of connections.toReversed()) {
    const ended =
      each.disconnect_time === null
        ? "ongoing"
        : safe`ended ${relativeTime(each.disconnect_time, now)}: ${each.reason}`;
    lines.push(
      safe`connection  began ${relativeTime(each.connect_time, now)} from ${each.ip}, ${ended}`,
    );
  }
  for (const { process, stdout, stderr } of processes) {
    lines.push(cli.look.colors.bold(processLine(process, now)));
    for (const line of stdout.lines) lines.push(`  ${shownLine(line)}`);
    for (const line of stderr.lines) lines.push(`  ${cli.look.colors.red(shownLine(line))}`);
  }
  if (processes.length === 0) lines.push("no processes are kept");
  return lines;
}

/** Ends well by Ctrl-C, by a reader who has seen enough, and by the end of the one process. */
async function follow(
  cli: Cli,
  {
    log,
    only,
    closed,
  }: { readonly log: Log; readonly only: string | null; readonly closed: Promise<void> },
  processes: WorkspaceProcesses,
): Promise<Result<void, CliFailure>> {
  const over = new AbortController();
  const signal = AbortSignal.any([cli.signal, over.signal]);
  closed.then(
    () => over.abort(new Error("the link broke")),
    () => {}, // It never rejects.
  );
  const show = eventWriter(cli);
  try {
    await writeBegin(cli, log, show);
    const known = log.processes.map(({ process, stdout, stderr }): KnownProcess => ({
      process,
      shownBytes: { stdout: stdout.totalBytes, stderr: stderr.totalBytes },
    }));
    const one = only === null ? null : (log.processes[0]?.process.id ?? null);
    await followProcesses(processes, { only: one, known }, { clock: cli.clock, signal, show });
    return ok(undefined);
  } catch (error) {
    if (cli.signal.aborted || error instanceof ReaderGone) return ok(undefined);
    if (over.signal.aborted) return fail(plainFailure("The connection to the server broke."));
    throw error;
  }
}

async function writeBegin(
  cli: Cli,
  log: Log,
  show: (event: ProcessLogEvent) => Promise<void>,
): Promise<void> {
  if (!cli.flags.isJson) {
    await cli.streams.writeOut(Buffer.from(`${logText(cli, log).join("\n")}\n`));
    return;
  }
  for (const { process, stdout, stderr } of log.processes) {
    await show({ kind: "process", process });
    for (const [stream, { lines }] of [
      ["stdout", stdout],
      ["stderr", stderr],
    ] as const) {
      for (const line of lines) await show({ kind: "output", process: process.id, stream, line });
    }
  }
}

function eventWriter(cli: Cli): (event: ProcessLogEvent) => Promise<void> {
  const textOf = (event: ProcessLogEvent): string => {
    if (cli.flags.isJson) return JSON.stringify(event);
    switch (event.kind) {
      case "machine":
        return `machine  ${event.status}`;
      case "process":
        return cli.look.colors.bold(processLine(event.process, cli.clock.now()));
      case "output": {
        const line = shownLine(event.line);
        const text = event.stream === "stderr" ? cli.look.colors.red(line) : line;
        return `${shortId(event.process)} | ${text}`;
      }
    }
  };
  return (event) => cli.streams.writeOut(Buffer.from(`${textOf(event)}\n`));
}
