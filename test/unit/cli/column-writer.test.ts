import { describe, expect, it } from 'vitest';
import { ColumnWriter } from '../../../src/cli/column-writer.js';

const givenAWriter = () => {
  const lines: string[] = [];
  return { lines, writer: new ColumnWriter((line) => lines.push(line), ['ID', 'STATE']) };
};

describe('ColumnWriter', () => {
  it('aligns its columns and leaves no blanks at the ends of lines', () => {
    const { lines, writer } = givenAWriter();
    writer.row(['a long id', 'x']);
    writer.row(['b', '']);
    writer.end();
    expect(lines).toEqual(['ID         STATE\n', 'a long id  x\n', 'b\n']);
  });

  it('writes nothing where there are no rows', () => {
    const { lines, writer } = givenAWriter();
    writer.end();
    expect(lines).toEqual([]);
  });

  it('writes as it goes once it has seen enough rows to know their widths', () => {
    const { lines, writer } = givenAWriter();
    for (let i = 0; i < 200; i++) writer.row([String(i), 'x']);
    expect(lines).toHaveLength(201);
    writer.row(['much longer than what was measured', 'y']);
    writer.end();
    expect(lines.at(-1)).toBe('much longer than what was measured  y\n');
    expect(lines).toHaveLength(202);
  });

  it('shows control characters instead of sending them to the terminal', () => {
    const { lines, writer } = givenAWriter();
    writer.row(['\u001b[2Jgone\n', 'ok ünïcode']);
    writer.end();
    expect(lines[1]).toBe('\\u001b[2Jgone\\u000a  ok ünïcode\n');
  });
});
