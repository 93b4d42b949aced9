/**
 * Amazon Bedrock as an upstream that speaks the messages format: `POST /v1/messages` becomes InvokeModel,
 * the answer becomes what Anthropic's API would say, and every request is signed or bears a key.
 * Other routes pass through with the same credential. So the relay need not know of AWS at all.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { BedrockAccess, GatewayProvider } from "@atelier/contract/rpc/gateway-ports";
import { errorBody } from "@atelier/model-wire/error-body";
import {
  type Translation,
  type UpstreamCall,
  type UpstreamClient,
  type UpstreamExchange,
  type UpstreamListener,
  wholeBody,
} from "../upstream/upstream-client.ts";
import { AwsCredentialCache, credentialSource, type GotCredentials } from "./aws-credentials-io.ts";
import type { UnsignedRequest } from "./aws-signature.ts";
import {
  accessMistake,
  controlAddress,
  credentialHint,
  servingModel,
  signingRegion,
} from "./bedrock-access.ts";
import { BEDROCK_STREAM_TYPE, BedrockAnswer, sendWhole } from "./bedrock-answer-io.ts";
import { exceptionOf, saysExpired } from "./bedrock-error.ts";
import { toBedrockHeaders } from "./bedrock-headers.ts";
import { toBedrockRequest } from "./bedrock-request.ts";
import { InferenceProfiles } from "./inference-profiles-io.ts";

export type BedrockUpstreamDeps = {
  readonly client: UpstreamClient;
  /** For the few calls to where Bedrock is administered. */
  readonly openClient: (origin: string) => UpstreamClient;
  /** Takes a secret out of what a listener is told. */
  readonly guard: (listener: UpstreamListener, secret: string) => UpstreamListener;
  readonly clock: Clock;
  readonly log: Logger;
};

const SIGNING_SERVICE = "bedrock";
const NO_CREDENTIALS = "no AWS credentials found";
const MESSAGES_ROUTE = "/v1/messages";

export function openBedrockUpstream(
  { id, name, baseUrl }: Pick<GatewayProvider, "id" | "name" | "baseUrl">,
  access: BedrockAccess,
  { client, openClient, guard, clock, log: ownerLog }: BedrockUpstreamDeps,
): { readonly client: UpstreamClient; readonly translation: Translation } {
  const origin = new URL(baseUrl);
  const region = signingRegion(access, baseUrl);
  const log = ownerLog.child({ providerId: id, provider: name });
  const source = credentialSource(access, region);
  const signer = { region, clock, credentials: new AwsCredentialCache({ source, clock, log }) };
  const profiles = new InferenceProfiles({
    control: controlAddress(baseUrl, region),
    openClient,
    authorize: async (call, at) => {
      const key = access.bearerToken?.reveal();
      if (key !== undefined) return bearing(key);
      const got = await signer.credentials.get();
      if (!got.ok) throw new Error(NO_CREDENTIALS);
      return sign(signer, { ...call, origin: at }, got.value);
    },
    clock,
    log,
  });
  const service: Service = {
    access,
    client,
    guard,
    signer,
    profiles,
    origin,
    log,
    mistake: accessMistake(access, baseUrl),
    basePath: origin.pathname.replace(/\/+$/, ""),
  };
  return {
    client: {
      send: (call, listener) => {
        const exchange = new BedrockExchange(service, call, listener);
        exchange.begin();
        return exchange;
      },
      close: () => client.close(),
    },
    translation: {
      credentialHint: credentialHint(access),
      modelFor: (requested) => servingModel(access, requested),
    },
  };
}

type Signer = {
  readonly region: string;
  readonly clock: Clock;
  readonly credentials: AwsCredentialCache;
};

/** One provider's, for all its exchanges. */
type Service = {
  readonly access: BedrockAccess;
  readonly client: UpstreamClient;
  readonly guard: BedrockUpstreamDeps["guard"];
  readonly signer: Signer;
  readonly profiles: InferenceProfiles;
  readonly log: Logger;
  readonly origin: URL;
  readonly basePath: string;
  /** Why the provider cannot be called. Null: it can. */
  readonly mistake: string | null;
};

class BedrockExchange implements UpstreamExchange {
  readonly #service: Service;
  readonly #call: UpstreamCall;
  readonly #listener: UpstreamListener;
  #inner: UpstreamExchange | null = null;
  #isCancelled = false;
  #hasRenewed = false;

  constructor(service: Service, call: UpstreamCall, listener: UpstreamListener) {
    this.#service = service;
    this.#call = call;
    this.#listener = listener;
  }

