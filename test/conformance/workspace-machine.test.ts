/** Machines, in the agent's own process and through a link. */
import { openMachine } from "@atelier/workspace-agent/machine/workspace-machine-io";
import { testMachine, type MachineWorld } from "./workspace-machine.ts";
import { hostDeps, openWorld, throughLink } from "./workspace-world.ts";

async function open(): Promise<MachineWorld> {
  const world = await openWorld();
  const machine = openMachine({
    ...hostDeps,
    homeDirectory: world.directory,
    directory: world.directory,
    shell: "/bin/sh",
    agentVersion: "0.0.0",
    agentStartedAt: new Date(),
    findAbilities: async () => ["files"],
    systemRoot: "/",
  });
  return { ...world, machine };
}

testMachine("in process", open);

testMachine("through a link", async () => {
  const stack = new AsyncDisposableStack();
  const { machine, directory } = stack.use(await open());
  const { service } = stack.use(await throughLink("machine", machine));
  return { machine: service, directory, [Symbol.asyncDispose]: () => stack.disposeAsync() };
});
