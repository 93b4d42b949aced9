/** Where ids and secrets come from. A parameter, so that tests can know what was drawn. */
export interface Random {
  /** A version 4 UUID, lower case. */
  uuid(): string;
  /** `length` characters of [A-Za-z0-9], uniformly drawn, fit for secrets. */
  alphanumeric(length: number): string;
}
