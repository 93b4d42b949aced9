/** Why a provider could not be reached, in words: the codes of sockets, DNS, TLS and HTTP. Pure. */
import type { ProviderCheckOutcome } from "@atelier/contract/http/ai-provider-test";

export type FailedTry = {
  readonly kind: "unreachable" | "cut" | "timeout";
  /** A code of the host or of the HTTP client. */
  readonly cause: string;
};

type Words = {
  readonly outcome: ProviderCheckOutcome;
  readonly explanation: string;
  readonly remedy: string;
};

type Row = {
  readonly codes: readonly string[];
  readonly outcome: ProviderCheckOutcome;
  /** `{host}` stands for the host of the base URL, `{port}` for its port. */
  readonly explanation: string;
  readonly remedy: string;
};

const TRUST = "NODE_EXTRA_CA_CERTS=<file> at the server's start adds an authority of your own.";

const ROWS: readonly Row[] = [
  {
    codes: ["ENOTFOUND", "EAI_NONAME", "EAI_NODATA"],
    outcome: "dns",
    explanation: "DNS does not know the name {host}.",
    remedy: "Check the spelling of the base URL, and what the server's machine resolves.",
  },
  {
    codes: ["EAI_AGAIN", "EAI_FAIL", "ETIMEOUT"],
    outcome: "dns",
    explanation: "DNS gives no answer for the name {host}.",
    remedy: "Check the DNS settings and the network of the server's machine.",
  },
  {
    codes: ["ECONNREFUSED"],
    outcome: "refused",
    explanation: "Nothing listens at {host} port {port}.",
    remedy:
      "Check the port, and that the service runs. In a container, 127.0.0.1 is the container itself.",
  },
  {
    codes: ["EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EHOSTDOWN", "EACCES", "EPERM"],
    outcome: "unreachable",
    explanation: "There is no way in the network to {host}.",
    remedy: "Check routes, firewalls and VPN of the server's machine.",
  },
  {
    codes: ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"],
    outcome: "tls",
    explanation:
      "The TLS certificate of {host} is not valid at this time: it has expired, or not begun.",
    remedy: "Have the certificate renewed, and check the clock of the server's machine.",
  },
  {
    codes: ["DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN"],
    outcome: "tls",
    explanation: "The TLS certificate of {host} is self-signed, so that nobody vouches for it.",
    remedy: `Use a certificate of a known authority. ${TRUST}`,
  },
  {
    codes: [
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "CERT_UNTRUSTED",
    ],
    outcome: "tls",
    explanation: "The TLS certificate of {host} is from an authority that is not known here.",
    remedy: `The service may lack an intermediate certificate. ${TRUST}`,
  },
  {
    codes: ["ERR_TLS_CERT_ALTNAME_INVALID"],
    outcome: "tls",
    explanation: "The TLS certificate that {host} shows is for other names.",
    remedy: "Use a name in the base URL that the certificate holds.",
  },
  {
    codes: ["EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_PACKET_LENGTH_TOO_LONG"],
    outcome: "tls",
    explanation: "{host} port {port} does not speak TLS.",
    remedy: "Begin the base URL with http:// if that is meant, or correct the port.",
  },
  {
    codes: ["UND_ERR_CONNECT_TIMEOUT", "ETIMEDOUT"],
    outcome: "timeout",
    explanation: "{host} port {port} does not take the connection: it stays silent.",
    remedy: "Mostly a firewall in between drops it. Check host and port of the base URL too.",
  },
];

/** By kind, where no row has the code. */
const OTHERWISE: Readonly<Record<FailedTry["kind"], Omit<Row, "codes">>> = {
  timeout: {
    outcome: "timeout",
    explanation: "{host} took the request and did not answer in time.",
    remedy: "Try again. If it stays so, look at the load and the log of the service.",
  },
  cut: {
    outcome: "unreachable",
    explanation: "{host} closed the connection in the middle of its answer.",
    remedy: "Try again. If it stays so, look at proxies in between.",
  },
  unreachable: {
    outcome: "unreachable",
    explanation: "{host} closed the connection without an answer.",
    remedy: "Check port and scheme of the base URL: a service with TLS wants https://.",
  },
};

export function explainFailure({ kind, cause }: FailedTry, baseUrl: string): Words {
  const { hostname, port, protocol } = new URL(baseUrl);
  const row = ROWS.find(({ codes }) => codes.includes(cause)) ?? wordsOfUnknown(kind, cause);
  const fill = (text: string): string =>
    text
      .replaceAll("{host}", hostname)
      .replaceAll("{port}", port === "" ? (protocol === "https:" ? "443" : "80") : port);
  const explanation = `${fill(row.explanation)} (${cause})`;
  return { outcome: row.outcome, explanation, remedy: fill(row.remedy) };
}

function wordsOfUnknown(kind: FailedTry["kind"], cause: string): Omit<Row, "codes"> {
  if (cause.startsWith("HPE_") || cause === "HTTPParserError") {
    return {
      outcome: "not_a_provider",
      explanation: "What answers at {host} port {port} is not HTTP.",
      remedy: "Check port and scheme of the base URL: a service with TLS wants https://.",
    };
  }
  if (/^(?:ERR_(?:SSL|TLS|OSSL)_|CERT_)/.test(cause)) {
    return {
      outcome: "tls",
      explanation: "No safe connection to {host} could be made.",
      remedy: "Check the TLS settings and the certificate of the service.",
    };
  }
  return OTHERWISE[kind];
}
