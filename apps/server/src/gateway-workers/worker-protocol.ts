/** What the main thread and a gateway worker tell each other. */
import type {
  PrincipalNews,
  FoundPrincipal,
  PrincipalSource,
} from "@atelier/control-plane/caller-authorizer-elsewhere";
import type { PreviewWildcard } from "@atelier/contract/preview-address";
import type { GatewayNews } from "@atelier/contract/rpc/gateway-news";
import type { FirstGateway, GatewayMembership } from "@atelier/gateway/gateway-memory";
import type { GatewayConfig } from "@atelier/gateway/start";
import type { LogLevel } from "@atelier/host/logs";
import type { CollectedMetrics } from "@atelier/host/metrics";
import type { Address } from "@atelier/host/option";
import type { TracingOptions } from "@atelier/host/tracing";
import type { PlainSnapshot } from "./provider-messages.ts";
import type { PlainConnection } from "./plain-connection.ts";
import type { RecordBatch, RecordedBatch } from "./recorder-messages.ts";

/** How a worker records by itself, over connections of its own. */
export type OwnRecording = {
  readonly connection: PlainConnection;
  readonly replicaId: string;
  readonly logRecords: boolean;
  /** Where it notes what it has begun. */
  readonly openRecords: SharedArrayBuffer;
  /** Of the channel on which recording threads tell each other of tool calls. */
  readonly peersName: string;
};

/** What a worker begins with. */
export type WorkerStart = {
  readonly membership: GatewayMembership;
  readonly address: Address;
  readonly gateway: GatewayConfig;
  readonly log: {
    readonly format: "human" | "json";
    readonly level: LogLevel;
    readonly colors: boolean;
  };
  readonly tracing: TracingOptions | null;
  readonly shutdownTimeoutMs: number;
  /** Where the main thread answers what is not the gateway's. */
  readonly socketPath: string;
  /** Hosts of previews are the main thread's, whatever the path. */
  readonly previewWildcard: PreviewWildcard | null;
  readonly providers: PlainSnapshot;
  readonly isConnected: boolean;
  /** Null: its records go to the main thread. */
  readonly recording: OwnRecording | null;
};

export type AsksOfWorker = {
  listening: { ask: Address; answer: null };
  load: { ask: { readonly by: "token" | "key"; readonly value: string }; answer: FoundPrincipal };
  used: { ask: Parameters<PrincipalSource["note"]>[0]; answer: null };
  record: { ask: RecordBatch; answer: RecordedBatch };
  claimSlot: {
    ask: Parameters<FirstGateway["claim"]>[0];
    answer: Awaited<ReturnType<FirstGateway["claim"]>>;
  };
  leaveSlot: { ask: number; answer: null };
  keyRefused: { ask: Parameters<FirstGateway["keyRefused"]>[0]; answer: null };
  tellPeers: { ask: GatewayNews; answer: null };
};

export type AsksOfMain = {
  providers: { ask: PlainSnapshot; answer: null };
  news: { ask: PrincipalNews; answer: null };
  collect: { ask: null; answer: CollectedMetrics };
  drain: { ask: null; answer: { readonly cut: number } };
};
