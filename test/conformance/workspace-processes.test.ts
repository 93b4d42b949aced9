/** The processes port in the agent's own process, and through a link over a real socket. */
import { fakeServices } from "@atelier/tunnel/services-testkit";
import { testLink } from "@atelier/tunnel/link-testkit";
import { testMachine } from "@atelier/workspace-agent/processes/processes-testkit";
import { testWorkspaceProcesses } from "./workspace-processes.ts";

testWorkspaceProcesses("in process", async () => {
  const machine = await testMachine();
  const { workspaceDirectory } = machine;
  const { processes } = await machine.startAgent();
  const close = () => machine[Symbol.asyncDispose]();
  return { processes, workspaceDirectory, [Symbol.asyncDispose]: close };
});

testWorkspaceProcesses("through a link", async () => {
  const machine = await testMachine();
  const { workspaceDirectory } = machine;
  const { processes } = await machine.startAgent();
  const link = await testLink({ ...fakeServices().services, processes });
  const close = async () => {
    await link[Symbol.asyncDispose]();
    await machine[Symbol.asyncDispose]();
  };
  return {
    processes: link.link.services.processes,
    workspaceDirectory,
    [Symbol.asyncDispose]: close,
  };
});
