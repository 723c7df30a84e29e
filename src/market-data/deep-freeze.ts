/**
 * Freezes a value with all that hangs on it, so that no reader can change what the others see. The
 * elements of typed arrays can't be frozen by any means of the language: the columns of bars are
 * shared and read-only by agreement.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
