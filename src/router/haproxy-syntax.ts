/** One section of HAProxy's configuration. */
export function section(title: string, lines: string[]): string {
  return `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`
}

/** Inside single quotes HAProxy takes every character as it is. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** An answer's type and one line of text, as the rules that answer take it. */
export function plainText(text: string): string {
  return `content-type "text/plain; charset=utf-8" string "${text}\\n"`
}

/** HAProxy reads 64 words and 2048 bytes of a line; lines of one name are alternatives. */
export function inLines(words: string[]): string[] {
  const perLine = 20
  return Array.from({ length: Math.ceil(words.length / perLine) }, (_, line) =>
    words.slice(line * perLine, (line + 1) * perLine).join(' '),
  )
}
