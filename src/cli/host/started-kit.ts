import { isVenueKitError } from '../../core/errors.js';
import type { VenueKit, VenueKitOptions } from '../../kit/venue-kit.js';
import { CommandFailure } from '../terminal.js';
import type { HostFile } from './read-host-file.js';

/**
 * A kit of these options, made as the host makes its own, and started.
 * @throws CommandFailure where the options are not those of a kit
 */
export async function startedKit(given: HostFile | undefined, { options }: { readonly options: VenueKitOptions }): Promise<VenueKit> {
  try {
    const kit = await (given?.createKit ?? (await import('../../kit/create-venue-kit.js')).createVenueKit)(options);
    try {
      await kit.start();
    } catch (error) {
      await kit.close();
      throw error;
    }
    return kit;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError || isVenueKitError(error))
      throw new CommandFailure(`No kit could be made of the options: ${error.message}`, { cause: error });
    throw error;
  }
}
