/**
 * `npm run demo`: the server with a scripted model behind it, a person, two providers and a token,
 * and the lines to paste. Nothing in it needs a key or leaves the machine.
 */
import { callApi, printedUrl } from "@atelier/testkit/real-server";
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
    join(ROOT, "apps/server/src/main.ts"),
    "--data-dir",
    DATA_DIR,
    "--log-level",
    "warn",
    ...process.argv.slice(2),
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // A terminal sends it to both; a supervisor only to this process. The server ends once either way.
  process.on(signal, () => server.kill("SIGTERM"));
}
const url = await printedUrl(server);
if (url !== null) {
  const token = await setUp(url);
  print(url, token);
}
const [code] = (await once(server, "exit")) as [number | null];
process.exitCode = code ?? 1;

/** Everything may exist from an earlier demo; the model's address and the token are new each time. */
async function setUp(base: string): Promise<string> {
  const first = await callApi(base, "POST", "/api/v2/users/first", { body: PERSON });
  if (first.status !== 201 && first.status !== 409) throw new Error(JSON.stringify(first.body));
  const { email, password } = PERSON;
  const login = await callApi(base, "POST", "/api/v2/users/login", { body: { email, password } });
  const token: string = login.body.session_token;
  for (const [name, base_url] of [
    ["openai", `${model.url}/v1`],
    ["anthropic", model.url],
  ] as const) {
    const provider = { name, type: name, base_url, api_keys: [DEMO_KEY] };
    const made = await callApi(base, "POST", "/api/v2/ai/providers", { body: provider, token });
    if (made.status === 409) {
      await callApi(base, "PATCH", `/api/v2/ai/providers/${name}`, { body: { base_url }, token });
    } else if (made.status !== 201) {
      throw new Error(JSON.stringify(made.body));
    }
  }
  await callApi(base, "DELETE", "/api/v2/users/me/keys/demo", { token });
  const body = { token_name: "demo" };
  const made = await callApi(base, "POST", "/api/v2/users/me/keys/tokens", { body, token });
  return made.body.key;
}

function print(base: string, token: string): void {
  const gateway = `${base}/api/v2/ai-gateway`;
  console.log(`
Atelier's demo runs at ${base} with a scripted model: it answers everything, and knows nothing.
Sign in as ${PERSON.email} with the password ${PERSON.password}.

A request, as any OpenAI client sends it:

  curl ${gateway}/openai/v1/chat/completions -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' -d '{"model":"demo","messages":[{"role":"user","content":"Hello"}]}'

Claude Code:

  ANTHROPIC_BASE_URL=${gateway}/anthropic ANTHROPIC_AUTH_TOKEN=${token} claude -p 'Hello'

Codex:

  ATELIER_TOKEN=${token} codex exec --skip-git-repo-check -c model_provider=atelier -c 'model_providers.atelier={name="Atelier",base_url="${gateway}/openai/v1",env_key="ATELIER_TOKEN",wire_api="responses",supports_websockets=false}' -m demo 'Hello'

What was recorded:

  npx atelier login ${base} --email ${PERSON.email}
  npx atelier ai sessions list

Ctrl-C ends it. Its data stays in .data/demo.
`);
}
