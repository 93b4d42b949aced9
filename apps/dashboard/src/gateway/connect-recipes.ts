/** How each client is told of the gateway: texts to copy, complete but for what only the person has. */
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";

export type RecipeClient =
  | "claude-code"
  | "codex"
  | "opencode"
  | "openai-sdk"
  | "anthropic-sdk"
  | "curl";

export type Recipe = {
  /** Where it goes: a file's name, or a terminal. */
  readonly title: string;
  readonly text: string;
};

type RecipeInput = {
  /** Of the deployment, without a slash at its end. */
  readonly deploymentUrl: string;
  readonly providerName: string;
  readonly token: string;
};

type Dialect = "anthropic" | "openai";

export const RECIPE_CLIENTS: readonly {
  readonly id: RecipeClient;
  readonly label: string;
  readonly dialects: readonly Dialect[];
}[] = [
  { id: "claude-code", label: "Claude Code", dialects: ["anthropic"] },
  { id: "codex", label: "Codex", dialects: ["openai"] },
  { id: "opencode", label: "opencode", dialects: ["anthropic", "openai"] },
  { id: "openai-sdk", label: "OpenAI SDK", dialects: ["openai"] },
  { id: "anthropic-sdk", label: "Anthropic SDK", dialects: ["anthropic"] },
  { id: "curl", label: "curl", dialects: ["anthropic", "openai"] },
];

export function dialectOf(type: ModelProviderType): Dialect {
  return type === "anthropic" || type === "bedrock" ? "anthropic" : "openai";
}

/** What a client of this provider takes for its base URL. */
export function clientBaseUrl(type: ModelProviderType, input: RecipeInput): string {
  const root = `${input.deploymentUrl}/api/v2/ai-gateway/${input.providerName}`;
  return dialectOf(type) === "anthropic" || type === "copilot" ? root : `${root}/v1`;
}

export function recipesFor(
  client: RecipeClient,
  type: ModelProviderType,
  input: RecipeInput,
): readonly Recipe[] {
  const url = clientBaseUrl(type, input);
  const { token } = input;
  switch (client) {
    case "claude-code":
      return [
        {
          title: "In a terminal",
          text: `export ANTHROPIC_BASE_URL=${url}\nexport ANTHROPIC_AUTH_TOKEN=${token}\nclaude`,
        },
        {
          title: "~/.claude/settings.json",
          text: json({ env: { ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: token } }),
        },
      ];
    case "codex":
      return [
        {
          title: "~/.codex/config.toml",
          text: `model_provider = "atelier"

[model_providers.atelier]
name = "Atelier"
base_url = "${url}"
env_key = "ATELIER_TOKEN"
wire_api = "responses"
supports_websockets = false`,
        },
        { title: "In a terminal", text: `export ATELIER_TOKEN=${token}\ncodex` },
      ];
    case "opencode":
      return opencodeRecipes(type, url, token);
    case "openai-sdk":
      return [
        {
          title: "In the environment",
          text: `OPENAI_BASE_URL=${url}\nOPENAI_API_KEY=${token}`,
        },
        {
          title: "Python",
          text: `from openai import OpenAI\n\nclient = OpenAI(base_url="${url}", api_key="${token}")`,
        },
        {
          title: "TypeScript",
          text: `import OpenAI from "openai";\n\nconst client = new OpenAI({ baseURL: "${url}", apiKey: "${token}" });`,
        },
      ];
    case "anthropic-sdk":
      return [
        {
          title: "In the environment",
          text: `ANTHROPIC_BASE_URL=${url}\nANTHROPIC_AUTH_TOKEN=${token}`,
        },
        {
          title: "Python",
          text: `from anthropic import Anthropic\n\nclient = Anthropic(base_url="${url}", auth_token="${token}")`,
        },
        {
          title: "TypeScript",
          text: `import Anthropic from "@anthropic-ai/sdk";\n\nconst client = new Anthropic({ baseURL: "${url}", authToken: "${token}" });`,
        },
      ];
    case "curl":
      return [{ title: "In a terminal", text: curlText(type, url, token) }];
  }
}

function opencodeRecipes(type: ModelProviderType, url: string, token: string): readonly Recipe[] {
  const isAnthropic = dialectOf(type) === "anthropic";
  const provider = isAnthropic ? "anthropic" : "openai";
  const baseURL = isAnthropic ? `${url}/v1` : url;
  return [
    {
      title: "opencode.json",
      text: json({
        $schema: "https://opencode.ai/config.json",
        provider: { [provider]: { options: { baseURL, apiKey: "{env:ATELIER_TOKEN}" } } },
      }),
    },
    { title: "In a terminal", text: `export ATELIER_TOKEN=${token}\nopencode` },
  ];
}

function curlText(type: ModelProviderType, url: string, token: string): string {
  const [path, model, more] =
    dialectOf(type) === "anthropic"
      ? ["/v1/messages", "claude-haiku-4-5", "-H 'anthropic-version: 2023-06-01' "]
      : ["/chat/completions", "gpt-5-mini", ""];
  const limit = dialectOf(type) === "anthropic" ? '"max_tokens": 64, ' : "";
  return `curl ${url}${path} -H 'Authorization: Bearer ${token}' ${more}\\
  --json '{"model": "${model}", ${limit}"messages": [{"role": "user", "content": "Hello"}]}'`;
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