  /** The listener hears nothing before this returns. */
  begin(): void {
    Promise.resolve()
      .then(() => this.#send())
      .catch((error: unknown) => {
        this.#service.log.error({ error }, "a call to Amazon Bedrock crashed");
        if (this.#isCancelled) return;
        this.#answerError("something broke on our side");
      });
  }

  resume(): void {
    this.#inner?.resume();
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#inner?.cancel();
  }

  async #send(): Promise<void> {
    const { mistake, access, signer, profiles, origin } = this.#service;
    if (mistake !== null) return this.#misconfigured(mistake);
    const behind = await profiles.modelsBehind([access.model, access.smallFastModel]);
    const { call, ownKey, isMessages } = translate(this.#service, this.#call, behind);
    const companyKey = ownKey === null ? (access.bearerToken?.reveal() ?? null) : null;
    const key = ownKey ?? companyKey;
    if (key !== null) {
      const headers = [...call.headers, ...bearing(key)];
      return this.#dispatch({ ...call, headers }, { isMessages, companyKey, signedWith: null });
    }
    const got = await signer.credentials.get();
    if (!got.ok) return this.#misconfigured(NO_CREDENTIALS);
    const headers = [...call.headers, ...(await sign(signer, { ...call, origin }, got.value))];
    this.#dispatch({ ...call, headers }, { isMessages, companyKey, signedWith: got.value });
  }

  #dispatch(call: UpstreamCall, { isMessages, companyKey, signedWith }: Dispatched): void {
    // The client may have left while credentials were got.
    if (this.#isCancelled) return;
    const told =
      companyKey === null ? this.#listener : this.#service.guard(this.#listener, companyKey);
    const listener = isMessages ? new BedrockAnswer(told, () => this.#inner?.cancel()) : told;
    this.#inner = this.#service.client.send(call, {
      head: (status, rawHeaders) => {
        const isExpired = status >= 400 && saysExpired(exceptionOf(rawHeaders));
        if (isExpired && signedWith !== null && !this.#hasRenewed) this.#renew(signedWith);
        else listener.head(status, rawHeaders);
      },
      data: (chunk) => listener.data(chunk),
      end: () => listener.end(),
      failed: (failure) => listener.failed(failure),
    });
  }

  /** Once for a call: AWS may have ended the credentials before their time. */
  #renew(credentials: GotCredentials): void {
    this.#hasRenewed = true;
    this.#service.signer.credentials.discard(credentials);
    this.#inner?.cancel();
    this.begin();
  }

  #misconfigured(cause: string): void {
    this.#service.log.warn({ cause }, "an Amazon Bedrock provider cannot be called");
    this.#answerError(`create anthropic client: ${cause}`);
  }

  #answerError(message: string): void {
    if (this.#isCancelled) return;
    const rawHeaders = ["Content-Type", "application/json"];
    const body = errorBody("messages", { status: 500, message });
    sendWhole(this.#listener, { status: 500, rawHeaders, body });
  }
}

type Dispatched = {
  readonly isMessages: boolean;
  /** That the call bears and its sender may not learn. Null: none. */
  readonly companyKey: string | null;
  /** Null: the call bears a key. */
  readonly signedWith: GotCredentials | null;
};

type Translated = {
  /** In Bedrock's words, but for its credential. */
  readonly call: UpstreamCall;
  readonly ownKey: string | null;
  readonly isMessages: boolean;
};

function translate(
  { access, basePath, log }: Service,
  call: UpstreamCall,
  behind: ReadonlyMap<string, string>,
): Translated {
  const { method, path, body } = call;
  const isMessages = method === "POST" && path.split("?", 1)[0] === `${basePath}${MESSAGES_ROUTE}`;
  const { kept, betaHeaders, ownKey } = toBedrockHeaders(call.headers, { isMessages });
  if (!isMessages || body === null) {
    return { call: { ...call, headers: kept }, ownKey, isMessages: false };
  }
  const modelFor = (requested: string | null): string => servingModel(access, requested) ?? "";
  const request = toBedrockRequest(wholeBody(body), {
    modelFor,
    betaHeaders,
    knownAs: (id) => behind.get(id) ?? id,
  });
  const { model, droppedFlags, warning, isStream } = request;
  if (droppedFlags.length > 0) log.debug({ model, droppedFlags }, "beta flags dropped");
  if (warning !== null) log.warn({ model }, warning);
  const action = isStream ? "invoke-with-response-stream" : "invoke";
  const types = ["Content-Type", "application/json"];
  types.push("Accept", isStream ? BEDROCK_STREAM_TYPE : "application/json");
  return {
    call: {
      method,
      path: `${basePath}/model/${encodeURIComponent(model)}/${action}`,
      headers: [...kept, ...types],
      body: request.body,
    },
    ownKey,
    isMessages: true,
  };
}

async function sign(
  { region, clock }: Signer,
  { body, ...request }: Omit<UnsignedRequest, "body"> & Pick<UpstreamCall, "body">,
  credentials: GotCredentials,
): Promise<string[]> {
  // Loaded when the first provider needs it: every start would wait for it otherwise.
  const { signAwsRequest } = await import("./aws-signature.ts");
  const unsigned = { ...request, body: body === null ? null : wholeBody(body) };
  return signAwsRequest(unsigned, {
    credentials,
    region,
    service: SIGNING_SERVICE,
    at: clock.now(),
  });
}

/** As Bedrock reads its API keys. */
function bearing(key: string): string[] {
  return ["Authorization", `Bearer ${key}`];
}
