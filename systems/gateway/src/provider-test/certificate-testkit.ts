/**
 * Certificates for TLS servers of tests, good and bad ones, made when they are needed: nothing of
 * them is kept in the repository, and no program is needed to make them. X.509 v3 with P-256.
 */
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";

export type TestCertificate = {
  readonly cert: string;
  readonly key: string;
  readonly issuer: { readonly name: string; readonly privateKey: KeyObject };
};

export type CertificateWish = {
  readonly name: string;
  /** DNS names of the server. */
  readonly hosts?: readonly string[];
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** Absent: it signs itself. */
  readonly signedBy?: TestCertificate["issuer"];
  readonly isAuthority?: boolean;
};

export function makeCertificate(wish: CertificateWish): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = wish.signedBy ?? { name: wish.name, privateKey };
  const tbs = sequence(
    tagged(0xa0, integer(2)),
    integer(serial++),
    ECDSA_SHA256,
    name(signer.name),
    sequence(time(wish.notBefore ?? "20200101000000Z"), time(wish.notAfter ?? "20991231235959Z")),
    name(wish.name),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions(wish))),
  );
  const signature = sign("sha256", tbs, signer.privateKey);
  const certificate = sequence(tbs, ECDSA_SHA256, tagged(0x03, Buffer.of(0), signature));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    cert: ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n"),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    issuer: { name: wish.name, privateKey },
  };
}

let serial = 1;

const ECDSA_SHA256 = sequence(Buffer.from("06082a8648ce3d040302", "hex"));
const COMMON_NAME = Buffer.from("0603550403", "hex");
const SUBJECT_ALT_NAME = Buffer.from("0603551d11", "hex");
const BASIC_CONSTRAINTS = Buffer.from("0603551d13", "hex");
const TRUE = Buffer.from("0101ff", "hex");

function extensions({ hosts = [], isAuthority = false }: CertificateWish): Buffer[] {
  const names = hosts.map((host) => tagged(0x82, Buffer.from(host)));
  return [
    ...(names.length === 0 ? [] : [sequence(SUBJECT_ALT_NAME, octets(sequence(...names)))]),
    ...(isAuthority ? [sequence(BASIC_CONSTRAINTS, TRUE, octets(sequence(TRUE)))] : []),
  ];
}

function name(text: string): Buffer {
  return sequence(tagged(0x31, sequence(COMMON_NAME, tagged(0x0c, Buffer.from(text)))));
}

function time(text: string): Buffer {
  return tagged(0x18, Buffer.from(text));
}

function integer(value: number): Buffer {
  return tagged(0x02, Buffer.of(value));
}

function octets(content: Buffer): Buffer {
  return tagged(0x04, content);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

/** Tag, length and value, as DER writes them. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
}
