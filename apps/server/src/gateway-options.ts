/** The options of the AI gateway: what it lets through, how long it waits, what it writes down. */
import type { Option } from "@atelier/host/option";

export const GATEWAY_OPTIONS = [
  {
    name: "ai-gateway-enabled",
    kind: "bool",
    default: true,
    aliases: ["CODER_AIBRIDGE_ENABLED"],
    group: "AI gateway",
    description:
      "Serve the AI gateway at /api/v2/ai-gateway/<provider>/ and /api/v2/aibridge/<provider>/.",
  },
  {
    name: "gateway-workers",
    kind: "int",
    default: 1,
    min: 1,
    max: 32,
    group: "AI gateway",
    description:
      "Threads that serve the AI gateway on the http-address. Their limits, keys and circuit breakers are those of one server. More than 1 needs Linux and processors to spare: threads that are half as busy share each wait for the database among fewer requests. In mode strict each opens up to 5 connections to Postgres, beside postgres-connections-max.",
  },
  {
    name: "ai-gateway-allow-byok",
    kind: "bool",
    default: true,
    aliases: ["CODER_AIBRIDGE_ALLOW_BYOK"],
    group: "AI gateway",
    description:
      "Let people use their own credential at a model provider instead of the company's.",
  },
  {
    name: "ai-gateway-retention",
    kind: "duration",
    default: "60d",
    aliases: ["CODER_AIBRIDGE_RETENTION"],
    group: "AI gateway",
    description: "How long records of gateway use are kept. 0 means forever.",
  },
  {
    name: "ai-gateway-totals-retention",
    kind: "duration",
    default: "800d",
    group: "AI gateway",
    description:
      "How long sums of gateway use are kept, which hold no text of requests: tokens and costs by person, model, client and provider. 0 means forever.",
  },
  {
    name: "ai-gateway-recording",
    kind: "choice",
    choices: ["strict", "spool"],
    default: "strict",
    group: "AI gateway",
    description:
      "Where the start of a gateway request is on disk before its provider is called. strict: in Postgres, so nothing is served while that is away. spool: in a file below the data-dir, from where it is brought to Postgres; prompts lie there in clear until then.",
  },
  {
    name: "ai-gateway-spool-max-size",
    kind: "int",
    default: 1_024,
    min: 64,
    max: 1_048_576,
    group: "AI gateway",
    description:
      "MiB that records may take in this server's spool. When it is full, requests are recorded as with strict.",
  },
  {
    name: "ai-gateway-max-concurrency",
    kind: "int",
    default: 0,
    min: 0,
    max: 1_000_000,
    aliases: ["CODER_AIBRIDGE_MAX_CONCURRENCY"],
    group: "AI gateway",
    description: "Most gateway requests under way in this server. 0 means no limit.",
  },
  {
    name: "ai-gateway-max-concurrency-per-user",
    kind: "int",
    default: 0,
    min: 0,
    max: 1_000_000,
    group: "AI gateway",
    description:
      "Gateway requests that one person may have under way at once in this server. Further ones are answered 429. 0 means no limit.",
  },
  {
    name: "ai-gateway-rate-limit",
    kind: "int",
    default: 0,
    min: 0,
    max: 1_000_000,
    aliases: ["CODER_AIBRIDGE_RATE_LIMIT"],
    group: "AI gateway",
    description: "Gateway requests per second for each API token in this server. 0 means no limit.",
  },
  {
    name: "ai-gateway-send-actor-headers",
    kind: "bool",
    default: false,
    aliases: ["CODER_AIBRIDGE_SEND_ACTOR_HEADERS"],
    group: "AI gateway",
    description: "Tell model providers who is asking, by id and username, in request headers.",
  },
  {
    name: "ai-gateway-structured-logging",
    kind: "bool",
    default: false,
    aliases: ["CODER_AIBRIDGE_STRUCTURED_LOGGING"],
    group: "AI gateway",
    description:
      "Write each record of gateway use to the log as well. Prompts and tool inputs stand there word for word: mind who reads it.",
  },
  {
    name: "key-auth-failure-policy",
    kind: "choice",
    choices: ["cooldown", "permanent"],
    default: "cooldown",
    group: "AI gateway",
    description:
      "What becomes of a provider key that its provider refuses. cooldown: a 401 rests it for a minute, a 403 goes to the client. permanent: a 401 or 403 takes it out of service until an operator resets it, or it passes the check of ai-gateway-key-recheck.",
  },
  {
    name: "ai-gateway-failover",
    kind: "choice",
    choices: ["keys", "faults"],
    default: "keys",
    group: "AI gateway",
    description:
      "When a provider's next key is tried. keys: after an answer about the key (429, 401). faults: also after a 403, an answer 5xx, a failed connection, or an answer that does not begin in time, as long as the client has got none of it; a key with faults in a row rests for a second to a minute. A provider may bill an attempt that failed.",
  },
  {
    name: "ai-gateway-failover-within",
    kind: "duration",
    default: "15m",
    group: "AI gateway",
    description:
      "With ai-gateway-failover at faults: a request older than this gets its fault instead of another key. 0: no limit.",
  },
  {
    name: "ai-gateway-key-wait",
    kind: "duration",
    default: "0",
    group: "AI gateway",
    description:
      "When all keys of a provider rest, how long a request waits at most for the first to return, instead of an answer 429. 0: it does not wait.",
  },
  {
    name: "ai-gateway-key-recheck",
    kind: "duration",
    default: "10s",
    group: "AI gateway",
    description:
      "About how long after a provider refused a key (401, 403) the server asks it about the key once more, with a request that costs nothing; a key that passes serves again. 0: it does not ask.",
  },
  {
    name: "ai-gateway-foreign-reasoning",
    kind: "choice",
    choices: ["strip", "keep"],
    default: "strip",
    group: "AI gateway",
    description:
      "What becomes of a request whose provider refuses the signed reasoning in it as another's, because the provider was moved or another account's key serves. strip: it is sent once more without that reasoning. keep: the refusal goes to the client, and so will the conversation's further ones.",
  },
  {
    name: "ai-gateway-share-trouble",
    kind: "bool",
    default: true,
    group: "AI gateway",
    description:
      "Tell the other servers at once when a provider throttles or refuses a key, or its answers open a circuit breaker, and believe them. Off: each server learns by itself.",
  },
  {
    name: "ai-gateway-key-queue-size",
    kind: "int",
    default: 100,
    min: 0,
    max: 100_000,
    group: "AI gateway",
    description:
      "When all keys of a provider are at its limit of concurrent requests (max_concurrency_per_key), how many requests wait at most in this server. People take turns; further requests are answered 429. 0: none waits.",
  },
  {
    name: "ai-gateway-key-queue-wait",
    kind: "duration",
    default: "30s",
    group: "AI gateway",
    description: "How long such a request waits at most, before it is answered 503. 0: not at all.",
  },
  {
    name: "ai-gateway-circuit-breaker-enabled",
    kind: "bool",
    default: false,
    aliases: ["CODER_AIBRIDGE_CIRCUIT_BREAKER_ENABLED"],
    group: "AI gateway",
    description:
      "Stop asking a provider for a model for a while after failures in a row (429, 503, 504, 529).",
  },
  {
    name: "ai-gateway-circuit-breaker-failure-threshold",
    kind: "int",
    default: 5,
    min: 1,
    max: 1_000_000,
    aliases: ["CODER_AIBRIDGE_CIRCUIT_BREAKER_FAILURE_THRESHOLD"],
    group: "AI gateway",
    description: "Failures in a row that open a circuit breaker.",
  },
  {
    name: "ai-gateway-circuit-breaker-interval",
    kind: "duration",
    default: "10s",
    minMs: 1,
    aliases: ["CODER_AIBRIDGE_CIRCUIT_BREAKER_INTERVAL"],
    group: "AI gateway",
    description: "How often a closed circuit breaker counts its failures anew.",
  },
  {
    name: "ai-gateway-circuit-breaker-timeout",
    kind: "duration",
    default: "30s",
    minMs: 1,
    aliases: ["CODER_AIBRIDGE_CIRCUIT_BREAKER_TIMEOUT"],
    group: "AI gateway",
    description: "How long a circuit breaker stays open before it lets a request through again.",
  },
  {
    name: "ai-gateway-circuit-breaker-max-requests",
    kind: "int",
    default: 1,
    min: 1,
    max: 1_000_000,
    aliases: ["CODER_AIBRIDGE_CIRCUIT_BREAKER_MAX_REQUESTS"],
    group: "AI gateway",
    description:
      "Requests that are let through then to see whether the provider recovered; as many successes close it.",
  },
  {
    name: "ai-gateway-connect-timeout",
    kind: "duration",
    default: "10s",
    minMs: 100,
    group: "AI gateway",
    description:
      "Longest wait for a connection to a model provider, TLS included. Past it, clients get 504.",
  },
  {
    name: "ai-gateway-header-timeout",
    kind: "duration",
    default: "10m",
    minMs: 1_000,
    group: "AI gateway",
    description:
      "Longest wait for an answer that is no stream to begin, for each key that is tried. Past it, clients get 504. Such an answer begins when the model has done everything: one that thinks may need many minutes.",
  },
  {
    name: "ai-gateway-stream-header-timeout",
    kind: "duration",
    default: "5m",
    minMs: 1_000,
    group: "AI gateway",
    description:
      "The same for a stream. Most providers begin one at once; some, and busy servers of one's own, begin with the first word of the answer, after the model has thought.",
  },
  {
    name: "ai-gateway-idle-timeout",
    kind: "duration",
    default: "10m",
    minMs: 1_000,
    group: "AI gateway",
    description:
      "Longest silence inside an answer that has begun. Past it, a stream ends with its format's error event. An answer that keeps sending has no limit.",
  },
  {
    name: "ai-gateway-metrics-by-user",
    kind: "bool",
    default: false,
    group: "AI gateway",
    description:
      "Tell users apart in the gateway's metrics, by the label initiator_id. With many people these become very many series.",
  },
  {
    name: "ai-gateway-dump-dir",
    kind: "string",
    default: null,
    defaultText: "nothing is written",
    aliases: ["CODER_AIBRIDGE_DUMP_DIR"],
    group: "AI gateway",
    description:
      "Directory for copies of all requests to model providers and their answers, to look into trouble. Prompts and answers stand there word for word, credentials masked. Nothing is ever deleted from it.",
  },
  {
    name: "ai-gateway-send-trace-headers",
    kind: "bool",
    default: false,
    group: "AI gateway",
    description:
      "Tell model providers which trace a request belongs to, in the header traceparent. Needs trace-enable. Clients' own trace headers never reach providers.",
  },
  {
    name: "ai-gateway-upstream-client",
    kind: "choice",
    default: "auto",
    choices: ["auto", "undici", "raw"],
    group: "AI gateway",
    description:
      "What sends requests to model providers: undici, with HTTP/2 where the provider has it; raw, a lean HTTP/1.1 client; auto, raw, and for https:// undici for what is more than 100 at once with one provider, and for providers that refuse HTTP/1.1.",
  },
] as const satisfies readonly Option[];
