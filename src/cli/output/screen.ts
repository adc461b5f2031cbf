import { printable } from './printable.ts'

/** A line of a screen; painted once it is as wide as it will be shown. */
export interface ScreenLine {
  text: string
  paint?: (text: string) => string
}

/** All of a terminal, drawn over and over. Closed, it shows again what was there before, and the cursor is back. */
export interface Screen extends Disposable {
  /** Draws from the top, cut to the terminal's size; again when that changes. */
  show: (lines: ScreenLine[]) => void
}

const open = '\u001b[?1049h\u001b[?25l'
const close = '\u001b[?25h\u001b[?1049l'
const [home, eraseRest, eraseBelow] = ['\u001b[H', '\u001b[K', '\u001b[J']

/** @param ready makes a painted text ready for the terminal */
export function openScreen(stdout: NodeJS.WriteStream, ready: (text: string) => string): Screen {
  let lines: ScreenLine[] = []
  let isOpen = true
  const draw = () => {
    // Of a terminal that does not tell its size both are 0.
    const [rows, columns] = [stdout.rows || 24, stdout.columns || 80]
    const shown = fit(lines, rows).map(({ text, paint = (plain) => plain }) => {
      // The last column stays free: a terminal that stands there would erase its letter.
      return `${ready(paint(cutTo(printable(text), columns - 1)))}${eraseRest}`
    })
    stdout.write(`${home}${shown.join('\r\n')}${eraseBelow}`)
  }
  stdout.write(open)
  stdout.on('resize', draw)
  return {
    show(next) {
      lines = next
      draw()
    },
    [Symbol.dispose]() {
      if (!isOpen) return
      isOpen = false
      stdout.off('resize', draw)
      stdout.write(close)
    },
  }
}

function fit(lines: ScreenLine[], rows: number): ScreenLine[] {
  if (lines.length <= rows) return lines
  const shown = lines.slice(0, Math.max(0, rows - 1))
  return [...shown, { text: `… ${lines.length - shown.length} more lines` }]
}

/** Text of at most so many letters; one that was cut says so. */
export function cutTo(text: string, columns: number): string {
  const letters = Array.from(text)
  return letters.length > columns ? `${letters.slice(0, Math.max(0, columns - 1)).join('')}…` : text
}
