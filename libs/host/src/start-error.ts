/**
 * A start that failed for a reason the operator can mend: a port in use, a wrong option. The message
 * says what to do and is all that is printed; any other error is ours and is printed with its stack.
 */
export class StartError extends Error {
  override readonly name = "StartError";
}
