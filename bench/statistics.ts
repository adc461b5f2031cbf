/** The middle of the values; of an even number the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = 0, high = 0] =
    sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : sorted.slice(middle - 1, middle + 1)
  return (low + high) / 2
}

/** One line of the table that a benchmark prints. */
export function row(name: string, ours: string, theirs: string, ratio: number | null, aim: string): string {
  const text = ratio === null ? '–' : ratio.toFixed(2)
  return `${name.padEnd(44)} ${ours.padStart(12)} ${theirs.padStart(12)} ${text.padStart(7)}  ${aim}`
}

export const heading = row('what', 'rack', 'other', null, 'aim')
  .replace('–', 'ratio')
  .replace('  ratio', 'ratio  ')

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`
