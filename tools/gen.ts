/**
 * `npm run gen` writes every generated file; `npm run gen -- --check` compares and writes nothing.
 * Generated files are committed, so that a change of them is seen in review.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderApiReference } from "./gen-api.ts";
import { CHECKSUMS_FILE, renderChecksums } from "./gen-checksums.ts";
import { renderArchitecture } from "./gen-edges.ts";
import {
  renderCommandReference,
  renderConfigurationReference,
  renderFailureReference,
  renderMetricReference,
  renderPermissionReference,
} from "./gen-reference.ts";
import { generateSchema } from "./gen-schema.ts";
import { read, ROOT } from "./source-files.ts";

export type GeneratedFile = {
  readonly path: string;
  readonly render: (root: string) => string | Promise<string>;
};

export const GENERATED_FILES: readonly GeneratedFile[] = [
  { path: CHECKSUMS_FILE, render: renderChecksums },
  { path: "libs/database/src/generated/schema.generated.ts", render: generateSchema },
  { path: "ARCHITECTURE.md", render: renderArchitecture },
  { path: "docs/reference/api.md", render: renderApiReference },
  { path: "docs/reference/cli.md", render: renderCommandReference },
  { path: "docs/reference/configuration.md", render: renderConfigurationReference },
  { path: "docs/reference/failures.md", render: renderFailureReference },
  { path: "docs/reference/metrics.md", render: renderMetricReference },
  { path: "docs/reference/permissions.md", render: renderPermissionReference },
];

/** Paths whose content is not what `npm run gen` would write. */
export async function listStaleFiles(root: string = ROOT): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, render } of GENERATED_FILES) {
    const wanted = await render(root);
    if (!existsSync(join(root, path)) || read(root, path) !== wanted) stale.push(path);
  }
  return stale;
}

async function generate(root: string): Promise<void> {
  for (const { path, render } of GENERATED_FILES) {
    const text = await render(root);
    if (existsSync(join(root, path)) && read(root, path) === text) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
  }
}

if (import.meta.main) {
  if (process.argv.includes("--check")) {
    const stale = await listStaleFiles();
    for (const path of stale) console.error(`${path} is not current: run npm run gen`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    await generate(ROOT);
  }
}
