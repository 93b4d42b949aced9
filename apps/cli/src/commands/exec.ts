/** `atelier exec`: one command in a workspace, as if it ran here. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceProcesses } from "@atelier/contract/rpc/workspace/processes";
import type { ByteStreams } from "../byte-streams.ts";
import { ReaderGone } from "../byte-streams.ts";
import { plainFailure, usageFailure, type CliFailure } from "../cli-failure.ts";
import type { Cli } from "../cli.ts";
import {
  argument,
  defineCommand,
  restArgument,
  switchOption,
  textOption,
  textsOption,
} from "../command.ts";
import { constants } from "node:os";
import { answered, withWorkspace } from "../workspace-link.ts";
import { WORKSPACE_ARGUMENT } from "../workspace-lookup.ts";

/** One wait of many. */
const WAIT_MS = 60_000;
/** After Ctrl-C, for the command to end by itself. */
const GRACE_MS = 5_000;

export const exec = defineCommand({
  name: "exec",
  summary: "Run a command in a workspace: its output, input and exit code are yours",
  details:
    "Ctrl-C reaches the command; one that does not end within 5 seconds is killed. Without a link to the workspace\nthe command goes on there: `atelier workspaces show` says whether it is connected.",
  examples: [
    "atelier exec dev -- make test",
    "atelier exec dev --dir ~/project --env CI=1 -- sh -c 'npm ci && npm test'",
    "tar c . | atelier exec dev -- tar x -C /tmp/copy",
  ],
  args: {
    workspace: argument(WORKSPACE_ARGUMENT),
    command: restArgument("the command and its arguments"),
  },
  options: {
    dir: textOption("--dir <path>", "where it runs; default: the workspace's directory"),
    env: textsOption("--env <NAME=value>", "a variable for it; may be repeated"),
    withoutInput: switchOption("--without-input", "the command reads an end of file at once"),
  },
  run: async (cli, { args, options }) => {
    if (args.command.length === 0)
      return fail(usageFailure("Which command?", "atelier exec dev -- ls"));
    const environment = parseVariables(options.env);
    if (!environment.ok) return environment;
    const hasInput = !options.withoutInput;
    const done = await withWorkspace<number>(cli, args.workspace, async ({ services }) => {
      const started = await services.processes.start(
        {
          command: [...args.command],
          workingDirectory: options.dir ?? "",
          environment: environment.value,
          input: hasInput ? "pipe" : "none",
          output: "separate",
        },
        { signal: cli.signal },
      );
      if (!started.ok) return answered(started);
      return attend(cli, services.processes, { id: started.value.process.id, hasInput });
    });
    return done.ok ? ok({ kind: "exited", exitCode: done.value }) : done;
  },
});

type Attended = { readonly id: string; readonly hasInput: boolean };

/** Until the command ended: with its exit code, or 128 and its signal, as shells say it. */
async function attend(
  cli: Cli,
  processes: WorkspaceProcesses,
  { id, hasInput }: Attended,
): Promise<Result<number, CliFailure>> {
  const ended = new AbortController();
  const interrupt = (): void => {
    endProcess(cli, processes, { id, signal: ended.signal }).catch(() => {}); // Its end is waited for.
  };
  cli.signal.addEventListener("abort", interrupt, { once: true });
  if (cli.signal.aborted) interrupt();
  const feeding = hasInput ? feed(cli.streams, processes, { id, signal: ended.signal }) : null;
  try {
    const outputs = await Promise.all([
      copyOutput(processes, { id, stream: "stdout" }, (bytes) => cli.streams.writeOut(bytes)),
      copyOutput(processes, { id, stream: "stderr" }, (bytes) => cli.streams.writeErr(bytes)),
    ]);
    const broken = outputs.find((each) => !each.ok);
    if (broken !== undefined && !broken.ok) return broken;
    return await exitCodeOf(processes, id);
  } catch (error) {
    if (!(error instanceof ReaderGone)) {
      return fail(
        plainFailure("The connection to the workspace broke; the command goes on there."),
      );
    }
    // As `head` does to a command on this machine.
    await processes.signal({ id, signal: "SIGHUP" });
    return ok(128 + constants.signals.SIGPIPE);
  } finally {
    ended.abort(new Error("the command ended"));
    cli.signal.removeEventListener("abort", interrupt);
    await feeding;
    // Else a terminal, whose input does not end, keeps the process after the command's end.
    cli.streams.releaseInput();
  }
}

async function copyOutput(
  processes: WorkspaceProcesses,
  from: { readonly id: string; readonly stream: "stdout" | "stderr" },
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<Result<void, CliFailure>> {
  const followed = await processes.follow(from);
  if (!followed.ok) return answered(followed);
  for await (const bytes of followed.value.bytes) await write(bytes);
  return ok(undefined);
}

async function exitCodeOf(
  processes: WorkspaceProcesses,
  id: string,
): Promise<Result<number, CliFailure>> {
  for (;;) {
    const waited = await processes.wait({ id, timeoutMs: WAIT_MS });
    if (!waited.ok) return answered(waited);
    const { state, exitCode, signal } = waited.value;
    if (state === "running") continue;
    if (state === "lost") return fail(plainFailure("The machine stopped while the command ran."));
    if (exitCode !== null) return ok(exitCode);
    const number = Object.entries(constants.signals).find(([name]) => name === signal)?.[1];
    return ok(128 + (number ?? 0));
  }
}

/** Passes stdin on until it ends, or until the command did. */
async function feed(
  streams: ByteStreams,
  processes: WorkspaceProcesses,
  { id, signal }: { readonly id: string; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await processes.writeInput({ id }, untilAborted(streams.input(), signal), { signal });
  } catch {
    // The command ended and reads no more, or the link broke: its output tells.
  }
}

/** A terminal's input does not end by itself when nobody needs it any more. */
async function* untilAborted(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  const aborted = new Promise<null>((resolve) => {
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  for (;;) {
    const next = await Promise.race([iterator.next(), aborted]);
    if (next === null || next.done === true) break;
    yield next.value;
  }
  // Not awaited: a read that is under way ends with the process.
  iterator.return?.().catch(() => {});
}

async function endProcess(
  { clock }: Cli,
  processes: WorkspaceProcesses,
  { id, signal }: { readonly id: string; readonly signal: AbortSignal },
): Promise<void> {
  await processes.signal({ id, signal: "SIGINT" });
  await clock.sleep(GRACE_MS, signal);
  await processes.signal({ id, signal: "SIGKILL" });
}

function parseVariables(
  texts: readonly string[],
): Result<Readonly<Record<string, string>>, CliFailure> {
  const variables: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) return fail(usageFailure(`--env takes NAME=value, not ${text}.`));
    variables[text.slice(0, at)] = text.slice(at + 1);
  }
  return ok(variables);
}
