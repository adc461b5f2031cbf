/**
 * A sequence that a terminal obeys, whole: CSI (cursor, colours, erasing), the strings that an OSC, DCS, SOS, PM or APC
 * begins (titles, the clipboard, links, notices), and any other escape. Each is also read with its one-letter beginning.
 * A string ends at its line's end at the latest, and no string holds the beginning of another: one pass is enough.
 * @see https://ecma-international.org/publications-and-standards/standards/ecma-48/
 */
const sequences = new RegExp(
  [
    String.raw`(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]`,
    String.raw`(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\n\u0007\u001b\u0080-\u009f]*(?:\u0007|\u001b\\|\u009c)`,
    String.raw`\u001b[ -/]*[0-Z\\^-~]`,
  ].join('|'),
  'g',
)

/** C0 but the tab and the line feed, DEL, C1; the separators of lines and paragraphs; what reverses the order of letters. */
const steeringLetters = /(?![\t\n])[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** Where a terminal would go back to the line's beginning, or somewhere down. */
const jumps = /[\r\v\f]+/g

/**
 * Text as a terminal may show it: nothing of it moves the cursor, colours, renames, copies, answers or hides. Sequences
 * are taken out whole, a carriage return is a blank, and what else would steer is shown as `�`. Tabs and line feeds stay.
 */
export function printable(text: string): string {
  // Most text has nothing to take out, and is looked at once.
  if (text.search(steeringLetters) === -1) return text
  return text
    .replaceAll(sequences, '')
    .replaceAll(jumps, (jump, at: number, whole: string) => {
      const next = whole[at + jump.length]
      // At the end of a line they do nothing; elsewhere the words before and behind stay apart.
      return next === undefined || next === '\n' ? '' : ' '
    })
    .replaceAll(steeringLetters, '\ufffd')
}

/** JSON with the same values, in which nothing steers a terminal: such letters are written as their numbers. */
export function printableJson(json: string): string {
  return json.replaceAll(steeringLetters, (letter) => {
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
