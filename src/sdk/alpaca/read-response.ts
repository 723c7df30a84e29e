/** An answer whose body has been read, so that it can be given to the SDK more than once. */
export interface ReadResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One that has just been read. Its headers are taken out when they are asked for: of most answers nobody does. */
export class ResponseRead implements ReadResponse {
  readonly status: number;
  readonly body: string;
  readonly #response: Response;
  #isGiven = false;

  constructor(response: Response, body: string) {
    this.status = response.status;
    this.body = body;
    this.#response = response;
  }

  get headers(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#response.headers);
  }

  /** The response itself, for the first who asks: with what reads its body in place of a body that has been read. */
  give(): Response | undefined {
    if (this.#isGiven) return undefined;
    this.#isGiven = true;
    return Object.defineProperties(this.#response, bodyReaders(this));
  }
}

const EMPTY = [204, 205, 304];

/** A response for the SDK, whose body is there already. */
export function responseOf(read: ReadResponse, url: string): Response {
  return (read instanceof ResponseRead ? read.give() : undefined) ?? wholeResponse(read, url);
}

function wholeResponse(read: ReadResponse, url: string): Response {
  const { 'content-encoding': _, 'content-length': __, ...headers } = read.headers;
  const response = new Response(null, { status: read.status, headers });
  return Object.defineProperties(response, { ...bodyReaders(read), url: { value: url } });
}

/** Without the stream that a body is else made into, and read out of again. */
function bodyReaders(read: ReadResponse): PropertyDescriptorMap {
  const { status, body } = read;
  const isEmpty = EMPTY.includes(status);
  return {
    text: { value: () => Promise.resolve(body) },
    json: { value: () => Promise.resolve(body).then((text) => JSON.parse(text) as unknown) },
    body: { get: () => (isEmpty ? null : new Response(body).body) },
    bodyUsed: { value: false },
    arrayBuffer: { value: () => new Response(body).arrayBuffer() },
    bytes: { value: async () => new Uint8Array(await new Response(body).arrayBuffer()) },
    blob: {
      value(this: Response) {
        return new Response(body, { headers: this.headers }).blob();
      },
    },
    clone: {
      value(this: Response) {
        return wholeResponse({ status, body, headers: Object.fromEntries(this.headers) }, this.url);
      },
    },
  };
}
