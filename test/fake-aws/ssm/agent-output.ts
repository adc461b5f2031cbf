/**
 * What becomes of a program's output in the agent (S): it is cut at characters of UTF-8, of each character that is none only
 * the first byte of the three that stand for it arrives, and a character that is not whole at the end is lost.
 */
export function createAgentOutput(): { push(chunk: Buffer): Buffer } {
  const decoder = new TextDecoder('utf-8')
  return {
    push(chunk) {
      const text = decoder.decode(chunk, { stream: true })
      const parts = text.split('\uFFFD').map((part) => Buffer.from(part))
      return Buffer.concat(
        parts.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from([0xef]), part])),
      )
    },
  }
}

/** The agent takes a command apart by the rules of a shell, and starts it without one (S). */
export function splitCommand(command: string): string[] {
  const words: string[] = []
  for (const [, plain, single, double] of command.matchAll(/([^\s'"]+)|'([^']*)'|"([^"]*)"/g)) {
    words.push(plain ?? single ?? double ?? '')
  }
  return words
}
