/** `npm run build`: makes what cannot run from source. Each part prints one line. */
import { buildDashboard } from "./dashboard-build.ts";

const PARTS = [{ name: "dashboard", build: buildDashboard }] as const;

for (const { name, build } of PARTS) {
  const startedMs = performance.now();
  const isNew = await build();
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  console.log(isNew ? `built     ${name} (${seconds} s)` : `unchanged ${name}`);
}
