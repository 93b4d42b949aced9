/** Structured log: fields first, then a constant message that can be searched for. */
export interface Logger {
  /** False: lines of debugging go nowhere, so that whoever has many need not make them. */
  readonly isDebug?: boolean;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds these fields to each of its lines. */
  child(fields: object): Logger;
}

/** For code that must log nothing, such as most tests. */
export const silentLogger: Logger = {
  isDebug: false,
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
