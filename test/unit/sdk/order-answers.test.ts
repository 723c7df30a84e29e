import { describe, expect, it } from 'vitest';
import { OrderAnswers } from '../../../src/sdk/shared/order-answers.js';

const busy = new Error('429 Too Many Requests');

describe('OrderAnswers', () => {
  it('regression: an order that was taken after a 429, and rejected later, was told to have met the 429', () => {
    const answers = new OrderAnswers();
    answers.note('place', 'a', { error: busy }, 'refused');
    expect(answers.of('a').placeError).toBe(busy);
    answers.note('place', 'a', { result: { id: 1 } }, 'accepted');
    expect(answers.of('a')).toMatchObject({ placed: { id: 1 }, placeError: undefined });
  });

  it('keeps the error of the latest cancel only while no cancel has been answered', () => {
    const answers = new OrderAnswers();
    answers.note('cancel', 'a', { error: busy }, 'refused');
    expect(answers.of('a')).toMatchObject({ cancelError: busy, isCancelRejected: false });
    answers.note('cancel', 'a', { result: 'done' }, 'accepted');
    expect(answers.of('a')).toMatchObject({ cancelled: 'done', cancelError: undefined });
  });

  it('tells a cancel that may have been done from one that was refused for good', () => {
    const answers = new OrderAnswers();
    answers.note('cancel', 'a', { error: new Error('reset') }, 'unknown');
    answers.note('cancel', 'a', { error: new Error('unknown order') }, 'rejected');
    expect(answers.of('a')).toMatchObject({ isCancelDoubtful: true, isCancelRejected: true });
    expect(answers.of('b')).toEqual({});
  });
});
