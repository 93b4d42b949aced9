/**
 * The workspace agent's process: attaches the machine it runs on to a workspace, until a signal or
 * until the server refuses it for good.
 */
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { startLogger } from "@atelier/host/logs";
import { runUntilSignal } from "@atelier/host/run-until-signal";
import { VERSION } from "@atelier/host/version";
import { linkToServer, openWorkspaceServices } from "@atelier/workspace-agent/start";
import { HELP, parseAgentConfig, processInputs, type AgentConfig } from "./config.ts";
import { initializeAsFirst } from "./first-process.ts";
import { lockState } from "./state-lock.ts";

const EXIT_CODES = { replaced: 76, token_refused: 77, version_refused: 78 } as const;

const inputs = processInputs();
if (inputs.argv.includes("--help") || inputs.argv.includes("-h")) process.stdout.write(HELP);
else if (inputs.argv.includes("--version")) process.stdout.write(`${VERSION}\n`);
else {
  initializeAsFirst(inputs.env);
  const config = parseAgentConfig(inputs);
  if (config.ok) await serve(config.value);
  else {
    const lines = config.failure.map((mistake) => `  - ${mistake}`).join("\n");
    process.stderr.write(`The workspace agent cannot start:\n${lines}\nSee --help.\n`);
    process.exitCode = 1;
  }
}

async function serve(config: AgentConfig): Promise<never> {
  const log = startLogger({
    format: config.logFormat,
    level: config.logLevel,
    colors: process.stderr.isTTY,
  });
  const deps = { log, clock: systemClock, random: systemRandom };
  return runUntilSignal(deps, async (resources) => {
    resources.use(await lockState(config.stateDirectory));
    const services = await openWorkspaceServices({ ...config, version: VERSION }, deps, resources);
    const stop = new AbortController();
    const agent = { services, version: VERSION };
    const held = linkToServer(config, agent, deps, stop.signal).then((refusal) => {
      if (refusal === null) return;
      log.error({ reason: refusal.message }, "this workspace agent gives up");
      process.exit(EXIT_CODES[refusal.kind]);
    });
    resources.defer(async () => {
      stop.abort(new Error("the workspace agent stops"));
      await held;
    });
  });
}
