/**
 * Looking into workspaces over HTTP. Each request asks the machine, wherever it is connected; who is let
 * in is decided before, as for a link. Paths, schemas: libs/contract/src/http/workspace-*.ts.
 */
import { ok, type Result } from "@atelier/base/result";
import * as files from "@atelier/contract/http/workspace-files";
import * as git from "@atelier/contract/http/workspace-git";
import * as processes from "@atelier/contract/http/workspace-processes";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceLinks } from "@atelier/contract/rpc/workspace/services";
import { route, type EndpointRequest, type Route } from "../http/route.ts";
import type { Endpoint } from "@atelier/contract/endpoint";
import type { MachineFailure } from "@atelier/contract/rpc/workspace/machine-failure";
import { closeTerminal, signalProcess, type EffectDeps } from "./effect-actions.ts";
import { listDirectory, openDownload, readText } from "./file-actions.ts";
import { absolutePath, type Asking } from "./machine-path.ts";
import { fromMachine } from "./panel-failure.ts";
import {
  toWireFile,
  toWireGitState,
  toWireProcess,
  toWireStats,
  toWireTerminal,
} from "./panel-wire.ts";
import { findRepositories } from "./repository-actions.ts";

export type PanelDeps = EffectDeps & { readonly links: WorkspaceLinks };

export function panelRoutes(deps: PanelDeps): Route[] {
  return [...fileRoutes(deps), ...gitRoutes(deps), ...processRoutes(deps), ...machineRoutes(deps)];
}

type AgentRequest = Pick<EndpointRequest<Endpoint>, "facts"> & {
  readonly params: { readonly agent: string };
};

/** Asks the machine that the path names. */
async function ask<Value, Refusal>(
  { links }: PanelDeps,
  { params, facts }: AgentRequest,
  work: (asking: Asking) => Promise<Result<Value, Refusal>>,
): Promise<Result<Value, Refusal | MachineFailure>> {
  const services = await links.servicesOf(params.agent);
  if (!services.ok) return fromMachine(services);
  return work({ services: services.value, signal: facts.signal });
}

function fileRoutes(deps: PanelDeps): Route[] {
  return [
    route(files.listWorkspaceFiles, async (request) => {
      const listed = await ask(deps, request, (asking) => listDirectory(asking, request.query));
      if (!listed.ok) return listed;
      const { path, next } = listed.value;
      return ok({ path, files: listed.value.files.map(toWireFile), next });
    }),

    route(files.readWorkspaceText, async (request) => {
      const read = await ask(deps, request, (asking) => readText(asking, request.query.path));
      if (!read.ok) return read;
      const { file, text, isCut } = read.value;
      return ok({ file: toWireFile(file), text, is_cut: isCut });
    }),

    route(files.downloadWorkspaceFile, (request) =>
      ask(deps, request, (asking) => openDownload(asking, request.query.path)),
    ),
  ];
}

function gitRoutes(deps: PanelDeps): Route[] {
  return [
    route(git.listWorkspaceRepositories, async (request) => {
      const found = await ask(deps, request, (asking) =>
        findRepositories(asking, request.query.path),
      );
      if (!found.ok) return found;
      const { roots, isCut } = found.value;
      return ok({ repositories: roots.map((root) => ({ root })), is_cut: isCut });
    }),

    route(git.getWorkspaceGitState, async (request) => {
      const state = await inRepository(deps, request, ({ services, signal }, path) =>
        services.git.state({ path }, { signal }),
      );
      return state.ok ? ok(toWireGitState(state.value)) : state;
    }),

    route(git.getWorkspaceGitDiff, async (request) => {
      const maxBytes = request.query.bytes_max;
      const read = await inRepository(deps, request, ({ services, signal }, path) =>
        services.git.diff({ path, maxBytes }, { signal }),
      );
      return read.ok ? ok({ diff: read.value.diff, is_cut: read.value.isCut }) : read;
    }),
  ];
}

function inRepository<Value>(
  deps: PanelDeps,
  request: AgentRequest & { readonly query: { readonly path: string } },
  work: (asking: Asking, path: string) => Promise<Result<Value, WorkspaceFailure>>,
): Promise<Result<Value, MachineFailure>> {
  return ask(deps, request, async (asking) => {
    const path = await absolutePath(asking, request.query.path);
    return fromMachine(path.ok ? await work(asking, path.value) : path);
  });
}

function processRoutes(deps: PanelDeps): Route[] {
  return [
    route(processes.listWorkspaceProcesses, async (request) => {
      const { group, limit } = request.query;
      const input = group === undefined ? { limit } : { group, limit };
      const listed = await ask(deps, request, async ({ services, signal }) =>
        fromMachine(await services.processes.list(input, { signal })),
      );
      return listed.ok ? ok({ processes: listed.value.processes.map(toWireProcess) }) : listed;
    }),

    route(processes.getWorkspaceProcessOutput, async (request) => {
      const { stream, bytes_max: maxBytes } = request.query;
      const input = { id: request.params.process, stream, maxBytes };
      const read = await ask(deps, request, async ({ services, signal }) =>
        fromMachine(await services.processes.output(input, { signal })),
      );
      if (!read.ok) return read;
      const { head, omittedBytes, tail, totalBytes } = read.value;
      return ok({ head, omitted_bytes: omittedBytes, tail, total_bytes: totalBytes });
    }),

    route(processes.signalWorkspaceProcess, async (request) => {
      const { params, body, audit } = request;
      const order = { id: params.process, signal: body.signal };
      const done = await ask(deps, request, (asking) =>
        signalProcess(deps, { ...asking, agentId: params.agent, audit }, order),
      );
      return done.ok ? ok(toWireProcess(done.value)) : done;
    }),
  ];
}

function machineRoutes(deps: PanelDeps): Route[] {
  return [
    route(processes.getWorkspaceStats, async (request) => {
      const stats = await ask(deps, request, async ({ services, signal }) =>
        fromMachine(await services.machine.stats({}, { signal })),
      );
      return stats.ok ? ok(toWireStats(stats.value)) : stats;
    }),

    route(processes.listWorkspaceTerminals, async (request) => {
      const listed = await ask(deps, request, async ({ services, signal }) =>
        fromMachine(await services.terminals.list({}, { signal })),
      );
      return listed.ok ? ok({ terminals: listed.value.terminals.map(toWireTerminal) }) : listed;
    }),

    route(processes.closeWorkspaceTerminal, (request) => {
      const { params, audit } = request;
      return ask(deps, request, (asking) =>
        closeTerminal(deps, { ...asking, agentId: params.agent, audit }, params.terminal),
      );
    }),
  ];
}
