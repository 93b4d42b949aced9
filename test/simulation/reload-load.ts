/**
 * People who use two providers on two servers without a pause: blocking answers and streams, short ones
 * and ones that outlast many reloads. Each answer must be whole and the right one.
 */
import { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { answerText, type Prompt, type ProviderName, type ReloadWorld } from "./reload-world.ts";

export type LoadRequest = {
  readonly number: number;
  readonly server: number;
  readonly provider: ProviderName;
  readonly isStream: boolean;
  readonly startedAtMs: number;
  readonly reloadsBefore: number;
};

export type LoadFailure = { readonly request: LoadRequest; readonly what: string };

type Counts = {
  blocking: number;
  streams: number;
  /** Of the streams, those that were under way while providers were reloaded. */
  streamsAcrossReloads: number;
  /** The most reloads that one stream lived through. */
  reloadsInStreamMax: number;
};

const PAUSE_MS_MAX = 20;
/** One in so many answers is slow. */
const SLOW_ONE_IN = 8;
const SLOW_DELAY_MS_MAX = 250;
const FAST_DELAY_MS_MAX = 8;

export class ReloadLoad {
  readonly failures: LoadFailure[] = [];
  /** Of the requests that were answered well. */
  readonly counts: Counts = {
    blocking: 0,
    streams: 0,
    streamsAcrossReloads: 0,
    reloadsInStreamMax: 0,
  };
  /** Of the operator, so that a request knows what it lived through. */
  reloads = 0;
  readonly #world: ReloadWorld;
  readonly #underWay = new Map<LoadRequest, Promise<void>>();
  #numbers = 0;

  constructor(world: ReloadWorld) {
    this.#world = world;
  }

  /** Goes on until the signal, and then until the last answer. */
  async run(workers: number, seed: number, signal: AbortSignal): Promise<void> {
    await Promise.all(
      Array.from({ length: workers }, async (_, worker) => {
        const draws = new SeededDraws(seed + worker);
        while (!signal.aborted) {
          const isSlow = draws.once(SLOW_ONE_IN);
          await this.ask({
            server: draws.below(this.#world.servers.length),
            provider: draws.pick(["openai", "anthropic"]),
            isStream: draws.below(2) === 0,
            delayMs: draws.below(isSlow ? SLOW_DELAY_MS_MAX : FAST_DELAY_MS_MAX),
          });
          await new Promise((resolve) => setTimeout(resolve, draws.below(PAUSE_MS_MAX)));
        }
      }),
    );
  }

  /** One request. Whatever is wrong with its answer is kept as a failure. */
  async ask(
    wanted: Pick<LoadRequest, "server" | "provider" | "isStream"> & { readonly delayMs: number },
  ): Promise<LoadRequest> {
    this.#numbers += 1;
    const { delayMs, ...about } = wanted;
    const startedAtMs = performance.now();
    const request = { ...about, number: this.#numbers, startedAtMs, reloadsBefore: this.reloads };
    const asking = this.#send(request, delayMs).then(
      (what) => {
        if (what === null) this.#count(request);
        else this.failures.push({ request, what });
      },
      (error: unknown) => {
        this.failures.push({ request, what: `broke off: ${String(error)}` });
      },
    );
    this.#underWay.set(request, asking);
    await asking;
    this.#underWay.delete(request);
    return request;
  }

  /** Resolves when the requests that are under way now have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  #count({ isStream, reloadsBefore }: LoadRequest): void {
    const { counts } = this;
    const lived = this.reloads - reloadsBefore;
    if (!isStream) counts.blocking += 1;
    else {
      counts.streams += 1;
      if (lived > 0) counts.streamsAcrossReloads += 1;
      counts.reloadsInStreamMax = Math.max(counts.reloadsInStreamMax, lived);
    }
  }

  /** What is wrong with the answer, or null. */
  async #send(request: LoadRequest, delayMs: number): Promise<string | null> {
    const { servers, person } = this.#world;
    const { provider, isStream } = request;
    const path = provider === "openai" ? "openai/v1/chat/completions" : "anthropic/v1/messages";
    const prompt: Prompt = { request: request.number, delayMs };
    const answer = await fetch(`${servers[request.server]!.url}/api/v2/ai-gateway/${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${person.token}`,
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
      },
      body: JSON.stringify({
        model: "m",
        max_tokens: 100,
        stream: isStream,
        messages: [{ role: "user", content: JSON.stringify(prompt) }],
      }),
    });
    const text = await answer.text();
    if (answer.status !== 200) return `status ${answer.status}: ${text.slice(0, 300)}`;
    const end = provider === "openai" ? "data: [DONE]" : "event: message_stop";
    if (isStream && !text.includes(end)) return `a stream without its end: ${text.slice(-300)}`;
    const said = isStream ? textOfStream(text) : textOfBody(text);
    return said === answerText(request.number) ? null : `another text: ${said.slice(0, 300)}`;
  }
}

function textOfBody(text: string): string {
  const body = JSON.parse(text);
  return body.choices?.[0].message.content ?? body.content[0].text;
}

function textOfStream(text: string): string {
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice("data: ".length)))
    .map((event) => event.choices?.[0]?.delta?.content ?? event.delta?.text ?? "")
    .join("");
}
