/** `atelier cp`: one file to or from a workspace. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFiles } from "@atelier/contract/rpc/workspace/files";
import { createReadStream, type Stats } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { plainFailure, usageFailure, type CliFailure } from "../cli-failure.ts";
import type { Cli } from "../cli.ts";
import { argument, defineCommand, shown, switchOption } from "../command.ts";
import { safe } from "../output/terminal-safe.ts";
import { answered, withWorkspace } from "../workspace-link.ts";

export const cp = defineCommand({
  name: "cp",
  summary: "Copy a file to or from a workspace",
  details:
    "A path in a workspace is <workspace>:<path>, with an absolute path or one that begins with ~/. A directory as the\ntarget keeps the file's name. Whoever reads the target sees the old file or the new one, never half of it.",
  examples: ["atelier cp ./model.bin dev:~/data/", "atelier cp dev:/var/log/app.log ./app.log"],
  args: {
    from: argument("a path here, or <workspace>:<path>"),
    to: argument("a path here, or <workspace>:<path>"),
  },
  options: { keepExisting: switchOption("--keep-existing", "fail where the target exists") },
  run: async (cli, { args, options }) => {
    const from = parseSide(args.from);
    const to = parseSide(args.to);
    if ((from.workspace === null) === (to.workspace === null)) {
      return fail(usageFailure("One side is a workspace's, the other is here.", "dev:~/file"));
    }
    const job = { from: from.path, to: to.path, mayOverwrite: !options.keepExisting };
    const copied = await withWorkspace(cli, from.workspace ?? to.workspace ?? "", ({ services }) =>
      from.workspace === null
        ? send(cli, services.files, job)
        : fetchFile(cli, services.files, job),
    );
    if (!copied.ok) return copied;
    const { bytes, path } = copied.value;
    return ok(shown({ json: { bytes, path }, text: () => safe`${path}: ${bytes} bytes` }));
  },
});

type Side = { readonly workspace: string | null; readonly path: string };
type Job = { readonly from: string; readonly to: string; readonly mayOverwrite: boolean };
type Copied = Promise<Result<{ readonly bytes: number; readonly path: string }, CliFailure>>;

/** A path here that has a colon is written with `./` before it. */
export function parseSide(text: string): Side {
  const colon = text.indexOf(":");
  const slash = text.indexOf("/");
  const isOfWorkspace = colon > 0 && (slash === -1 || slash > colon || isOwnerAndName(text, colon));
  return isOfWorkspace
    ? { workspace: text.slice(0, colon), path: text.slice(colon + 1) || "~/" }
    : { workspace: null, path: text };
}

/** `owner/name:path`. */
function isOwnerAndName(text: string, colon: number): boolean {
  return /^[A-Za-z0-9-]+\/[A-Za-z0-9-]+$/.test(text.slice(0, colon));
}

async function send(cli: Cli, files: WorkspaceFiles, job: Job): Copied {
  const from = resolve(job.from);
  const info = await statHere(from);
  if (!info.ok) return info;
  if (!info.value.isFile()) return fail(plainFailure(`${job.from} is not a file.`));
  const to = await targetThere(files, job, basename(from));
  const written = await files.write(
    {
      path: to,
      mode: info.value.mode & 0o777,
      overwrite: job.mayOverwrite ? "always" : "never",
    },
    createReadStream(from, { highWaterMark: 256 * 1024 }),
    { signal: cli.signal },
  );
  if (!written.ok) return answered(written);
  const { size, path } = written.value.file;
  return ok({ bytes: size, path });
}

/** A directory there takes the file under its own name. */
async function targetThere(files: WorkspaceFiles, { to }: Job, name: string): Promise<string> {
  if (to.endsWith("/")) return `${to}${name}`;
  const known = await files.stat({ path: to });
  return known.ok && known.value.kind === "directory" ? `${to}/${name}` : to;
}

async function fetchFile(cli: Cli, files: WorkspaceFiles, job: Job): Copied {
  const opened = await files.readBytes({ path: job.from }, { signal: cli.signal });
  if (!opened.ok) return answered(opened);
  const { value: info, bytes } = opened.value;
  const here = await statHere(resolve(job.to));
  const isDirectory = job.to.endsWith("/") || (here.ok && here.value.isDirectory());
  const to = isDirectory ? join(resolve(job.to), info.name) : resolve(job.to);
  if (!job.mayOverwrite && (await statHere(to)).ok) {
    return fail(plainFailure(`${to} exists already.`));
  }
  const part = `${to}.${cli.random.alphanumeric(8)}.part`;
  try {
    let count = 0;
    await using file = await open(part, "wx", info.mode & 0o777);
    for await (const chunk of bytes) {
      await file.write(chunk);
      count += chunk.byteLength;
    }
    await file.sync();
    await rename(part, to);
    return ok({ bytes: count, path: to });
  } catch (error) {
    await rm(part, { force: true });
    if (cli.signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : "unknown error";
    return fail(plainFailure(`The file could not be copied whole: ${reason}`));
  }
}

async function statHere(path: string): Promise<Result<Stats, CliFailure>> {
  try {
    return ok(await stat(path));
  } catch (error) {
    return fail(plainFailure(error instanceof Error ? error.message : `${path} cannot be read.`));
  }
}
