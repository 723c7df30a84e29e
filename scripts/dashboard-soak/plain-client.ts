import { type ClientRequest, get, type IncomingMessage } from 'node:http';

/** A client that loads what a page loads, and then reads its stream to the last byte, as a page does; without a browser. */
export class PlainClient implements Disposable {
  readonly #stream: ClientRequest;
  #text = '';
  /** Epoch ms: it has everything up to here. */
  at: number | undefined;

  private constructor(address: URL) {
    this.#stream = get(address, { agent: false }, (response) => {
      response.setEncoding('utf8');
      response.on('data', (text: string) => this.#take(text));
    });
    this.#stream.on('error', () => {});
  }

  static async open(url: string): Promise<PlainClient> {
    const { searchParams } = new URL(url);
    const token = searchParams.get('token')!;
    const address = (path: string): URL => new URL(`${path}${path.includes('?') ? '&' : '?'}token=${token}`, url);
    for (const path of ['./', 'page.css', 'page.js', 'canvas.js']) await whole(path === './' ? new URL(url) : address(path));
    const range = searchParams.get('range') ?? '900000';
    const { snapshot } = JSON.parse(await whole(address(`snapshot?range=${range}`))) as { readonly snapshot: { readonly at: number } };
    await whole(address('series'));
    return new PlainClient(address(`events?range=${range}&metric=${encodeURIComponent('venuekit_venue_call_seconds p95')}&after=${snapshot.at}`));
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }

  // Each event is parsed, as a page does: who only counts bytes would not know that it is up to date.
  #take(text: string): void {
    this.#text += text;
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(this.#text.slice(0, end))?.[1];
      this.#text = this.#text.slice(end + 2);
      if (data !== undefined) this.at = (JSON.parse(data) as { readonly snapshot: { readonly at: number } }).snapshot.at;
    }
  }
}

function whole(address: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    get(address, { agent: false }, (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (more: string) => {
        text += more;
      });
      response.on('error', reject);
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`${address.pathname} was answered with ${response.statusCode}: ${text}`)),
      );
    }).on('error', reject);
  });
}
