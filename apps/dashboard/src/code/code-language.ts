/** Which language code is in, by what stands at its fence or by its file's name. */

const NAMES: Readonly<Record<string, readonly string[]>> = {
  bash: ["sh", "shell", "zsh", "console", "shellsession", "ksh"],
  c: ["h"],
  cpp: ["c++", "cc", "cxx", "hpp", "hh", "hxx", "ino"],
  csharp: ["cs", "c#"],
  css: ["postcss"],
  dart: [],
  diff: ["patch"],
  dockerfile: ["docker", "containerfile"],
  elixir: ["ex", "exs"],
  go: ["golang"],
  graphql: ["gql"],
  haskell: ["hs"],
  ini: ["toml", "conf", "cfg", "properties", "env", "editorconfig", "npmrc"],
  java: [],
  javascript: ["js", "jsx", "mjs", "cjs"],
  json: ["jsonc", "json5", "jsonl", "webmanifest"],
  kotlin: ["kt", "kts"],
  less: [],
  lua: [],
  makefile: ["make", "mk"],
  markdown: ["md", "mdx"],
  nginx: [],
  objectivec: ["objc", "mm"],
  perl: ["pl", "pm"],
  php: [],
  powershell: ["ps1", "pwsh"],
  protobuf: ["proto"],
  python: ["py", "pyi", "py3"],
  r: [],
  ruby: ["rb", "gemfile", "rakefile"],
  rust: ["rs"],
  scala: ["sc"],
  scss: ["sass"],
  sql: ["pgsql", "postgres", "postgresql", "mysql", "sqlite"],
  swift: [],
  typescript: ["ts", "tsx", "mts", "cts"],
  xml: ["html", "xhtml", "svg", "vue", "svelte", "plist", "rss"],
  yaml: ["yml"],
};

const LANGUAGES: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMES).flatMap(([language, others]) =>
    [language, ...others].map((name) => [name, language] as const),
  ),
);

/** All that there may be. */
export const CODE_LANGUAGES: readonly string[] = Object.keys(NAMES);

/** Of the word behind a fence, as `ts title=x` has it. Null: none that is known. */
export function languageOfFence(info: string): string | null {
  const [word = ""] = info
    .trim()
    .toLowerCase()
    .split(/[\s,{:]/);
  return LANGUAGES.get(word.replace(/^\./, "")) ?? null;
}

/** Of a path: by what the file's name ends with, or by the whole of it. */
export function languageOfPath(path: string): string | null {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const ending = name.slice(name.lastIndexOf(".") + 1);
  const [first = ""] = name.split(".");
  return LANGUAGES.get(ending) ?? (name.includes(".") ? (LANGUAGES.get(first) ?? null) : null);
}
