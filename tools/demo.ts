/**
 * `npm run demo`: the server with a scripted model behind it, a person, two providers, a token, a
 * workspace and a chat that works in it, and the lines to paste. Nothing in it needs a key or leaves the machine, and nothing runs on
 * after Ctrl-C.
 */
import { callApi, printedUrl } from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { holdDemoChat, type DemoChat } from "./demo-chat.ts";
import {
  startDemoWorkspace,
  WORKSPACE,
  type DemoApi,
  type DemoWorkspace,
} from "./demo-workspace.ts";

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
const asked = Promise.withResolvers<void>();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => asked.resolve());
}
const url = await printedUrl(server);
let isSetUp = false;
let workspace: DemoWorkspace | null = null;
try {
  if (url !== null) {
    const api = apiAt(url);
    const token = await setUp(api);
    const directory = join(DATA_DIR, "workspace");
    workspace = await startDemoWorkspace(api, { url, token, directory });
    const chat = await holdDemoChat(api, { token, workspaceId: workspace.workspaceId });
    print({ base: url, token, pagePort: workspace.pagePort, chat });
  }
  isSetUp = true;
} catch (error) {
  console.error(`${String(error)}\nTo begin anew, delete .data/demo.`);
  asked.resolve();
}
await Promise.race([asked.promise, exited]);
// The server last: through it, what runs in the workspace is ended.
await workspace?.[Symbol.asyncDispose]();
server.kill("SIGTERM");
const [code] = (await exited) as [number | null];
process.exitCode = isSetUp ? (code ?? 1) : 1;

function apiAt(base: string): DemoApi {
  return async (method, path, options, fine) => {
    const answer = await callApi(base, method, `/api/v2${path}`, options);
    if (answer.status < 300 || answer.status === fine) return answer;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  };
}

/** Everything may exist from an earlier demo; the model's address and the token are new each time. */
async function setUp(api: DemoApi): Promise<string> {
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

function print(demo: {
  readonly base: string;
  readonly token: string;
  readonly pagePort: number;
  readonly chat: DemoChat;
}): void {
  const { base, token, pagePort, chat } = demo;
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

A workspace called ${WORKSPACE} is attached too: a directory of this machine, in .data/demo/workspace. In another terminal:

  export ATELIER_URL=${base} ATELIER_TOKEN=${token}
  npm run atelier -- exec ${WORKSPACE} -- sh -c 'pwd; echo kept > note.txt; ls -l'
  npm run atelier -- terminal ${WORKSPACE}                       # Ctrl-] leaves it running
  npm run atelier -- cp ${WORKSPACE}:~/note.txt ./note.txt
  npm run atelier -- port-forward ${WORKSPACE} 8080:${pagePort}          # then: curl http://127.0.0.1:8080
  npm run atelier -- logs ${WORKSPACE} --follow

In it an agent has just worked for you: its loop runs in the server, its tools there.

${chat.transcript}

Look at that chat again, and at what its model calls were recorded as:

  curl ${base}/api/v2/chats/${chat.id}/messages -H 'Coder-Session-Token: ${token}'
  npm run atelier -- ai interceptions list

Ctrl-C ends it, and all that runs in the workspace. Its data stays in .data/demo.
`);
}
