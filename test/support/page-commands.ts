import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/** A command as a page shows it. */
export interface ShownCommand {
  text: string
  /** In the middle of a sentence a command stands for itself, without all that it takes. */
  isQuoted: boolean
}

/** What a page shows that begins with `rack`: lines of its blocks of code, and what stands between backticks. */
export function commandsOf(page: string): ShownCommand[] {
  const parts = readFileSync(join(root, page), 'utf8').split(/^```.*$/m)
  const lines = parts.flatMap((part, index): ShownCommand[] => {
    if (index % 2 === 1) return part.split('\n').map((text) => ({ text, isQuoted: false }))
    return (part.match(/`[^`\n]+`/g) ?? []).map((text) => ({ text: text.slice(1, -1), isQuoted: true }))
  })
  return lines
    .map(({ text, isQuoted }) => ({ text: commandIn(text), isQuoted }))
    .filter(({ text }) => /^rack [a-z]/.test(text) && !text.startsWith('rack help'))
}

/** Without a remark, who runs it, and what a shell does after it. */
function commandIn(text: string): string {
  const bare = text.replace(/\s+#.*$/, '').trim()
  return bare.replace(/^(sudo |\.\.\/\.\.\/bin\/|bin\/)/, '').replace(/(;| &&) .*$/, '')
}
