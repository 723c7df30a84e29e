import { createHash } from 'node:crypto';
import type { Answer, PageRequest } from './answer.js';
import type { AssetName, DashboardAssets, PageFile } from './assets.js';

/** The files that a page is made of, packed where the client takes that. */
export class PageFiles {
  readonly #assets: DashboardAssets;
  readonly #read = new Map<AssetName, Promise<{ readonly body: Buffer; readonly tag: string }>>();

  constructor(assets: DashboardAssets) {
    this.#assets = assets;
  }

  /** @throws VenueKitError `ASSETS_NOT_FOUND` */
  async answer(file: PageFile, request: PageRequest): Promise<Answer> {
    const isZipped = /\bgzip\b/.test(request.header('accept-encoding') ?? '');
    const { body, tag } = await this.#of(isZipped ? `${file}.gz` : file);
    const type = file.endsWith('.css') ? 'text/css' : 'text/javascript';
    const headers = { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'private, no-cache', etag: tag, vary: 'accept-encoding' };
    if (request.header('if-none-match') === tag) return { status: 304, headers };
    return { status: 200, headers: isZipped ? { ...headers, 'content-encoding': 'gzip' } : headers, body };
  }

  /** Read once. */
  #of(name: AssetName): Promise<{ readonly body: Buffer; readonly tag: string }> {
    let file = this.#read.get(name);
    if (file === undefined) {
      file = this.#assets.read(name).then((body) => ({ body, tag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }));
      file.catch(() => this.#read.delete(name));
      this.#read.set(name, file);
    }
    return file;
  }
}
