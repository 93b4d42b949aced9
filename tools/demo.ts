/**
 * `npm run demo`: the server with a scripted model behind it, a person, two providers and a token,
 * and the lines to paste. Nothing in it needs a key or leaves the machine.
 */
import { callApi, printedUrl, type ApiOptions } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const DATA_DIR = join(ROOT, ".data/demo");
const DEMO_KEY = "sk-demo-upstream-key";
const PERSON = { email: "demo@example.com", username: "demo", password: "demo-horse-battery-9" };

await using model = await startScriptedModel({ apiKey: DEMO_KEY });
mkdirSync(DATA_DIR, { recursive: true });
const server = spawn(
  process.execPath,
  [
    join(ROOT, "tools/start.ts"),
    "--data-dir",
    DATA_DIR,
    "--log-level",
    "warn",
    ...process.argv.slice(2),
  ],
  // Out of the terminal's reach: two signals, one of them from here, would mean "at once".
  { stdio: ["ignore", "pipe", "inherit"], detached: true },
);
const exited = once(server, "exit");
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => server.kill("SIGTERM"));
}
const url = await printedUrl(server);
let isSetUp = false;
try {
  if (url !== null) print(url, await setUp(url));
  isSetUp = true;
} catch (error) {
  console.error(`${String(error)}\nTo begin anew, delete .data/demo.`);
  server.kill("SIGTERM");
}
const [code] = (await exited) as [number | null];
process.exitCode = isSetUp ? (code ?? 1) : 1;

/** Everything may exist from an earlier demo; the model's address and the token are new each time. */
async function setUp(base: string): Promise<string> {
  const api = async (method: string, path: string, options: ApiOptions, fine?: number) => {
    const answer = await callApi(base, method, `/api/v2${path}`, options);
    if (answer.status < 300 || answer.status === fine) return answer;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  };
  await api("POST", "/users/first", { body: PERSON }, 409);
  const { email, password } = PERSON;
  const login = await api("POST", "/users/login", { body: { email, password } });
  const token: string = login.body.session_token;
  for (const [name, base_url] of [
    ["openai", `${model.url}/v1`],
    ["anthropic", model.url],
  ] as const) {
    const provider = { name, type: name, base_url, api_keys: [DEMO_KEY] };
    const made = await api("POST", "/ai/providers", { body: provider, token }, 409);
    if (made.status === 409) {
      const body = { base_url, enabled: true, api_keys: [{ api_key: DEMO_KEY }] };
      await api("PATCH", `/ai/providers/${name}`, { body, token });
    }
  }
  await api("DELETE", "/users/me/keys/demo", { token }, 404);
  const made = await api("POST", "/users/me/keys/tokens", { body: { token_name: "demo" }, token });
  return made.body.key;
}

function print(base: string, token: string): void {
  const gateway = `${base}/api/v2/ai-gateway`;
  console.log(`
Atelier's demo runs at ${base} with a scripted model: it answers everything, and knows nothing.
Open it in a browser, and sign in as ${PERSON.email} with the password ${PERSON.password}.

A request, as any OpenAI client sends it:

  curl ${gateway}/openai/v1/chat/completions -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' -d '{"model":"demo","messages":[{"role":"user","content":"Hello"}]}'

Claude Code:

  ANTHROPIC_BASE_URL=${gateway}/anthropic ANTHROPIC_AUTH_TOKEN=${token} claude -p 'Hello'

Codex:

  ATELIER_TOKEN=${token} codex exec --skip-git-repo-check -c model_provider=atelier -c 'model_providers.atelier={name="Atelier",base_url="${gateway}/openai/v1",env_key="ATELIER_TOKEN",wire_api="responses",supports_websockets=false}' -m demo 'Hello'

What was recorded:

  npm run atelier -- login ${base} --email ${PERSON.email}
  npm run atelier -- ai sessions list

Ctrl-C ends it. Its data stays in .data/demo.
`);
}
