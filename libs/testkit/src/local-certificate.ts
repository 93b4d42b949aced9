/**
 * A fresh self-signed certificate for `localhost` and 127.0.0.1, with its key: TLS in tests without a
 * key in the repository and without a program that makes one. Trust it by `ca` or NODE_EXTRA_CA_CERTS.
 */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

export type LocalCertificate = {
  /** Both as PEM. */
  readonly cert: string;
  readonly key: string;
};

const DAY_MS = 86_400_000;
/** DER types (X.690). */
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;
/** The types that a certificate numbers itself (RFC 5280). */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

const COMMON_NAME = Buffer.from("550403", "hex");
const SUBJECT_ALT_NAME = Buffer.from("551d11", "hex");
const ECDSA_WITH_SHA256 = Buffer.from("2a8648ce3d040302", "hex");

export function makeLocalCertificate(): LocalCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(SEQUENCE, der(OBJECT_ID, ECDSA_WITH_SHA256));
  const commonName = der(OBJECT_ID, COMMON_NAME);
  const localhost = Buffer.from("localhost");
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, commonName, der(UTF8_STRING, localhost))));
  const names = der(SEQUENCE, der(DNS_NAME, localhost), der(IP_ADDRESS, Buffer.of(127, 0, 0, 1)));
  const altNames = der(SEQUENCE, der(OBJECT_ID, SUBJECT_ALT_NAME), der(OCTET_STRING, names));
  const nowMs = Date.now();
  const toSign = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, Buffer.of(2))),
    // Positive: its first bit is not set.
    der(INTEGER, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    name,
    der(SEQUENCE, utcTime(nowMs - DAY_MS), utcTime(nowMs + DAY_MS)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(EXTENSIONS, der(SEQUENCE, altNames)),
  );
  const signature = Buffer.concat([Buffer.of(0), sign("sha256", toSign, privateKey)]);
  const whole = der(SEQUENCE, toSign, algorithm, der(BIT_STRING, signature));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    cert: ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n"),
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

function der(type: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 0x80
      ? [type, length]
      : length < 0x100
        ? [type, 0x81, length]
        : [type, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

/** As YYMMDDhhmmssZ. */
function utcTime(timeMs: number): Buffer {
  const digits = new Date(timeMs).toISOString().replaceAll(/[-:T]/g, "");
  return der(UTC_TIME, Buffer.from(`${digits.slice(2, 14)}Z`));
}
