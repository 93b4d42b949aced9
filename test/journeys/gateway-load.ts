/**
 * People's programs at work through the gateway: some keep their connection and some open a new one
 * each time, some stream, some use tools. Each request has a model name of its own, by which its
 * record is found again; what each answer says of its tokens is kept, to be compared with the records.
 */
import { Agent, request } from "node:http";
import type { RealServer } from "@atelier/testkit/real-server";

export type Answered = {
  /** The model's name. No other request has it. */
  readonly name: string;
  readonly startedMs: number;
  readonly tookMs: number;
  /** 0: the connection failed, or the answer was not whole. */
  readonly status: number;
  readonly text: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
};

/** Stops when disposed, too: a test that fails must not go on asking. */
export type Load = AsyncDisposable & {
  readonly answered: readonly Answered[];
  /** Lets requests under way finish. */
  stop(): Promise<void>;
};

export type LoadOptions = {
  /** Tried in turn until one answers with 200. */
  readonly servers: readonly Pick<RealServer, "port">[];
  readonly tokens: readonly string[];
  readonly workers: number;
  /** Between two requests of one worker. */
  readonly pauseMs: number;
};

export function startLoad({ servers, tokens, workers, pauseMs }: LoadOptions): Load {
  const answered: Answered[] = [];
  const keepAlive = new Agent({ keepAlive: true, maxSockets: workers });
  let isOver = false;
  let count = 0;
  const work = async (worker: number): Promise<void> => {
    while (!isOver) {
      count += 1;
      const name = `model-${count}`;
      const token = tokens[worker % tokens.length] ?? "";
      const agent = worker % 2 === 0 ? keepAlive : false;
      for (let attempt = 0; attempt < servers.length; attempt += 1) {
        const port = servers[(worker + attempt) % servers.length]?.port ?? 0;
        const answer = await ask({ port, token, agent, name: `${name}.${attempt}` });
        answered.push(answer);
        if (answer.status === 200) break;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const working = Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  const stop = async (): Promise<void> => {
    isOver = true;
    await working;
    keepAlive.destroy();
  };
  return { answered, stop, [Symbol.asyncDispose]: stop };
}

/** One request, whose kind is told by its number. Never rejects. */
export async function ask(options: {
  readonly port: number;
  readonly token: string;
  readonly agent: Agent | false;
  readonly name: string;
}): Promise<Answered> {
  const startedMs = performance.now();
  const { status, text } = await post(options).catch((error: unknown) => ({
    status: 0,
    text: String(error),
  }));
  const usage = usageIn(text);
  return {
    name: options.name,
    startedMs,
    tookMs: performance.now() - startedMs,
    status,
    text,
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
  };
}

function bodyOf(name: string): string {
  const number = Number(/\d+/.exec(name)?.[0] ?? 0);
  const isStream = number % 2 === 0;
  const usesTool = number % 3 === 0;
  return JSON.stringify({
    model: name,
    messages: [
      {
        role: "user",
        content: usesTool ? '[[call:bash {"command":"ls"}]]' : "word ".repeat(1 + (number % 50)),
      },
    ],
    ...(isStream ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...(usesTool
      ? { tools: [{ type: "function", function: { name: "bash", parameters: {} } }] }
      : {}),
  });
}

function post({ port, token, agent, name }: Parameters<typeof ask>[0]) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = request(
      {
        port,
        host: "127.0.0.1",
        method: "POST",
        path: "/api/v2/ai-gateway/up/v1/chat/completions",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        agent,
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => (text += chunk));
        answer.on("error", reject);
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    sent.on("error", reject);
    sent.end(bodyOf(name));
  });
}

type Usage = { readonly prompt_tokens: number; readonly completion_tokens: number };

/** Of a JSON answer or of the last chunk of a stream. */
function usageIn(text: string): Usage {
  const none = { prompt_tokens: 0, completion_tokens: 0 };
  for (const line of text.split("\n").toReversed()) {
    const json = line.replace(/^data: /, "");
    if (!json.startsWith("{")) continue;
    const { usage } = JSON.parse(json) as { usage?: Usage | null };
    if (usage !== undefined && usage !== null) return usage;
  }
  return none;
}
