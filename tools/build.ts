/** `npm run build`: makes what cannot run from source, or must run without it. Each part prints one line. */
import { join } from "node:path";
import { AGENT_FILE, buildAgent } from "./build-agent.ts";
import { buildDashboard } from "./dashboard-build.ts";
import { ROOT } from "./source-files.ts";

const DIST = join(ROOT, "dist");

/** What was made; null: it is as it was. */
const PARTS: Readonly<Record<string, () => Promise<string | null>>> = {
  dashboard: async () => ((await buildDashboard()) ? "" : null),
  "workspace agent": async () => {
    const { bytes, terminalPlatforms } = await buildAgent(DIST);
    const terminals = terminalPlatforms.join(", ") || "no platform";
    return `dist/${AGENT_FILE}, ${Math.round(bytes / 1_000)} kB, with terminals on ${terminals}`;
  },
};

for (const [name, build] of Object.entries(PARTS)) {
  const startedMs = performance.now();
  const made = await build();
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  const about = made === null || made === "" ? "" : `: ${made}`;
  console.log(made === null ? `unchanged ${name}` : `built     ${name} (${seconds} s)${about}`);
}
