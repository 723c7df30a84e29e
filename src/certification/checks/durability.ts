import { type Check, needsOrders } from '../check.js';

/** Of what was killed so many intents must have been acknowledged, for their books to say something. */
const LEAST_DURABLE = 10;

/** What was acknowledged outlives the process, since it is durable before anything is sent. */
export const durability: Check = {
  id: 'production.durability',
  category: 'production',
  critical: true,
  leftOut: needsOrders,
  async run(context) {
    const { placements, unjournalled } = await context.hostility();
    const { haltAfterRestart } = await context.rules();
    const { lives, durable, duplicates, orphans, lost, wronglyFilled, failure, heldUp, findings } = await context.kills();
    const { journal } = context.host.options;
    const isForeign = journal !== undefined && journal.path === undefined && !context.canMake;
    // What was found without them stands; otherwise nothing is known.
    if (heldUp !== undefined && !isForeign && unjournalled === 0 && haltAfterRestart !== 'forgotten') return { notMeasured: heldUp };
    const books = `${duplicates} doubled, ${orphans} orphaned, ${lost} lost, ${wronglyFilled} wrongly filled`;
    return {
      passed:
        !isForeign &&
        unjournalled === 0 &&
        haltAfterRestart !== 'forgotten' &&
        failure === undefined &&
        heldUp === undefined &&
        durable >= LEAST_DURABLE &&
        duplicates + orphans + lost + wronglyFilled === 0,
      measured: `${unjournalled} of ${placements} placements before their record; a halt ${haltAfterRestart} after a restart; ${(failure ?? heldUp) === undefined ? `${durable} acknowledged intents over ${lives - 1} kills: ${books}` : `process ${lives}: ${failure ?? heldUp}`}${findings.length === 0 ? '' : `; ${findings.slice(0, 2).join('; ')}`}${isForeign ? '; the journal that was handed in is no file, and no other process can open it: name the function that makes the kit (create)' : ''}`,
      required: `0 placements before their record; a halt held; ${LEAST_DURABLE} intents or more acknowledged; 0 doubled, orphaned, lost, wrongly filled`,
      why: 'In virtual time every placement was held against the journal at the moment at which it was sent, and an order was tried through the next kit on the journal of one that was halted. Real processes with the options of the kit, each in its own folder, were killed with SIGKILL in the middle of trading; the last one had to know every order as the venue has it.',
    };
  },
};
