/**
 * Leaves out of the dashboard what the schema library has for writing JSON Schema: every schema refers to
 * it, so that no bundler sees that browsers never ask for it. Servers and tests use the library as it is.
 */
import type { Plugin } from "vite";

const LEFT_OUT = /\/zod\/v4\/core\/(?:json-schema-processors|to-json-schema)\.js$/;

export function zodInBrowsersPlugin(): Plugin {
  return {
    name: "atelier-zod-in-browsers",
    enforce: "pre",
    apply: "build",
    transform(code, id) {
      return LEFT_OUT.test(id) ? { code: withoutBodies(code), map: null } : null;
    },
  };
}

/** The same names, each a function whose result refuses to work: some are asked for when a schema is made. */
function withoutBodies(code: string): string {
  const names = [...code.matchAll(/^export (?:async )?(?:const|function) (\w+)/gm)].map(
    ([, name = ""]) => name,
  );
  if (names.length === 0) throw new Error("the schema library has another form than expected");
  return [
    'const absent = () => () => { throw new Error("browsers write no JSON Schema"); };',
    ...names.map((name) => `export const ${name} = absent;`),
    code.includes("processSchema as process") ? "export { absent as process };" : "",
  ].join("\n");
}
