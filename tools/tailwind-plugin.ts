/**
 * Tailwind for the dashboard's build, by its compiler alone: the package that usually looks for class
 * names is a native one, which is not to be had for every platform. Any word of the sources may be a
 * class name; the compiler knows which are.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { compile } from "tailwindcss";
import type { Plugin } from "vite";
import { listFiles } from "./source-files.ts";

const require = createRequire(import.meta.url);

/** Compiles the style sheets that import Tailwind, for the classes that files below `root` name. */
export function tailwindPlugin(root: string): Plugin {
  return {
    name: "atelier-tailwind",
    enforce: "pre",
    async transform(code, id) {
      const [path = ""] = id.split("?");
      if (!path.endsWith(".css") || !code.includes('@import "tailwindcss"')) return null;
      const sources = listFiles(root, ["src/**/*.{ts,tsx}"]).map((file) => join(root, file));
      // A change of any of them may bring a class that the style sheet lacks.
      for (const source of sources) this.addWatchFile(source);
      const compiler = await compile(code, { base: dirname(path), loadStylesheet });
      return { code: compiler.build(wordsOf(sources)), map: null };
    },
  };
}

function wordsOf(files: readonly string[]): string[] {
  const words = new Set<string>();
  for (const file of files) {
    for (const word of readFileSync(file, "utf8").split(/[\s"'`<>{};]+/)) words.add(word);
  }
  return [...words];
}

async function loadStylesheet(id: string, base: string) {
  const path = id.startsWith(".") ? join(base, id) : require.resolve(sheetOf(id));
  return { path, base: dirname(path), content: readFileSync(path, "utf8") };
}

function sheetOf(id: string): string {
  return id === "tailwindcss" ? "tailwindcss/index.css" : id;
}
