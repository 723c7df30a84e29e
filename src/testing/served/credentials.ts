/** What a caller of a served venue proves itself with. */
export interface Credentials {
  readonly apiKey: string;
  readonly secret: string;
}
