/** `atelier port-forward`: ports of a workspace on this machine, through the server. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspacePorts } from "@atelier/contract/rpc/workspace/ports";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { EXIT_CODES, plainFailure, usageFailure, type CliFailure } from "../cli-failure.ts";
import type { Cli } from "../cli.ts";
import { argument, defineCommand, restArgument } from "../command.ts";
import { withWorkspace } from "../workspace-link.ts";
import { WORKSPACE_ARGUMENT } from "../workspace-lookup.ts";

export const portForward = defineCommand({
  name: "port-forward",
  summary: "Make ports of a workspace reachable on this machine, until Ctrl-C",
  details: "Only this machine can use them: they listen on 127.0.0.1.",
  examples: ["atelier port-forward dev 3000", "atelier port-forward dev 8080:3000 5432"],
  args: {
    workspace: argument(WORKSPACE_ARGUMENT),
    ports: restArgument("<port>, or <port here>:<port there>; 0 here: any that is free"),
  },
  options: {},
  run: async (cli, { args }) => {
    const pairs = args.ports.map(parsePair);
    const wrong = args.ports.find((_, i) => pairs[i] === null);
    if (wrong !== undefined || pairs.length === 0) {
      const message = wrong === undefined ? "Which port?" : `${wrong} is not a port or two.`;
      return fail(usageFailure(message, "atelier port-forward dev 8080:3000"));
    }
    const known = pairs.filter((pair) => pair !== null);
    return withWorkspace(cli, args.workspace, async ({ services, closed }) => {
      await using listeners = new AsyncDisposableStack();
      for (const pair of known) {
        const listening = await listen(services.ports, pair);
        if (!listening.ok) return listening;
        const { server, sockets } = listening.value;
        listeners.defer(() => {
          for (const socket of sockets) socket.destroy();
          server.close();
        });
        const { port } = server.address() as AddressInfo; // It listens on TCP.
        cli.note(`127.0.0.1:${port} is port ${pair.there} of ${args.workspace}`);
      }
      return await untilOver(cli, closed);
    });
  },
});

type Pair = { readonly here: number; readonly there: number };

export function parsePair(text: string): Pair | null {
  const [, here, there = here] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (here === undefined || there === undefined) return null;
  const pair = { here: Number(here), there: Number(there) };
  return pair.here <= 65_535 && pair.there >= 1 && pair.there <= 65_535 ? pair : null;
}

async function listen(
  ports: WorkspacePorts,
  { here, there }: Pair,
): Promise<Result<{ readonly server: Server; readonly sockets: Set<Socket> }, CliFailure>> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // `close` follows.
    carry(ports, there, socket).catch(() => socket.destroy());
  });
  server.listen(here, "127.0.0.1");
  try {
    await once(server, "listening");
    return ok({ server, sockets });
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown error";
    return fail(plainFailure(`Port ${here} cannot be used here: ${reason}`));
  }
}

async function carry(ports: WorkspacePorts, port: number, socket: Socket): Promise<void> {
  const dialled = await ports.dial({ port });
  if (!dialled.ok) {
    socket.destroy();
    return;
  }
  const { channel } = dialled.value;
  socket.once("close", () => channel.destroy());
  const up = async (): Promise<void> => {
    for await (const bytes of socket.iterator({
      destroyOnReturn: false,
    }) as AsyncIterable<Buffer>) {
      await channel.write(bytes);
    }
    await channel.end();
  };
  const down = async (): Promise<void> => {
    for await (const bytes of channel.incoming) {
      if (!socket.write(bytes)) await once(socket, "drain");
    }
    socket.end();
  };
  await Promise.all([up(), down()]);
}

async function untilOver(
  cli: Cli,
  closed: Promise<void>,
): Promise<Result<{ readonly kind: "exited"; readonly exitCode: number }, CliFailure>> {
  const stopped = new Promise<"stopped">((resolve) => {
    if (cli.signal.aborted) resolve("stopped");
    cli.signal.addEventListener("abort", () => resolve("stopped"), { once: true });
  });
  const how = await Promise.race([stopped, closed]);
  if (how === "stopped") return ok({ kind: "exited", exitCode: EXIT_CODES.done });
  return fail(plainFailure("The connection to the workspace is lost."));
}
