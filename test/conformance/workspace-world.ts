/** Where the conformance of a workspace agent's services is tested: a directory, a journal, a link. */
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { testLink } from "@atelier/tunnel/link-testkit";
import { fakeServices } from "@atelier/tunnel/services-testkit";
import {
  openEffectJournal,
  type EffectJournal,
} from "@atelier/workspace-agent/effects/effect-journal-io";
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const hostDeps = { clock: systemClock, random: systemRandom, log: silentLogger };

export type WorkspaceWorld = AsyncDisposable & {
  /** Empty, and without symlinks in its path. */
  readonly directory: string;
  readonly journal: EffectJournal;
};

export async function openWorld(): Promise<WorkspaceWorld> {
  const base = await realpath(await mkdtemp(join(tmpdir(), "atelier-workspace-")));
  const directory = join(base, "home");
  await mkdir(directory);
  const journal = await openEffectJournal(join(base, "state"), hostDeps);
  return {
    directory,
    journal,
    [Symbol.asyncDispose]: async () => {
      await journal[Symbol.asyncDispose]();
      await rm(base, { recursive: true, force: true });
    },
  };
}

/** The same service as it is seen through a link; the others are fakes. */
export async function throughLink<Name extends keyof WorkspaceServices>(
  name: Name,
  service: WorkspaceServices[Name],
): Promise<AsyncDisposable & { readonly service: WorkspaceServices[Name] }> {
  const link = await testLink({ ...fakeServices().services, [name]: service });
  return {
    service: link.link.services[name],
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
}
