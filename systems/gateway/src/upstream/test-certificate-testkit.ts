/** A self-signed certificate made on the spot, so that no private key lies in the repository. For tests only. */
import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";

export type TestCertificate = { readonly cert: string; readonly key: string };

/** Valid for `host` from yesterday until `daysValid` from then. */
export function makeCertificate(host: string, daysValid = 2): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = der(0x30, der(0x31, der(0x30, oid("550403"), der(0x0c, Buffer.from(host)))));
  const algorithm = der(0x30, oid("2a8648ce3d040302")); // ecdsa-with-SHA256
  const notBeforeMs = Date.now() - 24 * 3_600_000;
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))), // Version 3.
    der(0x02, serial(publicKey)),
    algorithm,
    name,
    der(0x30, utc(notBeforeMs), utc(notBeforeMs + daysValid * 24 * 3_600_000)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(0x30, extension("551d11", der(0x30, der(0x82, Buffer.from(host)))))),
  );
  const signature = sign("sha256", body, privateKey);
  const whole = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** Positive, and different for each key. */
function serial(publicKey: KeyObject): Buffer {
  const digest = createHash("sha256").update(publicKey.export({ type: "spki", format: "der" }));
  return Buffer.from([1, ...digest.digest().subarray(0, 8)]);
}

function extension(id: string, value: Buffer): Buffer {
  return der(0x30, oid(id), der(0x04, value));
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function utc(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return der(0x17, Buffer.from(`${text}Z`));
}

/** One element of the distinguished encoding: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
