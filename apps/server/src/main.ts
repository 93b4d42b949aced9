/**
 * The server's process. `--help` and `--version` answer at once; `dbcrypt` is a task that ends; all
 * else starts the server, which runs until a signal.
 */
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import { startLogger } from "@atelier/host/logs";
import { runUntilSignal } from "@atelier/host/run-until-signal";
import { VERSION } from "@atelier/host/version";
import { startServer } from "./compose.ts";
import { parseConfig, processInputs, type ServerConfig } from "./config.ts";
import { runDbcrypt } from "./dbcrypt.ts";
import { helpText, mistakesText, readyText } from "./start-texts.ts";

/** After the streams had their time: for records, the control plane and the database. */
const CLOSE_AFTER_DRAIN_MS = 5_000;

const { argv } = processInputs();
if (argv[0] === "dbcrypt") process.exitCode = await runDbcrypt(argv.slice(1));
else if (argv.includes("--help") || argv.includes("-h")) {
  process.stdout.write(helpText(process.stdout.columns));
} else if (argv.includes("--version")) process.stdout.write(`${VERSION}\n`);
else {
  const config = parseConfig(processInputs());
  if (config.ok) await serve(config.value);
  else {
    process.stderr.write(mistakesText(config.failure));
    process.exitCode = 1;
  }
}

async function serve(config: ServerConfig): Promise<never> {
  const log = startLogger({
    format: config.logFormat,
    level: config.logLevel,
    colors: process.stderr.isTTY,
  });
  for (const warning of config.warnings) log.warn({ warning }, "questionable configuration");
  const deps = { config, log, clock: systemClock, random: systemRandom };
  return runUntilSignal(
    deps,
    async (resources, signal) => {
      const address = await startServer(deps, resources);
      if (!signal.aborted) process.stdout.write(readyText(address, config.givenAccessUrl));
    },
    { closeWithinMs: config.shutdownTimeoutMs + CLOSE_AFTER_DRAIN_MS },
  );
}
