/**
 * Starts a workspace agent: its services on this machine, and the link over which the server asks for
 * them. What it starts for people outlives it: processes run on when the agent ends.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type { Secret } from "@atelier/base/secret";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { holdLink, type LinkRefusal, type LinkState } from "@atelier/tunnel/hold-link";
import { openEffectJournal } from "./effects/effect-journal-io.ts";
import { openFiles } from "./files/workspace-files-io.ts";
import { findAbilities } from "./find-abilities.ts";
import { openGit } from "./git/workspace-git-io.ts";
import { openMachine } from "./machine/workspace-machine-io.ts";
import { openPorts } from "./ports/workspace-ports-io.ts";
import { openProcesses } from "./processes/processes-io.ts";
import { openTerminals } from "./terminals/terminals-io.ts";
import { join } from "node:path";

export type WorkspaceAgentOptions = {
  /** Where the effect journal and the processes' output are: of this agent alone. */
  readonly stateDirectory: string;
  readonly homeDirectory: string;
  /** Where processes and terminals start unless they say otherwise. */
  readonly directory: string;
  /** The user's login shell. */
  readonly shell: string;
  /** Of the agent itself. What is secret in it does not reach what it starts. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** A terminal that nobody looks at and that writes nothing is ended after this long. Null: never. */
  readonly terminalIdleTimeoutMs: number | null;
};

export type WorkspaceAgentDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

/** The agent's own settings: they hold its token, and mean nothing to what it starts. */
const OWN_VARIABLES = /^(?:ATELIER|CODER)_AGENT_/;

/** Put it into `resources`: ends terminals, and lets processes run on. */
export async function openWorkspaceServices(
  options: WorkspaceAgentOptions,
  { clock, random, log }: WorkspaceAgentDeps,
  resources: AsyncDisposableStack,
): Promise<WorkspaceServices> {
  const { stateDirectory, homeDirectory, directory, shell } = options;
  const environment = withoutOwn(options.environment);
  const effects = join(stateDirectory, "effects");
  const journal = resources.use(await openEffectJournal(effects, { clock, log }));
  const processes = resources.use(
    await openProcesses({
      ...{ stateDirectory, homeDirectory, workspaceDirectory: directory },
      ...{ baseEnvironment: environment, journal, clock, random, log },
    }),
  );
  const terminals = resources.use(
    await openTerminals({
      ...{ homeDirectory, workspaceDirectory: directory, shell, clock, log },
      baseEnvironment: environment,
      idleTimeoutMs: options.terminalIdleTimeoutMs,
    }),
  );
  const git = { homeDirectory, environment, clock };
  const ports = openPorts({ agentPid: process.pid, platform: process.platform, clock });
  return {
    processes,
    files: await openFiles({ homeDirectory, journal, clock, random, log }),
    terminals: terminals.service,
    git: openGit({ ...git, directory }),
    ports,
    machine: openMachine({
      ...{ homeDirectory, directory, shell, clock, systemRoot: "/" },
      agentVersion: options.version,
      agentStartedAt: clock.now(),
      findAbilities: () => findAbilities({ hasTerminals: terminals.isAvailable, ports, git }),
    }),
  };
}

function withoutOwn(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !OWN_VARIABLES.test(name)) kept[name] = value;
  }
  return kept;
}

export type AgentLink = {
  /** Of the server, `http:` or `https:`, perhaps below a path. */
  readonly serverUrl: URL;
  readonly token: Secret;
  readonly onState?: (state: LinkState) => void;
};

/** Runs until the signal aborts (null), or the server refuses for good. */
export function linkToServer(
  { serverUrl, token, onState }: AgentLink,
  { services, version }: { readonly services: WorkspaceServices; readonly version: string },
  deps: WorkspaceAgentDeps,
  signal: AbortSignal,
): Promise<LinkRefusal | null> {
  const url = new URL(serverUrl);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/api/v2/workspaceagents/me/link`;
  const options = { url, token, agentVersion: version, services };
  return holdLink(onState === undefined ? options : { ...options, onState }, deps, signal);
}
