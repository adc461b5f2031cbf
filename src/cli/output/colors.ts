import { createColors as createPainters } from 'picocolors'
import { printable } from './printable.ts'

const names = ['dim', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan'] as const

/** What paints a text, or leaves it as it is where there is no terminal. */
export type Colors = Record<(typeof names)[number], (text: string) => string>

/** Paints that leave text alone. */
const plain = Object.fromEntries(names.map((name) => [name, (text: string) => text])) as Colors

/**
 * Colours of ours, and the door that tells them from all others: each begins with a word that no text from elsewhere can
 * know, and only what begins with that word becomes a colour.
 */
export function createColors({ isPainted }: { isPainted: boolean }): {
  colors: Colors
  /** Makes a painted text ready for the terminal. */
  show: (text: string) => string
} {
  if (!isPainted) return { colors: plain, show: printable }
  const { randomUUID } = process.getBuiltinModule('node:crypto')
  const mark = `<${randomUUID()}>`
  const painters = createPainters(true)
  const painted = names.map((name) => {
    const [open = '', close = ''] = painters[name]('\n').split('\n')
    // Without the escape itself, which the door adds.
    return [name, (text: string) => `${mark}${open.slice(1)}${text}${mark}${close.slice(1)}`]
  })
  return {
    colors: Object.fromEntries(painted) as Colors,
    show: (text) => text.split(mark).map(showPart).join(''),
  }
}

/** Every part but the first begins with a colour: `[32m`. */
function showPart(part: string, at: number): string {
  if (at === 0) return printable(part)
  const end = part.indexOf('m') + 1
  return `\u001b${part.slice(0, end)}${printable(part.slice(end))}`
}
